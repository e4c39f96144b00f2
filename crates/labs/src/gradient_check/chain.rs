//! exp(sin x²): the chain rule by hand, and what differences make of it.

use burn::tensor::Tensor;

use crate::{LabError, value_and_gradient};

/// A link of the chain: what it is, its value, and its derivative by its argument.
pub(super) struct Link {
    pub formula: &'static str,
    pub value: f64,
    pub derivative_formula: &'static str,
    pub derivative: f64,
}

/// The links at `x`, from the inside.
pub(super) fn links(x: f64) -> [Link; 3] {
    let square = x * x;
    let sine = square.sin();
    let value = sine.exp();
    [
        Link { formula: "u = x²", value: square, derivative_formula: "2 x", derivative: 2.0 * x },
        Link {
            formula: "v = sin u",
            value: sine,
            derivative_formula: "cos u",
            derivative: square.cos(),
        },
        Link { formula: "y = exp v", value, derivative_formula: "exp v", derivative: value },
    ]
}

/// The value at `x`.
pub(super) fn value(x: f64) -> f64 {
    (x * x).sin().exp()
}

/// The derivative at `x` by hand: the product of the links'.
pub(super) fn derivative(x: f64) -> f64 {
    links(x).iter().map(|link| link.derivative).product()
}

/// The derivative at `x` by autodiff.
pub(super) fn by_autodiff(x: f64) -> Result<f64, LabError> {
    let function = |x: Tensor<1>| x.powi_scalar(2).sin().exp().sum();
    let (_, gradient) = value_and_gradient(function, &[x])?;
    Ok(gradient.first().copied().unwrap_or(f64::NAN))
}

/// (f(x + h) − f(x − h)) / 2h
pub(super) fn central(x: f64, step: f64) -> f64 {
    (value(x + step) - value(x - step)) / (2.0 * step)
}

/// (f(x + h) − f(x)) / h
pub(super) fn forward(x: f64, step: f64) -> f64 {
    (value(x + step) - value(x)) / step
}

/// f″ and f‴ at `x`. As f′ = g f with g = 2x cos x², f″ = (g′ + g²) f and f‴ = (g″ + 3 g g′ + g³) f.
pub(super) fn higher(x: f64) -> (f64, f64) {
    let (sine, cosine) = (x * x).sin_cos();
    let g = 2.0 * x * cosine;
    let g_prime = 2.0 * cosine - 4.0 * x * x * sine;
    let g_second = -12.0 * x * sine - 8.0 * x.powi(3) * cosine;
    let second = (g_prime + g * g) * value(x);
    (second, (g_second + 3.0 * g * g_prime + g.powi(3)) * value(x))
}
