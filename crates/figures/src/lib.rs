//! What a person looks at: figures, tables and pages.
//!
//! Everything here returns a `String` or bytes; `cli` decides where they go. [`LearningCurves`]
//! describes the curves of a run as a [`figure::Figure`], [`LearningRates`] those of a schedule;
//! [`mod@figure`] has the parts of any other figure and draws them all as SVG. [`render_png`] turns
//! such an SVG into a PNG image, [`table()`] and its relatives lay out tables for a [`Look`],
//! [`html`] writes pages, and [`numbers`] writes numbers the way all commands do.

mod error;
pub mod figure;
mod gaps;
pub mod html;
mod learning_curves;
mod learning_rates;
mod milestones;
pub mod numbers;
mod png;
mod results;
mod table;
mod text;

pub use error::ReportError;
pub use learning_curves::{EpochPoint, LearningCurves, StopMark};
pub use learning_rates::{LearningRates, sparkline};
pub use milestones::{Milestone, milestones};
pub use png::render_png;
pub use results::{classification_report_table, confusion_matrix_table, regression_table};
pub use table::{Look, table};
