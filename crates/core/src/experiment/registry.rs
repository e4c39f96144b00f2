//! What each section of an experiment is read into.
//!
//! Overrides and suggestions need to ask a section, by its name, which names and keys it knows.

use toml::{Table, Value};

use super::fault::Fault;
use super::read::attempt;
use super::sections::{
    CheckpointSettings, ClippingSettings, GroupSettings, RecordSettings, RegularizationSettings,
    TrainingSettings,
};
use crate::models::ModelSettings;
use crate::optim::{Cautious, Ema, GradientCentralization, Lookahead, OptimizerSettings, Sam, Swa};
use crate::schedule::ScheduleSettings;
use converge_data::{AugmentationSettings, DataSettings};
use converge_diagnosis::EarlyStoppingSettings;

/// The sections that an experiment can have.
pub(super) const SECTIONS: [&str; 18] = [
    "data",
    "augmentation",
    "model",
    "training",
    "optimizer",
    "groups",
    "gradient_centralization",
    "cautious",
    "lookahead",
    "ema",
    "swa",
    "sam",
    "schedule",
    "regularization",
    "clipping",
    "early_stopping",
    "checkpoints",
    "records",
];

/// The keys that stand in no section.
pub(super) const TOP_LEVEL: [&str; 2] = ["name", "purpose"];

/// The names that `section.name` can have; none for sections without `name`.
pub(super) fn names(section: &str) -> &'static [&'static str] {
    match section {
        "data" => DataSettings::NAMES,
        "model" => ModelSettings::NAMES,
        "optimizer" => OptimizerSettings::NAMES,
        "schedule" => ScheduleSettings::NAMES,
        _ => &[],
    }
}

/// Whether `section` with `name`, where it has one, takes `key`, with this value.
pub(super) fn takes(section: &str, name: Option<&str>, key: &str, value: &Value) -> bool {
    outcome(section, name, key, value).is_ok()
}

/// The keys of `section` with `name`, where it has one.
pub(super) fn keys(section: &str, name: Option<&str>) -> Vec<String> {
    // No key is spelled like this.
    match outcome(section, name, "?", &Value::Boolean(true)) {
        Err(Fault::UnknownKey(keys)) => keys,
        _ => Vec::new(),
    }
}

/// Every section that has `key`, and the names for which it has it.
pub(super) fn homes(key: &str) -> Vec<(&'static str, Vec<&'static str>)> {
    // A key of a list of sections has no path of its own.
    let has =
        |section, name| section != "groups" && keys(section, name).iter().any(|known| known == key);
    let home = |section| {
        let named: Vec<_> =
            names(section).iter().copied().filter(|&name| has(section, Some(name))).collect();
        (!named.is_empty() || (names(section).is_empty() && has(section, None)))
            .then_some((section, named))
    };
    SECTIONS.into_iter().filter_map(home).collect()
}

fn outcome(section: &str, name: Option<&str>, key: &str, value: &Value) -> Result<(), Fault> {
    let mut table = Table::new();
    if let Some(name) = name {
        table.insert("name".to_owned(), name.into());
    }
    table.insert(key.to_owned(), value.clone());
    let table = Value::Table(table);
    match section {
        "data" => attempt::<DataSettings>(&table),
        "augmentation" => attempt::<AugmentationSettings>(&table),
        "model" => attempt::<ModelSettings>(&table),
        "training" => attempt::<TrainingSettings>(&table),
        "optimizer" => attempt::<OptimizerSettings>(&table),
        "groups" => attempt::<GroupSettings>(&table),
        "gradient_centralization" => attempt::<GradientCentralization>(&table),
        "cautious" => attempt::<Cautious>(&table),
        "lookahead" => attempt::<Lookahead>(&table),
        "ema" => attempt::<Ema>(&table),
        "swa" => attempt::<Swa>(&table),
        "sam" => attempt::<Sam>(&table),
        "schedule" => attempt::<ScheduleSettings>(&table),
        "regularization" => attempt::<RegularizationSettings>(&table),
        "clipping" => attempt::<ClippingSettings>(&table),
        "early_stopping" => attempt::<EarlyStoppingSettings>(&table),
        "checkpoints" => attempt::<CheckpointSettings>(&table),
        "records" => attempt::<RecordSettings>(&table),
        _ => Ok(()),
    }
}
