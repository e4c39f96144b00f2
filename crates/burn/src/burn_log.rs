//! The files of Burn's own `FileMetricLogger`, as far as Burn's summary reads them: of every epoch the
//! final value, `train/epoch-1/Loss.log`.
//!
//! That logger itself panics where a file cannot be written, which would take the training with it.

use std::fs;
use std::path::Path;

use burn::train::metric::NumericEntry;
use converge_record::RecordError;

/// Writes what the metric `name` was in an epoch.
pub(crate) fn write(
    directory: &Path,
    split: &str,
    epoch: usize,
    (name, value): (&str, f64),
) -> Result<(), RecordError> {
    let folder = directory.join(split).join(format!("epoch-{epoch}"));
    fs::create_dir_all(&folder).map_err(|error| RecordError::write(&folder, error))?;
    let file = folder.join(format!("{}.log", name.replace([' ', '/', '\\'], "_")));
    let line = NumericEntry::Final(value).serialize();
    fs::write(&file, format!("{line}\n")).map_err(|error| RecordError::write(&file, error))
}
