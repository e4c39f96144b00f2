//! What is noticed beside the verdict: each kind of finding in a file of its own.
//!
//! A warning is kept for what probably costs quality or time and is rare on well-tuned runs; hints
//! and what is merely good to know are `info`.

mod chance;
mod disagreement;
mod gap;
mod jump;
mod noisy_validation;
mod rate;
mod rows;
mod schedule;
mod side_series;
mod spikes;
mod steps;
mod stopping;

use super::judged::Judged;
use super::report::{Evidence, Finding, Forecast, Label, Severity};
use super::schedule::Schedule;
use super::{Options, curve::Curve};
use crate::history::History;

/// All that findings look at.
pub(super) struct Scene<'a> {
    /// The run.
    pub history: &'a History,
    /// What is known beside it.
    pub options: &'a Options,
    /// The judged series and those beside it.
    pub judged: &'a Judged,
    /// The course of the learning rate.
    pub schedule: Option<&'a Schedule>,
    /// The verdict.
    pub label: Label,
    /// The gain to expect.
    pub forecast: Option<&'a Forecast>,
    /// The least gain worth having.
    pub worthwhile: f64,
    /// "epoch" or "point".
    pub unit: &'static str,
}

/// All findings, the worst first.
pub(super) fn all(scene: &Scene) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(rows::zeros_at_end(scene));
    findings.extend(side_series::not_finite(scene));
    findings.extend(chance::loss_of_guessing(scene));
    findings.extend(chance::metric_never_moves(scene));
    findings.extend(rate::hint(scene));
    findings.extend(spikes::spikes(scene));
    findings.extend(jump::jump(scene));
    findings.extend(noisy_validation::noisy(scene));
    findings.extend(gap::generalisation(scene));
    findings.extend(gap::validation_easier(scene));
    findings.extend(disagreement::loss_and_metric(scene));
    findings.extend(schedule::plateau_under_rate(scene));
    findings.extend(schedule::idle_steps(scene));
    findings.extend(stopping::too_early(scene));
    findings.extend(stopping::too_late(scene));
    findings.extend(steps::all(scene));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// A finding without evidence.
fn finding(name: &str, severity: Severity, message: String, change: &str) -> Finding {
    Finding {
        name: name.to_owned(),
        severity,
        message,
        evidence: Vec::new(),
        change: (!change.is_empty()).then(|| change.to_owned()),
    }
}

impl Finding {
    /// With a number that it rests on, over the whole of `curve`.
    fn with(mut self, name: &str, value: f64, threshold: f64, curve: &Curve) -> Self {
        self.evidence.push(super::gates::evidence(name, value, threshold, curve));
        self
    }

    /// With a number over a part of the points.
    fn over(mut self, name: &str, value: f64, window: [f64; 2], n: usize) -> Self {
        self.evidence.push(Evidence {
            name: name.to_owned(),
            value: value.is_finite().then_some(value),
            threshold: None,
            window: Some(window),
            n,
        });
        self
    }
}
