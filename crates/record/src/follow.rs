//! Follows a run while it is trained: what is new since the last look.
//!
//! A look never waits and never locks anything. It reads `run.json` first, so that what it says is
//! done is found in the rows.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use same_file::Handle;

use super::epochs::EpochRow;
use super::error::RecordError;
use super::run::RunRecord;
use super::run_directory::RunDirectory;
use super::steps::{StepRow, parse_steps};
use super::table::until_last_newline;

/// Reads a run again and again.
#[derive(Debug)]
pub struct Follower {
    run: RunDirectory,
    epochs: Vec<EpochRow>,
    steps: GrowingFile,
    steps_seen: usize,
}

/// What is new in a run.
#[derive(Debug, Clone)]
pub struct News {
    /// `run.json` as it is now.
    pub record: RunRecord,
    /// Epochs.
    pub epochs: Rows<EpochRow>,
    /// Optimizer steps.
    pub steps: Rows<StepRow>,
}

/// What a list of rows has become.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<T> {
    /// So many of the rows known before still hold; fewer than all after a resume, when steps are
    /// all read anew.
    pub kept: usize,
    /// The rows that follow them.
    pub new: Vec<T>,
}

impl<T> Rows<T> {
    /// Brings `rows`, those known before, up to date.
    pub fn apply(self, rows: &mut Vec<T>) {
        rows.truncate(self.kept);
        rows.extend(self.new);
    }
}

impl Follower {
    /// Follows the run at `path`. To the first look, all is new.
    pub fn new(path: &Path) -> Result<Self, RecordError> {
        let run = RunDirectory::open(path)?;
        Ok(Self { run, epochs: vec![], steps: GrowingFile::default(), steps_seen: 0 })
    }

    /// What is new since the last look.
    pub fn look(&mut self) -> Result<News, RecordError> {
        self.run = RunDirectory::open(self.run.path())?;
        let record = self.run.record.clone();
        // Before any is taken for known: what is read is not lost to an error in the other.
        let (epochs, steps) = (self.run.epochs()?, self.new_steps()?);
        Ok(News { record, epochs: self.new_epochs(epochs), steps })
    }

    /// `epochs.csv` is short, and replaced after every epoch: it is read whole and compared.
    fn new_epochs(&mut self, now: Vec<EpochRow>) -> Rows<EpochRow> {
        let same = self.epochs.iter().zip(&now).take_while(|(before, now)| before == now);
        let kept = same.count();
        let new = now[kept..].to_vec();
        self.epochs = now;
        Rows { kept, new }
    }

    /// `steps.csv` is long and grows: only what was added is read. A session that takes the run up
    /// again puts another file in its place, which is read from its start.
    fn new_steps(&mut self) -> Result<Rows<StepRow>, RecordError> {
        let path = self.run.steps_file();
        let grown = match self.steps.grown(&path) {
            // The run did not come to its first step.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Grown::default(),
            grown => grown.map_err(|error| RecordError::read(&path, error))?,
        };
        // What cannot be read now will be said again at the next look.
        let new =
            parse_steps(&path, &grown.text).inspect_err(|_| self.steps = GrowingFile::default())?;
        let kept = if grown.continues { self.steps_seen } else { 0 };
        self.steps_seen = kept + new.len();
        Ok(Rows { kept, new })
    }
}

/// A file with a header that others append whole lines to, or replace.
#[derive(Debug, Default)]
struct GrowingFile {
    /// Kept open, so that the system gives its identity to no other file.
    handle: Option<Handle>,
    header: String,
    /// Where the first line begins that was not yet read.
    offset: u64,
}

#[derive(Default)]
struct Grown {
    /// Whether the file is the one of the last look.
    continues: bool,
    /// The header, and the whole lines that were added.
    text: String,
}

impl GrowingFile {
    fn grown(&mut self, path: &Path) -> io::Result<Grown> {
        let handle = Handle::from_path(path)?;
        let mut file = handle.as_file();
        let continues =
            self.handle.as_ref() == Some(&handle) && file.metadata()?.len() >= self.offset;
        if !continues {
            *self = Self::default();
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut added = vec![];
        file.read_to_end(&mut added)?;
        let added = String::from_utf8(until_last_newline(added))
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.offset += added.len() as u64;
        let text = format!("{}{added}", self.header);
        if self.header.is_empty() {
            self.header.extend(text.split_inclusive('\n').next());
        }
        self.handle = Some(handle);
        Ok(Grown { continues, text })
    }
}

#[cfg(test)]
mod tests;
