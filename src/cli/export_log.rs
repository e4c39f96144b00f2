//! `converge export-log`: the log of a run for other tools, as `train --log` would have written it.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::options::{RunArgument, log_format};
use super::printer::Printer;
use converge_logs::LogFormat;
use converge_record::RunDirectory;

/// Write the log of a run for other tools
///
/// What the run's log lacks is added to it; a run that was trained without one gets it.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  converge export-log latest --log tensorboard && tensorboard --logdir artifacts")]
pub(super) struct ExportLogArgs {
    #[command(flatten)]
    run: RunArgument,
    /// The format; several are separated by commas
    #[arg(
        long = "log", value_name = "FORMAT", required = true, value_delimiter = ',',
        value_parser = log_format()
    )]
    logs: Vec<LogFormat>,
}

#[derive(Serialize)]
struct Exported {
    logs: Vec<PathBuf>,
}

impl ExportLogArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        // Nobody trains it meanwhile, who would write the same files.
        let (run, _lock) = RunDirectory::claim(&self.run.path()?)?;
        converge_logs::export(&run, &self.logs)?;
        let files = self.logs.iter().flat_map(|format| format.files());
        let exported = Exported { logs: files.map(|name| run.file(name)).collect() };
        printer.result(&exported, || {
            let lines = exported.logs.iter().map(|path| path.display().to_string());
            lines.collect::<Vec<_>>().join("\n")
        })
    }
}
