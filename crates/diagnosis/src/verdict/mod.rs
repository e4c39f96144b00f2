//! One verdict on a run, from its curves alone.

mod constants;
mod curve;
mod forecast;
mod gates;
mod judged;
mod outlook;
mod probabilities;
mod report;
mod schedule;
mod statistics;

pub use forecast::{FEATURES, forecast_features, noise_of};
pub use report::{
    Evidence, Finding, Forecast, JudgedSeries, Kind, Label, Point, RunnerUp, SeriesNames, Severity,
    Skipped, Verdict,
};

use crate::history::History;
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
    /// The least improvement of the judged series worth having, in its unit.
    pub worthwhile: Option<f64>,
    /// The standard deviation of the judged series over seeds.
    pub seed_deviation: Option<f64>,
    /// How many classes there are, where classes are told apart.
    pub classes: Option<usize>,
}

/// The margins of the gates of a run, for the fitting program.
pub fn margins(history: &History, options: &Options) -> Vec<(Label, f64)> {
    let judged = Judged::of(history);
    let schedule = Schedule::of(history.learning_rate.as_ref());
    let gates = pass(judged.as_ref(), options, schedule.as_ref());
    gates.iter().map(|(label, gate)| (*label, gate.margin)).collect()
}

/// Judges a run.
pub fn judge(history: &History, options: &Options) -> Verdict {
    let judged = Judged::of(history);
    let schedule = Schedule::of(history.learning_rate.as_ref());
    let gates = pass(judged.as_ref(), options, schedule.as_ref());
    let margins: Vec<(Label, f64)> = gates.iter().map(|(l, g)| (*l, g.margin)).collect();
    let probabilities = probabilities::probabilities(&margins);
    let [(label, confidence), _] = probabilities::first_two(&probabilities);
    let forecast = judged.as_ref().filter(|j| j.curve.len() >= FEWEST_POINTS).map(|j| {
    let w = worthwhile(j, options);
        let horizon = options.horizon.unwrap_or(j.series.y.len());
        let e = Expectation::of(&j.curve, horizon as f64 / j.curve.block as f64, w, 1.0);
        Forecast { horizon, worthwhile: w, probability: e.probability, gain: e.gain, interval: e.interval, level: forecast::LEVEL }
    });
    Verdict {
        verdict: label,
        confidence,
        probabilities,
        summary: String::new(),
        series: SeriesNames::default(),
        judged: judged.as_ref().map(|j| j.about.clone()),
        points: judged.as_ref().map_or(0, |j| j.series.y.len()),
        evidence: gates.iter().flat_map(|(_, g)| g.evidence.clone()).collect(),
        runner_up: None,
        best: None,
        forecast,
        findings: vec![],
        advice: vec![],
        skipped: vec![],
    }
}

fn worthwhile(judged: &Judged, options: &Options) -> f64 {
    options.worthwhile.unwrap_or_else(|| {
        improving::worthwhile_of(&judged.curve).max(2.0 * options.seed_deviation.unwrap_or(0.0))
    })
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
    let worthwhile = worthwhile(judged, options);
    let improving = improving::gate(judged, worthwhile, schedule);
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
