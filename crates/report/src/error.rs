//! Why there is no page and no comparison.

use converge_diagnosis::read::ReadError;

/// Why there is no page and no comparison.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// What was named is neither a run nor a log.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// There is no run to compare.
    #[error("there is nothing to compare: name two runs or logs, or more")]
    NoRuns,
    /// No run has the score that was asked for.
    #[error("no run has a score `{wanted}`; they have: {}", available.join(", "))]
    NoSuchScore {
        /// What was asked for.
        wanted: String,
        /// The scores there are.
        available: Vec<String>,
    },
    /// The crate `plotly` is of another make than this program expects.
    #[error("the chart library has no script where its crate had one; build with `plotly` 0.14")]
    NoChartLibrary,
    /// The numbers of a chart or a table could not be written.
    #[error("cannot write {what}: {reason}")]
    Write {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

impl ReportError {
    /// `what` could not be written.
    pub(crate) fn write(what: &'static str, reason: &impl ToString) -> Self {
        Self::Write { what, reason: reason.to_string() }
    }
}
