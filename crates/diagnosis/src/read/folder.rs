//! Folders that hold a log: of TensorBoard, Lightning, Keras, Burn, Hugging Face, of this program.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use converge_record::RunDirectory;

use super::error::ReadError;
use super::table::Found;
use super::tensorboard::{Reader, is_split_folder};
use super::{burn, file};

/// Names under which tools leave their history, the fullest first.
const KNOWN: &[&str] = &[
    "metrics.csv",
    "results.csv",
    "trainer_log.jsonl",
    "trainer_state.json",
    "history.csv",
    "training.log",
    "training_log.csv",
    "log.csv",
    "metrics.json",
    "metrics.jsonl",
    "scalars.json",
    "vis_data/scalars.json",
    "history.json",
    "training_history.json",
    "progress.csv",
    "stats.jsonl",
    "log.txt",
    "train.log",
    "training.csv",
    "output.log",
    "log",
];

/// What the folder at `path` holds.
pub(super) fn find(path: &Path) -> Result<Found, ReadError> {
    if path.join("run.json").is_file() && path.join("experiment.toml").is_file() {
        return own(path);
    }
    if burn::is_artifact(path) {
        return burn::find(path);
    }
    if let Some(known) = KNOWN.iter().map(|name| path.join(name)).find(|file| file.is_file()) {
        return file(&known);
    }
    let events = event_files(path);
    if !events.is_empty() {
        return boards(path, &events);
    }
    let entries = entries(path);
    // `lightning_logs/version_3`, `checkpoint-500`: the latest.
    let numbered = |folder: &PathBuf| {
        let name = folder.file_name()?.to_str()?;
        let number = name.strip_prefix("version_").or(name.strip_prefix("checkpoint-"))?;
        number.parse::<u64>().ok()
    };
    let latest = entries
        .iter()
        .filter(|entry| entry.is_dir())
        .filter_map(|folder| Some((numbered(folder)?, folder)))
        .max();
    if let Some((_, folder)) = latest {
        return find(folder);
    }
    let extensions = ["csv", "tsv", "json", "jsonl", "log", "txt", "out"];
    let logs: Vec<&PathBuf> = entries
        .iter()
        .filter(|entry| entry.is_file())
        .filter(|file| {
            let extension = file.extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| extensions.contains(&extension))
        })
        .collect();
    match logs.as_slice() {
        [] => Err(ReadError::NoLogInFolder { path: path.to_owned() }),
        [log] => file(log),
        several => {
            let curves: Vec<&&PathBuf> = several.iter().filter(|log| has_curve(log)).collect();
            match curves.as_slice() {
                [log] => file(log),
                _ => Err(ReadError::SeveralLogs {
                    path: path.to_owned(),
                    files: several.iter().map(|log| file_name(log)).collect(),
                }),
            }
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether a file is a log with something to judge.
fn has_curve(path: &Path) -> bool {
    super::read(path, &super::Choices::default()).is_ok_and(|log| !log.runs.is_empty())
}

/// Files and folders in `path`, by name.
fn entries(path: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

/// A run of this program.
fn own(path: &Path) -> Result<Found, ReadError> {
    let run = RunDirectory::open(path)?;
    let by = run.record.trained_by.as_deref().unwrap_or("Converge");
    let format = format!("run of {by}, {}", run.record.experiment);
    let epochs = run.epochs_file();
    if !epochs.is_file() {
        let notes = vec!["It did not come to the end of its first epoch.".to_owned()];
        return Ok(Found { format, notes, tables: vec![] });
    }
    let mut found = file(&epochs)?;
    found.format = format;
    Ok(found)
}

/// Files of events in `path` and three levels under it.
fn event_files(path: &Path) -> Vec<PathBuf> {
    fn walk(path: &Path, depth: usize, files: &mut Vec<PathBuf>) {
        for entry in entries(path) {
            if entry.is_dir() {
                if depth < 3 {
                    walk(&entry, depth + 1, files);
                }
            } else if file_name(&entry).contains("tfevents") {
                files.push(entry);
            }
        }
    }
    let mut files = vec![];
    walk(path, 0, &mut files);
    files
}

/// The runs in folders of events: `train/` and `validation/` are one.
fn boards(path: &Path, files: &[PathBuf]) -> Result<Found, ReadError> {
    let mut runs: BTreeMap<PathBuf, Vec<(Option<String>, &PathBuf)>> = BTreeMap::new();
    for file in files {
        let folder = file.parent().unwrap_or(path);
        let name = file_name(folder);
        let split = is_split_folder(&name).then_some(name);
        let run = match (&split, folder.parent()) {
            (Some(_), Some(parent)) if folder != path => parent,
            _ => folder,
        };
        runs.entry(run.to_owned()).or_default().push((split, file));
    }
    let mut found = Found { format: "TensorBoard events".to_owned(), ..Found::default() };
    let several = runs.len() > 1;
    for (folder, files) in runs {
        let mut reader = Reader::default();
        for (split, file) in files {
            let opened = File::open(file).map_err(|error| ReadError::io(file, error))?;
            reader.read(&mut BufReader::new(opened), split.as_deref(), &mut found.notes);
        }
        if let Some(mut table) = reader.finish() {
            if several {
                let name = folder.strip_prefix(path).unwrap_or(&folder);
                table.name = name.display().to_string();
            }
            found.tables.push(table);
        }
    }
    Ok(found)
}
