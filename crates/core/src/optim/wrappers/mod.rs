//! Wrappers that combine with any optimizer: what they do to its gradients, its steps, and the
//! weights that are evaluated.
//!
//! Each is a section of an experiment. The order is fixed: the gradient is centralized, the
//! optimizer steps, the step is masked (cautious), pulled back (lookahead), and averaged over (EMA or
//! SWA). [`Sam`] stands apart: it needs a second backward pass, which only a session can make.

mod averages;
mod cautious;
mod centralization;
mod lookahead;
mod sam;

use burn::tensor::Tensor;

use super::OptimizerSettings;
use super::state::record_state;
use converge_settings::checks::{Checked, InvalidSetting, ensure};
use converge_settings::ranges::NESTED;
use converge_settings::{Check as _, settings};

pub use averages::{Ema, Swa};
pub use cautious::Cautious;
pub use centralization::GradientCentralization;
pub use lookahead::Lookahead;
pub use sam::Sam;

settings! {
    /// The wrappers of an optimizer, each a section of an experiment, and off where it is not
    /// written.
    pub struct WrapperSettings {
        /// `[gradient_centralization]`
        #[serde(skip_serializing_if = "Option::is_none")]
        gradient_centralization: Option<GradientCentralization> = None => NESTED,
        /// `[cautious]`
        #[serde(skip_serializing_if = "Option::is_none")]
        cautious: Option<Cautious> = None => NESTED,
        /// `[lookahead]`
        #[serde(skip_serializing_if = "Option::is_none")]
        lookahead: Option<Lookahead> = None => NESTED,
        /// `[ema]`
        #[serde(skip_serializing_if = "Option::is_none")]
        ema: Option<Ema> = None => NESTED,
        /// `[swa]`
        #[serde(skip_serializing_if = "Option::is_none")]
        swa: Option<Swa> = None => NESTED,
    }
    check |wrappers| {
        let both = wrappers.ema.is_some() && wrappers.swa.is_some();
        ensure(!both, "swa", "set", "absent beside `ema`")
    }
}

impl WrapperSettings {
    /// Every wrapper is in its range and fits the others and `optimizer`; keys have their section
    /// in front.
    pub fn check_with(&self, optimizer: &OptimizerSettings) -> Checked {
        self.check()?;
        let changes_steps = [
            ("cautious", self.cautious.is_some()),
            ("lookahead", self.lookahead.is_some()),
            ("ema", self.ema.is_some()),
            ("swa", self.swa.is_some()),
        ];
        match changes_steps.into_iter().find(|(_, is_set)| *is_set) {
            Some((section, _)) if optimizer.is_schedule_free() => {
                let reason = "absent with a schedule-free optimizer, which averages weights itself";
                Err(InvalidSetting::new(section, "set", reason))
            }
            _ => Ok(()),
        }
    }

    /// Whether weights are averaged for evaluation.
    pub(super) fn averages(&self) -> bool {
        self.ema.is_some() || self.swa.is_some()
    }

    /// Whether [`change_step`](Self::change_step) does anything.
    pub(super) fn change_steps(&self) -> bool {
        self.cautious.is_some() || self.lookahead.is_some() || self.averages()
    }

    /// The gradient that the optimizer sees.
    pub(super) fn change_gradient<const D: usize>(&self, gradient: Tensor<D>) -> Tensor<D> {
        match &self.gradient_centralization {
            Some(centralization) => centralization.centralized(gradient),
            None => gradient,
        }
    }

    /// The weights and the state after the optimizer stepped from `before` to `after` along
    /// `gradient`.
    pub(super) fn change_step<const D: usize>(
        &self,
        before: Tensor<D>,
        after: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<WrapperState<D>>,
    ) -> (Tensor<D>, Option<WrapperState<D>>) {
        let mut weights = after;
        if let Some(cautious) = &self.cautious {
            weights = cautious.masked(before.clone(), weights, gradient);
        }
        if self.lookahead.is_none() && !self.averages() {
            return (weights, None);
        }
        let mut state =
            state.unwrap_or(WrapperState { time: 0, slow: None, averaged: 0, average: None });
        state.time += 1;
        if let Some(lookahead) = &self.lookahead {
            weights = lookahead.pulled(state.time, state.slow.get_or_insert(before), weights);
        }
        let average = state.average.take();
        if let Some(ema) = &self.ema {
            state.average = Some(ema.average(state.averaged, average, &weights));
            state.averaged += 1;
        } else if let Some(swa) = &self.swa {
            if swa.is_due(state.time) {
                state.average = Some(Swa::average(state.averaged, average, &weights));
                state.averaged += 1;
            } else {
                state.average = average;
            }
        }
        (weights, Some(state))
    }
}

/// What the wrappers keep of one parameter after `time` steps.
#[derive(Debug, Clone)]
pub(super) struct WrapperState<const D: usize> {
    time: usize,
    slow: Option<Tensor<D>>,
    /// Weights in the average.
    averaged: usize,
    average: Option<Tensor<D>>,
}

record_state!(WrapperState { time, slow, averaged, average });

impl<const D: usize> WrapperState<D> {
    /// The average of the weights, if there is one.
    pub(super) fn average(&self) -> Option<Tensor<D>> {
        self.average.clone()
    }
}
