//! What the registry asks of every optimizer beside Burn's trait: how it is described, and what it
//! does beyond one parameter at a time.
//!
//! `catalogue` lists the descriptions; `conductor` calls the rest.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::Tensor;
use serde::Serialize;

use converge_settings::Settings;

/// An optimizer of the collection.
pub(super) trait Rule: Optimizer + Settings + Default + Serialize {
    /// The update, in one line.
    const FORMULA: &'static str;
    /// The paper, and whose semantics are followed.
    const SOURCE: &'static str;
    /// Numbers of state per number of the parameter.
    const STATE: &'static str;
    /// When to reach for it.
    const WHEN: &'static str;
    /// The learning rate for problems whose parameters are about 1 in size, where the default is
    /// meant for networks.
    const SMALL_PROBLEM_RATE: Option<f64> = None;
    /// Whether all parameters must agree on something before a step; see [`Rule::share`].
    const AGREES: bool = false;
    /// Whether [`Rule::evaluation_weights`] are not the trained ones.
    const AVERAGES: bool = false;

    /// The weights to evaluate and keep, where they are not those that are trained.
    fn evaluation_weights<const D: usize>(
        &self,
        weights: Tensor<D>,
        _state: &Self::State<D>,
    ) -> Tensor<D> {
        weights
    }

    /// The share of one parameter in what all parameters must agree on before a step, for
    /// optimizers that need it. `known` is the last agreement, if this process has seen one.
    fn share<const D: usize>(
        &self,
        _learning_rate: LearningRate,
        _weights: &Tensor<D>,
        _gradient: &Tensor<D>,
        _state: Option<&Self::State<D>>,
        _known: Option<Agreement>,
    ) -> Option<Share> {
        None
    }

    /// What follows from the shares of all parameters; see [`Rule::share`].
    fn agree(&self, agreement: Agreement, _sums: [f64; 2]) -> Agreement {
        agreement
    }

    /// A step under the agreement of all parameters; see [`Rule::share`].
    fn step_together<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
        _agreement: Agreement,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        self.step(learning_rate, weights, gradient, state)
    }

    /// Another variant of the optimizer, for the parameters whose path contains one of these words.
    fn exception(&self) -> Option<(&[String], Self)> {
        None
    }
}

/// What one parameter brings to an agreement.
#[derive(Debug, Clone)]
pub(super) struct Share {
    /// Summed over all parameters; two elements.
    pub sums: Tensor<1>,
    /// The agreement that the parameter took part in last.
    pub agreement: Agreement,
}

/// What all parameters agreed on in a step: the distance estimate of D-adaptation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Agreement {
    /// Steps agreed on so far.
    pub time: usize,
    /// The estimate d that the step is taken with.
    pub distance: f64,
    /// The estimate before.
    pub previous_distance: f64,
    /// The running numerator of the estimate.
    pub numerator: f64,
}
