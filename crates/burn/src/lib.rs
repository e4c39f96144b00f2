//! Records, watches, stops and judges trainings of Burn's own `Learner`.
//!
//! For programs that train with Burn and not with Converge. Three lines beside Burn's own:
//!
//! ```no_run
//! # use burn::train::{Learner, LearnerModel, SupervisedTraining};
//! # fn train<M: LearnerModel>(
//! #     loaders: impl FnOnce(&std::path::Path) -> SupervisedTraining<M>, learner: Learner<M>,
//! # ) -> Result<M, converge_burn::MonitorError> {
//! use converge_burn::Monitor;
//!
//! let recording = Monitor::new("artifacts", "guide").start()?; // 1: a directory for this run
//! let training: SupervisedTraining<M> = // …::new(recording.directory(), …), metrics, epochs
//! #     loaders(recording.directory());
//! let trained = recording.launch(training, learner); // 2: in the place of `training.launch(learner)`
//! println!("{}", trained.outcome?); // 3: the verdict
//! let model = trained.result.model;
//! # Ok(model)
//! # }
//! ```
//!
//! - [`Monitor`]: the name of a run, what is told of it, when it is to stop, whom to tell.
//! - [`Recording`]: its directory, which `converge diagnose`, `report`, `compare`, `watch` and `runs`
//!   read while it trains and afterwards, and which Burn may use for its own files.
//! - [`Trained`]: what Burn returns, and the [`Outcome`]: why it ended, the verdict, the notices.
//!
//! # What is recorded
//!
//! Every numeric metric of Burn's, as Burn computes it at the end of an epoch: `Loss` as `loss` and
//! `val_loss`, `Accuracy` as `accuracy` and `val_accuracy`. What Burn shows in per cent is recorded as
//! a fraction, as in Keras and in runs of Converge. Of every batch: the loss, the learning rate and
//! the time. An epoch that was cut short has no row.

mod burn_log;
mod error;
mod events;
mod logger;
mod monitor;
mod notice;
mod outcome;
mod recorder;
mod recording;
mod rules;

pub use converge_diagnosis::{DeltaMode, EarlyStoppingSettings, Mode};
pub use error::MonitorError;
pub use monitor::Monitor;
pub use notice::Notice;
pub use outcome::{Outcome, Trained};
pub use recording::Recording;
pub use rules::StopWhen;
