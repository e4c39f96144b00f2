//! `converge report`: a page of one run, or of several beside each other.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

use super::options::RUNS;
use super::printer::Printer;
use converge_core::experiment::{Experiment, builtins};
use converge_core::train::StoredRun as _;
use converge_core::verdict::changes;
use converge_record::{RunDirectory, find_run, write_atomically};
use converge_report::{Comparison, Training, report};

/// One page of HTML with all that a run recorded, or with several runs compared
///
/// The page needs nothing but itself. Takes runs of Converge (`latest` is the newest) and the logs of
/// other tools that `diagnose` reads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge report latest
  converge report artifacts/mnist-* --page mnist.html
  converge report lightning_logs/version_3/metrics.csv")]
pub(super) struct ReportArgs {
    /// Runs, logs of any tool, or folders that hold one
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Write the page to this file [default: `report.html` in the directory of the run; of several runs
    /// or a log, here]
    #[arg(long, value_name = "FILE.html")]
    page: Option<PathBuf>,
    /// The score to compare several runs by, such as `val_loss`
    #[arg(long, value_name = "SCORE")]
    by: Option<String>,
    /// The directory that holds the runs, for `latest` and beginnings of names
    #[arg(long, value_name = "DIR", default_value = RUNS)]
    output: PathBuf,
}

/// What was written.
#[derive(Serialize)]
struct Written {
    page: PathBuf,
    bytes: usize,
    runs: usize,
}

impl ReportArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let mut trainings = read_all(&self.runs, &self.output)?;
        let html = match trainings.as_mut_slice() {
            [training] => {
                complete(training)?;
                report(training)?
            }
            several => Comparison::of(several, self.by.as_deref())?.page(several)?,
        };
        let page = self.page.unwrap_or_else(|| match trainings.as_slice() {
            [training] if training.record.is_some() => training.path.join("report.html"),
            _ => PathBuf::from("report.html"),
        });
        write_atomically(&page, html.as_bytes())
            .with_context(|| format!("cannot write `{}`", page.display()))?;
        let written = Written { page, bytes: html.len(), runs: trainings.len() };
        printer.result(&written, || written.page.display().to_string())
    }
}

/// Reads all `runs`, looked for in `folder` by `latest` or the beginning of a name.
pub(super) fn read_all(runs: &[PathBuf], folder: &Path) -> Result<Vec<Training>> {
    let found = runs.iter().map(|run| find_run(run, folder));
    let paths: Vec<PathBuf> = found.collect::<Result<_, _>>()?;
    Ok(Training::read_all(&paths)?)
}

/// Adds what only those can tell who know experiments: the built-in one that a run is compared with, and
/// what to change after a run that did not come to its own verdict.
fn complete(training: &mut Training) -> Result<()> {
    let name = training.experiment().map(str::to_owned);
    if let Some(builtin) = builtins().find(|builtin| Some(builtin.name) == name.as_deref()) {
        let toml = Experiment::load(builtin.name, &[])?.to_toml()?;
        training.compare_settings(builtin.name, &toml);
    }
    // Of an experiment that cannot be read, the page says so.
    if training.changes.is_empty()
        && let Ok(run) = RunDirectory::open(&training.path)
        && let Ok(experiment) = run.experiment()
    {
        training.changes = changes(&training.verdict, &experiment, run.record.epochs_done);
    }
    Ok(())
}
