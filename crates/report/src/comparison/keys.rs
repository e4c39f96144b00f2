//! Which keys of the experiments of trainings differ.

use crate::configuration::{is_seed, matters, value};
use crate::training::{State, Training};

/// The key that is the data that `run.json` tells of.
pub(super) const DATA_SET: &str = "data_set";

/// The keys that differ, and the values that each training has of them.
pub(super) struct Keys {
    pub names: Vec<String>,
    /// A row for each training.
    pub values: Vec<Vec<Option<String>>>,
}

impl Keys {
    /// Of `trainings`: the keys of `experiment.toml`, the seed apart; `data_set`, where some trained on
    /// other data than others, or on a stand-in; `log`, since of the log of another tool, or of a run
    /// whose program told no settings, nothing is known that would make it a repetition of another.
    pub(super) fn of(trainings: &[Training]) -> Self {
        let mut columns: Vec<(String, Vec<Option<String>>)> = vec![];
        let data = |training: &Training| Some(training.record.as_ref()?.data.label());
        columns.push((DATA_SET.to_owned(), trainings.iter().map(data).collect()));
        let log = |training: &Training| {
            let untold = training.trained_by().is_some() && training.settings.is_empty();
            (training.state == State::Log || untold).then(|| training.path.display().to_string())
        };
        columns.push(("log".to_owned(), trainings.iter().map(log).collect()));
        let keys = trainings.iter().flat_map(|training| &training.settings).map(|one| &one.key);
        let mut names: Vec<&String> = vec![];
        for key in keys.filter(|key| matters(key) && !is_seed(key)) {
            if !names.contains(&key) {
                names.push(key);
            }
        }
        columns.extend(names.into_iter().map(|key| {
            let of = |training: &Training| value(&training.settings, key).map(str::to_owned);
            (key.clone(), trainings.iter().map(of).collect())
        }));
        columns.retain(|(_, values)| values.iter().any(|value| *value != values[0]));
        let differing: Vec<String> = columns.iter().map(|(key, _)| key.clone()).collect();
        columns.retain(|(key, values)| !is_implied(key, values, &differing));
        let row = |place: usize| columns.iter().map(|(_, values)| values[place].clone()).collect();
        Self {
            values: (0..trainings.len()).map(row).collect(),
            names: columns.iter().map(|(key, _)| key.clone()).collect(),
        }
    }
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
    fn a_key_that_comes_with_an_optimizer_is_not_told_again() {
        let named = ["optimizer.name".to_owned()];
        let some = |value: &str| Some(value.to_owned());
        assert!(is_implied("optimizer.betas", &[some("[0.9, 0.999]"), None], &named));
        assert!(!is_implied("optimizer.betas", &[some("a"), some("b"), None], &named));
        assert!(!is_implied("optimizer.name", &[some("a"), None], &named));
        assert!(!is_implied("clipping.value", &[some("a"), None], &named));
    }
}
