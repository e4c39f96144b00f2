//! The directory of a run: never reused, complete enough to repeat the run from it alone.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::checkpoints::Checkpoints;
use super::checksum::sha256;
use super::epochs::{EpochRow, read_epochs};
use super::error::RecordError;
use super::evaluation::{EVALUATION_FILE, EvaluationRecord};
use super::files::{none_if_absent, sweep, sync_parent, write_atomically};
use super::notes::{NOTES_FILE, Notes};
use super::process::TrainingProcess;
use super::run::{NewRun, RunRecord, now};
use super::steps::{StepRow, StepsMark, read_steps};
use super::stop::Status;

const RECORD_FILE: &str = "run.json";
const EXPERIMENT_FILE: &str = "experiment.toml";
const PREPROCESSING_FILE: &str = "preprocessing.json";
const EPOCHS_FILE: &str = "epochs.csv";
const STEPS_FILE: &str = "steps.csv";
const LOCK_FILE: &str = ".lock";

/// A run on disk.
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
    /// Its `run.json`.
    pub record: RunRecord,
}

/// Keeps other processes from training the same run while it lives.
#[derive(Debug)]
pub struct Lock(Option<File>);

impl Lock {
    /// Whether it does: some network file systems have no locks.
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

impl RunDirectory {
    /// Makes the directory of a new run under `parent`, claimed for this process. `preprocessing`
    /// is what is done to inputs before the model sees them.
    pub fn create(
        parent: &Path,
        new: NewRun<'_>,
        preprocessing: &impl Serialize,
    ) -> Result<(Self, Lock), RecordError> {
        fs::create_dir_all(parent).map_err(|error| RecordError::write(parent, error))?;
        let base = format!("{}-{}", new.experiment, now().strftime("%Y%m%d-%H%M%S"));
        let path = unused_directory(parent, &base)?;
        let lock = lock(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let experiment = new.experiment_toml;
        let mut run = Self { path, record: RunRecord::new(name, new) };
        run.write_experiment(experiment)?;
        let written = run.write_json(PREPROCESSING_FILE, preprocessing)?;
        run.record.preprocessing_sha256 = Some(sha256(&written));
        // Last: what has a record is a run.
        run.write()?;
        sync_parent(&run.path).map_err(|error| RecordError::write(parent, error))?;
        Ok((run, lock))
    }

    /// Opens the run at `path`.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let file = path.join(RECORD_FILE);
        match fs::metadata(&file) {
            Ok(found) if found.is_file() => {}
            Err(error) if !is_absent(&error) => return Err(RecordError::read(&file, error)),
            _ => return Err(RecordError::NotARun(path.to_owned())),
        }
        let text = fs::read_to_string(&file).map_err(|error| RecordError::read(&file, error))?;
        let record: RunRecord =
            serde_json::from_str(&text).map_err(|error| RecordError::damaged(&file, error))?;
        if record.format != RunRecord::FORMAT {
            let (found, reads) = (record.format, RunRecord::FORMAT);
            let reason = format!("its format is {found}, this program reads {reads}");
            return Err(RecordError::damaged(&file, reason));
        }
        Ok(Self { path: path.to_owned(), record })
    }

    /// Whether a run is at `path`.
    pub fn is_at(path: &Path) -> bool {
        path.join(RECORD_FILE).is_file()
    }

    /// All runs under `parent`, oldest first; directories that are no runs are left out. A `parent`
    /// that cannot be listed is an error in the list.
    pub fn list(parent: &Path) -> Vec<Result<Self, RecordError>> {
        let unreadable = |error| RecordError::read(parent, error);
        let entries = match none_if_absent(fs::read_dir(parent)) {
            Ok(entries) => entries,
            Err(error) => return vec![Err(unreadable(error))],
        };
        let (mut paths, mut runs) = (vec![], vec![]);
        for entry in entries.into_iter().flatten() {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => runs.push(Err(unreadable(error))),
            }
        }
        paths.sort();
        let opened = paths.par_iter().map(|path| Self::open(path));
        runs.par_extend(opened.filter(|run| !matches!(run, Err(RecordError::NotARun(_)))));
        runs.sort_by_cached_key(|run| run.as_ref().ok().and_then(|run| run.record.started_at()));
        runs
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file of the run.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// `steps.csv`.
    pub fn steps_file(&self) -> PathBuf {
        self.file(STEPS_FILE)
    }

    /// `epochs.csv`.
    pub fn epochs_file(&self) -> PathBuf {
        self.file(EPOCHS_FILE)
    }

    /// Every optimizer step so far; none where the run did not come to its first.
    pub fn steps(&self) -> Result<Vec<StepRow>, RecordError> {
        none_where_absent(&self.steps_file(), read_steps)
    }

    /// Every whole epoch so far; none where the run did not come to the end of its first.
    pub fn epochs(&self) -> Result<Vec<EpochRow>, RecordError> {
        none_where_absent(&self.epochs_file(), read_epochs)
    }

    /// `experiment.toml`, and its text.
    pub fn read_experiment(&self) -> Result<(PathBuf, String), RecordError> {
        self.read_file(EXPERIMENT_FILE)
    }

    /// What `preprocessing.json` says is done to inputs before the model sees them.
    pub fn read_preprocessing<T: DeserializeOwned>(&self) -> Result<T, RecordError> {
        let (path, text) = self.read_file(PREPROCESSING_FILE)?;
        let expected = self.record.preprocessing_sha256.as_ref();
        if expected.is_some_and(|expected| sha256(text.as_bytes()) != *expected) {
            let reason = "its SHA-256 is not the one in run.json. Put it back as it was";
            return Err(RecordError::damaged(&path, reason));
        }
        serde_json::from_str(&text).map_err(|error| RecordError::damaged(&path, error))
    }

    /// What a checkpoint scored when it was last evaluated; `None` where none was.
    pub fn evaluation(&self) -> Result<Option<EvaluationRecord>, RecordError> {
        match self.read_file(EVALUATION_FILE) {
            Ok((path, text)) => EvaluationRecord::parse(&path, &text).map(Some),
            Err(RecordError::Read { error, .. }) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes `evaluation.json`, in place of what an earlier evaluation left there.
    pub fn write_evaluation(&self, evaluation: &EvaluationRecord) -> Result<(), RecordError> {
        self.write_json(EVALUATION_FILE, evaluation).map(drop)
    }

    /// What people wrote on the run; nothing where there is no such file.
    pub fn notes(&self) -> Result<Notes, RecordError> {
        match self.read_file(NOTES_FILE) {
            Ok((path, text)) => {
                serde_json::from_str(&text).map_err(|error| RecordError::damaged(&path, error))
            }
            Err(RecordError::Read { error, .. }) if is_absent(&error) => Ok(Notes::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes `notes.json`.
    pub fn write_notes(&self, notes: &Notes) -> Result<(), RecordError> {
        self.write_json(NOTES_FILE, notes).map(drop)
    }

    /// Removes the run and all its files, unless a process trains it.
    pub fn remove(self) -> Result<(), RecordError> {
        if self.is_locked() {
            return Err(RecordError::Locked(self.path));
        }
        // First what makes it a run: should the rest fail, it is none any more.
        let removed = fs::remove_file(self.file(RECORD_FILE));
        removed
            .and_then(|()| fs::remove_dir_all(&self.path))
            .map_err(|error| RecordError::write(&self.path, error))
    }

    /// The bytes that all files of the run take.
    pub fn bytes(&self) -> u64 {
        bytes_below(&self.path)
    }

    /// The checkpoints of the run.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::of(&self.path)
    }

    /// Opens the run at `path`, claimed for this process.
    pub fn claim(path: &Path) -> Result<(Self, Lock), RecordError> {
        // Looks for a run before a lock file is made in what may be any directory.
        Self::open(path)?;
        let lock = lock(path)?;
        Ok((Self::open(path)?, lock))
    }

    /// Whether the rows of `steps.csv` that are `marked` are there; an error if others are.
    pub fn has_steps(&self, marked: &StepsMark) -> Result<bool, RecordError> {
        Ok(marked.find(&self.steps_file())?.is_some())
    }

    /// Removes what a killed process left half written or half removed.
    pub fn sweep(&self) -> Result<(), RecordError> {
        let swept = sweep(&self.path).map_err(|(path, error)| RecordError::write(&path, error));
        swept.and_then(|()| self.checkpoints().sweep())
    }

    /// Whether a process trains the run right now.
    pub fn is_locked(&self) -> bool {
        matches!(self.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Whether a process was killed while it trained the run. Where files cannot be locked, nobody
    /// knows.
    pub fn was_killed(&self) -> bool {
        self.record.status == Status::Running && self.try_lock().is_ok()
    }

    /// The process that trains the run, or trained it last; none where its system does not tell, or
    /// where it was trained before this was kept.
    pub fn process(&self) -> Option<TrainingProcess> {
        serde_json::from_slice(&fs::read(self.file(LOCK_FILE)).ok()?).ok()
    }

    fn try_lock(&self) -> Result<(), TryLockError> {
        match none_if_absent(File::open(self.file(LOCK_FILE))) {
            Ok(Some(file)) => file.try_lock_shared(),
            Ok(None) => Ok(()),
            Err(error) => Err(TryLockError::Error(error)),
        }
    }

    /// Writes `experiment.toml`.
    pub fn write_experiment(&self, toml: &str) -> Result<(), RecordError> {
        self.write_file(EXPERIMENT_FILE, toml.as_bytes())
    }

    /// Writes `run.json`.
    pub fn write(&self) -> Result<(), RecordError> {
        self.write_json(RECORD_FILE, &self.record).map(drop)
    }

    /// Returns what was written.
    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<Vec<u8>, RecordError> {
        let json = serde_json::to_vec_pretty(value)
            .map_err(|error| RecordError::write(&self.file(name), error.into()))?;
        self.write_file(name, &json)?;
        Ok(json)
    }

    fn write_file(&self, name: &str, contents: &[u8]) -> Result<(), RecordError> {
        let path = self.file(name);
        write_atomically(&path, contents).map_err(|error| RecordError::write(&path, error))
    }

    fn read_file(&self, name: &str) -> Result<(PathBuf, String), RecordError> {
        let path = self.file(name);
        let text = fs::read_to_string(&path).map_err(|error| RecordError::read(&path, error))?;
        Ok((path, text))
    }
}

/// The bytes of all files below `directory`; what cannot be listed counts as nothing.
fn bytes_below(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_below(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}

/// The rows of a file that a run writes only once it has come so far.
fn none_where_absent<T>(
    path: &Path,
    read: fn(&Path) -> Result<Vec<T>, RecordError>,
) -> Result<Vec<T>, RecordError> {
    match read(path) {
        Err(RecordError::Read { error, .. }) if is_absent(&error) => Ok(vec![]),
        rows => rows,
    }
}

/// Whether `error` says that there is no such file; what is beside a file has none either.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Claims the run at `path` for this process. File systems without locks have to do without.
fn lock(path: &Path) -> Result<Lock, RecordError> {
    let file_path = path.join(LOCK_FILE);
    let open = File::options().create(true).truncate(false).write(true).open(&file_path);
    let file = open.map_err(|error| RecordError::write(&file_path, error))?;
    // A `converge runs` holds it for a moment: that is no reason to give up.
    for _ in 0..10 {
        let held = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                sleep(Duration::from_millis(20));
                continue;
            }
            Err(TryLockError::Error(error)) if has_no_locks(&error) => false,
            Err(TryLockError::Error(error)) => return Err(RecordError::write(&file_path, error)),
        };
        sign(&file).map_err(|error| RecordError::write(&file_path, error))?;
        return Ok(Lock(held.then_some(file)));
    }
    Err(RecordError::Locked(path.to_owned()))
}

/// Writes into the lock who holds it.
fn sign(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    match TrainingProcess::current() {
        Some(process) => file.write_all(&serde_json::to_vec(&process)?),
        None => Ok(()),
    }
}

/// Whether `error` says that the file system has no locks: `EOPNOTSUPP`, `ENOSYS`, or `ENOLCK`,
/// which has no kind of its own.
fn has_no_locks(error: &io::Error) -> bool {
    /// On Linux, and on macOS and the BSDs.
    const ENOLCK: i32 = if cfg!(target_os = "linux") { 37 } else { 77 };
    let no_lock = cfg!(unix) && error.raw_os_error() == Some(ENOLCK);
    no_lock || error.kind() == io::ErrorKind::Unsupported
}

/// A new directory `base`, or `base-2`, `base-3`, … where that is taken.
fn unused_directory(parent: &Path, base: &str) -> Result<PathBuf, RecordError> {
    let mut path = parent.join(base);
    for number in 2.. {
        match fs::create_dir(&path) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                path = parent.join(format!("{base}-{number}"));
            }
            Err(error) => return Err(RecordError::write(&path, error)),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests;
