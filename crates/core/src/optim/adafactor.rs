//! Adafactor: second moments kept as the outer product of a row and a column.
//!
//! With gradient g, weights w (n of them, root mean square RMS(w) = ‖w‖ / √n), rate η, decay
//! exponent κ, weight decay λ, clipping threshold d, ε₁, ε₂, and t from 1:
//!
//! ```text
//! w ← w − η λ w
//! R ← (1 − tᵏ) R + tᵏ mean of g² over the columns          (tᵏ means t to the power of κ)
//! C ← (1 − tᵏ) C + tᵏ mean of g² over the rows
//! v = R Cᵀ / max(mean of R, ε₁)                             vectors: v ← (1 − tᵏ) v + tᵏ g²
//! u = g / √max(v, ε₁²)
//! w ← w − max(ε₂, RMS(w)) min(η, 1/√t) u / max(1, RMS(u) / d)
//! ```
//!
//! Rows and columns are the last two dimensions. As `torch.optim.Adafactor`. Source: Shazeer and
//! Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018.

use burn::optim::{LearningRate, Optimizer};
use burn::tensor::{Device, Tensor};

use super::moments::{bounded_square, norm};
use super::rule::Rule;
use super::state::record_state;
use converge_settings::checks::ensure;
use converge_settings::ranges::{FINITE, NON_NEGATIVE, POSITIVE, Range};
use converge_settings::settings;

const EPSILONS: Range<[f64; 2]> = Range::numbers(
    "two finite numbers, the first above 0, the second 0 or above",
    |&[first, second]| first > 0.0 && first.is_finite() && second >= 0.0 && second.is_finite(),
);
const THRESHOLD: Range<f64> =
    Range::new("a finite number, 1 or above", |&most| most >= 1.0 && most.is_finite());

settings! {
    /// Adafactor.
    pub struct Adafactor {
        /// Base learning rate η, the largest relative step.
        learning_rate: f64 = 0.01 => POSITIVE,
        /// Exponent κ of the decay of the second moments.
        beta2_decay: f64 = -0.8 => FINITE,
        /// ε₁, which keeps the denominator away from 0, and ε₂, the least root mean square of the
        /// weights that a step is relative to.
        epsilons: [f64; 2] = [f64::from(f32::EPSILON), 1e-3] => EPSILONS,
        /// Largest root mean square d of an update, before the rate.
        clipping_threshold: f64 = 1.0 => THRESHOLD,
        /// Weight decay λ, as a fraction of the weights per unit of learning rate.
        weight_decay: f64 = 0.0 => NON_NEGATIVE,
    }
    check |rule| ensure(rule.beta2_decay <= 0.0, "beta2_decay", rule.beta2_decay, "0 or below")
}

/// The second moments of one parameter after `time` steps: by row and by column, or whole.
#[derive(Debug, Clone)]
pub struct AdafactorState<const D: usize> {
    time: usize,
    rows: Tensor<D>,
    columns: Option<Tensor<D>>,
}

record_state!(AdafactorState { time, rows, columns });

impl Rule for Adafactor {
    const FORMULA: &'static str = "v = R Cᵀ / mean(R) from running means R, C of g² by row and column; u = g / √v; \
         w ← w − max(ε₂, RMS(w)) min(η, 1/√t) u / max(1, RMS(u) / d)";
    const SOURCE: &'static str = "Shazeer and Stern 2018; torch.optim.Adafactor";
    const STATE: &'static str = "1/rows + 1/columns; 1 for vectors";
    const WHEN: &'static str = "models whose Adam state does not fit the memory";
    const SMALL_PROBLEM_RATE: Option<f64> = Some(0.03);
}

/// The root mean square of all elements, as a tensor of one element that broadcasts.
fn root_mean_square<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let count = tensor.shape().num_elements().max(1) as f64;
    norm(tensor).div_scalar(count.sqrt())
}

impl Optimizer for Adafactor {
    type State<const D: usize> = AdafactorState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdafactorState<D>>,
    ) -> (Tensor<D>, Option<AdafactorState<D>>) {
        let (time, rows, columns) = match state {
            Some(old) => (old.time + 1, Some(old.rows), old.columns),
            None => (1, None, None),
        };
        let new = (time as f64).powf(self.beta2_decay);
        let blend = |old: Option<Tensor<D>>, sample: Tensor<D>| match old {
            Some(old) => old.mul_scalar(1.0 - new) + sample.mul_scalar(new),
            None => sample.mul_scalar(new),
        };
        let square = bounded_square(gradient.clone());
        let [least, least_size] = self.epsilons;
        let (rows, columns, estimate) = if D > 1 {
            let rows = blend(rows, square.clone().mean_dim(D - 1));
            let columns = blend(columns, square.mean_dim(D - 2));
            let mean = rows.clone().mean_dim(D - 2).clamp_min(least);
            // Divided first: the product of two large moments would overflow.
            let estimate = rows.clone() / mean * columns.clone();
            (rows, Some(columns), estimate)
        } else {
            let whole = blend(rows, square);
            (whole.clone(), None, whole)
        };
        let update = gradient / estimate.clamp_min(least * least).sqrt();
        let clip = root_mean_square(update.clone()).div_scalar(self.clipping_threshold);
        let size = root_mean_square(weights.clone()).clamp_min(least_size);
        let rate = learning_rate.min(1.0 / (time as f64).sqrt());
        let step = update * (size.mul_scalar(rate) / clip.clamp_min(1.0));
        let weights = weights.mul_scalar(1.0 - learning_rate * self.weight_decay);
        (weights - step, Some(AdafactorState { time, rows, columns }))
    }

    fn to_device<const D: usize>(state: AdafactorState<D>, device: &Device) -> AdafactorState<D> {
        state.on_device(device)
    }
}
