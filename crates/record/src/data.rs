//! The data that a run was trained on, as `run.json` keeps them.

use std::ffi::OsStr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where a data set came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Read from its published files.
    Real,
    /// Drawn by code, in place of published files.
    SyntheticStandIn,
    /// Drawn by code, as the experiment means it to be.
    Synthetic,
    /// Given by a program that does not say.
    Unknown,
}

/// A file that data was read from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Where it was read.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// Whether the checksum is that of the published file; `None` where none is published.
    pub official: Option<bool>,
}

impl SourceFile {
    /// The name of the file, without its folder.
    pub fn name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }
}

/// What tells other data from those of a run, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Something recorded is not as it was.
    Changed(String),
    /// A file is of a name that was not recorded. Runs made before 2026-11-30 recorded the files of
    /// their training split only.
    Unknown(String),
}

impl Difference {
    /// The sentence.
    pub fn into_sentence(self) -> String {
        match self {
            Self::Changed(sentence) | Self::Unknown(sentence) => sentence,
        }
    }
}

/// The data that a run was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// The data set.
    pub title: String,
    /// Real or synthetic.
    pub origin: Origin,
    /// Where it was read, or how it was drawn.
    pub description: String,
    /// Why it is a stand-in, if it is.
    pub stand_in_reason: Option<String>,
    /// The files it was read from, with their checksums.
    pub files: Vec<SourceFile>,
    /// The names of the classes.
    pub class_names: Vec<String>,
    /// The names of the features.
    pub feature_names: Vec<String>,
}

impl DataRecord {
    /// Whether it was drawn by code.
    pub fn is_synthetic(&self) -> bool {
        matches!(self.origin, Origin::SyntheticStandIn | Origin::Synthetic)
    }

    /// What tells the data loaded `now` from these, if anything does: their kind, the classes, or a
    /// file whose contents are not among those recorded. Where files are does not matter, nor
    /// which of the published formats of a data set they have.
    pub fn difference(&self, now: &Self) -> Option<Difference> {
        if self.is_synthetic() != now.is_synthetic() {
            let kind = |data: &Self| if data.is_synthetic() { "synthetic" } else { "real" };
            return Some(Difference::Changed(format!(
                "the data of the run are {}, those found now are {}",
                kind(self),
                kind(now)
            )));
        }
        if self.class_names != now.class_names {
            let names = |data: &Self| format!("`{}`", data.class_names.join("`, `"));
            return Some(Difference::Changed(format!(
                "the classes of the run are {}, those found now are {}",
                names(self),
                names(now)
            )));
        }
        now.files.iter().find_map(|file| self.difference_of_file(file))
    }

    fn difference_of_file(&self, file: &SourceFile) -> Option<Difference> {
        let official = |file: &SourceFile| file.official == Some(true);
        let same = |recorded: &SourceFile| recorded.sha256 == file.sha256;
        if self.files.iter().any(same) || official(file) && self.files.iter().all(official) {
            return None;
        }
        let known = self.files.iter().any(|recorded| recorded.name() == file.name());
        let path = file.path.display();
        Some(if known {
            Difference::Changed(format!("`{path}` has other contents than when the run began"))
        } else {
            Difference::Unknown(format!("`{path}` is not among the files of the run"))
        })
    }

    /// The first recorded file whose contents are not among those of `now`, as a difference.
    pub fn missing_from(&self, now: &Self) -> Option<Difference> {
        let is_there = |file: &SourceFile| now.files.iter().any(|one| one.sha256 == file.sha256);
        let missing = self.files.iter().find(|file| !is_there(file))?;
        let path = missing.path.display();
        Some(Difference::Changed(format!(
            "`{path}` is missing or has other contents than when the run began"
        )))
    }

    /// The title; says so where the data are synthetic.
    pub fn label(&self) -> String {
        if self.is_synthetic() && !self.title.contains("synthetic") {
            format!("{} (synthetic)", self.title)
        } else {
            self.title.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, sha256: &str, official: Option<bool>) -> SourceFile {
        SourceFile { path: path.into(), bytes: 3, sha256: sha256.into(), official }
    }

    fn data(classes: &[&str], files: Vec<SourceFile>) -> DataRecord {
        DataRecord {
            title: "t".into(),
            origin: Origin::Real,
            description: String::new(),
            stand_in_reason: None,
            files,
            class_names: classes.iter().map(|&name| name.to_owned()).collect(),
            feature_names: vec![],
        }
    }

    #[test]
    fn what_differs_is_named_and_places_do_not_matter() {
        let run = data(&["a", "b"], vec![file("x/train", "1", None), file("x/val", "2", None)]);
        assert_eq!(run.difference(&data(&["a", "b"], vec![file("y/moved", "2", None)])), None);
        let sentence = |now: &DataRecord| run.difference(now).map(Difference::into_sentence);
        let changed = sentence(&data(&["a", "b"], vec![file("y/val", "3", None)]));
        assert_eq!(changed.as_deref(), Some("`y/val` has other contents than when the run began"));
        let renamed = sentence(&data(&["b", "c"], vec![]));
        let expected = "the classes of the run are `a`, `b`, those found now are `b`, `c`";
        assert_eq!(renamed.as_deref(), Some(expected));
        let drawn = DataRecord { origin: Origin::SyntheticStandIn, ..run.clone() };
        assert!(sentence(&drawn).is_some_and(|text| text.contains("synthetic")));
        let unknown = run.difference(&data(&["a", "b"], vec![file("y/test", "3", None)]));
        assert!(matches!(unknown, Some(Difference::Unknown(_))));
        let missing = run.missing_from(&data(&[], vec![file("z", "1", None)]));
        let expected = "`x/val` is missing or has other contents than when the run began";
        assert_eq!(missing, Some(Difference::Changed(expected.to_owned())));
        assert_eq!(run.missing_from(&run), None);
    }

    #[test]
    fn published_files_of_any_format_are_the_same_data() {
        let run = data(&[], vec![file("c/batch.bin", "1", Some(true))]);
        assert_eq!(run.difference(&data(&[], vec![file("c/batch.py", "2", Some(true))])), None);
        assert!(run.difference(&data(&[], vec![file("c/batch.py", "2", Some(false))])).is_some());
    }
}
