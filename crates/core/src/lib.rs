//! What is trained, how, and what becomes of it: experiments as users write them, models, optimizers,
//! schedules, the training session around Burn's Learner, and the scores and predictions of its runs.
//!
//! The modules, each using only those above it:
//!
//! - [`device`]: devices by name;
//! - [`random`]: random numbers of a step; [`fused`]: the operations of `converge-kernels` on
//!   Burn's tensors;
//! - [`layers`]: what models are built of, beside Burn's own layers;
//! - [`models`], [`optim`], [`schedule`]: what can be trained, and how parameters move; each owns
//!   the settings of its members;
//! - [`experiment`]: the TOML as written, composed of those settings, and the checked experiment;
//! - [`train`]: the session around Burn's Learner, its records and checkpoints;
//! - [`curves`]: the learning curves of a run as a figure;
//! - [`evaluation`]: a checkpoint of a run, loaded and scored on the test split;
//! - [`cross_validation`], [`prediction`], [`export`]: what else is done with trained models;
//! - [`race`]: contenders tuned alike and trained with several seeds.
//!
//! # Training an experiment from code
//!
//! ```
//! use converge_core::device;
//! use converge_core::experiment::Experiment;
//! use converge_core::train::Session;
//! use converge_data::LoadOptions;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let changes = ["training.epochs=3".to_owned(), "data.samples=200".to_owned()];
//! let experiment = Experiment::load("linear", &changes)?;
//! # let runs = tempfile::tempdir()?;
//! # let runs = runs.path();
//! let session = Session::new(device::default_name(), LoadOptions::from_environment(None)?)?;
//! let outcome = session.train(experiment, runs)?;
//!
//! assert_eq!(outcome.history.len(), 3);
//! let losses: Vec<f64> = outcome.history.iter().filter_map(|row| row.metric("loss")).collect();
//! assert!(losses.is_sorted_by(|earlier, later| earlier > later));
//! assert!(outcome.run.file("epochs.csv").is_file());
//! # Ok(())
//! # }
//! ```
//!
//! [`evaluation::evaluate`] shows how such a run is scored.

#![recursion_limit = "256"]

pub mod cross_validation;
pub mod curves;
pub mod device;
pub mod evaluation;
pub mod experiment;
pub mod explore;
pub mod export;
pub mod fused;
pub mod layers;
pub mod models;
pub mod optim;
pub mod prediction;
pub mod race;
pub mod random;
pub mod schedule;
pub mod train;
pub mod verdict;
