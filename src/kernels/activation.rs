//! The activation at the end of a fused layer, and its derivative from the layer's output.

use super::vectorize::vectorized;

/// What a layer does to its sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Nothing.
    #[default]
    Identity,
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
}

impl Activation {
    /// The lower and upper bound; NaN stands for none, since no number compares with it.
    fn bounds(self) -> (f32, f32) {
        match self {
            Self::Identity => (f32::NAN, f32::NAN),
            Self::Relu => (0.0, f32::NAN),
            Self::Relu6 => (0.0, 6.0),
        }
    }

    /// `value` within the bounds; NaN stays NaN, as in PyTorch.
    #[inline(always)]
    pub(super) fn apply(self, value: f32) -> f32 {
        let (low, high) = self.bounds();
        let value = if value < low { low } else { value };
        if value > high { high } else { value }
    }

    /// The gradient of the sum, given the `output` and its `gradient`: 0 where the output lies on
    /// a bound, as in PyTorch.
    #[inline(always)]
    pub(super) fn backward(self, output: f32, gradient: f32) -> f32 {
        let (low, high) = self.bounds();
        if output <= low || output >= high { 0.0 } else { gradient }
    }

    /// [`backward`](Self::backward) for every element.
    pub(super) fn mask(self, output: &[f32], gradient: &[f32]) -> Vec<f32> {
        vectorized(
            #[inline(always)]
            || {
                let pairs = output.iter().zip(gradient);
                pairs.map(|(&output, &gradient)| self.backward(output, gradient)).collect()
            },
        )
    }
}
