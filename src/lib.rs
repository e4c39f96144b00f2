//! Converge trains the classic models on [Burn](burn), watches them converge, and says with
//! evidence whether they did.
//!
//! The rooms, each using only those above it:
//!
//! - [`checks`]: range checks on settings; [`device`]: devices by name; [`memory`]: what is freed stays;
//! - [`kernels`]: the arithmetic of layers and optimizers on a CPU, fused and vectorised;
//!   [`fused`]: the same as operations on Burn's tensors;
//! - [`layers`]: what models are built of, beside Burn's own layers;
//! - [`metrics`]: scores of predictions, and when one is better;
//! - [`data`], [`models`], [`optim`], [`schedule`]: what can be trained on, trained, and how
//!   parameters move; each room owns the settings of its members;
//! - [`experiment`]: the TOML as written, composed of those settings, and the checked experiment;
//! - [`train`]: the session around Burn's Learner, its records and checkpoints;
//! - [`report`]: tables and plots;
//! - [`labs`]: the classic experiments on convergence;
//! - [`cli`]: one file per command, the only code that prints.

#![recursion_limit = "256"]

pub mod checks;
pub mod cli;
pub mod data;
pub mod device;
pub mod experiment;
pub mod fused;
pub mod kernels;
pub mod labs;
pub mod layers;
pub mod metrics;
pub mod models;
pub mod optim;
pub mod process;
pub mod report;
pub mod schedule;
pub mod train;
