//! What is trained, and how: experiments as users write them, models, optimizers, schedules, and the
//! training session around Burn's Learner.
//!
//! The modules, each using only those above it:
//!
//! - [`device`]: devices by name;
//! - [`fused`]: the operations of `converge-kernels` on Burn's tensors;
//! - [`layers`]: what models are built of, beside Burn's own layers;
//! - [`models`], [`optim`], [`schedule`]: what can be trained, and how parameters move; each owns
//!   the settings of its members;
//! - [`experiment`]: the TOML as written, composed of those settings, and the checked experiment;
//! - [`train`]: the session around Burn's Learner, its records and checkpoints.

#![recursion_limit = "256"]

pub mod device;
pub mod experiment;
pub mod fused;
pub mod layers;
pub mod models;
pub mod optim;
pub mod random;
pub mod schedule;
pub mod train;
