//! A module trained by any optimizer, and its numbers as labs write and draw them.

use burn::module::Module;
use burn::tensor::Tensor;

use super::DataFile;
use converge_core::optim::OptimizerSettings;
use converge_core::train::{Descent, Objective as _};

/// `steps` steps of `optimizer` on the `loss` of `model`, at a constant rate. `watch` sees the
/// model and its loss before every step, and after the last. Ends early where the loss is not finite.
pub(super) fn train<M: Module>(
    model: M,
    optimizer: &OptimizerSettings,
    steps: usize,
    loss: impl Fn(&M) -> Tensor<1>,
    mut watch: impl FnMut(usize, &M, f64),
) -> M {
    let objective = |model: &M, (): &()| loss(model);
    let mut descent = Descent::new(model, optimizer);
    for step in 0..=steps {
        let (value, gradients) = objective.gradients(&descent.model, &());
        let number = scalar(value);
        watch(step, &descent.model, number);
        if step == steps || !number.is_finite() {
            break;
        }
        descent = descent.step(optimizer.learning_rate(), gradients);
    }
    descent.model
}

/// The mean of `values`.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The Euclidean norm of `vector`.
pub(super) fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|part| part * part).sum::<f64>().sqrt()
}

/// All numbers of a tensor.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// The number of a tensor of one element.
pub(super) fn scalar(tensor: Tensor<1>) -> f64 {
    numbers(tensor).first().copied().unwrap_or(f64::NAN)
}

/// √(mean of squares) of all numbers of a tensor.
pub(super) fn root_mean_square<const D: usize>(tensor: Tensor<D>) -> f64 {
    let numbers = numbers(tensor);
    (numbers.iter().map(|number| number * number).sum::<f64>() / numbers.len().max(1) as f64).sqrt()
}

/// The geometric mean of the first values of all `series`, of the second, …
pub(super) fn geometric_means(series: &[Vec<f64>]) -> Vec<f64> {
    let length = series.iter().map(Vec::len).min().unwrap_or(0);
    let at = |index: usize| series.iter().filter_map(move |values| values.get(index));
    let mean = |index| (at(index).map(|value| value.ln()).sum::<f64>() / series.len() as f64).exp();
    (0..length).map(mean).collect()
}

/// Values over their place, counted from `first`.
pub(super) fn points(values: &[f64], first: usize) -> Vec<(f64, f64)> {
    values.iter().enumerate().map(|(index, &value)| ((index + first) as f64, value)).collect()
}

/// A file of several named series: a row for every value, with its name and place, counted from
/// `first`.
pub(super) fn series_file(
    file: &str,
    header: &[&str; 3],
    first: usize,
    series: impl IntoIterator<Item = (String, Vec<f64>)>,
) -> DataFile {
    let rows = series.into_iter().flat_map(|(name, values)| {
        let row = move |(index, value): (usize, f64)| {
            vec![name.clone(), (index + first).to_string(), value.to_string()]
        };
        values.into_iter().enumerate().map(row)
    });
    let header = header.iter().map(|name| (*name).to_owned()).collect();
    DataFile { name: file.to_owned(), header, rows: rows.collect() }
}
