//! `converge export`: the weights of a checkpoint as safetensors.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use burn::store::{ModuleSnapshot as _, SafetensorsStore};
use clap::Args;
use serde::Serialize;

use super::options::DeviceOption;
use super::printer::Printer;
use converge_core::train::evaluation::Trained;
use converge_record::{RunDirectory, Which};

/// Export the weights of a run as safetensors
#[derive(Debug, Args)]
#[command(after_help = "Example:
  converge export artifacts/cifar10-20261122-101500 cifar10.safetensors --checkpoint best")]
pub(super) struct ExportArgs {
    /// The directory of the run
    run: PathBuf,
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
        let run = RunDirectory::open(&self.run)?;
        let trained = Trained::load(&run, self.checkpoint, &self.device.open()?)?;
        let file = self.file.unwrap_or_else(|| run.file("weights.safetensors"));
        if file.exists() && !self.overwrite {
            bail!("`{}` exists; write over it with `--overwrite`", file.display());
        }
        let mut store = SafetensorsStore::from_file(&file)
            .overwrite(self.overwrite)
            .skip_enum_variants(true)
            .metadata("experiment", &trained.experiment.name)
            .metadata("epoch", trained.epoch.to_string());
        trained
            .model
            .save_into(&mut store)
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        let bytes = std::fs::metadata(&file)
            .with_context(|| format!("cannot read `{}`", file.display()))?
            .len();
        let exported = Exported { file, epoch: trained.epoch, bytes };
        printer.result(&exported, || {
            format!("{} (epoch {}, {bytes} bytes)", exported.file.display(), exported.epoch)
        })
    }
}
