//! The linear algebra of `Shampoo` and `Soap`: tensors as matrices, along one dimension at a time.
//!
//! Decompositions run on the host, in f64: backends differ in what they have, and float32 loses
//! the small eigenvalues that an inverse root turns into the large ones. They cost O(n³) for a
//! dimension of size n, which is why both optimizers bound n and decompose only now and then.

use burn::tensor::{Device, Tensor, TensorData};
use nalgebra::{DMatrix, SymmetricEigen};

/// Rounds of the eigenvalue iteration; each eigenvalue takes about two.
const ROUNDS_PER_ROW: usize = 100;
/// How far a basis may be from orthonormal, and a decomposition from its matrix in units of its
/// largest element. Whole ones are at 1e-13, those that failed at 1e-7 and more.
const TOLERANCE: f64 = 1e-9;
/// By what a matrix that could not be decomposed is shifted, in units of its largest element: far
/// below what single precision keeps of it.
const SHIFT: f64 = 1e-12;

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
    let eigen = decompose(&host(matrix)?)?;
    let powers = eigen.eigenvalues.map(|value| value.max(least).powf(-1.0 / root));
    let scaled = &eigen.eigenvectors * DMatrix::from_diagonal(&powers);
    Some(device(&(scaled * eigen.eigenvectors.transpose()), &matrix.device()))
}

/// The eigenvectors of the symmetric `matrix` as columns, that of the largest eigenvalue first.
pub(super) fn eigenbasis(matrix: &Tensor<2>) -> Option<Tensor<2>> {
    let eigen = decompose(&host(matrix)?)?;
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
    let ordered = product.select_columns(&order);
    let refined = orthonormalized(ordered.clone()).or_else(|| {
        // Of a matrix without full rank, columns of the product are (nearly) zero. The iteration of
        // the matrix and a little of the identity has the same limit.
        let shift = SHIFT * largest(&ordered).max(f64::MIN_POSITIVE);
        orthonormalized(ordered + old.select_columns(&order) * shift)
    })?;
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

type Decomposition = SymmetricEigen<f64, nalgebra::Dyn>;

/// Eigenvalues and eigenvectors of the symmetric `matrix`.
///
/// nalgebra's reduction to three diagonals divides by the norms of vectors that are nothing but
/// rounding where the matrix has few non-zero rows (dead units have none): it then returns NaN, or
/// vectors that are not orthogonal. So the result is checked, and the matrix, if need be, shifted by
/// a diagonal of different tiny numbers, after which no such vector is left.
fn decompose(matrix: &DMatrix<f64>) -> Option<Decomposition> {
    let rows = matrix.nrows();
    let decomposed = |matrix: DMatrix<f64>| {
        SymmetricEigen::try_new(matrix, f64::EPSILON, ROUNDS_PER_ROW * rows.max(1))
    };
    let holds = |found: &Decomposition| {
        let vectors = &found.eigenvectors;
        let scaled = vectors * DMatrix::from_diagonal(&found.eigenvalues);
        let residual = largest(&(matrix * vectors - scaled));
        is_orthonormal(vectors) && residual <= TOLERANCE * largest(matrix)
    };
    decomposed(matrix.clone()).filter(&holds).or_else(|| {
        let step = SHIFT * largest(matrix) / rows.max(1) as f64;
        let shifts = nalgebra::DVector::from_fn(rows, |row, _| step * (row + 1) as f64);
        decomposed(matrix + DMatrix::from_diagonal(&shifts)).filter(&holds)
    })
}

/// An orthonormal basis of the columns of `matrix`, one after the other, if there is one.
fn orthonormalized(matrix: DMatrix<f64>) -> Option<DMatrix<f64>> {
    Some(matrix.qr().q()).filter(is_orthonormal)
}

fn is_orthonormal(vectors: &DMatrix<f64>) -> bool {
    let rest = vectors.transpose() * vectors - DMatrix::identity(vectors.ncols(), vectors.ncols());
    rest.iter().all(|value| value.abs() <= TOLERANCE)
}

/// The largest absolute value; NaN if there is one.
fn largest(matrix: &DMatrix<f64>) -> f64 {
    matrix.iter().fold(0.0, |largest: f64, value| {
        if value.is_nan() || largest.is_nan() { f64::NAN } else { largest.max(value.abs()) }
    })
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// The products of the rows of a matrix of `rank` columns of `scale`, of whose `size` rows a
    /// share of `dead` is zero.
    fn products(size: usize, rank: usize, dead: f64, scale: f32, seed: u64) -> Tensor<2> {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as f64 / f64::from(1_u32 << 31)
        };
        let mut values = vec![];
        for _ in 0..size {
            let lives = draw() >= dead;
            values.extend((0..rank.max(1)).map(|_| {
                if lives && rank > 0 { scale * (2.0 * draw() - 1.0) as f32 } else { 0.0 }
            }));
        }
        let data = TensorData::new(values, [size, rank.max(1)]);
        gram(Tensor::<2>::from_data(data, &Device::default()), 0)
    }

    fn identity_within(matrix: &DMatrix<f64>, tolerance: f64) -> bool {
        let rest = matrix.transpose() * matrix - DMatrix::identity(matrix.nrows(), matrix.ncols());
        largest(&rest) < tolerance
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn bases_are_orthonormal_and_roots_finite_at_every_rank(
            size in prop_oneof![1..12_usize, 90..200_usize],
            rank in 0..9_usize,
            dead in prop_oneof![Just(0.0), Just(0.5), Just(0.9), Just(1.0)],
            scale in prop_oneof![Just(1e-18_f32), Just(1e-6), Just(1.0), Just(1e6)],
            seed in any::<u64>(),
        ) {
            let matrix = products(size, rank, dead, scale, seed);
            let basis = eigenbasis(&matrix).unwrap();
            prop_assert!(identity_within(&host(&basis).unwrap(), 1e-5));
            let mut refined = basis;
            for _ in 0..3 {
                let (next, permutation) = refined_basis(&matrix, &refined).unwrap();
                prop_assert!(identity_within(&host(&next).unwrap(), 1e-5));
                prop_assert!(identity_within(&host(&permutation).unwrap(), 1e-9));
                refined = next;
            }
            let root = inverse_root(&matrix, 4.0, 1e-6).unwrap();
            prop_assert!(host(&root).is_some(), "finite");
        }
    }

    /// Of the matrix [[2, 1], [1, 2]], with eigenvalues 3 and 1, beside 98 rows of zeros.
    #[test]
    fn the_root_of_a_small_block_among_dead_rows_is_that_of_the_block() {
        let mut values = vec![0.0_f32; 100 * 100];
        for (row, column, value) in [(20, 20, 2.0), (20, 70, 1.0), (70, 20, 1.0), (70, 70, 2.0)] {
            values[100 * row + column] = value;
        }
        let data = TensorData::new(values, [100, 100]);
        let matrix = Tensor::<2>::from_data(data, &Device::default());
        let root = host(&inverse_root(&matrix, 2.0, 1e-6).unwrap()).unwrap();
        // (1/√3 ± 1) / 2 in the block, 1/√1e-6 for what is dead.
        let half = 0.5 / 3.0_f64.sqrt();
        for (row, column, expected) in
            [(20, 20, half + 0.5), (20, 70, half - 0.5), (0, 0, 1e3), (0, 20, 0.0)]
        {
            let found = root[(row, column)];
            assert!(
                (found - expected).abs() < 1e-5 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }
}
