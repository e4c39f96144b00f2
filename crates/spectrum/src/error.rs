//! Why nothing can be said of a matrix.

/// Why nothing can be said of a matrix; `E` is the error of the closure that multiplies.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SpectrumError<E> {
    /// The closure that multiplies failed.
    #[error("{0}")]
    Product(E),
    /// The matrix has no rows.
    #[error("a matrix of 0 rows has no spectrum: the dimension must be at least 1")]
    NoRows,
    /// Nothing is to be computed.
    #[error("nothing can be known of a matrix without a product: allow at least 1")]
    NoProducts,
    /// A product has the wrong length.
    #[error(
        "product {product} has {length} values, but the matrix has {dimension} rows: it must return \
         one for each"
    )]
    WrongLength {
        /// Which product, from 1.
        product: usize,
        /// Its length.
        length: usize,
        /// The rows of the matrix.
        dimension: usize,
    },
    /// A product has a value that is not finite.
    #[error(
        "product {product} has a value that is not finite ({value}): the matrix is not defined here, \
         or the step of a finite difference is too small or too large"
    )]
    NotFinite {
        /// Which product, from 1.
        product: usize,
        /// The value.
        value: f64,
    },
    /// The eigenvalues of the small matrix did not converge.
    #[error("the eigenvalues of the tridiagonal matrix of order {order} did not converge")]
    NoDecomposition {
        /// Its order.
        order: usize,
    },
}
