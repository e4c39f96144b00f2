//! The end of a run: why it ended, and the verdict.

use converge_diagnosis::own_run::{self, RunVerdict};
use converge_diagnosis::verdict::{Options, Verdict, judge};
use converge_record::{RecordError, Status, Stop, StopReason, timestamp};

use super::Recorder;
use crate::error::{MonitorError, plainly};
use crate::outcome::Outcome;

/// How a training ended.
pub(crate) enum End {
    /// Burn came to the end of it.
    Done,
    /// Someone asked Burn to stop, perhaps with a reason.
    Interrupted(Option<String>),
    /// An error ended it.
    Failed(String),
}

impl Recorder {
    /// Ends the record of a training that was not closed: it panicked, or was never launched.
    pub(crate) fn abandon(&mut self) {
        if !self.closed {
            let reason = "it ended without a result: it panicked, or was never launched";
            // There is nobody to tell of an error here.
            drop(self.close(End::Failed(reason.to_owned())));
        }
    }

    /// Ends the record, and judges the run.
    pub(crate) fn close(&mut self, end: End) -> Result<Outcome, MonitorError> {
        self.closed = true;
        match end {
            End::Done => self.end_epoch(),
            _ => self.cut_short(),
        }
        let epochs = self.history.len();
        let record = &mut self.run.record;
        let (status, stop) = match end {
            End::Failed(error) => {
                record.error = Some(error);
                (Status::Failed, None)
            }
            End::Done | End::Interrupted(_) if self.stop.is_some() => {
                let stop = self.stop.take();
                (stop.as_ref().map_or(Status::Completed, |stop| stop.reason.status()), stop)
            }
            End::Interrupted(reason) => {
                let message = reason.unwrap_or_else(|| "stopped on request".to_owned());
                (Status::Interrupted, Some(Stop::new(StopReason::Interrupted, message)))
            }
            // Whether that is all of them, or Burn's own strategy stopped, Burn does not tell.
            End::Done => {
                let unit = if epochs == 1 { "epoch" } else { "epochs" };
                let message = format!("trained for {epochs} {unit}");
                (Status::Completed, Some(Stop::new(StopReason::MaxEpochs, message)))
            }
        };
        (record.status, record.stop) = (status, stop);
        record.finished = Some(timestamp());
        let judged = match self.error.take() {
            None => self.store(),
            Some(error) => {
                // Perhaps the disk has room again. Who reads the run should not take it for one that
                // goes on.
                self.run.record.error =
                    Some(format!("its record is not whole: {}", plainly(&error)));
                drop(self.write_record());
                Err(error)
            }
        };
        let verdict = judged.as_ref().map_or_else(
            |_| judge(&own_run::history(&self.history, status), &Options::default()),
            Clone::clone,
        );
        let outcome = Outcome {
            run: self.run.path().to_owned(),
            record: self.run.record.clone(),
            epochs: std::mem::take(&mut self.history),
            notices: std::mem::take(&mut self.notices),
            verdict,
        };
        match judged {
            Ok(_) => Ok(outcome),
            Err(error) => Err(MonitorError::NotWhole { error, outcome: Box::new(outcome) }),
        }
    }

    /// Writes the end of the run, and its verdict.
    fn store(&mut self) -> Result<Verdict, RecordError> {
        if let Some(steps) = &mut self.steps {
            steps.sync()?;
        }
        self.write_record()?;
        let verdict = own_run::verdict(&self.run, &self.history)?;
        let stored = RunVerdict { changes: vec![], verdict };
        stored.write(&self.run)?;
        Ok(stored.verdict)
    }
}
