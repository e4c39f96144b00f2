//! The weights that a transfer model started with, as `run.json` keeps them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RecordError;
use super::checksum::sha256_of_file;

/// Where the weights of a base come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PretrainedRecord {
    /// What the weights are: a published name, a file, a run, or `random`.
    pub weights: String,
    /// The file they were read from.
    pub path: Option<PathBuf>,
    /// Its SHA-256.
    pub sha256: Option<String>,
    /// Why they are random although others were asked for.
    pub stand_in_reason: Option<String>,
}

impl PretrainedRecord {
    /// Name of untrained weights.
    pub const RANDOM: &str = "random";

    /// Untrained weights; `reason` says why, where others were asked for.
    pub fn random(reason: Option<String>) -> Self {
        let weights = Self::RANDOM.to_owned();
        Self { weights, path: None, sha256: None, stand_in_reason: reason }
    }

    /// The `weights` read from the file at `path`.
    pub fn from_file(weights: &str, path: &Path) -> Result<Self, RecordError> {
        let sha256 = sha256_of_file(path).map_err(|error| RecordError::read(path, error))?;
        Ok(Self {
            weights: weights.to_owned(),
            path: Some(path.to_owned()),
            sha256: Some(sha256),
            stand_in_reason: None,
        })
    }

    /// Whether nobody has trained them.
    pub fn is_random(&self) -> bool {
        self.path.is_none()
    }
}
