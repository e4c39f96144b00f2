//! `converge runs`: the runs there are, and the status of each.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::printer::Printer;
use converge_figures::{Look, numbers, table};
use converge_record::{RunDirectory, RunRecord, Status};

/// List the runs
#[derive(Debug, Args)]
#[command(after_help = "Example:
  converge runs --output artifacts")]
pub(super) struct RunsArgs {
    /// The directory that holds the runs
    #[arg(long, value_name = "DIR", default_value = "artifacts")]
    output: PathBuf,
}

#[derive(Serialize)]
struct Listed {
    path: PathBuf,
    /// A process was killed while it trained the run.
    killed: bool,
    #[serde(flatten)]
    record: RunRecord,
}

impl RunsArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let mut runs = vec![];
        for run in RunDirectory::list(&self.output) {
            match run {
                Ok(run) => {
                    let killed = run.was_killed();
                    runs.push(Listed { path: run.path().to_owned(), killed, record: run.record });
                }
                Err(error) => printer.warning(&error.to_string()),
            }
        }
        let look = Look::detect();
        printer.result(&runs, || {
            if runs.is_empty() {
                return format!("no runs in `{}`", self.output.display());
            }
            let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
            let header = ["run", "status", "data", "epochs", "best", "time", "stopped because"];
            table(look, &header, &rows)
        })
    }
}

fn row(run: &Listed) -> Vec<String> {
    let record = &run.record;
    let status = match record.status {
        Status::Running if run.killed => "killed",
        Status::Running => "running",
        Status::Completed => "completed",
        Status::Interrupted => "interrupted",
        Status::Diverged => "diverged",
        Status::Failed => "failed",
    };
    let best = record.best.as_ref().map_or_else(String::new, |best| {
        format!("{} {} (epoch {})", best.monitor, numbers::significant(best.value, 4), best.epoch)
    });
    let reason = record.stop.as_ref().map(|stop| stop.message.clone());
    vec![
        run.path.display().to_string(),
        status.to_owned(),
        record.data.label(),
        record.epochs_done.to_string(),
        best,
        numbers::duration(Duration::try_from_secs_f64(record.seconds).unwrap_or_default()),
        reason.or_else(|| record.error.clone()).unwrap_or_default(),
    ]
}
