//! Who races: the experiment under every combination of the values varied.

use serde::{Deserialize, Serialize};

use super::RaceError;
use crate::experiment::Experiment;

/// The rate tried first to last: from a thirtieth of the usual one to thirty times as much.
const REACH: f64 = 30.0;

/// A key with the values that it takes: `optimizer.name=adam,sgd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Varied {
    key: String,
    values: Vec<String>,
}

impl Varied {
    /// Reads `section.key=a,b`; commas within brackets or quotes part no values.
    pub fn parse(text: &str) -> Result<Self, RaceError> {
        let wrong = |problem| RaceError::Vary { text: text.to_owned(), problem };
        let (key, values) = text.split_once('=').ok_or_else(|| wrong("has no `=`"))?;
        let (key, values) = (key.trim().to_owned(), parted(values));
        if key.is_empty() {
            return Err(wrong("has no key"));
        }
        if values.iter().any(String::is_empty) {
            return Err(wrong("has an empty value"));
        }
        let taken = |reason| Err(RaceError::Key { key: key.clone(), reason });
        match key.as_str() {
            "training.seed" => taken("every contender races with the same seeds (`--seeds`)"),
            "training.epochs" => taken("every contender is trained as long (`--epochs`)"),
            "name" | "purpose" => taken("it changes no result"),
            _ if key.starts_with("data.") => taken("scores on other data cannot be compared"),
            _ => Ok(Self { key, values }),
        }
    }

    /// Optimizers by name, or schedules, as `section` says.
    pub fn names(section: &str, names: &[String]) -> Result<Self, RaceError> {
        Self::parse(&format!("{section}.name={}", names.join(",")))
    }

    /// How a contender is told from others by `value`.
    fn label(&self, value: &str) -> String {
        let last = self.key.rsplit('.').next().unwrap_or(&self.key);
        if last == "name" { value.to_owned() } else { format!("{last}={value}") }
    }
}

/// The values of a list.
fn parted(text: &str) -> Vec<String> {
    let (mut values, mut depth, mut quoted) = (vec![String::new()], 0_i32, false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
        if letter == ',' && depth <= 0 && !quoted {
            values.push(String::new());
        } else if let Some(last) = values.last_mut() {
            last.push(letter);
        }
    }
    values.into_iter().map(|value| value.trim().to_owned()).collect()
}

/// Someone who races.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contender {
    /// Its name.
    pub label: String,
    /// What it changes, as `--set` takes it.
    pub changes: Vec<String>,
    /// The learning rates to tune over, from low to high; a single one is not tuned.
    pub rates: Vec<f64>,
    /// Its whole experiment, as TOML.
    pub(super) experiment: String,
}

impl Contender {
    /// Every combination of the values of `varied`, on top of the experiment `name` with
    /// `overrides`. Each is tuned over `rates` learning rates, evenly spread in their logarithm around the
    /// rate of the experiment, or the default one where the optimizer is another.
    pub(super) fn all(
        name: &str,
        overrides: &[String],
        varied: &[Varied],
        rates: usize,
    ) -> Result<Vec<Self>, RaceError> {
        let mut combinations: Vec<(Vec<String>, Vec<String>)> = vec![(vec![], vec![])];
        for one in varied {
            let with = |(labels, changes): &(Vec<String>, Vec<String>), value: &String| {
                let (mut labels, mut changes) = (labels.clone(), changes.clone());
                labels.push(one.label(value));
                changes.push(format!("{}={value}", one.key));
                (labels, changes)
            };
            combinations = combinations
                .iter()
                .flat_map(|before| one.values.iter().map(|value| with(before, value)))
                .collect();
        }
        let fixed = varied.iter().any(|one| one.key == "optimizer.learning_rate");
        let rates = if fixed { 1 } else { rates };
        let base = Experiment::load(name, overrides)?;
        let mut all: Vec<Self> = vec![];
        for (labels, changes) in combinations {
            let label = labels.join(" ");
            if all.iter().any(|other| other.label == label) {
                return Err(RaceError::Twice(label));
            }
            let set: Vec<String> = overrides.iter().chain(&changes).cloned().collect();
            let experiment = Experiment::load(name, &set)?;
            if rates > 1 && experiment.optimizer.minimizer().is_some() {
                return Err(RaceError::NoRate(experiment.optimizer.name().to_owned()));
            }
            let mut usual = experiment.optimizer.learning_rate();
            if experiment.optimizer.name() != base.optimizer.name() {
                // That of another optimizer says nothing.
                let own = set.iter().cloned().chain(["optimizer.learning_rate=".to_owned()]);
                if let Ok(own) = Experiment::load(name, &own.collect::<Vec<_>>()) {
                    usual = own.optimizer.learning_rate();
                }
            }
            let rates = spread(usual, rates);
            all.push(Self { label, changes, rates, experiment: experiment.to_toml()? });
        }
        if all.len() < 2 {
            return Err(RaceError::TooFew(all.len()));
        }
        Ok(all)
    }

    /// Its experiment at `rate` with `seed`, under `name` for `epochs`.
    pub(super) fn experiment(
        &self,
        name: &str,
        rate: f64,
        seed: u64,
        epochs: usize,
    ) -> Result<Experiment, RaceError> {
        let changes = [
            format!("name={name:?}"),
            format!("optimizer.learning_rate={rate:?}"),
            format!("training.seed={seed}"),
            format!("training.epochs={epochs}"),
        ];
        Ok(Experiment::from_toml(&self.experiment, "race.json", &changes)?)
    }

    /// What to add to `converge train` to train it at `rate`.
    pub fn set(&self, rate: f64) -> String {
        let changes = self.changes.iter().map(|change| format!("--set {}", quoted(change)));
        let rate = [format!("--set optimizer.learning_rate={rate}")];
        let fixed = self.changes.iter().any(|one| one.starts_with("optimizer.learning_rate="));
        let rate = rate.into_iter().filter(|_| !fixed);
        changes.chain(rate).collect::<Vec<_>>().join(" ")
    }
}

/// `text` as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-=/+".contains(letter);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// `count` rates around `usual`, with two significant digits.
fn spread(usual: f64, count: usize) -> Vec<f64> {
    if count == 1 {
        return vec![usual];
    }
    let at = |index: usize| {
        let share = 2.0 * index as f64 / (count as f64 - 1.0) - 1.0;
        let rate = usual * REACH.powf(share);
        format!("{rate:.1e}").parse().unwrap_or(rate)
    };
    (0..count).map(at).collect()
}
