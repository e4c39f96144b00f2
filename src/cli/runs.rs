//! `converge runs`: the runs there are, and the status of each.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::printer::Printer;
use super::width::wrapped;
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
            let rows: Vec<[String; 7]> = runs.iter().map(row).collect();
            let narrow = look.width.map(usize::from).filter(|width| least_width(&rows) > *width);
            if let Some(width) = narrow {
                return rows.iter().map(|row| listed(row, width) + "\n").collect();
            }
            let rows: Vec<Vec<String>> = rows.iter().map(|row| row.to_vec()).collect();
            table(look, &HEADER, &rows)
        })
    }
}

const HEADER: [&str; 7] = ["run", "status", "data", "epochs", "best", "time", "stopped because"];
/// What a column of text takes when its cells wrap.
const WRAPPED: usize = 16;

/// The columns that a table of `rows` takes in which no path is broken.
fn least_width(rows: &[[String; 7]]) -> usize {
    let widths = HEADER.iter().enumerate().map(|(column, name)| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        let width = cells.chain([name.len()]).max().unwrap_or(0);
        if matches!(*name, "data" | "best" | "stopped because") {
            width.min(WRAPPED)
        } else {
            width
        }
    });
    widths.sum::<usize>() + 2 * HEADER.len()
}

/// A run on lines of its own, for terminals of a `width` too narrow for the table: its path, then the
/// rest, indented and broken between words.
fn listed([run, status, data, epochs, best, time, reason]: &[String; 7], width: usize) -> String {
    let plural = if epochs == "1" { "" } else { "s" };
    let mut text = format!("{run}\n");
    let stands = format!("{status}, {epochs} epoch{plural} in {time}");
    for more in [&stands, data, best, reason].into_iter().filter(|more| !more.is_empty()) {
        text += &format!("{}\n", wrapped(&format!("  {more}"), width, 4));
    }
    text
}

fn row(run: &Listed) -> [String; 7] {
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
    [
        run.path.display().to_string(),
        status.to_owned(),
        record.data.label(),
        record.epochs_done.to_string(),
        best,
        numbers::duration(Duration::try_from_secs_f64(record.seconds).unwrap_or_default()),
        reason.or_else(|| record.error.clone()).unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_a_narrow_terminal_is_a_paragraph_whose_path_is_whole() {
        let row = [
            "artifacts/mnist-20261122-101500",
            "interrupted",
            "MNIST (synthetic)",
            "12",
            "val_loss 0.1234 (epoch 11)",
            "2m 3s",
            "stopped on request after a good many epochs that did not improve anything",
        ]
        .map(str::to_owned);
        let text = listed(&row, 60);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
        assert!(
            text.starts_with(
                "artifacts/mnist-20261122-101500\n  interrupted, 12 epochs in 2m 3s\n"
            )
        );
        assert!(text.contains("\n    not improve anything") || text.contains("\n    "), "{text}");
        assert!(least_width(&[row]) > 60);
    }
}
