//! Converge trains the classic models on [Burn](https://burn.dev), watches them converge, and says with
//! evidence whether they did.
//!
//! This package is the program; what it does is in the crates below it, which are here under one
//! name each:
//!
//! - [`data`]: data sets, found or fetched, read, split and preprocessed;
//! - [`models`], [`layers`], [`optim`], [`schedule`], [`experiment`], [`train`]: what is trained, and
//!   how;
//! - [`curves`], [`evaluation`], [`cross_validation`], [`prediction`], [`export`]: what becomes of a
//!   run;
//! - [`kernels`]: the arithmetic of layers and optimizers on a CPU, fused and vectorised;
//! - [`metrics`]: scores of predictions;
//! - [`record`]: what a run is on disk, written, read and followed;
//! - [`diagnosis`]: curves, judged: fits, stopping criteria, early stopping;
//! - [`figures`]: plots, tables and pages;
//! - [`labs`]: the classic experiments on convergence;
//! - [`cli`]: one file per command, the only code that prints.

#![recursion_limit = "256"]

pub mod cli;

pub use converge_core::{
    cross_validation, curves, device, evaluation, experiment, export, fused, layers, models, optim,
    prediction, schedule, train,
};
pub use converge_data as data;
pub use converge_diagnosis as diagnosis;
pub use converge_figures as figures;
pub use converge_kernels::{self as kernels, process};
pub use converge_labs as labs;
pub use converge_metrics as metrics;
pub use converge_record as record;
pub use converge_settings as settings;
