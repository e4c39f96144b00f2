//! Who races: the experiment under every combination of the values varied.

use super::RaceError;
use crate::experiment::Experiment;

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
        let reason = match key.as_str() {
            "training.seed" => "every contender races with the same seeds (`--seeds`)",
            "training.epochs" => "every contender is trained as long (`--epochs`)",
            "name" | "purpose" => "it changes no result",
            _ if key.starts_with("data.") => "scores on other data cannot be compared",
            _ => return Ok(Self { key, values }),
        };
        Err(RaceError::Key { key, reason })
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
#[derive(Debug, Clone, PartialEq)]
pub struct Contender {
    /// Its name.
    pub label: String,
    /// What it changes, as `--set` takes it.
    pub changes: Vec<String>,
    /// The learning rates to tune over, from low to high; a single one is not tuned.
    pub rates: Vec<f64>,
    pub(super) experiment: Experiment,
}

impl Contender {
    /// Every combination of the values of `varied`, on top of the experiment `name` with
    /// `overrides`. Each is tuned over `rates` learning rates, evenly spread in their logarithm from
    /// the rate of the experiment divided by `reach` to `reach` times as much; around its default one
    /// where the optimizer is another.
    pub(super) fn all(
        name: &str,
        overrides: &[String],
        varied: &[Varied],
        rates: usize,
        reach: f64,
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
            let mut set: Vec<String> = overrides.iter().chain(&changes).cloned().collect();
            let experiment = Experiment::load(name, &set)?;
            let mut usual = experiment.optimizer.learning_rate();
            if experiment.optimizer.minimizer().is_some() {
                return Err(RaceError::NoRate(experiment.optimizer.name()));
            }
            if !fixed && experiment.optimizer.name() != base.optimizer.name() {
                // The rate of the experiment was meant for its own optimizer.
                set.push("optimizer.learning_rate=".to_owned());
                usual = Experiment::load(name, &set)?.optimizer.learning_rate();
            }
            all.push(Self { label, changes, rates: spread(usual, rates, reach), experiment });
        }
        if all.len() < 2 {
            return Err(RaceError::TooFew(all.len()));
        }
        Ok(all)
    }

    /// Its experiment at the rate of this number with `seed`, to be trained for `epochs`.
    pub(super) fn trial(
        &self,
        rate: usize,
        seed: u64,
        epochs: usize,
    ) -> Result<Experiment, RaceError> {
        let rate = self.rates[rate];
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "._=-".contains(letter);
        let label = self.label.chars().map(|letter| if plain(letter) { letter } else { '-' });
        let label: String = label.take(40).collect();
        let label = label.trim_start_matches('.');
        Ok(self.experiment.clone().with(|settings| {
            settings.name = format!("{label}-{rate:e}-seed{seed}");
            (settings.training.seed, settings.training.epochs) = (seed, epochs);
            if let Some(own) = settings.optimizer.value_mut("learning_rate") {
                *own = rate;
            }
        })?)
    }

    /// What else to set to train it at the rate of this number.
    pub fn set(&self, rate: usize) -> Vec<String> {
        let mut changes = self.changes.clone();
        if !changes.iter().any(|one| one.starts_with("optimizer.learning_rate=")) {
            changes.push(format!("optimizer.learning_rate={}", self.rates[rate]));
        }
        changes
    }
}

/// `count` rates around `usual`, with two significant digits.
fn spread(usual: f64, count: usize, reach: f64) -> Vec<f64> {
    if count == 1 {
        return vec![usual];
    }
    let at = |index: usize| {
        let share = 2.0 * index as f64 / (count as f64 - 1.0) - 1.0;
        let rate = usual * reach.powf(share);
        format!("{rate:.1e}").parse().unwrap_or(rate)
    };
    (0..count).map(at).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;

    #[test]
    fn a_key_is_varied_over_values_that_may_be_lists() {
        let varied = Varied::parse("model.hidden=[64], [64,32] ,\"a,b\"").unwrap();
        assert_eq!(varied.values, ["[64]", "[64,32]", "\"a,b\""]);
        assert_eq!(varied.label("[64]"), "hidden=[64]");
        for (text, says) in [
            ("optimizer.name", "has no `=`"),
            ("=a,b", "has no key"),
            ("optimizer.name=adam,", "has an empty value"),
            ("training.seed=1,2", "`--seeds`"),
            ("data.samples=10,20", "cannot be compared"),
        ] {
            let said = Varied::parse(text).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn rates_are_log_uniform_around_the_usual_one() {
        assert_eq!(spread(0.01, 5, 30.0), [0.00033, 0.0018, 0.01, 0.055, 0.3]);
        assert_eq!(spread(0.017, 1, 30.0), [0.017]);
    }

    #[test]
    fn contenders_are_all_combinations_each_around_a_rate_that_suits_it() {
        let varied = ["optimizer.name=sgd,adam", "training.batch_size=8,16"];
        let varied = varied.map(|text| Varied::parse(text).unwrap());
        let all = Contender::all("linear", &[], &varied, 3, 30.0).unwrap();
        let labels: Vec<&str> = all.iter().map(|one| one.label.as_str()).collect();
        let expected =
            ["sgd batch_size=8", "sgd batch_size=16", "adam batch_size=8", "adam batch_size=16"];
        assert_eq!(labels, expected);
        // The experiment has SGD at 0.01; Adam's own default is 0.001.
        assert_eq!((all[0].rates[1], all[2].rates[1]), (0.01, 0.001));
        assert_eq!(
            all[3].set(0),
            ["optimizer.name=adam", "training.batch_size=16", "optimizer.learning_rate=0.000033"]
        );
        let trial = all[3].trial(2, 7, 4).unwrap();
        assert_eq!(trial.name, "adam-batch_size=16-3e-2-seed7");
        assert_eq!((trial.training.seed, trial.training.epochs), (7, 4));
        assert_eq!(trial.optimizer.learning_rate(), 0.03);
    }

    #[test]
    fn what_cannot_race_says_why() {
        let all = |text: &str| {
            Contender::all("linear", &[], &[Varied::parse(text).unwrap()], 3, 30.0)
                .unwrap_err()
                .to_string()
        };
        assert!(all("optimizer.name=sgd").contains("two contenders or more"));
        assert!(all("optimizer.name=sgd,sgd").contains("`sgd` is named twice"));
        assert!(all("optimizer.name=sgd,lbfgs").contains("`lbfgs` searches along"));
        assert!(all("optimizer.name=sgd,addam").contains("addam"));
    }
}
