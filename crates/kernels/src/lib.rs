//! Fused operations for the CPU, each with its backward, on plain `f32` slices: what the models spend
//! their time in, computed once over memory and with the vector instructions that the processor
//! has.
//!
//! Each file or folder is one operation with its mathematics. Nothing here knows Burn: shapes come
//! as numbers, tensors as row-major slices, and a slice whose length does not fit its shape is an
//! error. Work above a size threshold is split over rayon's threads, one join per operation; with
//! the same number of threads the results are the same to the bit on every run.
//!
//! ```
//! use converge_kernels::Activation;
//! use converge_kernels::linear::Linear;
//!
//! // Two rows of three inputs: y = max(x W + b, 0).
//! let layer = Linear { batch: 2, inputs: 3, outputs: 1, activation: Activation::Relu };
//! let (x, weight, bias) = ([1.0, 2.0, 3.0, -1.0, -2.0, -3.0], [1.0, 1.0, 0.5], [0.25]);
//! let mut y = [0.0; 2];
//! layer.forward(&x, &weight, Some(&bias), &mut y)?;
//! assert_eq!(y, [4.75, 0.0]);
//!
//! let error = layer.forward(&x[..5], &weight, Some(&bias), &mut y).unwrap_err();
//! assert_eq!(error.to_string(), "`x` has 5 elements, but the shape needs 6");
//! # Ok::<(), converge_kernels::shape::ShapeError>(())
//! ```
//!
//! A program calls [`process::prepare`] first. The environment variable `CONVERGE_SIMD` caps the
//! vector instructions ([`check_environment`]).
//!
//! A file imports only from those before it in this order, and the files of a folder likewise, as its
//! first file says:
//!
//! 1. what everything is made of: `shape` (errors), `partition` (threads), `simd` (vector
//!    instructions), `lanes` (arrays that become vectors);
//! 2. memory: `unset` (results that are not set yet), `aligned` (whole cache lines), `room` (kept by
//!    each thread);
//! 3. pieces of operations: `activation`, `reductions`, `transpose`, `matrix_product`;
//! 4. operations that need no other: the losses, `embedding`, `updates`, `batch_norm`, `convolution`,
//!    `lstm`, `linear`;
//! 5. those that do: `pointwise` and `depthwise` take the gradients of `linear`, `inverted_residual`
//!    the statistics of `batch_norm`.

// What is not inlined into a vectorised loop is not compiled for its instruction set.
#![allow(clippy::inline_always)]

mod activation;
mod aligned;
pub mod batch_norm;
pub mod binary_cross_entropy;
pub mod convolution;
pub mod cross_entropy;
pub mod depthwise;
pub mod embedding;
pub mod inverted_residual;
mod lanes;
pub mod linear;
pub mod lstm;
mod matrix_product;
#[cfg(test)]
mod misc_properties;
#[cfg(test)]
mod misc_tests;
mod partition;
pub mod pointwise;
pub mod process;
pub mod reductions;
mod room;
pub mod shape;
mod simd;
mod transpose;
mod unset;
pub mod updates;

pub use activation::Activation;
pub use partition::{threads, zeros};
pub use simd::{UnknownLevel, check_environment, instructions};
