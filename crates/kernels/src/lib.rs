//! Fused operations for the CPU, each with its backward, on plain `f32` slices: what the models spend
//! their time in, computed once over memory and with the vector instructions that the processor
//! has.
//!
//! Each file or folder is one operation with its mathematics. Nothing here knows Burn: shapes come
//! as numbers, tensors as row-major slices, and a slice whose length does not fit its shape is an
//! error. Work above a size threshold is split over rayon's threads, one join per operation; with
//! the same number of threads the results are the same to the bit on every run.

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
mod unset;
pub mod updates;
mod vectorize;

pub use activation::Activation;
pub use partition::zeros;
