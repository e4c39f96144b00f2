//! `converge train --watch`: the page of `converge watch`, served by the process that trains.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};

use super::printer::message;
use converge_diagnosis::command::quoted;
use converge_record::RunDirectory;
use converge_watch::{Background, Options, WatchError};

/// The page of a training, from its first run on until its end.
#[derive(Debug, Clone, Default)]
pub(super) struct TrainingPage(Arc<Mutex<Option<Served>>>);

#[derive(Debug)]
struct Served {
    page: Background,
    folder: PathBuf,
}

impl TrainingPage {
    /// Serves the folder of `run`, says where, and opens its page for a person at a terminal. Of the
    /// folds of a cross-validation the first one does it for all.
    pub(super) fn show(&self, run: &RunDirectory) -> Result<()> {
        let mut served = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if served.is_some() {
            return Ok(());
        }
        // `.` has no name of its own.
        let path = match run.path().file_name() {
            Some(_) => run.path().to_owned(),
            None => run.path().canonicalize().context("the training cannot be watched")?,
        };
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_owned();
        let start = |port| Background::start(&Options { port, ..Options::new(&folder) });
        let page = match start(Options::PORT) {
            // By another training, perhaps.
            Err(WatchError::InUse(_)) => start(0),
            started => started,
        };
        let page = page.context("the training cannot be watched")?;
        let url = page.url_of_run(&path.file_name().unwrap_or_default().to_string_lossy());
        message(&format!("watch: {url}"));
        if std::io::stdout().is_terminal() && has_screen() {
            // Where none opens, the address was said.
            drop(open::that_detached(&url));
        }
        *served = Some(Served { page, folder });
        Ok(())
    }

    /// Serves no more, and says what does.
    pub(super) fn end(&self) -> Result<()> {
        let served = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Served { page, folder }) = served else { return Ok(()) };
        let folder = quoted(&folder);
        message(&format!("the page ends with the training; see it again: converge watch {folder}"));
        Ok(page.end()?)
    }
}

/// Whether a browser would have a window. Without one, Linux takes one for terminals, in the middle of the
/// progress.
fn has_screen() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
