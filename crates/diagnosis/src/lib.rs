//! Judges training by its curves: where a loss is going, and whether to stop.
//!
//! Everything here takes plain numbers, an epoch each, and knows nothing of models or Burn, so that
//! training, labs and verdicts on finished runs judge alike: [`CurveFit`] says where a curve will
//! level off and how sure that is, [`Criterion`] when the rules of the literature would stop,
//! [`EarlyStoppingState`] is the rule that training itself follows, and [`Mode`] says which of two
//! values of a metric is better. [`verdict`] says in one verdict what a finished or running
//! training did, with its evidence and what to do.
//!
//! # Judging a curve
//!
//! ```
//! use converge_diagnosis::{Criterion, CurveFit, CurveModel, EarlyStoppingSettings};
//!
//! # fn main() -> Result<(), converge_diagnosis::FitError> {
//! // A validation loss that falls towards 0.3 and wavers a little.
//! let losses: Vec<f64> = (1..=60)
//!     .map(f64::from)
//!     .map(|t| 0.3 + 2.0 * (-0.1 * t).exp() + 0.005 * (1.7 * t).sin())
//!     .collect();
//!
//! // Where does it go? The floor, with an interval that would hold it 95 times in 100.
//! let points: Vec<(f64, f64)> = (1..).map(f64::from).zip(losses.iter().copied()).collect();
//! let fit = CurveFit::new(CurveModel::Exponential, &points)?;
//! let (low, high) = fit.interval(&points, 0.95);
//! assert!(low < 0.3 && 0.3 < high && high - low < 0.01);
//!
//! // Would early stopping have stopped it? After five epochs that gain less than 0.01 in all.
//! let settings = EarlyStoppingSettings { patience: 5, min_delta: 0.01, ..Default::default() };
//! let Some((epoch, stop)) = settings.first_stop(&losses) else { panic!("it went on") };
//! assert_eq!(epoch, 52);
//! let said = "val_loss has not improved for 5 epochs (best 0.313301 in epoch 47)";
//! assert_eq!(stop.message, said);
//!
//! // It never rose 5 % above its least.
//! assert_eq!(Criterion::GeneralizationLoss(5.0).stop(&[], &losses, 5), None);
//! # Ok(())
//! # }
//! ```

pub mod command;
mod criteria;
mod curve_fit;
mod early_stopping;
mod history;
mod monitor;
pub mod own_run;
pub mod read;
mod student_t;
pub mod verdict;

pub use criteria::{Criterion, generalization_losses, training_progress};
pub use curve_fit::{CurveFit, CurveModel, FitError, standard_errors_at};
pub use early_stopping::{EarlyStoppingSettings, EarlyStoppingState};
pub use history::{History, Log, Metric, Series};
pub use monitor::{DeltaMode, Mode};
pub use student_t::{student_t, student_t_within};
