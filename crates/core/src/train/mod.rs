//! Training, around Burn's Learner.
//!
//! [`Session`] trains an experiment or takes a run up again. What it does is in two places: a run in
//! `launch`, from its first stage to its closed record (`assembly` brings together what a stage
//! needs), and a step in `step`, from a batch to new weights. A step is made of an [`Objective`]
//! (from a model and a batch to gradients) and an [`Update`] (from gradients to new weights), which
//! labs and other experiments use too. `epoch_end` has early stopping and checkpoints, `transfer`
//! what is particular to pretrained models, `renderer` progress, `converge-record` what is written.
//! Nothing here prints: an [`Observer`] is told.

mod activity;
mod assembly;
pub mod checkpoint;
mod clipping;
mod epoch_end;
mod error;
mod gradient;
mod groups;
mod launch;
pub mod loader;
mod loss;
mod model;
mod norms;
mod objective;
pub mod observer;
mod planned;
mod prepared;
mod recorder;
mod regularization;
mod renderer;
mod resume;
mod score_metric;
mod session;
pub mod signals;
mod state;
mod step;
mod stepper;
mod stored_run;
pub mod tally;
mod trainer;
mod transfer;
mod update;
mod weight_space;

pub use checkpoint::Checkpoint;
pub use error::{ChangedKey, TrainError};
pub use launch::Outcome;
pub use loss::mean_loss;
pub use model::{new_model, outputs_of};
pub use objective::{Evaluated, Objective, SupervisedLoss};
pub use observer::{Observer, Silent};
pub use planned::{PlannedLength, planned_length};
pub use prepared::Prepared;
pub(crate) use session::where_they_were;
pub use session::{Session, same_source};
pub use signals::StopRequest;
pub use stepper::Stepper;
pub use stored_run::StoredRun;
pub use update::{Descent, Update};
pub use weight_space::WeightSpace;
