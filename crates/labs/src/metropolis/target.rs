//! What the chains draw from: mixtures of normal distributions on a line, by their log-density.

use burn::tensor::Tensor;

/// A weighted sum of normal densities.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub parts: Vec<Part>,
}

/// One normal density of a mixture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub weight: f64,
    pub mean: f64,
    pub deviation: f64,
}

impl Part {
    /// The constants of ln(weight · density): −½ ((x − mean) / deviation)² + this.
    fn log_factor(self) -> f64 {
        self.weight.ln() - self.deviation.ln() - 0.5 * std::f64::consts::TAU.ln()
    }
}

impl Target {
    /// N(mean, deviation²).
    pub(super) fn normal(mean: f64, deviation: f64) -> Self {
        Self { parts: vec![Part { weight: 1.0, mean, deviation }] }
    }

    /// The logarithm of the density: of the greatest part, and of the sum of all relative to it
    /// (log-sum-exp), so that it stays finite where every density is 0 in floating point.
    pub(super) fn log_density(&self, x: f64) -> f64 {
        let logs = self
            .parts
            .iter()
            .map(|part| part.log_factor() - 0.5 * ((x - part.mean) / part.deviation).powi(2));
        let greatest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
        greatest + logs.map(|log| (log - greatest).exp()).sum::<f64>().ln()
    }

    /// The same for tensors `[points]`, for autodiff.
    pub(super) fn log_densities(&self, x: &Tensor<1>) -> Tensor<1> {
        let log = |part: &Part| {
            // Burn 0.22 rounds the divisor of a scalar division to single precision going back.
            let standardised = x.clone().sub_scalar(part.mean).mul_scalar(1.0 / part.deviation);
            standardised.powi_scalar(2).mul_scalar(-0.5).add_scalar(part.log_factor())
        };
        let logs: Vec<Tensor<1>> = self.parts.iter().map(log).collect();
        if let [only] = &logs[..] {
            return only.clone();
        }
        let table = Tensor::stack::<2>(logs, 0);
        let greatest = table.clone().detach().max_dim(0);
        let sum = (table - greatest.clone()).exp().sum_dim(0).log() + greatest;
        sum.squeeze_dim(0)
    }

    pub(super) fn mean(&self) -> f64 {
        self.parts.iter().map(|part| part.weight * part.mean).sum()
    }

    /// From where to where nearly all of the distribution is: `widths` deviations around every part.
    pub(super) fn extent(&self, widths: f64) -> (f64, f64) {
        let low = self.parts.iter().map(|part| part.mean - widths * part.deviation);
        let high = self.parts.iter().map(|part| part.mean + widths * part.deviation);
        (low.fold(f64::INFINITY, f64::min), high.fold(f64::NEG_INFINITY, f64::max))
    }
}
