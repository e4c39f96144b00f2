//! The files of Burn's own `FileMetricLogger`, as far as Burn's summary reads them: of every epoch the
//! final value, `train/epoch-1/Loss.log`.
//!
//! That logger itself panics where a file cannot be written, which would take the training with it.

use std::fs;
use std::io;
use std::path::Path;

use burn::train::metric::NumericEntry;

/// Writes what the metric `name` was in an epoch.
pub(crate) fn write(
    directory: &Path,
    split: &str,
    epoch: usize,
    (name, value): (&str, f64),
) -> io::Result<()> {
    let folder = directory.join(split).join(format!("epoch-{epoch}"));
    fs::create_dir_all(&folder)?;
    let name = name.replace([' ', '/', '\\'], "_");
    let line = NumericEntry::Final(value).serialize();
    fs::write(folder.join(format!("{name}.log")), format!("{line}\n"))
}
