//! Fused operations for the CPU, forward and backward, on plain `f32` slices.
//!
//! Each file is one operation with its mathematics; none knows a tensor library. Outputs are
//! slices of the caller's, lengths that do not fit are errors, and equal inputs give equal bits on
//! every run with the same number of threads. Work above a size threshold is split over `rayon`'s
//! threads, one join per operation.

// What is not inlined into a vectorised loop is not compiled for its instruction set.
#![allow(clippy::inline_always)]

mod activation;
pub mod binary_cross_entropy;
pub mod cross_entropy;
pub mod depthwise;
pub mod linear;
mod matrix_product;
#[cfg(test)]
mod misc_properties;
#[cfg(test)]
mod misc_tests;
mod partition;
pub mod pointwise;
pub mod reductions;
pub mod shape;
pub mod updates;
mod vectorize;

pub use activation::Activation;
