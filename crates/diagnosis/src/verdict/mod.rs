//! One verdict on a run, from its curves alone: what happened, how sure that is, why, and what to
//! do.
//!
//! [`judge`] takes a [`History`], whatever tool logged it, and gives one [`Verdict`]: exactly one
//! [`Label`], by gates in a fixed order (`gates`), each of which says how far the run is beyond its
//! threshold. Those margins become calibrated probabilities (`probabilities`), a [`Forecast`] says
//! what more training would bring, and [`Finding`]s what else was noticed.
//!
//! Labels describe a curve as an expert would who sees only that curve: `converged` says that it is
//! flat, not that the level is good, and no curve can clear a run of wrong labels or silent bugs.
//!
//! ```
//! use converge_diagnosis::verdict::{Label, Options, judge};
//! use converge_diagnosis::{History, Series};
//!
//! let y: Vec<f64> = (1..=60).map(|t| 0.3 + 2.0 * (-0.2 * f64::from(t)).exp()).collect();
//! let x: Vec<f64> = (1..=60).map(f64::from).collect();
//! let loss = Series { name: "val_loss".to_owned(), x, y };
//! let history = History { validation_loss: Some(loss), ..History::default() };
//!
//! let verdict = judge(&history, &Options::default());
//! assert_eq!(verdict.verdict, Label::Converged);
//! assert!(verdict.summary.starts_with("Converged: `val_loss` is flat at 0.3"));
//! ```

mod constants;
mod curve;
mod findings;
mod forecast;
mod gates;
mod judged;
mod mixture;
mod outlook;
mod probabilities;
mod report;
mod schedule;
mod sentences;
mod statistics;
#[cfg(test)]
mod tests;
mod while_training;
pub(crate) mod words;

pub use forecast::{FEATURES, forecast_features, noise_of};
pub use report::{
    Change, Evidence, Finding, Forecast, JudgedSeries, Kind, Label, Point, RunnerUp, SeriesNames,
    Severity, Skipped, Verdict,
};
pub use while_training::{Notices, while_training};

use crate::history::History;
use findings::Scene;
use forecast::Expectation;
use gates::{Gate, diverged, improving, not_learning, overfitting, undecidable, unstable};
use judged::{FEWEST_POINTS, Judged};
use schedule::Schedule;
use statistics::logistic;

/// What is known of a run beside its log.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// How many more points to forecast; as many again by default.
    pub horizon: Option<usize>,
    /// The least improvement of the judged series worth having, in its unit; by default the largest
    /// of 2 % of the best value, the noise, and two standard deviations over seeds.
    pub worthwhile: Option<f64>,
    /// The standard deviation of the judged series over seeds.
    pub seed_deviation: Option<f64>,
    /// How many classes there are, where classes are told apart; by default common numbers are
    /// tried.
    pub classes: Option<usize>,
    /// The norm that gradients are clipped to, where they are.
    pub clip_norm: Option<f64>,
    /// How many samples a step averages the gradients of, where that is known.
    pub samples_per_step: Option<f64>,
}

/// Judges a run: takes any history, and never fails, since `undecidable` is a verdict too.
pub fn judge(history: &History, options: &Options) -> Verdict {
    let judged = Judged::of(history);
    let schedule = Schedule::of(history.learning_rate.as_ref());
    let gates = pass(judged.as_ref(), options, schedule.as_ref());
    let margins: Vec<(Label, f64)> =
        gates.iter().map(|(label, gate)| (*label, gate.margin)).collect();
    let probabilities = probabilities::probabilities(&margins);
    let [(label, probability), next] = probabilities::first_two(&probabilities);
    let confidence = probabilities::confidence(probability);
    let Some(judged) = judged else {
        return Verdict {
            verdict: label,
            confidence,
            probabilities,
            summary: "Undecidable: the log has no loss and no metric to judge.".to_owned(),
            series: names(history),
            judged: None,
            points: 0,
            evidence: Vec::new(),
            runner_up: None,
            best: None,
            forecast: None,
            findings: Vec::new(),
            advice: vec!["Log the training and validation loss at every epoch.".to_owned()],
            skipped: vec![skipped("everything", "There is no series to judge.")],
        };
    };
    let worthwhile = improving::worthwhile(&judged.curve, options);
    let forecast = forecast(&judged, options, worthwhile, schedule.as_ref());
    let scene = Scene {
        history,
        options,
        judged: &judged,
        schedule: schedule.as_ref(),
        label,
        forecast: forecast.as_ref(),
        worthwhile,
        unit: words::unit(history),
    };
    let findings = findings::all(&scene);
    Verdict {
        verdict: label,
        confidence,
        probabilities,
        summary: sentences::summary(&scene),
        series: names(history),
        points: judged.series.y.len(),
        evidence: evidence(&gates, label),
        runner_up: Some(sentences::runner_up(&gates, label, next)),
        best: judged.best(),
        advice: sentences::advice(&scene, &findings),
        skipped: all_skipped(history, &judged, forecast.as_ref()),
        judged: Some(judged.about),
        forecast,
        findings,
    }
}

/// The margins of the gates of a run, for the fitting program: in the order of [`Label::ALL`]
/// without `converged`, zero at the threshold, in natural logarithms.
pub fn margins(history: &History, options: &Options) -> Vec<(Label, f64)> {
    let judged = Judged::of(history);
    let schedule = Schedule::of(history.learning_rate.as_ref());
    let gates = pass(judged.as_ref(), options, schedule.as_ref());
    gates.iter().map(|(label, gate)| (*label, gate.margin)).collect()
}

/// The gates in their order, without that of `converged`, which is what passes all.
fn pass(
    judged: Option<&Judged>,
    options: &Options,
    schedule: Option<&Schedule>,
) -> Vec<(Label, Gate)> {
    let Some(judged) = judged else {
        let nothing = Gate { margin: gates::CLEAR, ..Gate::far("it held a curve") };
        return Label::ALL
            .into_iter()
            .filter(|label| *label != Label::Converged)
            .map(|label| match label {
                Label::Undecidable => (label, nothing.clone()),
                _ => (label, Gate::far("it held a curve")),
            })
            .collect();
    };
    let worthwhile = improving::worthwhile(&judged.curve, options);
    let improving = improving::gate(judged, options, schedule);
    let undecidable = undecidable::gate(judged, worthwhile, logistic(improving.margin));
    vec![
        (Label::Diverged, diverged::gate(judged)),
        (Label::NotLearning, not_learning::gate(judged, options)),
        (Label::Unstable, unstable::gate(judged)),
        (Label::Overfitting, overfitting::gate(judged)),
        (Label::Improving, improving),
        (Label::Undecidable, undecidable),
    ]
}

/// What more training would bring, where five values or more are finite to the end.
fn forecast(
    judged: &Judged,
    options: &Options,
    worthwhile: f64,
    schedule: Option<&Schedule>,
) -> Option<Forecast> {
    let points = judged.series.y.len();
    if judged.curve.len() < FEWEST_POINTS || judged.not_finite_at_end() > 0 {
        return None;
    }
    let horizon = options.horizon.unwrap_or(points).max(1);
    let values = horizon as f64 / judged.curve.block as f64;
    let (curve, pace) = improving::outlook(judged, schedule);
    let expected = Expectation::of(&curve, values, worthwhile, pace);
    let numbers = [worthwhile, expected.probability, expected.gain, expected.interval[1]];
    numbers.iter().all(|number| number.is_finite()).then_some(Forecast {
        horizon,
        worthwhile,
        probability: expected.probability,
        gain: expected.gain,
        interval: expected.interval,
        level: forecast::LEVEL,
    })
}

/// The evidence of the gates, first that of the one that took the run; what has converged rests
/// on the gates that it passed last.
fn evidence(gates: &[(Label, Gate)], label: Label) -> Vec<Evidence> {
    let own = |gate: &&(Label, Gate)| match label {
        Label::Converged => matches!(gate.0, Label::Improving | Label::Undecidable),
        label => gate.0 == label,
    };
    let (own, others): (Vec<_>, Vec<_>) = gates.iter().partition(own);
    own.into_iter().chain(others).flat_map(|(_, gate)| gate.evidence.clone()).collect()
}

fn names(history: &History) -> SeriesNames {
    let name = |series: &Option<crate::Series>| series.as_ref().map(|series| series.name.clone());
    let metric = history.metric.as_ref().or(history.train_metric.as_ref());
    SeriesNames {
        train_loss: name(&history.train_loss),
        validation_loss: name(&history.validation_loss),
        learning_rate: name(&history.learning_rate),
        x: history.x.clone(),
        metric: metric.map(|metric| metric.series.name.clone()),
    }
}

fn skipped(check: &str, reason: &str) -> Skipped {
    Skipped { check: check.to_owned(), reason: reason.to_owned() }
}

/// The checks that the log did not allow, and why.
fn all_skipped(history: &History, judged: &Judged, forecast: Option<&Forecast>) -> Vec<Skipped> {
    let mut all = Vec::new();
    if judged.curve.len() < FEWEST_POINTS {
        all.push(skipped("all gates but divergence", "There are fewer than five finite points."));
    }
    if judged.about.kind != Kind::ValidationLoss && judged.train.is_none() {
        all.push(skipped("overfitting", "There is no validation loss of four points or more."));
    } else if judged.train.is_none() {
        let reason =
            "There is no training loss of five points or more to tell overfitting from divergence.";
        all.push(skipped("fall of the training loss", reason));
    }
    if judged.metric.is_none() && judged.about.kind != Kind::Metric {
        all.push(skipped(
            "disagreement of loss and metric",
            "There is no metric of five points or more.",
        ));
    }
    if history.learning_rate.is_none() {
        let reason =
            "There is no learning rate in the log; the forecast takes it to stay as it is.";
        all.push(skipped("schedule", reason));
    }
    if judged.adversarial {
        let reason = "The judged loss is one player's of two: its level and swings tell nothing.";
        all.push(skipped("explosion, chance and swings", reason));
    }
    if forecast.is_none() {
        all.push(skipped(
            "forecast",
            "There are fewer than five points that are finite to the end.",
        ));
    }
    all
}
