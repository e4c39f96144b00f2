//! What a race of contenders came to: who is ahead, which differences are real, who is first at a
//! target, and how many seeds would tell apart what these do not.
//!
//! Each contender was trained once for each seed at settings that were chosen with another seed, so
//! that its scores are not the luck of the choice. Scores of one seed share the data's order and
//! the split, and are compared as pairs.

mod figure;
mod paired;
mod profile;
mod text;

use serde::Serialize;

use converge_figures::numbers::significant;

pub use paired::{Paired, holm};
pub use profile::{Contestant, Profiles};

/// The probability of any wrong claim in a race.
const ALPHA: f64 = 0.05;

/// A run of a contender for one seed.
#[derive(Debug, Clone, PartialEq)]
pub struct SeedRun {
    /// The seed.
    pub seed: u64,
    /// The metric after every whole epoch.
    pub curve: Vec<f64>,
    /// Seconds of training an epoch took.
    pub seconds_per_epoch: f64,
    /// Whether it diverged.
    pub diverged: bool,
}

/// A contender and its runs, one for each seed, in the order of the seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub label: String,
    /// Its runs; none where it had to be left out.
    pub runs: Vec<SeedRun>,
}

/// How a contender stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// Its name.
    pub label: String,
    /// The best value of each seed's run; none where it diverged.
    pub scores: Vec<Option<f64>>,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation, with n − 1 below the sum; none of one.
    pub deviation: Option<f64>,
    /// How many seeds diverged.
    pub diverged: usize,
    /// The epoch in which each seed's run came to the target; none where it did not.
    pub first_at_target: Vec<Option<usize>>,
    /// The median epoch in which they did, those that did not counting as never; none where that is
    /// never.
    pub epochs_to_target: Option<f64>,
    /// The same in seconds of training.
    pub seconds_to_target: Option<f64>,
    #[serde(skip)]
    runs: Vec<SeedRun>,
}

/// Two contenders beside each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairOutcome {
    /// The one with the better mean.
    pub better: String,
    /// The other.
    pub worse: String,
    /// The score of the first less that of the second, over seeds that neither diverged with.
    #[serde(flatten)]
    pub paired: Paired,
    /// Whether the difference is more than chance, by Holm's correction over all pairs.
    pub real: bool,
    /// An interval for the difference; it leaves out zero exactly if the difference is real.
    pub interval: Option<[f64; 2]>,
    /// The level of that interval.
    pub level: f64,
    /// About how many seeds would tell them apart, were the difference found the true one.
    pub enough_seeds: Option<usize>,
    /// The same in a sentence.
    pub sentence: String,
}

/// What a race came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// What was raced on.
    pub experiment: String,
    /// The score: a metric of every epoch, of which the best counts.
    pub metric: String,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// How many seeds each contender was trained with.
    pub seeds: usize,
    /// The value to come to, and whose mean score it is if it was not given.
    pub target: Option<f64>,
    /// Whose mean score the target is; none where it was given.
    pub target_of: Option<String>,
    /// The contenders, the best first; those that diverged with any seed come after the others.
    pub standings: Vec<Standing>,
    /// All pairs.
    pub pairs: Vec<PairOutcome>,
    /// One line to quote.
    pub quote: String,
}

impl Judgement {
    /// Judges `entries`. The target is the mean score of the first entry, as of the reference in a
    /// benchmark such as `AlgoPerf` (Dahl et al., 2023), unless one is given.
    pub fn of(
        experiment: &str,
        metric: &str,
        higher_is_better: bool,
        entries: &[Entry],
        target: Option<f64>,
    ) -> Self {
        let better = |a: f64, b: f64| if higher_is_better { a > b } else { a < b };
        let reference = entries.first().map(|entry| standing(entry, higher_is_better));
        let own = reference.as_ref().and_then(|reference| reference.mean);
        let target_of = target.is_none().then(|| reference.filter(|one| one.mean.is_some()));
        let target_of = target_of.flatten().map(|reference| reference.label);
        let target = target.or(own);
        let mut standings: Vec<Standing> = entries
            .iter()
            .map(|entry| {
                let mut standing = standing(entry, higher_is_better);
                if let Some(target) = target {
                    let comes = |value: f64| value.is_finite() && !better(target, value);
                    standing.note_target(entry, comes);
                }
                standing
            })
            .collect();
        standings.sort_by(|a, b| {
            let value = |one: &Standing| {
                one.mean.map_or(f64::INFINITY, |mean| if higher_is_better { -mean } else { mean })
            };
            let rank = |one: &Standing| (one.mean.is_none(), one.diverged);
            rank(a).cmp(&rank(b)).then(value(a).total_cmp(&value(b)))
        });
        let seeds = entries.iter().map(|entry| entry.runs.len()).max().unwrap_or(0);
        let pairs = pairs(&standings, metric, higher_is_better);
        let quote = quote(experiment, &standings, &pairs, seeds);
        Self {
            experiment: experiment.to_owned(),
            metric: metric.to_owned(),
            higher_is_better,
            seeds,
            target,
            target_of,
            standings,
            pairs,
            quote,
        }
    }
}

fn standing(entry: &Entry, higher_is_better: bool) -> Standing {
    let best = |run: &SeedRun| {
        let finite = run.curve.iter().copied().filter(|value| value.is_finite());
        let best = if higher_is_better { finite.reduce(f64::max) } else { finite.reduce(f64::min) };
        best.filter(|_| !run.diverged)
    };
    let scores: Vec<Option<f64>> = entry.runs.iter().map(best).collect();
    let known: Vec<f64> = scores.iter().copied().flatten().collect();
    let count = known.len() as f64;
    let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / count);
    let deviation = mean.filter(|_| known.len() > 1).map(|mean| {
        (known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
    });
    Standing {
        label: entry.label.clone(),
        diverged: scores.len() - known.len(),
        scores,
        mean,
        deviation,
        first_at_target: vec![],
        epochs_to_target: None,
        seconds_to_target: None,
        runs: entry.runs.clone(),
    }
}

impl Standing {
    /// How many seeds came to the target.
    pub fn reached(&self) -> usize {
        self.first_at_target.iter().flatten().count()
    }

    /// Notes when `comes` first holds for the runs of `entry`.
    fn note_target(&mut self, entry: &Entry, comes: impl Fn(f64) -> bool) {
        let first = |run: &SeedRun| {
            let at = run.curve.iter().position(|&value| comes(value));
            at.filter(|_| !run.diverged).map(|at| at + 1)
        };
        self.first_at_target = entry.runs.iter().map(first).collect();
        let epochs: Vec<f64> = self
            .first_at_target
            .iter()
            .map(|epoch| epoch.map_or(f64::INFINITY, |epoch| epoch as f64))
            .collect();
        let seconds =
            entry.runs.iter().zip(&epochs).map(|(run, epochs)| epochs * run.seconds_per_epoch);
        self.seconds_to_target = median(seconds.collect());
        self.epochs_to_target = median(epochs);
    }
}

/// The median, if it is finite.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    let median = if values.len() % 2 == 1 { upper } else { 0.5 * (values[middle - 1] + upper) };
    Some(median).filter(|median| median.is_finite())
}

/// Compares every two of `standings`, which are in order.
fn pairs(standings: &[Standing], metric: &str, higher_is_better: bool) -> Vec<PairOutcome> {
    let mut found = vec![];
    for (index, one) in standings.iter().enumerate() {
        for other in &standings[index + 1..] {
            let both = one.scores.iter().zip(&other.scores);
            let (a, b): (Vec<f64>, Vec<f64>) =
                both.filter_map(|(a, b)| Some(((*a)?, (*b)?))).unzip();
            let Some(paired) = Paired::of(&a, &b) else { continue };
            // Over shared seeds the other one may be ahead.
            let ahead = if higher_is_better { paired.mean >= 0.0 } else { paired.mean <= 0.0 };
            let (one, other, paired) = if ahead {
                (one, other, paired)
            } else {
                (other, one, Paired { mean: -paired.mean, ..paired })
            };
            found.push((one.label.clone(), other.label.clone(), paired));
        }
    }
    let p: Vec<f64> = found.iter().map(|(.., paired)| paired.p.unwrap_or(1.0)).collect();
    let claims = holm(&p, ALPHA);
    let told = found.into_iter().zip(claims);
    told.map(|((better, worse, paired), (real, alpha))| {
        let level = 1.0 - alpha;
        let interval = paired.interval(level);
        let enough_seeds = if real { None } else { paired.enough(alpha) };
        let sentence = sentence(&better, &worse, &paired, real, interval, enough_seeds, metric);
        PairOutcome { better, worse, paired, real, interval, level, enough_seeds, sentence }
    })
    .collect()
}

fn sentence(
    better: &str,
    worse: &str,
    paired: &Paired,
    real: bool,
    interval: Option<[f64; 2]>,
    enough: Option<usize>,
    metric: &str,
) -> String {
    let by = significant(paired.mean.abs(), 2);
    let between = interval.map_or(String::new(), |[low, high]| {
        format!(" (interval {} to {})", significant(low, 2), significant(high, 2))
    });
    if real {
        return format!("`{better}` is better than `{worse}`: {metric} differs by {by}{between}.");
    }
    let seeds = seeds(paired.pairs);
    match (paired.p, enough) {
        _ if paired.mean == 0.0 => {
            format!("`{better}` and `{worse}` came to the same {metric} with {seeds}.")
        }
        (None, _) if paired.pairs == 1 => format!(
            "`{better}` and `{worse}` cannot be told apart: one seed says nothing of the spread."
        ),
        (None, _) => format!(
            "`{better}` and `{worse}` cannot be told apart: they differ by {by} with each of {seeds}, \
             which says nothing of the spread."
        ),
        (_, Some(enough)) => format!(
            "`{better}` and `{worse}` cannot be told apart with {seeds}; about {enough} would do, were \
             the difference of {by} the true one{between}."
        ),
        (_, None) => format!("`{better}` and `{worse}` cannot be told apart with {seeds}."),
    }
}

fn seeds(count: usize) -> String {
    if count == 1 { "1 seed".to_owned() } else { format!("{count} seeds") }
}

/// One line: who is ahead, and of whom that can be said.
fn quote(experiment: &str, standings: &[Standing], pairs: &[PairOutcome], count: usize) -> String {
    let [first, others @ ..] = standings else { return String::new() };
    let Some(mean) = first.mean else {
        return format!("On {experiment} no contender came to a score.");
    };
    let spread = first.deviation.map_or(String::new(), |one| format!(" ± {}", significant(one, 2)));
    let score = format!("{}{spread}", significant(mean, 4));
    let beaten = |other: &&Standing| {
        pairs
            .iter()
            .any(|pair| pair.real && pair.better == first.label && pair.worse == other.label)
    };
    let known = others.iter().filter(|other| other.mean.is_some());
    let (beaten, alike): (Vec<&Standing>, Vec<&Standing>) = known.partition(beaten);
    let names = |all: &[&Standing]| {
        let names: Vec<&str> = all.iter().map(|one| one.label.as_str()).collect();
        names.join(", ")
    };
    let mut text = format!("On {experiment} {} is ahead ({score}", first.label);
    text += &format!(" over {})", seeds(count));
    if !beaten.is_empty() {
        text += &format!(", better than {}", names(&beaten));
    }
    if !alike.is_empty() {
        let joint = if beaten.is_empty() { ", but" } else { ", and" };
        text += &format!("{joint} not to be told apart from {}", names(&alike));
    }
    text + "."
}

#[cfg(test)]
mod tests;
