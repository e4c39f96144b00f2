//! Averages of the weights over the steps, for evaluation: exponential, and equal from a step on.

use burn::tensor::Tensor;

use converge_settings::ranges::{COUNT, FRACTION};
use converge_settings::settings;

settings! {
    /// The `[ema]` section: an exponential moving average of the weights.
    ///
    /// With weights w after every step, the average a starts as the first w, and then, in the n-th
    /// update after it, a ← β a + (1 − β) w. With `warmup` β is at most (1 + n) / (10 + n), so that
    /// the first weights are soon forgotten, as in TensorFlow's `ExponentialMovingAverage`. Without
    /// as `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn`. Source: Polyak and
    /// Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.
    pub struct Ema {
        /// β, the fraction of the average that is kept in every step.
        decay: f64 = 0.999 => FRACTION,
        /// Whether the decay rises from a tenth.
        warmup: bool = false,
    }
}

impl Ema {
    /// The average of `averaged` weights and these.
    pub(super) fn average<const D: usize>(
        &self,
        averaged: usize,
        average: Option<Tensor<D>>,
        weights: &Tensor<D>,
    ) -> Tensor<D> {
        let Some(average) = average else { return weights.clone() };
        let updates = averaged as f64;
        let rising = (1.0 + updates) / (10.0 + updates);
        let decay = if self.warmup { self.decay.min(rising) } else { self.decay };
        average.mul_scalar(decay) + weights.clone().mul_scalar(1.0 - decay)
    }
}

settings! {
    /// The `[swa]` section: stochastic weight averaging, all weights from a step on counting
    /// equally.
    ///
    /// As `torch.optim.swa_utils.AveragedModel`: a ← a + (w − a) / (n + 1) after n others;
    /// evaluated are the trained weights until there is an average. Source: Izmailov et al.,
    /// "Averaging Weights Leads to Wider Optima and Better Generalization", 2018.
    pub struct Swa {
        /// Optimizer steps before the average starts.
        start_step: usize = 0,
        /// Steps from one set of averaged weights to the next; the paper takes an epoch.
        every: usize = 1 => COUNT,
    }
}

impl Swa {
    /// Whether the weights after step `time` (from 1) count.
    pub(super) fn is_due(&self, time: usize) -> bool {
        time > self.start_step && (time - self.start_step).is_multiple_of(self.every)
    }

    /// The average of `averaged` weights and these.
    pub(super) fn average<const D: usize>(
        averaged: usize,
        average: Option<Tensor<D>>,
        weights: &Tensor<D>,
    ) -> Tensor<D> {
        match average {
            Some(average) => {
                let offset = weights.clone() - average.clone();
                average + offset.div_scalar(averaged as f64 + 1.0)
            }
            None => weights.clone(),
        }
    }
}
