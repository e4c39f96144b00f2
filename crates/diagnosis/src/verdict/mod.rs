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

/// Judges a run.
pub fn judge(history: &History, options: &Options) -> Verdict {
    let judged = Judged::of(history);
    let schedule = Schedule::of(history.learning_rate.as_ref());
    let gates = match &judged {
        Some(judged) => pass(judged, options, schedule.as_ref()),
        None => todo!(),
    };
    let margins: Vec<(Label, f64)> = gates.iter().map(|(l, g)| (*l, g.margin)).collect();
    let probabilities = probabilities::probabilities(&margins);
    let [(label, confidence), _] = probabilities::first_two(&probabilities);
    let j = judged.as_ref().unwrap();
    let w = worthwhile(j, options);
    let forecast = (j.curve.len() >= FEWEST_POINTS).then(|| {
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
        judged: Some(j.about.clone()),
        points: j.series.y.len(),
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

fn pass(judged: &Judged, options: &Options, schedule: Option<&Schedule>) -> Vec<(Label, Gate)> {
    let worthwhile = worthwhile(judged, options);
    let improving = improving::gate(judged, worthwhile, schedule);
    let p = improving.evidence.first().and_then(|e| e.value).unwrap_or(0.0);
    vec![
        (Label::Diverged, diverged::gate(judged)),
        (Label::NotLearning, not_learning::gate(judged, options)),
        (Label::Unstable, unstable::gate(judged)),
        (Label::Overfitting, overfitting::gate(judged)),
        (Label::Improving, improving),
        (Label::Undecidable, undecidable::gate(judged, worthwhile, p)),
    ]
}
