//! Which keys of the experiments of trainings differ.

use std::collections::HashMap;

use crate::configuration::{Setting, is_seed, matters};
use crate::training::{State, Training};

/// The key that is the data that `run.json` tells of.
pub(super) const DATA_SET: &str = "data_set";

/// The values that every training has of one key.
type Column = (String, Vec<Option<String>>);

/// The keys that differ between trainings, and the values that each has of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The keys.
    pub names: Vec<String>,
    /// A row for each training; none where it has no such key.
    pub values: Vec<Vec<Option<String>>>,
}

impl Keys {
    /// Of `trainings`: the keys of `experiment.toml`, the seed apart; `data_set`, where some trained on
    /// other data than others, or on a stand-in; `log`, since of the log of another tool, or of a run
    /// whose program told no settings, nothing is known that would make it a repetition of another.
    pub(super) fn of(trainings: &[Training]) -> Self {
        let mut columns: Vec<Column> = vec![];
        let data = |training: &Training| Some(training.record.as_ref()?.data.label());
        columns.push((DATA_SET.to_owned(), trainings.iter().map(data).collect()));
        let log = |training: &Training| {
            let untold = training.trained_by().is_some() && training.settings.is_empty();
            (training.state == State::Log || untold).then(|| training.path.display().to_string())
        };
        columns.push(("log".to_owned(), trainings.iter().map(log).collect()));
        let settings: Vec<&[Setting]> =
            trainings.iter().map(|training| training.settings.as_slice()).collect();
        columns.extend(differing(&settings));
        Self::from_columns(columns, trainings.len())
    }

    /// The keys that differ between experiments with these `settings`, the seed apart.
    pub fn between(settings: &[&[Setting]]) -> Self {
        Self::from_columns(differing(settings), settings.len())
    }

    fn from_columns(mut columns: Vec<Column>, count: usize) -> Self {
        columns.retain(|(_, values)| values.iter().any(|value| *value != values[0]));
        let differing: Vec<String> = columns.iter().map(|(key, _)| key.clone()).collect();
        columns.retain(|(key, values)| !is_implied(key, values, &differing));
        let row = |place: usize| columns.iter().map(|(_, values)| values[place].clone()).collect();
        Self {
            values: (0..count).map(row).collect(),
            names: columns.iter().map(|(key, _)| key.clone()).collect(),
        }
    }

    /// A key as tables and legends have it: without its section, where that is no loss.
    pub fn short(&self, key: &str) -> String {
        short(key, &self.names)
    }
}

/// The columns of all keys that may differ and do, in the order they are met.
fn differing(settings: &[&[Setting]]) -> Vec<Column> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut columns: Vec<(&str, Vec<Option<&str>>)> = vec![];
    for (run, settings) in settings.iter().enumerate() {
        for Setting { key, value } in
            settings.iter().filter(|one| matters(&one.key) && !is_seed(&one.key))
        {
            let place = *places.entry(key).or_insert_with(|| {
                columns.push((key, vec![]));
                columns.len() - 1
            });
            let values = &mut columns[place].1;
            values.resize(run, None);
            values.push(Some(value));
        }
    }
    for (_, values) in &mut columns {
        values.resize(settings.len(), None);
    }
    columns.retain(|(_, values)| values.iter().any(|value| *value != values[0]));
    let owned =
        |values: Vec<Option<&str>>| values.iter().map(|value| value.map(str::to_owned)).collect();
    columns.into_iter().map(|(key, values)| (key.to_owned(), owned(values))).collect()
}

/// Whether `key` only says again that the section's name differs: `optimizer.betas` of runs of which
/// some have Adam, all with the same betas.
fn is_implied(key: &str, values: &[Option<String>], named: &[String]) -> bool {
    let Some((section, last)) = key.rsplit_once('.') else { return false };
    let present: Vec<&String> = values.iter().flatten().collect();
    last != "name"
        && present.len() < values.len()
        && present.iter().all(|value| *value == present[0])
        && named.iter().any(|other| *other == format!("{section}.name"))
}

/// A key as legends have it: without its section, where that is no loss.
pub(super) fn short(key: &str, keys: &[String]) -> String {
    let Some((section, last)) = key.rsplit_once('.') else { return key.to_owned() };
    if last == "name" {
        return section.to_owned();
    }
    let alike = keys.iter().filter(|other| other.rsplit('.').next() == Some(last)).count();
    if alike > 1 { key.to_owned() } else { last.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_where_they_stay_apart() {
        let keys = ["optimizer.name", "optimizer.learning_rate", "ema.decay", "data.decay"]
            .map(str::to_owned);
        let shown = keys.each_ref().map(|key| short(key, &keys));
        assert_eq!(shown, ["optimizer", "learning_rate", "ema.decay", "data.decay"]);
    }

    #[test]
    fn what_differs_between_experiments_is_told_but_for_the_seed() {
        let settings = |toml: &str| crate::configuration::settings(toml).unwrap_or_default();
        let adam = settings(
            "[training]\nseed = 1\nepochs = 3\n[optimizer]\nname = \"adam\"\nbetas = [0.9, 0.99]",
        );
        let sgd = settings(
            "[training]\nseed = 2\nepochs = 3\n[optimizer]\nname = \"sgd\"\n[ema]\ndecay = 0.9",
        );
        let keys = Keys::between(&[&adam, &sgd]);
        assert_eq!(keys.names, ["optimizer.name", "ema.decay"]);
        let some = |value: &str| Some(value.to_owned());
        assert_eq!(keys.values, [[some("adam"), None], [some("sgd"), some("0.9")]]);
        assert_eq!(Keys::between(&[]).names.len(), 0);
    }

    #[test]
    fn a_key_that_comes_with_an_optimizer_is_not_told_again() {
        let named = ["optimizer.name".to_owned()];
        let some = |value: &str| Some(value.to_owned());
        assert!(is_implied("optimizer.betas", &[some("[0.9, 0.999]"), None], &named));
        assert!(!is_implied("optimizer.betas", &[some("a"), some("b"), None], &named));
        assert!(!is_implied("optimizer.name", &[some("a"), None], &named));
        assert!(!is_implied("clipping.value", &[some("a"), None], &named));
    }
}
