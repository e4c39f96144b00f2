//! Options that several commands share.

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::Device;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use converge_core::device;
use converge_data::LoadOptions;
use converge_logs::LogFormat;
use converge_record::find_run;

/// Where runs are made, and looked for by the beginning of their names.
pub(super) const RUNS: &str = "artifacts";

/// A run.
#[derive(Debug, Args)]
pub(super) struct RunArgument {
    /// The run: its directory, `latest` or the beginning of its name in `artifacts`
    run: PathBuf,
}

impl RunArgument {
    /// The directory that was meant.
    pub(super) fn path(&self) -> Result<PathBuf> {
        Ok(find_run(&self.run, Path::new(RUNS))?)
    }
}

/// Where data may be found.
#[derive(Debug, Args)]
pub(super) struct DataOptions {
    /// A folder that holds data sets, or a data set itself [default: `$CONVERGE_DATA`]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl DataOptions {
    pub(super) fn load_options(&self) -> Result<LoadOptions> {
        Ok(LoadOptions::from_environment(self.data_dir.clone())?)
    }
}

/// Reads the name of a format of logs.
pub(super) fn log_format() -> impl TypedValueParser<Value = LogFormat> {
    let formats = LogFormat::ALL.iter().zip(LogFormat::NAMES);
    let formats: Vec<_> = formats.map(|(format, (name, _))| (*name, *format)).collect();
    let names = LogFormat::NAMES.iter();
    PossibleValuesParser::new(names.map(|(name, meaning)| PossibleValue::new(name).help(meaning)))
        .try_map(move |name| {
            let format = formats.iter().find(|(known, _)| *known == name);
            format.map(|(_, format)| *format).ok_or("no such format")
        })
}

/// What computes.
#[derive(Debug, Args)]
pub(super) struct DeviceOption {
    /// The device, as `converge devices` lists it [default: the first backend compiled in]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
}

impl DeviceOption {
    /// The name of the device.
    pub(super) fn name(&self) -> String {
        self.device.clone().unwrap_or_else(|| device::default_name().to_owned())
    }

    /// The device, opened.
    pub(super) fn open(&self) -> Result<Device> {
        Ok(device::open(&self.name())?)
    }
}
