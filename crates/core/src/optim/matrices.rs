//! The linear algebra of `Shampoo` and `Soap`: tensors as matrices, along one dimension at a time.
//!
//! Decompositions run on the host, in f64: backends differ in what they have, and float32 loses
//! the small eigenvalues that an inverse root turns into the large ones. They cost O(n³) for a
//! dimension of size n, which is why both optimizers bound n and decompose only now and then.

use burn::tensor::{Device, Tensor, TensorData};
use nalgebra::{DMatrix, SymmetricEigen};

/// Rounds of the eigenvalue iteration; each eigenvalue takes about two.
const ROUNDS_PER_ROW: usize = 100;

/// `tensor` as a matrix `[n, rest]` of its dimension `dim`.
pub(super) fn unfold<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<2> {
    let front = tensor.swap_dims(0, dim);
    let count = front.shape().num_elements();
    let rows = front.dims().first().copied().unwrap_or(1);
    front.reshape([rows, count / rows.max(1)])
}

/// `matrix` `[n, n]` times `tensor` along its dimension `dim` of size n.
pub(super) fn multiply<const D: usize>(
    tensor: Tensor<D>,
    matrix: Tensor<2>,
    dim: usize,
) -> Tensor<D> {
    let mut shape = tensor.dims();
    shape.swap(0, dim);
    matrix.matmul(unfold(tensor, dim)).reshape(shape).swap_dims(0, dim)
}

/// The products of all slices of `tensor` along `dim` with each other, `[n, n]`.
pub(super) fn gram<const D: usize>(tensor: Tensor<D>, dim: usize) -> Tensor<2> {
    let matrix = unfold(tensor, dim);
    matrix.clone().matmul(matrix.transpose())
}

/// The symmetric `matrix` to the power of −1/`root`, with eigenvalues of at least `least`.
///
/// None if it cannot be read or decomposed.
pub(super) fn inverse_root(matrix: &Tensor<2>, root: f64, least: f64) -> Option<Tensor<2>> {
    let eigen = decompose(host(matrix)?)?;
    let powers = eigen.eigenvalues.map(|value| value.max(least).powf(-1.0 / root));
    let scaled = &eigen.eigenvectors * DMatrix::from_diagonal(&powers);
    Some(device(&(scaled * eigen.eigenvectors.transpose()), &matrix.device()))
}

/// The eigenvectors of the symmetric `matrix` as columns, that of the largest eigenvalue first.
pub(super) fn eigenbasis(matrix: &Tensor<2>) -> Option<Tensor<2>> {
    let eigen = decompose(host(matrix)?)?;
    let order = falling(eigen.eigenvalues.as_slice());
    Some(device(&eigen.eigenvectors.select_columns(&order), &matrix.device()))
}

/// One round of power iteration on the symmetric `matrix` from the orthogonal `basis`, with columns
/// by falling eigenvalue, and the permutation matrix that puts coordinates into that order.
pub(super) fn refined_basis(
    matrix: &Tensor<2>,
    basis: &Tensor<2>,
) -> Option<(Tensor<2>, Tensor<2>)> {
    let (symmetric, old) = (host(matrix)?, host(basis)?);
    let product = symmetric * &old;
    let estimates: Vec<f64> =
        old.column_iter().zip(product.column_iter()).map(|(one, other)| one.dot(&other)).collect();
    let order = falling(&estimates);
    let refined = product.select_columns(&order).qr().q();
    let permutation = DMatrix::identity(order.len(), order.len()).select_columns(&order);
    let place = matrix.device();
    Some((device(&refined, &place), device(&permutation.transpose(), &place)))
}

/// The indices of `values`, that of the largest first.
fn falling(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|(_, left), (_, right)| right.total_cmp(left));
    order.into_iter().map(|(index, _)| index).collect()
}

fn decompose(matrix: DMatrix<f64>) -> Option<SymmetricEigen<f64, nalgebra::Dyn>> {
    let rounds = ROUNDS_PER_ROW * matrix.nrows().max(1);
    SymmetricEigen::try_new(matrix, f64::EPSILON, rounds)
}

fn host(matrix: &Tensor<2>) -> Option<DMatrix<f64>> {
    let [rows, columns] = matrix.dims();
    let values = matrix.clone().try_into_vec_as::<f32>().ok()?;
    // Iterations on what is not finite would not end.
    let finite = values.iter().all(|value| value.is_finite()) && values.len() == rows * columns;
    finite.then(|| DMatrix::from_row_iterator(rows, columns, values.into_iter().map(f64::from)))
}

fn device(matrix: &DMatrix<f64>, device: &Device) -> Tensor<2> {
    // nalgebra keeps columns together, Burn rows.
    let values: Vec<f32> = matrix.transpose().iter().map(|value| *value as f32).collect();
    Tensor::from_data(TensorData::new(values, [matrix.nrows(), matrix.ncols()]), device)
}
