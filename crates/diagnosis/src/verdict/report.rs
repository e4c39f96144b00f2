//! What a verdict says: the label, how sure it is, why, and what to do.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a run did. Exactly one holds: the first that fits, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// Not finite to the end, or exploded and did not come back.
    Diverged,
    /// Never meaningfully better than at its start, or than chance.
    NotLearning,
    /// Swings as large as all progress: where it ends is luck.
    Unstable,
    /// Validation ends worse than its best by more than noise, while training went on improving.
    Overfitting,
    /// As many epochs again would probably win more than is worth having.
    Improving,
    /// Flat: no gain worth having is to come, whether the level is good or poor.
    Converged,
    /// Too short, too noisy, or nothing to judge.
    Undecidable,
}

impl Label {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 7] = [
        Self::Diverged,
        Self::NotLearning,
        Self::Unstable,
        Self::Overfitting,
        Self::Improving,
        Self::Converged,
        Self::Undecidable,
    ];

    /// The name that JSON has.
    pub fn name(self) -> &'static str {
        match self {
            Self::Diverged => "diverged",
            Self::NotLearning => "not_learning",
            Self::Unstable => "unstable",
            Self::Overfitting => "overfitting",
            Self::Improving => "improving",
            Self::Converged => "converged",
            Self::Undecidable => "undecidable",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name().replace('_', " "))
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Probably costs quality or time.
    Warning,
    /// The run, or its log, is broken.
    Error,
}

/// A number that a verdict or a finding rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What it is, in words.
    pub name: String,
    /// Its value; none where it is not finite, which JSON cannot say.
    pub value: Option<f64>,
    /// What it was compared with, if with anything.
    pub threshold: Option<f64>,
    /// The points it was taken over, by their place on the x axis, first and last.
    pub window: Option<[f64; 2]>,
    /// How many points that are.
    pub n: usize,
}

/// Something noticed beside the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name, in snake case: never changes, for scripts.
    pub name: String,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen, as a sentence.
    pub message: String,
    /// The numbers behind it.
    pub evidence: Vec<Evidence>,
    /// What to do about it, as a sentence; none where nothing is to be done.
    pub change: Option<String>,
}

/// The gain to expect of more training like that of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// How many points more.
    pub horizon: usize,
    /// The least gain worth having, in the unit of the judged series.
    pub worthwhile: f64,
    /// The probability that the best judged value improves by more than `worthwhile`.
    pub probability: f64,
    /// The expected improvement of the best value.
    pub gain: f64,
    /// The improvement lies within with probability `level`.
    pub interval: [f64; 2],
    /// The probability of the interval.
    pub level: f64,
}

/// Where the series were read from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SeriesNames {
    /// The column, key or tag of the training loss.
    pub train_loss: Option<String>,
    /// That of the validation loss.
    pub validation_loss: Option<String>,
    /// That of the learning rate.
    pub learning_rate: Option<String>,
    /// That of the x axis.
    pub x: Option<String>,
    /// That of the metric.
    pub metric: Option<String>,
}

/// Which series a verdict is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The validation loss.
    ValidationLoss,
    /// The training loss, where there is hardly a validation loss.
    TrainLoss,
    /// A metric, where there is no loss.
    Metric,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ValidationLoss => "validation loss",
            Self::TrainLoss => "training loss",
            Self::Metric => "metric",
        })
    }
}

/// The series that was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedSeries {
    /// Its column, key or tag.
    pub name: String,
    /// Which of the series it is.
    pub kind: Kind,
    /// Whether higher values are better.
    pub higher_is_better: bool,
}

/// A point of the judged series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its place on the x axis.
    pub x: f64,
    /// Its value.
    pub value: f64,
    /// How many points of the log it is from the start, counted from one.
    pub point: usize,
    /// How many points came after it.
    pub points_since: usize,
}

/// The second most probable verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunnerUp {
    /// Which it is.
    pub verdict: Label,
    /// Its probability.
    pub probability: f64,
    /// What would turn the verdict, as a sentence.
    pub turns: String,
}

/// A change to make, as options of `converge train`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The options.
    pub options: String,
    /// Whether the run itself goes on with them, rather than a new one with its experiment.
    pub resumes: bool,
    /// Why.
    pub reason: String,
}

/// A check that was not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Which.
    pub check: String,
    /// Why, as a sentence.
    pub reason: String,
}

/// The judgement on one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What the run did.
    pub verdict: Label,
    /// The probability that this is what an expert would say.
    pub confidence: f64,
    /// That of every label; they sum to one.
    pub probabilities: BTreeMap<Label, f64>,
    /// The verdict in one sentence.
    pub summary: String,
    /// Where the series were read from.
    pub series: SeriesNames,
    /// The series that was judged; none where there is none to judge.
    pub judged: Option<JudgedSeries>,
    /// How many points it has.
    pub points: usize,
    /// What the verdict rests on.
    pub evidence: Vec<Evidence>,
    /// The second most probable verdict, and what would turn to it.
    pub runner_up: Option<RunnerUp>,
    /// The best point of the judged series.
    pub best: Option<Point>,
    /// The gain to expect of more training; none where nothing can be said.
    pub forecast: Option<Forecast>,
    /// What was noticed beside the verdict, the worst first.
    pub findings: Vec<Finding>,
    /// What to do, as sentences, the most useful first.
    pub advice: Vec<String>,
    /// Checks that were not made, and why.
    pub skipped: Vec<Skipped>,
}
