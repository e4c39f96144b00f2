//! What a person sees of a training run, and of several beside each other: pages of HTML, tables for
//! the terminal, CSV and JSON.
//!
//! [`Training::read`] takes a run of Converge or the log of another tool with all that is there, and
//! says what is not; it fails only where there is nothing to show. [`report`] makes the page of one,
//! [`Comparison`] compares several and has its own page. A page is one file that asks for nothing from
//! elsewhere: its charts are drawn by plotly.js, which the crate `plotly` carries.
//!
//! ```
//! use converge_report::{Comparison, Training, report};
//!
//! # fn main() -> Result<(), converge_report::ReportError> {
//! let run = Training::read("../record/tests/linear".as_ref())?;
//! assert!(report(&run)?.contains("linear"));
//!
//! let comparison = Comparison::of(&[run.clone(), run], None)?;
//! assert_eq!(comparison.runs.len(), 2);
//! # Ok(())
//! # }
//! ```

mod chart;
mod comparison;
mod configuration;
mod downsample;
mod error;
mod page;
pub mod race;
mod report;
mod scores;
mod training;

pub use comparison::{ComparedRun, Comparison, Difference, Group, Keys, Outcome, Score};
pub use configuration::{Setting, settings};
pub use error::ReportError;
pub use page::chart_library;
pub use report::report;
pub use scores::Role;
pub use training::{State, Training};
