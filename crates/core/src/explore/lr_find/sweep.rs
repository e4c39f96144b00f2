//! One sweep: the loss while the rate rises from step to step.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::{LearningRateError, Options};
use crate::train::{Prepared, Stepper, StopRequest};

/// The loss has diverged where its smoothed value is so many times its least; fastai's `lr_find`.
const DIVERGED: f64 = 4.0;
/// How slowly the smoothed loss follows, in a sweep of [`RESOLUTION`] steps: fastai's `beta`.
const BETA: f64 = 0.98;
/// The steps of a sweep that [`BETA`] is meant for. A sweep of more has its smoothing stretched, so
/// that it covers the same part of the axis.
const RESOLUTION: f64 = 100.0;

/// The loss at a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The rate of the step.
    pub learning_rate: f64,
    /// The mean loss of its batches before it.
    pub loss: f64,
    /// The same smoothed: an exponential mean without bias towards its start.
    pub smoothed: f64,
}

/// The loss over a rising rate, with one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// The seed.
    pub seed: u64,
    /// The steps, up to the one at which it diverged.
    pub points: Vec<Point>,
    /// The rate at which the loss diverged; `None` where it did not.
    pub diverged_at: Option<f64>,
}

impl Sweep {
    /// Sweeps over the rates of `options`; `at` is told the steps done.
    pub(super) fn run(
        prepared: &Prepared,
        options: &Options,
        seed: u64,
        stop: &StopRequest,
        at: &mut dyn FnMut(usize),
    ) -> Result<Self, LearningRateError> {
        let mut stepper = Stepper::new(prepared, seed)?;
        let rate = |step| rate_at(options, step);
        let mut smoother = Smoother::new(options.steps);
        let mut sweep = Self { seed, points: vec![], diverged_at: None };
        let mut stopped = false;
        stepper.train(options.steps, rate, |step, loss| {
            at(step + 1);
            stopped = stop.is_raised();
            let learning_rate = rate(step);
            let mean = smoother.add(loss);
            if smoother.diverged(mean) {
                sweep.diverged_at = Some(learning_rate);
            } else {
                sweep.points.push(Point { learning_rate, loss, smoothed: mean });
            }
            if stopped || sweep.diverged_at.is_some() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if stopped { Err(LearningRateError::Stopped) } else { Ok(sweep) }
    }
}

/// The rate of `step`, from 0: equal ratios from the first to the last.
pub(super) fn rate_at(options: &Options, step: usize) -> f64 {
    let part = step as f64 / (options.steps.max(2) - 1) as f64;
    options.from * (options.to / options.from).powf(part)
}

/// An exponential mean, and the least it has been.
pub(super) struct Smoother {
    beta: f64,
    sum: f64,
    weight: f64,
    least: f64,
}

impl Smoother {
    pub(super) fn new(steps: usize) -> Self {
        let beta = BETA.powf(RESOLUTION / steps.max(1) as f64);
        Self { beta, sum: 0.0, weight: 0.0, least: f64::INFINITY }
    }

    /// The mean after another `loss`.
    pub(super) fn add(&mut self, loss: f64) -> f64 {
        self.sum = self.beta * self.sum + (1.0 - self.beta) * loss;
        self.weight = self.beta * self.weight + (1.0 - self.beta);
        self.sum / self.weight
    }

    /// Whether a loss that is `smoothed` to this has diverged.
    pub(super) fn diverged(&mut self, smoothed: f64) -> bool {
        if !smoothed.is_finite() {
            return true;
        }
        self.least = self.least.min(smoothed);
        // A loss below 0 has no multiple that is worse.
        self.least > 0.0 && smoothed > DIVERGED * self.least
    }
}
