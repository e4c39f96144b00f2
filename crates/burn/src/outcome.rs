//! What a recorded training comes to.

use std::fmt;
use std::path::PathBuf;

use burn::train::LearningResult;
use converge_diagnosis::command::quoted;
use converge_diagnosis::verdict::{Severity, Verdict};
use converge_record::{EpochRow, RunRecord, Status, StopReason};

use crate::error::MonitorError;
use crate::notice::Notice;

/// A training that was recorded.
pub struct Trained<M> {
    /// What Burn returns: the model of the last epoch among it.
    pub result: LearningResult<M>,
    /// What was recorded; an error where that is not whole.
    pub outcome: Result<Outcome, MonitorError>,
}

/// What a recorded training came to. Shown, it is a few lines for people.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The directory of the run.
    pub run: PathBuf,
    /// Its `run.json`: the status, why it stopped, the best epoch, the times.
    pub record: RunRecord,
    /// Every whole epoch.
    pub epochs: Vec<EpochRow>,
    /// What was told while it trained.
    pub notices: Vec<Notice>,
    /// The verdict.
    pub verdict: Verdict,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.record.stop.as_ref().map(|stop| stop.reason);
        let state = match self.record.status {
            Status::Completed if reason != Some(StopReason::MaxEpochs) => "stopped early",
            Status::Completed => "completed",
            Status::Interrupted => "interrupted",
            Status::Diverged => "diverged",
            Status::Running | Status::Failed => "failed",
        };
        let stop = self.record.stop.as_ref().map(|stop| &stop.message);
        let why = stop.or(self.record.error.as_ref()).map_or("", String::as_str);
        writeln!(formatter, "{state}: {why}")?;
        let Verdict { summary, confidence, findings, .. } = &self.verdict;
        writeln!(formatter, "verdict: {summary} [{:.0} % sure]", 100.0 * confidence)?;
        for finding in findings.iter().filter(|finding| finding.severity >= Severity::Warning) {
            writeln!(formatter, "{}", finding.message)?;
        }
        for notice in &self.notices {
            writeln!(formatter, "told in {notice}")?;
        }
        let run = quoted(&self.run);
        write!(formatter, "why: converge diagnose {run}\nsee: converge report {run}")
    }
}
