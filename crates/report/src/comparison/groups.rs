//! Runs that differ by their seeds only, together.

use std::cmp::Ordering;

use serde::Serialize;

use super::keys::short;
use super::welch::Sample;
use super::{ComparedRun, Comparison};
use crate::training::State;

/// Runs that differ by their seeds only.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// What they have in common and others have not, as text.
    pub name: String,
    /// Their values of the keys that differ.
    pub values: Vec<Option<String>>,
    /// Which of the runs they are, from 0.
    pub runs: Vec<usize>,
    /// How many scores its mean is of: one for each seed.
    pub n: usize,
    /// The mean of the scores.
    pub mean: Option<f64>,
    /// Their standard deviation, with n − 1 below the sum; none of a single one.
    pub deviation: Option<f64>,
    /// The same, for those who compute.
    #[serde(skip)]
    pub(super) sample: Option<Sample>,
}

impl Comparison {
    /// Puts runs of the same values together, the best group first.
    pub(super) fn group(&mut self) {
        let mut groups: Vec<Vec<usize>> = vec![];
        for (place, run) in self.runs.iter().enumerate() {
            match groups.iter_mut().find(|group| self.runs[group[0]].values == run.values) {
                Some(group) => group.push(place),
                None => groups.push(vec![place]),
            }
        }
        let mut repeated = 0;
        let mut groups: Vec<Group> = groups
            .into_iter()
            .map(|places| {
                let counted = one_for_each_seed(&self.runs, &places);
                repeated += places.len() - counted.len();
                let scores: Vec<f64> =
                    counted.iter().filter_map(|&place| self.runs[place].score).collect();
                let sample = Sample::of(&scores);
                let values = self.runs[places[0]].values.clone();
                Group {
                    name: name(&self.keys, &values, &self.runs[places[0]]),
                    values,
                    runs: places,
                    n: scores.len(),
                    mean: sample.map(|sample| sample.mean),
                    deviation: sample.and_then(|sample| sample.deviation),
                    sample,
                }
            })
            .collect();
        let higher = self.score.as_ref().is_some_and(|score| score.higher_is_better);
        groups.sort_by(|a, b| better_first(a.mean, b.mean, higher));
        self.reorder(groups);
        if repeated > 0 {
            self.notes.push(format!(
                "{repeated} {} another with its seed and all its keys; of such, the last \
                 counts, since the same seed again is no evidence of the spread.",
                if repeated == 1 { "run repeats" } else { "runs repeat" }
            ));
        }
    }

    /// Puts the runs in the order of their `groups`, and within them by seed.
    fn reorder(&mut self, mut groups: Vec<Group>) {
        let mut order = vec![];
        for (index, group) in groups.iter_mut().enumerate() {
            group.runs.sort_by_key(|&place| self.runs[place].seed);
            let first = order.len();
            for &place in &group.runs {
                self.runs[place].group = index;
                order.push(place);
            }
            group.runs = (first..order.len()).collect();
        }
        self.runs = order.iter().map(|&place| self.runs[place].clone()).collect();
        self.places = order;
        self.groups = groups;
    }
}

/// Of the runs at `places`, the last of each seed.
fn one_for_each_seed(runs: &[ComparedRun], places: &[usize]) -> Vec<usize> {
    let is_last = |at: usize| {
        let seed = runs[places[at]].seed;
        seed.is_none() || places[at + 1..].iter().all(|&later| runs[later].seed != seed)
    };
    (0..places.len()).filter(|&at| is_last(at)).map(|at| places[at]).collect()
}

fn better_first(a: Option<f64>, b: Option<f64>, higher_is_better: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if higher_is_better => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

fn name(keys: &[String], values: &[Option<String>], first: &ComparedRun) -> String {
    // Nothing is known of the log of another tool but its name.
    if first.state == State::Log {
        return first.name.clone();
    }
    let part = |(key, value): (&String, &Option<String>)| {
        // What a run does not have, its legend leaves out.
        Some(format!("{}={}", short(key, keys), value.as_ref()?))
    };
    let parts: Vec<String> = keys.iter().zip(values).filter_map(part).collect();
    if parts.is_empty() { "all runs".to_owned() } else { parts.join(", ") }
}
