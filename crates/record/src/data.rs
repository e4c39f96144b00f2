//! The data that a run was trained on, as `run.json` keeps them.

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
        self.origin != Origin::Real
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
