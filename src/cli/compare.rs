//! `converge compare`: several runs beside each other, in the terminal.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::options::RUNS;
use super::printer::Printer;
use super::report::read_all;
use converge_figures::Look;
use converge_report::Comparison;

/// Compare runs: what differs, how they scored, and which differences are more than luck
///
/// Runs that differ by their seeds only are a group with a mean and a spread. Takes runs of Converge
/// (`latest` is the newest) and the logs of other tools that `diagnose` reads; `converge report` draws the
/// same as a page.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge compare artifacts/mnist-*
  converge compare artifacts/mnist-* --by val_loss
  converge compare artifacts/* --csv > runs.csv")]
pub(super) struct CompareArgs {
    /// Runs, logs of any tool, or folders that hold one
    #[arg(required = true, num_args = 1.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The score to compare them by, such as `val_loss` [default: the metric, or else the validation loss]
    #[arg(long, value_name = "SCORE")]
    by: Option<String>,
    /// Print a row of CSV for each run
    #[arg(long)]
    csv: bool,
    /// The directory that holds the runs, for `latest` and beginnings of names
    #[arg(long, value_name = "DIR", default_value = RUNS)]
    output: PathBuf,
}

impl CompareArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let trainings = read_all(&self.runs, &self.output)?;
        let comparison = Comparison::of(&trainings, self.by.as_deref())?;
        if self.csv && !printer.json {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(comparison.csv()?.as_bytes())?;
            return Ok(stdout.flush()?);
        }
        let look = Look::detect();
        printer.result(&comparison, || comparison.text(look))
    }
}
