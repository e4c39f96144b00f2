//! What sets a run apart from the others of its experiment: the keys that `converge compare` would show,
//! where most of the others have another value.

use std::collections::{BTreeMap, HashMap};

use converge_report::{Keys, Setting};
use serde::Serialize;

use super::listed::Listed;

/// Keys that have a column of their own.
const SHOWN: [&str; 2] = ["optimizer.name", "optimizer.learning_rate"];

/// The keys of a run whose values most runs of its experiment do not have. A run without a key that most
/// have has none of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Differs {
    values: BTreeMap<String, Option<String>>,
    #[serde(skip)]
    shown: String,
}

impl Differs {
    /// On one line, without what other columns of the list show.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}

/// Says of each run what sets it apart from those of its experiment.
pub(super) fn tell(runs: &mut [Listed]) {
    let mut experiments: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, run) in runs.iter().enumerate() {
        experiments.entry(&run.record.experiment).or_default().push(place);
    }
    let told: Vec<(usize, Differs)> = experiments
        .into_values()
        .flat_map(|places| {
            let settings: Vec<&[Setting]> =
                places.iter().map(|&place| runs[place].settings.as_slice()).collect();
            places.into_iter().zip(differences(&settings)).collect::<Vec<_>>()
        })
        .collect();
    for (place, differs) in told {
        runs[place].differs = differs;
    }
}

fn differences(settings: &[&[Setting]]) -> Vec<Differs> {
    let keys = Keys::between(settings);
    let mut all = vec![Differs::default(); settings.len()];
    for (at, key) in keys.names.iter().enumerate() {
        let values: Vec<Option<&String>> = keys.values.iter().map(|row| row[at].as_ref()).collect();
        let mut counts: HashMap<_, usize> = HashMap::new();
        for value in &values {
            *counts.entry(*value).or_default() += 1;
        }
        let is_column = SHOWN.contains(&key.as_str());
        for (value, differs) in values.iter().zip(&mut all) {
            if 2 * counts[value] > values.len() {
                continue;
            }
            if !is_column {
                let separator = if differs.shown.is_empty() { "" } else { ", " };
                let value = value.map_or("none", String::as_str);
                differs.shown += &format!("{separator}{} {value}", keys.short(key));
            }
            differs.values.insert(key.clone(), value.cloned());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use converge_report::settings;

    use super::*;

    fn told(experiments: &[&str]) -> Vec<Differs> {
        let settings: Vec<_> = experiments.iter().map(|toml| settings(toml).unwrap()).collect();
        differences(&settings.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    #[test]
    fn a_run_is_told_apart_from_what_most_have() {
        let usual = "[training]\nbatch_size = 32\nseed = 1\n[clipping]\nvalue = 1.0\n";
        let other = "[training]\nbatch_size = 64\nseed = 2\n";
        let shown = told(&[usual, usual, usual, other]);
        let shown: Vec<&str> = shown.iter().map(Differs::shown).collect();
        assert_eq!(shown, ["", "", "", "batch_size 64, value none"]);
    }

    #[test]
    fn of_two_runs_both_are_told_but_not_what_has_a_column() {
        let [sgd, adam] = ["sgd", "adam"].map(|name| {
            format!("[optimizer]\nname = \"{name}\"\n[model]\nhidden = [{}]\n", name.len())
        });
        let both = told(&[&sgd, &adam]);
        assert_eq!(both[0].shown(), "hidden [3]");
        assert_eq!(both[1].values["optimizer.name"].as_deref(), Some("adam"));
        assert_eq!(told(&[&sgd]), [Differs::default()]);
    }
}
