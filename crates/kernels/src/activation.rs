//! The activation at the end of a fused layer, and its derivative from the layer's output.

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
    /// The activation as the loops use it.
    pub(super) fn bounds(self) -> Bounds {
        match self {
            Self::Identity => Bounds { low: f32::NAN, high: f32::NAN },
            Self::Relu => Bounds { low: 0.0, high: f32::NAN },
            Self::Relu6 => Bounds { low: 0.0, high: 6.0 },
        }
    }
}

/// The lower and upper bound of an activation; NaN stands for none, since no number compares with
/// it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    low: f32,
    high: f32,
}

impl Bounds {
    /// The lower and the upper one.
    pub(super) fn ends(self) -> [f32; 2] {
        [self.low, self.high]
    }

    /// `value` within the bounds; NaN stays NaN, as in PyTorch.
    #[inline(always)]
    pub(super) fn apply(self, value: f32) -> f32 {
        let value = if value < self.low { self.low } else { value };
        if value > self.high { self.high } else { value }
    }

    /// [`apply`](Self::apply) to every sum and the `bias` of all.
    #[inline(always)]
    pub(super) fn finish(self, sums: &mut [f32], bias: f32) {
        for sum in sums {
            *sum = self.apply(*sum + bias);
        }
    }

    /// The gradients of the sums, given the outputs and their gradients: 0 where the output lies on
    /// a bound, as in PyTorch.
    #[inline(always)]
    pub(super) fn backward(self, output: &[f32], gradient: &[f32], to: &mut [f32]) {
        for (to, (&output, &gradient)) in to.iter_mut().zip(output.iter().zip(gradient)) {
            *to = self.slope(output, gradient);
        }
    }

    /// The gradient of a sum, given the sum or its output, and the output's gradient.
    #[inline(always)]
    pub(super) fn slope(self, output: f32, gradient: f32) -> f32 {
        if output <= self.low || output >= self.high { 0.0 } else { gradient }
    }
}
