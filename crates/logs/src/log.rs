//! The logs of a run while it trains, and after.

use std::time::{SystemTime, UNIX_EPOCH};

use converge_record::{EpochRow, EvaluationRecord, RecordError, RunDirectory, RunRecord, StepRow};

use crate::LogFormat;
use crate::json_lines::JsonLines;
use crate::tensorboard::TensorBoard;
use crate::times::Times;

/// The logs that a run writes; possibly none.
#[derive(Debug, Default)]
pub struct Logs {
    tensorboard: Option<TensorBoard>,
    json_lines: Option<JsonLines>,
}

impl Logs {
    /// Opens logs of `run`, of which `epochs` and `steps` are the rows so far, in these `formats`.
    /// They hold these rows then, and no others.
    pub fn open(
        run: &RunDirectory,
        formats: &[LogFormat],
        epochs: &[EpochRow],
        steps: &[StepRow],
    ) -> Result<Self, RecordError> {
        let mut logs = Self::default();
        let times = Times::of(&run.record, steps);
        if formats.contains(&LogFormat::TensorBoard) {
            logs.tensorboard = Some(TensorBoard::open(run, epochs, steps, &times)?);
        }
        if formats.contains(&LogFormat::JsonLines) {
            logs.json_lines = Some(JsonLines::open(run, epochs, steps, &times)?);
        }
        Ok(logs)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tensorboard.is_none() && self.json_lines.is_none()
    }

    /// Adds optimizer steps, of which the last one is over now.
    pub fn steps(&mut self, rows: &[StepRow]) -> Result<(), RecordError> {
        if self.is_empty() {
            return Ok(());
        }
        let mut later: f64 = rows.iter().map(|row| row.step_seconds).sum();
        let now = now();
        for row in rows {
            later -= row.step_seconds;
            if let Some(log) = &mut self.tensorboard {
                log.step(row, now - later)?;
            }
            if let Some(log) = &mut self.json_lines {
                log.step(row, now - later)?;
            }
        }
        Ok(())
    }

    /// Adds an epoch that is over now. All rows so far are then with the system.
    pub fn epoch(&mut self, row: &EpochRow) -> Result<(), RecordError> {
        if let Some(log) = &mut self.tensorboard {
            log.epoch(row, now())?;
        }
        if let Some(log) = &mut self.json_lines {
            log.epoch(row, now())?;
        }
        self.flush()
    }

    /// Hands all rows so far to the system.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        if let Some(log) = &mut self.tensorboard {
            log.flush()?;
        }
        self.json_lines.as_mut().map_or(Ok(()), JsonLines::flush)
    }

    /// Notes how the run of `record` ended, unless it is to go on.
    pub fn finish(&mut self, record: &RunRecord) -> Result<(), RecordError> {
        if let Some(log) = &mut self.tensorboard {
            log.finish(record, now())?;
        }
        self.flush()
    }
}

/// Writes logs of a run that nobody trains now in these `formats`: what they lack of its rows, how
/// it ended, and what it scored.
pub fn export(run: &RunDirectory, formats: &[LogFormat]) -> Result<(), RecordError> {
    Logs::open(run, formats, &run.epochs()?, &run.steps()?)?.finish(&run.record)?;
    match run.evaluation()? {
        Some(evaluation) => add_evaluation(run, &evaluation),
        None => Ok(()),
    }
}

/// Adds what `run` scored to the logs that it has and that show such things.
pub fn add_evaluation(
    run: &RunDirectory,
    evaluation: &EvaluationRecord,
) -> Result<(), RecordError> {
    crate::tensorboard::add_evaluation(run, evaluation, now())
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
