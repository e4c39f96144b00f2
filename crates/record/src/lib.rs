//! What a training run is on disk: written while it trains, read afterwards, followed meanwhile.
//!
//! A run is a directory of its own: `experiment.toml`, `preprocessing.json`, `run.json`
//! ([`RunRecord`]), `epochs.csv` ([`EpochRow`]), `steps.csv` ([`StepRow`]), `checkpoints/`
//! ([`Checkpoints`]) and, once it was evaluated, `evaluation.json` ([`EvaluationRecord`]). Training writes these files; commands, labs and verdicts read them. Nothing
//! here knows Burn: what weights, optimizer state and experiments mean is told by the crate that
//! trains.
//!
//! # Reading a run
//!
//! ```
//! use std::path::Path;
//!
//! use converge_record::{Measure, RunDirectory, Status};
//!
//! # fn main() -> Result<(), converge_record::RecordError> {
//! // A small run of linear regression.
//! let run = RunDirectory::open(Path::new("tests/linear"))?;
//! assert_eq!(run.record.status, Status::Completed);
//!
//! // Three epochs: the validation loss fell.
//! let epochs = run.epochs()?;
//! let losses: Vec<f64> = epochs.iter().filter_map(|row| row.metric("val_loss")).collect();
//! assert!(losses.is_sorted_by(|before, after| before > after));
//!
//! // Norms were measured in the first step, and not in the second.
//! let steps = run.steps()?;
//! assert_eq!(steps[0].gradient_norm, Some(362.4699));
//! let measured = steps[0].measured(Measure::GradientNorm, "output.bias");
//! assert_eq!(measured, Some(32.01106));
//! assert_eq!(steps[1].gradient_norm, None);
//!
//! assert_eq!(run.checkpoints().epochs()?, [3]);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Follower`] reads the same while the run is still being trained.

mod checkpoints;
pub mod checksum;
mod data;
mod epochs;
mod error;
mod evaluation;
mod files;
mod find;
mod follow;
mod notes;
mod pretrained;
mod process;
mod run;
mod run_directory;
mod steps;
mod stop;
mod table;

pub use checkpoints::{
    CHECKPOINT_FORMAT, CheckpointRecord, Checkpoints, STATE_FILE, WAY_OUT, Which,
};
pub use data::{DataRecord, Difference, Origin, SourceFile};
pub use epochs::{EpochRow, Number, read_epochs, write_epochs};
pub use error::RecordError;
pub use evaluation::{
    EVALUATION_FILE, EvaluationRecord, MOST_MISTAKES, Mistake, MistakenInput, NamedScore,
};
pub use files::{sweep_abandoned, write_atomically, write_replacing};
pub use find::find_run;
pub use follow::{Follower, News, Rows};
pub use notes::{NOTES_FILE, Notes};
pub use pretrained::PretrainedRecord;
pub use process::TrainingProcess;
pub use run::{Best, Compute, NewRun, Resumption, RunRecord, Versions, timestamp};
pub use run_directory::{Lock, RunDirectory};
pub use steps::{Column, Measure, StepRow, StepWriter, StepsMark, read_steps};
pub use stop::{Status, Stop, StopReason};
