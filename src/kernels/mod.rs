//! Fused operations on plain `f32` slices, each with its backward: what the models spend their time
//! in, computed once over memory and with the vector instructions that the processor has.
//!
//! Nothing here knows Burn: shapes come as numbers, tensors as row-major slices, and a slice whose
//! length does not fit its shape is an error. The threads are rayon's; with the same number of
//! threads the results are the same to the bit on every run.

pub mod embedding;
pub mod lstm;
