//! A folder of event files: what TensorBoard calls a run.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use converge_record::RecordError;
use prost::Message as _;

use super::messages::{Event, SessionLog, Summary, Value, What};
use super::records::{read_record, write_record};

/// Adds a file of events to a folder.
#[derive(Debug)]
pub(super) struct Board {
    path: PathBuf,
    file: BufWriter<File>,
    first: usize,
    message: Vec<u8>,
}

impl Board {
    /// Begins a file in `folder`, for what follows step `kept`. Events of earlier files after that
    /// no longer count.
    pub(super) fn open(folder: &Path, kept: usize, wall_time: f64) -> Result<Self, RecordError> {
        let fail = |error| RecordError::write(folder, error);
        fs::create_dir_all(folder).map_err(fail)?;
        let files = event_files(folder).map_err(fail)?;
        let logged = files.iter().try_fold(0, |last, file| last_step(file, last)).map_err(fail)?;
        let (path, file) = create(folder, files.last(), wall_time).map_err(fail)?;
        let first = kept.min(logged) + 1;
        let (file, message) = (BufWriter::new(file), vec![]);
        let mut board = Self { path, file, first, message };
        board.event(wall_time, 0, What::FileVersion("brain.Event:2".to_owned()))?;
        // In the first file too: TensorBoard takes the first one that it meets for no restart.
        let start = SessionLog { status: SessionLog::START };
        board.event(wall_time, first, What::SessionLog(start))?;
        Ok(board)
    }

    /// The first step that the folder lacks.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// Adds `values` at `step`.
    pub(super) fn add(
        &mut self,
        wall_time: f64,
        step: usize,
        value: Vec<Value>,
    ) -> Result<(), RecordError> {
        self.event(wall_time, step, What::Summary(Summary { value }))
    }

    pub(super) fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(|error| RecordError::write(&self.path, error))
    }

    fn event(&mut self, wall_time: f64, step: usize, what: What) -> Result<(), RecordError> {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        let event = Event { wall_time, step, what: Some(what) };
        self.message.clear();
        // A vector grows as far as it takes.
        let _ = event.encode(&mut self.message);
        let written = write_record(&mut self.file, &self.message);
        written.map_err(|error| RecordError::write(&self.path, error))
    }
}

/// The event files in `folder`, in the order in which TensorBoard reads them: by name.
fn event_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_one =
            path.file_name().is_some_and(|name| name.to_string_lossy().contains("tfevents"));
        if is_one && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A new file of events in `folder`, named by the time, and in any case after the `last` one there.
fn create(folder: &Path, last: Option<&PathBuf>, wall_time: f64) -> io::Result<(PathBuf, File)> {
    let number = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.strip_prefix("events.out.tfevents.")?;
        name.split('.').next()?.parse::<u64>().ok()
    };
    let after = last.and_then(number).map_or(0, |number| number.saturating_add(1));
    let mut seconds = (wall_time as u64).max(after);
    loop {
        let path = folder.join(format!("events.out.tfevents.{seconds:010}.converge"));
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => seconds += 1,
            created => return Ok((path, created?)),
        }
    }
}

/// The last step that counts once the file at `path` has followed others up to step `last`, as far
/// as it can be read: a process may have been killed while it wrote.
fn last_step(path: &PathBuf, mut last: usize) -> io::Result<usize> {
    let (mut file, mut bytes) = (BufReader::new(File::open(path)?), vec![]);
    while matches!(read_record(&mut file, &mut bytes), Ok(true)) {
        let Some(event) = Event::parse(&bytes) else { break };
        let step = usize::try_from(event.step).unwrap_or(0);
        last = match event.what {
            Some(What::SessionLog(SessionLog { status: SessionLog::START })) => {
                last.min(step.saturating_sub(1))
            }
            _ => last.max(step),
        };
    }
    Ok(last)
}
