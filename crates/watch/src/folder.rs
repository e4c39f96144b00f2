//! The runs of a folder, as they stand: shared by all pages, looked at while one of them is open.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::appended::stamp;
use crate::summary::{RECORD_FILE, Summary, Watched};

/// How often it is looked for something new, however many pages are open.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);
/// How long runs are judged before what is known so far is shown.
const PATIENCE: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    runs: BTreeMap<String, Listed>,
    /// Grows with every change.
    version: u64,
    looked: Option<Instant>,
    /// Some runs are not judged yet.
    behind: bool,
}

#[derive(Debug)]
struct Listed {
    watched: Watched,
    summary: Summary,
    version: u64,
    judged: bool,
}

impl Listed {
    /// Before the first look.
    fn new(path: PathBuf, name: &str) -> Self {
        let watched = Watched::new(path);
        let summary = watched.summary(name);
        Self { watched, summary, version: 0, judged: false }
    }
}

impl Folder {
    pub(crate) fn new(path: &Path) -> Self {
        let runs = BTreeMap::new();
        Self { path: path.to_owned(), runs, version: 0, looked: None, behind: false }
    }

    /// Looks for changes, if that was not done just now. Returns whether there is more to do at once.
    pub(crate) fn look(&mut self) -> bool {
        // Several pages take turns: each would be a little too early for its own second.
        if self.looked.is_none_or(|looked| looked.elapsed() > INTERVAL / 2) {
            self.look_at_all();
            self.looked = Some(Instant::now());
        }
        self.judge();
        self.behind
    }

    /// What changed after `version`, and the version now.
    pub(crate) fn since(&self, version: u64) -> (Vec<Summary>, u64) {
        let changed = self.runs.values().filter(|listed| listed.version > version);
        (changed.map(|listed| listed.summary.clone()).collect(), self.version)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.runs.keys()
    }

    fn look_at_all(&mut self) {
        let found: BTreeMap<String, PathBuf> = runs_in(&self.path).collect();
        self.runs.retain(|name, _| found.contains_key(name));
        for (name, path) in found {
            let mut listed = self.runs.remove(&name).unwrap_or_else(|| Listed::new(path, &name));
            if listed.watched.look() {
                self.version += 1;
                listed.summary = listed.watched.summary(&name);
                (listed.version, listed.judged) = (self.version, false);
            }
            self.runs.insert(name, listed);
        }
    }

    /// The newest first: their names end in their times.
    fn judge(&mut self) {
        let began = Instant::now();
        self.behind = false;
        for (name, listed) in self.runs.iter_mut().rev().filter(|(_, listed)| !listed.judged) {
            if began.elapsed() > PATIENCE {
                self.behind = true;
                return;
            }
            listed.watched.judge();
            listed.judged = true;
            let summary = listed.watched.summary(name);
            if summary != listed.summary {
                self.version += 1;
                (listed.summary, listed.version) = (summary, self.version);
            }
        }
    }
}

/// The path of the run that `folder` lists as `name`; a name is compared, never made a path.
pub(crate) fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    runs_in(folder).find(|(found, _)| found == name).map(|(_, path)| path)
}

/// The runs in `folder`. A link is none: it may lead out of the folder.
fn runs_in(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let path = entry.path();
        let name = entry.file_name().into_string().ok()?;
        (is_directory && stamp(&path.join(RECORD_FILE)).is_some()).then_some((name, path))
    })
}
