//! Layers: what models are built of, where Burn's own differ from the field's semantics or are
//! slow on a CPU.
//!
//! Every layer is an ordinary Burn module with ordinary parameters and records. Models are the
//! only callers.

pub mod activity;
pub mod batch_norm;
pub mod conv_block;
pub mod dense;
pub mod dropout;
pub mod embedding;
#[cfg(feature = "flex")]
pub mod inverted_residual;
pub mod lstm;
pub mod separable;
