//! Experiments: the TOML as written, turned into the checked experiment.
//!
//! Only a checked [`Experiment`] can run, and only this module makes one: from a built-in name, a
//! file or a text, with `--set` overrides on top. The modules that own a section own its settings
//! and their ranges; this one composes them, checks what they must agree on, and finds for every
//! error the key, the line and the nearest valid word. `cli` loads experiments, `train` runs
//! them and writes them into the run.

mod builtin;
mod check;
mod document;
mod error;
mod fault;
mod overrides;
mod read;
mod registry;
mod renamed;
mod sections;
mod source;
mod suggest;

use std::ops::Deref;
use std::path::Path;

use document::Document;

pub use builtin::{Builtin, builtins};
pub use check::{logged_metrics, metric_names};
pub use converge_diagnosis::{DeltaMode, EarlyStoppingSettings, Mode};
pub use error::{ExperimentError, Fault, Line, Place, SettingError};
pub use registry::Settings;
pub use sections::{
    CheckpointSettings, ClippingSettings, GroupSettings, RecordSettings, RegularizationSettings,
    TrainingSettings,
};
pub use suggest::nearest;

/// An experiment that can run: every setting is in its range, and they fit each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    settings: Settings,
    warnings: Vec<String>,
}

impl Deref for Experiment {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

impl Experiment {
    /// Loads a built-in experiment by name, or a TOML file by its path (which contains a
    /// separator, ends with `.toml`, or exists), and applies overrides as `--set` takes them.
    pub fn load(name_or_path: &str, overrides: &[String]) -> Result<Self, ExperimentError> {
        if let Some(text) = builtin::find(name_or_path) {
            let origin = format!("{name_or_path}.toml (built in)");
            return Self::read(text, &origin, name_or_path, overrides);
        }
        let path = Path::new(name_or_path);
        let is_path = name_or_path.contains(std::path::is_separator)
            || path.extension().is_some_and(|extension| extension == "toml")
            || path.exists();
        if !is_path {
            let name = name_or_path.to_owned();
            return Err(ExperimentError::UnknownExperiment { name, builtins: builtin::names() });
        }
        let text = std::fs::read_to_string(path)
            .map_err(|error| ExperimentError::unreadable(path, error))?;
        Self::from_toml(&text, name_or_path, overrides)
    }

    /// Reads an experiment from `text`; `origin`, a file or a description, is named in errors,
    /// and its stem is the name of an experiment that has none.
    pub fn from_toml(
        text: &str,
        origin: &str,
        overrides: &[String],
    ) -> Result<Self, ExperimentError> {
        let stem = Path::new(origin).file_stem().unwrap_or_default().to_string_lossy();
        let name = if stem.is_empty() { "experiment".into() } else { stem };
        Self::read(text, origin, &name, overrides)
    }

    fn read(
        text: &str,
        origin: &str,
        name: &str,
        overrides: &[String],
    ) -> Result<Self, ExperimentError> {
        let document = Document::new(text, origin, overrides)?;
        let settings = document.settings(name).map_err(|problem| document.error(problem))?;
        check::check(&settings).map_err(|problem| document.error(problem))?;
        Ok(Self { settings, warnings: document.into_warnings() })
    }

    /// The experiment with other settings, checked again.
    pub fn with(mut self, edit: impl FnOnce(&mut Settings)) -> Result<Self, ExperimentError> {
        edit(&mut self.settings);
        check::check(&self.settings)
            .map_err(|problem| SettingError::new(problem, Place::Program, Vec::new()))?;
        Ok(self)
    }

    /// What the user should know of how it was written: keys that have another name today.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The experiment as TOML, every default written out; reads back as the same experiment.
    pub fn to_toml(&self) -> Result<String, ExperimentError> {
        Ok(toml::to_string(&self.settings)?)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
