//! The eigenvalues and eigenvectors of a small symmetric tridiagonal matrix.

use nalgebra::{DMatrix, SymmetricEigen};

/// The eigenvalues in rising order, each with its eigenvector of length 1.
pub(crate) type Pairs = Vec<(f64, Vec<f64>)>;

/// Decomposes the matrix with `diagonal`, and `beside` (one shorter) next to it. `None` where the
/// iterations do not end.
pub(crate) fn eigen(diagonal: &[f64], beside: &[f64]) -> Option<Pairs> {
    let order = diagonal.len();
    let matrix = DMatrix::from_fn(order, order, |row, column| match row.abs_diff(column) {
        0 => diagonal[row],
        1 => beside[row.min(column)],
        _ => 0.0,
    });
    let decomposition = SymmetricEigen::try_new(matrix, f64::EPSILON, 100 * order.max(10))?;
    let vectors = decomposition.eigenvectors.column_iter();
    let vectors = vectors.map(|vector| vector.iter().copied().collect());
    let mut pairs: Pairs = decomposition.eigenvalues.iter().copied().zip(vectors).collect();
    pairs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    Some(pairs)
}
