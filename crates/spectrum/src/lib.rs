//! What can be known of a symmetric matrix that is given only by its products with vectors, as the
//! Hessian of a network is.
//!
//! - [`Lanczos`]: the largest and the smallest eigenvalue, each with a bound on its error and its
//!   eigenvector;
//! - [`trace`]: the sum of all eigenvalues, with its standard error;
//! - [`density`]: where the eigenvalues lie, and their moments.
//!
//! A product is a closure from a vector to `A` times that vector, which may fail with an error of
//! its own. All arithmetic here is in `f64`; everything drawn follows from a seed. Each function
//! tells a second closure of every product, which may end the work early
//! ([`ControlFlow::Break`](std::ops::ControlFlow::Break)) without losing what is known by then.
//!
//! ```
//! use converge_spectrum::{Lanczos, Limits};
//! use std::ops::ControlFlow;
//!
//! // The matrix with 1, 2, …, 50 on its diagonal.
//! let product = |vector: &[f64]| -> Result<Vec<f64>, std::convert::Infallible> {
//!     Ok(vector.iter().zip(1..).map(|(value, row)| value * f64::from(row)).collect())
//! };
//! let mut lanczos = Lanczos::new(50, 0);
//! let found = lanczos.run(&Limits::default(), product, |_| ControlFlow::Continue(()))?;
//! assert!((found.largest.value - 50.0).abs() < 50.0 * 1e-3);
//! # Ok::<(), converge_spectrum::SpectrumError<std::convert::Infallible>>(())
//! ```

mod error;
mod lanczos;
mod quadrature;
mod trace;
mod tridiagonal;
mod vectors;

pub use error::SpectrumError;
pub use lanczos::{Ended, Extremes, Lanczos, Limits, Ritz, Wanted};
pub use quadrature::{Density, density};
pub use trace::{Trace, trace};

#[cfg(test)]
mod golden;
