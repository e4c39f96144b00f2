//! `converge export`: the weights of a checkpoint as safetensors.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::options::{DeviceOption, RunArgument};
use super::printer::Printer;
use converge_core::evaluation::Trained;
use converge_core::export::export;
use converge_record::Which;

/// Export the weights of a run as safetensors
#[derive(Debug, Args)]
#[command(after_help = "Example:
  converge export artifacts/cifar10-20261122-101500 cifar10.safetensors --checkpoint best")]
pub(super) struct ExportArgs {
    #[command(flatten)]
    run: RunArgument,
    /// The file to write [default: weights.safetensors in the run's directory]
    file: Option<PathBuf>,
    /// The checkpoint: `best`, `last` or an epoch
    #[arg(long, value_name = "WHICH")]
    checkpoint: Option<Which>,
    /// Write over an existing file
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    pub(super) device: DeviceOption,
}

#[derive(Serialize)]
struct Exported {
    file: PathBuf,
    epoch: usize,
    bytes: u64,
}

impl ExportArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let trained = Trained::load(&self.run.path()?, self.checkpoint, &self.device.name())?;
        let file = self.file.unwrap_or_else(|| trained.run.file("weights.safetensors"));
        let bytes = export(&trained, &file, self.overwrite)?;
        let exported = Exported { file, epoch: trained.epoch, bytes };
        printer.result(&exported, || {
            format!("{} (epoch {}, {bytes} bytes)", exported.file.display(), exported.epoch)
        })
    }
}
