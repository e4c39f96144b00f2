//! What is told of a training before it begins.

use std::path::{Component, Path, PathBuf};

use converge_diagnosis::EarlyStoppingSettings;
use converge_record::{DataRecord, NewRun, Origin, RunDirectory, Versions};
use converge_settings::Check as _;
use serde::Serialize;

use crate::error::MonitorError;
use crate::notice::Notice;
use crate::recorder::{Recorder, Rules, Tell};
use crate::recording::Recording;
use crate::rules::StopWhen;

/// The version of Burn, as `Cargo.toml` pins it.
const BURN: &str = "0.22.1";
const TRAINED_BY: &str = "Burn's Learner";

/// What a run is called, what is known of it, when it is to stop.
pub struct Monitor {
    parent: PathBuf,
    name: String,
    settings: Result<toml::Table, String>,
    seed: Option<u64>,
    data: Option<String>,
    loss: String,
    early_stopping: Option<EarlyStoppingSettings>,
    stop_when: Vec<StopWhen>,
    tell: Tell,
}

impl Monitor {
    /// Of a run that is called `name` and gets a directory of its own in `parent`.
    pub fn new(parent: impl AsRef<Path>, name: &str) -> Self {
        Self {
            parent: parent.as_ref().to_owned(),
            name: name.to_owned(),
            settings: Ok(toml::Table::new()),
            seed: None,
            data: None,
            loss: "Loss".to_owned(),
            early_stopping: None,
            stop_when: vec![],
            tell: Box::new(|notice| log::warn!("{notice}")),
        }
    }

    /// What this run is trained with, such as Burn's `Config` of the program: `converge compare` says
    /// which keys differ between runs. Its key `seed`, if it has one, is the seed.
    #[must_use]
    pub fn settings(mut self, settings: &impl Serialize) -> Self {
        self.settings = toml::Table::try_from(settings).map_err(|error| error.to_string());
        self
    }

    /// The seed. Runs that differ by nothing else are compared as repetitions.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// What the data are called.
    #[must_use]
    pub fn data(mut self, title: &str) -> Self {
        self.data = Some(title.to_owned());
        self
    }

    /// Which of Burn's metrics is the loss, if it is not the one called `Loss`.
    #[must_use]
    pub fn loss(mut self, metric: &str) -> Self {
        metric.clone_into(&mut self.loss);
        self
    }

    /// Ends the training by patience, thresholds and the rest of Keras' and Lightning's options. The
    /// metric is one of `epochs.csv`, such as `val_loss` or `val_accuracy`, which is a fraction.
    ///
    /// Takes the place of a strategy that was given to Burn: there is room for one.
    #[must_use]
    pub fn early_stopping(mut self, settings: EarlyStoppingSettings) -> Self {
        self.early_stopping = Some(settings);
        self
    }

    /// Ends the training when it goes wrong in this way. May be called several times.
    ///
    /// Takes the place of a strategy that was given to Burn: there is room for one.
    #[must_use]
    pub fn stop_when(mut self, rule: StopWhen) -> Self {
        self.stop_when.push(rule);
        self
    }

    /// What is done with a notice; by default it is a warning of the crate `log`, which Burn writes
    /// into `experiment.log`. Called on another thread than the one that trains.
    #[must_use]
    pub fn on_notice(mut self, tell: impl Fn(&Notice) + Send + 'static) -> Self {
        self.tell = Box::new(tell);
        self
    }

    /// Makes the directory of the run: what can fail does so before anything is trained.
    pub fn start(self) -> Result<Recording, MonitorError> {
        if let Some(settings) = &self.early_stopping {
            settings.check()?;
        }
        let mut parts = Path::new(&self.name).components();
        let is_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
        if !is_name || self.name.contains(['/', '\\']) {
            return Err(MonitorError::Name(self.name));
        }
        let unwritable = |reason| MonitorError::Settings { run: self.name.clone(), reason };
        let settings = self.settings.map_err(unwritable)?;
        let of_settings = settings.get("seed").and_then(toml::Value::as_integer);
        let seed = self.seed.or(of_settings.and_then(|seed| u64::try_from(seed).ok()));
        let data = DataRecord {
            title: self.data.unwrap_or_else(|| "data that were not named".to_owned()),
            origin: Origin::Unknown,
            description: "As the program gave them to Burn's loaders".to_owned(),
            stand_in_reason: None,
            files: vec![],
            class_names: vec![],
            feature_names: vec![],
        };
        let new = NewRun {
            experiment: &self.name,
            trained_by: Some(TRAINED_BY.to_owned()),
            experiment_toml: &settings.to_string(),
            seed,
            versions: Versions {
                converge: env!("CARGO_PKG_VERSION").to_owned(),
                burn: BURN.to_owned(),
            },
            device: "not known yet",
            compute: None,
            data,
            pretrained: None,
            // Known once it trains.
            training_samples: 0,
            validation_samples: 0,
            parameters: 0,
        };
        let made = RunDirectory::create(&self.parent, new, &());
        let (run, lock) = made.map_err(MonitorError::Start)?;
        let rules = Rules {
            early_stopping: self.early_stopping,
            stop_when: self.stop_when,
            tell: self.tell,
        };
        Ok(Recording::new(Recorder::new(run, lock, rules), self.loss))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_burn_is_the_one_in_cargo_toml() {
        let pin = format!("burn = {{ version = \"={BURN}\"");
        assert!(include_str!("../Cargo.toml").contains(&pin));
    }
}
