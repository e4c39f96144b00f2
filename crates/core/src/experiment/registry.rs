//! Which sections an experiment has: one line each, in [`sections!`].
//!
//! [`Settings`], the reading of a file, the checks of ranges and what overrides and suggestions ask
//! of a section by its name all follow from that list.

use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::fault::{Fault, Problem};
use super::read::{attempt, read};
use super::sections::{
    CheckpointSettings, ClippingSettings, GroupSettings, RecordSettings, RegularizationSettings,
    TrainingSettings,
};
use crate::models::ModelSettings;
use crate::optim::{OptimizerSettings, Sam, WrapperSettings};
use crate::schedule::ScheduleSettings;
use converge_data::{AugmentationSettings, DataSettings};
use converge_diagnosis::EarlyStoppingSettings;
use converge_settings::Check as _;
use converge_settings::checks::Checked;

/// Defines [`Settings`] and all that asks for a section by its name from one line per section: its
/// doc comment, its type, and how it is read. It is `required`; or it has its defaults where it is
/// not written (`or_default`); or nothing stands for it then (`optional`); or it is a `list` of
/// sections, empty then; or its keys are sections themselves (`flattened`).
macro_rules! sections {
    ($(
        $(#[doc = $doc:literal])+
        $(#[serde($($serde:tt)+)])?
        $section:ident: $type:ty = $kind:ident,
    )+) => {
        /// Everything an experiment says, defaults filled in.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct Settings {
            /// What runs of it are called; the stem of the file unless written.
            pub name: String,
            /// What it shows, in one line.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub purpose: Option<String>,
            $(
                $(#[doc = $doc])+
                $(#[serde($($serde)+)])?
                pub $section: $type,
            )+
        }

        impl Settings {
            /// The settings in `table`, with `name` for an experiment that does not name itself.
            pub(super) fn read(table: &Table, name: &str) -> Result<Self, Problem> {
                Ok(Self {
                    name: optional(table, "name")?.unwrap_or_else(|| name.to_owned()),
                    purpose: optional(table, "purpose")?,
                    $($section: sections!(@read $kind)(table, stringify!($section))?,)+
                })
            }

            /// Every section is in its ranges; keys have the section in front.
            pub(super) fn check_sections(&self) -> Checked {
                $(sections!(@check $kind self.$section, stringify!($section));)+
                Ok(())
            }
        }

        /// The sections that an experiment can have.
        pub(super) fn sections() -> Vec<&'static str> {
            [$(sections!(@names $kind $section $type)),+].concat()
        }

        /// Whether `section` takes `table`.
        fn attempt_section(section: &str, table: &Value) -> Result<(), Fault> {
            $(sections!(@attempt $kind $section $type, section, table);)+
            Ok(())
        }
    };

    (@read list) => { or_default };
    (@read $kind:ident) => { $kind };

    (@check flattened $value:expr, $key:expr) => { $value.check()?; };
    (@check optional $value:expr, $key:expr) => {
        if let Some(section) = &$value {
            section.check().map_err(|error| error.in_section($key))?;
        }
    };
    (@check list $value:expr, $key:expr) => {
        for (index, section) in $value.iter().enumerate() {
            section.check().map_err(|error| error.in_section(&format!("{}[{index}]", $key)))?;
        }
    };
    (@check $kind:ident $value:expr, $key:expr) => {
        $value.check().map_err(|error| error.in_section($key))?;
    };

    (@names flattened $section:ident $type:ty) => { keys_of::<$type>() };
    (@names $kind:ident $section:ident $type:ty) => { vec![stringify!($section)] };

    (@attempt flattened $section:ident $type:ty, $wanted:expr, $table:expr) => {
        if keys_of::<$type>().contains(&$wanted) {
            let outer = Table::from_iter([($wanted.to_owned(), $table.clone())]);
            return attempt::<$type>(&Value::Table(outer));
        }
    };
    (@attempt $kind:ident $section:ident $type:ty, $wanted:expr, $table:expr) => {
        if $wanted == stringify!($section) {
            return attempt::<$type>($table);
        }
    };
}

sections! {
    /// What is learned from.
    data: DataSettings = required,
    /// How training images are varied; not at all unless written.
    #[serde(skip_serializing_if = "AugmentationSettings::is_off")]
    augmentation: AugmentationSettings = or_default,
    /// What learns.
    model: ModelSettings = required,
    /// How long, in what batches, from which seed.
    training: TrainingSettings = or_default,
    /// How parameters move.
    optimizer: OptimizerSettings = required,
    /// Parameters that are trained in a way of their own; none unless written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<GroupSettings> = list,
    /// What is wrapped around the optimizer; nothing unless written.
    #[serde(flatten)]
    wrappers: WrapperSettings = flattened,
    /// Gradients from the worst place nearby; those at the weights unless written.
    #[serde(skip_serializing_if = "Option::is_none")]
    sam: Option<Sam> = optional,
    /// How the learning rate changes; constant unless written.
    schedule: ScheduleSettings = or_default,
    /// What keeps weights and answers small; nothing unless written.
    #[serde(skip_serializing_if = "RegularizationSettings::is_off")]
    regularization: RegularizationSettings = or_default,
    /// Bounds on the gradient; none unless written.
    #[serde(skip_serializing_if = "ClippingSettings::is_off")]
    clipping: ClippingSettings = or_default,
    /// When to stop before the last epoch; never unless written.
    #[serde(skip_serializing_if = "Option::is_none")]
    early_stopping: Option<EarlyStoppingSettings> = optional,
    /// Which epochs stay on disk.
    checkpoints: CheckpointSettings = or_default,
    /// What is written down while training.
    records: RecordSettings = or_default,
}

/// The keys that stand in no section.
pub(super) const TOP_LEVEL: [&str; 2] = ["name", "purpose"];

fn optional<T: DeserializeOwned>(table: &Table, key: &str) -> Result<Option<T>, Problem> {
    table.get(key).map(|value| read([key], value)).transpose()
}

fn or_default<T: DeserializeOwned + Default>(table: &Table, key: &str) -> Result<T, Problem> {
    Ok(optional(table, key)?.unwrap_or_default())
}

fn required<T: DeserializeOwned>(table: &Table, key: &str) -> Result<T, Problem> {
    optional(table, key)?.ok_or_else(|| Problem::new([key], Fault::Missing(key.to_owned())))
}

/// The settings whose keys are sections of `table`.
fn flattened<S>(table: &Table, _: &str) -> Result<S, Problem>
where
    S: converge_settings::Settings + DeserializeOwned,
{
    let own = table.iter().filter(|(key, _)| keys_of::<S>().contains(&key.as_str()));
    let own: Table = own.map(|(key, value)| (key.clone(), value.clone())).collect();
    read([], &Value::Table(own))
}

fn keys_of<S: converge_settings::Settings>() -> Vec<&'static str> {
    S::KEYS.iter().map(|key| key.name).collect()
}

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
    sections().into_iter().filter_map(home).collect()
}

fn outcome(section: &str, name: Option<&str>, key: &str, value: &Value) -> Result<(), Fault> {
    let mut table = Table::new();
    if let Some(name) = name {
        table.insert("name".to_owned(), name.into());
    }
    table.insert(key.to_owned(), value.clone());
    attempt_section(section, &Value::Table(table))
}
