//! What Burn's `FileMetricLogger` leaves in an artifact directory:
//! `train/epoch-1/Loss.log`, `valid/epoch-1/Accuracy.log`.
//!
//! A line is a batch: its value, `value,count` where it is a mean over `count` items, or
//! `value,final` for what was computed at the end of the epoch (`NumericEntry` of burn-train 0.22).

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::ReadError;
use super::names::{Role, meaning};
use super::table::{Found, Table};
use super::words::Split;

/// The folders of epochs in `folder`, by their epoch.
fn epochs(folder: &Path) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut epochs: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((name.strip_prefix("epoch-")?.parse().ok()?, entry.path()))
        })
        .collect();
    epochs.sort();
    epochs
}

/// Whether `folder` is an artifact directory of Burn.
pub(super) fn is_artifact(folder: &Path) -> bool {
    ["train", "valid"].iter().any(|split| !epochs(&folder.join(split)).is_empty())
}

/// The metrics of every epoch.
pub(super) fn find(folder: &Path) -> Result<Found, ReadError> {
    let mut table = Table::default();
    let mut places = HashMap::new();
    let epoch = table.place(&mut places, "epoch");
    let splits = [("train", Split::Train), ("valid", Split::Validation)];
    let mut all: Vec<u32> = splits
        .iter()
        .flat_map(|(name, _)| epochs(&folder.join(name)).into_iter().map(|(number, _)| number))
        .collect();
    all.sort_unstable();
    all.dedup();
    for number in all {
        let row = table.rows;
        table.rows += 1;
        table.push(epoch, row, f64::from(number));
        for (name, split) in splits {
            let logs = folder.join(name).join(format!("epoch-{number}"));
            let mut files: Vec<PathBuf> = fs::read_dir(&logs)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
                .collect();
            files.sort();
            for file in files {
                let text =
                    fs::read_to_string(&file).map_err(|error| ReadError::io(&file, error))?;
                let metric = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let rate = matches!(meaning(&metric).role, Role::LearningRate(_));
                let Some(value) = of_epoch(&text, rate) else { continue };
                let place = table.place(&mut places, &format!("{name}/{metric}"));
                if let Some(column) = table.columns.get_mut(place) {
                    column.split = Some(split);
                }
                table.push(place, row, value);
            }
        }
    }
    Ok(Found { format: "Burn metric logs".to_owned(), tables: vec![table], notes: vec![] })
}

/// The value of an epoch from the lines of its batches: the final one, or else the mean over
/// items; the last where `last` is asked.
fn of_epoch(text: &str, last: bool) -> Option<f64> {
    let (mut sum, mut weight, mut latest) = (0.0, 0.0, None);
    for line in text.lines() {
        let (value, count) = line.split_once(',').unwrap_or((line, "1"));
        let Ok(value) = value.trim().parse::<f64>() else { continue };
        if count.trim() == "final" {
            return Some(value);
        }
        let count: f64 = count.trim().parse().unwrap_or(1.0);
        sum += value * count;
        weight += count;
        latest = Some(value);
    }
    if last { latest } else { latest.map(|_| sum / weight) }
}
