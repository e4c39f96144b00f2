//! A network of two hidden units on XOR: many of them at once, as one vector of numbers.

use burn::tensor::{Tensor, TensorData, activation};

/// The four points of XOR and their targets.
pub(super) const POINTS: [[f64; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
pub(super) const TARGETS: [f64; 4] = [0.0, 1.0, 1.0, 0.0];

/// Weights from both inputs to both units, biases of the units, output weights, output bias.
pub(super) const PARAMETERS: usize = 9;

/// The outputs of networks at `points`.
///
/// # Shapes
///
/// - parameters `[networks * 9]`
/// - output `[networks, points]`
pub(super) fn outputs(parameters: Tensor<1>, points: &[[f64; 2]]) -> Tensor<2> {
    let options = (&parameters.device(), parameters.dtype());
    let input = |axis: usize| {
        let values: Vec<f64> = points.iter().map(|point| point[axis]).collect();
        Tensor::<2>::from_data(TensorData::new(values, [1, points.len()]), options)
    };
    let networks = parameters.dims()[0] / PARAMETERS;
    let parameters = parameters.reshape([networks, PARAMETERS]);
    let column = |index: usize| parameters.clone().narrow(1, index, 1);
    let unit = |unit: usize| {
        let sum = column(unit) * input(0) + column(2 + unit) * input(1) + column(4 + unit);
        activation::relu(sum) * column(6 + unit)
    };
    unit(0) + unit(1) + column(8)
}

/// The mean squared error of each network.
///
/// # Shapes
///
/// - parameters `[networks * 9]`
/// - output `[networks]`
pub(super) fn losses(parameters: Tensor<1>) -> Tensor<1> {
    let options = (&parameters.device(), parameters.dtype());
    let targets = Tensor::<1>::from_data(TensorData::from(TARGETS.as_slice()), options);
    let errors = outputs(parameters, &POINTS) - targets.unsqueeze::<2>();
    errors.powi_scalar(2).mean_dim(1).squeeze_dim::<1>(1)
}

pub(super) fn total(parameters: Tensor<1>) -> Tensor<1> {
    losses(parameters).sum()
}
