//! The directory of a race: `race.json`, and a run directory for each trial.

use std::fs;
use std::path::{Path, PathBuf};

use converge_record::{RunDirectory, timestamp, write_atomically};

use super::{Plan, RaceError};
use converge_kernels::threads;

/// The file of the plan in the directory of a race.
pub const RACE_FILE: &str = "race.json";

/// A race on disk.
#[derive(Debug)]
pub struct Race {
    /// The plan.
    pub plan: Plan,
    path: PathBuf,
}

impl Race {
    /// Makes the directory of a new race under `parent`.
    pub fn create(plan: Plan, parent: &Path) -> Result<Self, RaceError> {
        let failed = |path: &Path, error| RaceError::Write { path: path.to_owned(), error };
        fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
        let digits = |letter: char| letter.is_ascii_digit().then_some(letter);
        let time: String = timestamp().chars().take(19).filter_map(digits).collect();
        let (day, time) = time.split_at_checked(8).unwrap_or((&time, ""));
        let stem = Path::new(&plan.experiment).file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("race-{stem}-{day}-{time}");
        let path = (1..)
            .map(|number: u32| match number {
                1 => parent.join(&name),
                _ => parent.join(format!("{name}-{number}")),
            })
            .find_map(|path| match fs::create_dir(&path) {
                Ok(()) => Some(Ok(path)),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => None,
                Err(error) => Some(Err(failed(&path, error))),
            })
            .unwrap_or_else(|| Ok(parent.join(&name)))?;
        let file = path.join(RACE_FILE);
        let json = serde_json::to_vec_pretty(&plan).map_err(|error| failed(&file, error.into()))?;
        write_atomically(&file, &json).map_err(|error| failed(&file, error))?;
        Ok(Self { plan, path })
    }

    /// Opens the race at `path`, to be gone on with on `device`.
    pub fn open(path: &Path, device: &str) -> Result<Self, RaceError> {
        let wrong = |reason: String| RaceError::NotARace { path: path.to_owned(), reason };
        let text =
            fs::read_to_string(path.join(RACE_FILE)).map_err(|error| wrong(error.to_string()))?;
        let plan: Plan = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if plan.format != Plan::FORMAT {
            return Err(wrong(format!(
                "its format is {}, this program reads {}",
                plan.format,
                Plan::FORMAT
            )));
        }
        let other = |what, before: &dyn ToString, now: &dyn ToString, mend: String| {
            let (before, now) = (before.to_string(), now.to_string());
            Err(RaceError::OtherMachine { what, before, now, mend })
        };
        if plan.threads != threads() {
            let mend = format!("set RAYON_NUM_THREADS={}", plan.threads);
            return other("a number of threads of", &plan.threads, &threads(), mend);
        }
        if plan.device != device {
            let mend = format!("add `--device {}`", plan.device);
            return other("the device", &plan.device, &device, mend);
        }
        Ok(Self { plan, path: path.to_owned() })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run of the trial `name`, if there is one.
    pub(super) fn run_of(&self, name: &str) -> Result<Option<RunDirectory>, RaceError> {
        for run in RunDirectory::list(&self.path) {
            let run = run?;
            if run.record.experiment == name {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// The first run there is: all others must have its data.
    pub(super) fn first_run(&self) -> Option<RunDirectory> {
        RunDirectory::list(&self.path).into_iter().find_map(Result::ok)
    }
}
