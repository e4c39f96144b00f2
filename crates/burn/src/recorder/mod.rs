//! Writes a run down as it trains.
//!
//! Knows nothing of Burn but the handle that stops a training. The first file that cannot be written
//! ends the recording, not the training: notices and rules go on from memory.

mod ending;
mod judging;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use burn::train::Interrupter;
use converge_diagnosis::verdict::Notices;
use converge_diagnosis::{EarlyStoppingSettings, EarlyStoppingState, Mode};
use converge_record::{
    EpochRow, Lock, Number, RecordError, RunDirectory, StepRow, StepWriter, StepsMark, Stop,
    StopReason, write_epochs,
};

use crate::error::plainly;
use crate::notice::Notice;
use crate::rules::StopWhen;
pub(crate) use ending::End;

/// Whoever watches the run sees its steps at least so often.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// What is done with a notice.
pub(crate) type Tell = Box<dyn Fn(&Notice) + Send>;

/// A recorder that several of Burn's threads share.
#[derive(Clone)]
pub(crate) struct SharedRecorder(Arc<Mutex<Recorder>>);

impl SharedRecorder {
    pub(crate) fn new(recorder: Recorder) -> Self {
        Self(Arc::new(Mutex::new(recorder)))
    }

    /// Locks, whether or not another thread panicked while it held the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to end a training early, and whom notices are told.
pub(crate) struct Rules {
    pub early_stopping: Option<EarlyStoppingSettings>,
    pub stop_when: Vec<StopWhen>,
    pub tell: Tell,
}

/// The record of a run, and what is remembered for it.
pub(crate) struct Recorder {
    pub run: RunDirectory,
    pub interrupter: Interrupter,
    /// Keeps others from training the run.
    _lock: Lock,
    rules: Rules,
    began: Instant,
    steps: Option<StepWriter>,
    step: usize,
    flushed: Instant,
    /// An epoch of which only training is done.
    training: Option<EpochRow>,
    history: Vec<EpochRow>,
    early_stopping: EarlyStoppingState,
    findings: Notices,
    notices: Vec<Notice>,
    stop: Option<Stop>,
    error: Option<RecordError>,
    closed: bool,
}

impl Recorder {
    pub(crate) fn new(run: RunDirectory, lock: Lock, rules: Rules) -> Self {
        Self {
            run,
            interrupter: Interrupter::new(),
            _lock: lock,
            rules,
            began: Instant::now(),
            steps: None,
            step: 0,
            flushed: Instant::now(),
            training: None,
            history: vec![],
            early_stopping: EarlyStoppingState::default(),
            findings: Notices::default(),
            notices: vec![],
            stop: None,
            error: None,
            closed: false,
        }
    }

    /// The column `name` holds a metric of which higher values are better, or lower ones.
    pub(crate) fn define(&mut self, name: &str, higher_is_better: bool) {
        if let Some(settings) = &mut self.rules.early_stopping
            && settings.monitor.strip_prefix("val_").unwrap_or(&settings.monitor) == name
            && settings.mode == Mode::Auto
        {
            settings.mode = if higher_is_better { Mode::Max } else { Mode::Min };
        }
    }

    /// The training begins, of a model with so many parameters on these devices.
    pub(crate) fn begin(&mut self, interrupter: Interrupter, parameters: usize, device: String) {
        (self.interrupter, self.began) = (interrupter, Instant::now());
        let record = &mut self.run.record;
        (record.parameters, record.device) = (parameters, device);
        let written = self.run.write();
        self.attempt(1, written);
    }

    /// Whether there is anything that ends the training early.
    pub(crate) fn has_rules(&self) -> bool {
        self.rules.early_stopping.is_some() || !self.rules.stop_when.is_empty()
    }

    /// Whether the training is to end now.
    pub(crate) fn stops(&self) -> bool {
        self.stop.is_some()
    }

    /// The newest notice.
    pub(crate) fn news(&self) -> String {
        self.notices.last().map_or_else(|| "nothing to say".to_owned(), ToString::to_string)
    }

    /// The training trained a batch, in so many seconds.
    pub(crate) fn batch(&mut self, epoch: usize, loss: Option<f64>, rate: f64, seconds: f64) {
        self.step += 1;
        let Some(loss) = loss else { return };
        let row = StepRow {
            epoch,
            step: self.step,
            loss,
            learning_rate: rate,
            gradient_norm: None,
            parameter_norm: None,
            update_ratio: None,
            gradient_cosine: None,
            step_seconds: seconds,
            parts: vec![],
        };
        if self.error.is_none() {
            let written = self.write_step(&row);
            self.attempt(epoch, written);
        }
        if !loss.is_finite()
            && self.stop.is_none()
            && self.rules.stop_when.contains(&StopWhen::Diverging)
        {
            let message = format!(
                "the training loss became {loss} in epoch {epoch}, step {} (learning rate {rate:e})",
                self.step
            );
            self.interrupter.stop(Some(&message));
            self.stop = Some(Stop::new(StopReason::NonFiniteLoss, message));
        }
    }

    fn write_step(&mut self, row: &StepRow) -> Result<(), RecordError> {
        if self.steps.is_none() {
            let path = self.run.steps_file();
            self.steps = Some(StepWriter::open(&path, &[], &StepsMark::default())?);
        }
        let Some(steps) = &mut self.steps else { return Ok(()) };
        steps.write(row)?;
        if self.flushed.elapsed() >= FLUSH_EVERY {
            steps.flush()?;
            self.flushed = Instant::now();
        }
        Ok(())
    }

    /// Training of a whole epoch is done. Validation may follow.
    pub(crate) fn end_training(&mut self, epoch: usize, metrics: Metrics, learning_rate: f64) {
        self.end_epoch();
        self.training = Some(EpochRow { epoch, metrics, learning_rate });
    }

    /// Validation of a whole epoch is done.
    pub(crate) fn end_validation(&mut self, metrics: Metrics) {
        if let Some(row) = &mut self.training {
            row.metrics.extend(metrics);
        }
        self.end_epoch();
    }

    /// Drops the epoch that was cut short.
    pub(crate) fn cut_short(&mut self) {
        self.training = None;
    }

    /// Records the epoch that is done, if one is, and judges it.
    pub(crate) fn end_epoch(&mut self) {
        let Some(row) = self.training.take() else { return };
        let epoch = row.epoch;
        self.history.push(aligned(row, self.history.first()));
        self.notice(epoch);
        self.judge(epoch);
        if self.error.is_none() {
            let written = self.write_epoch();
            self.attempt(epoch, written);
        }
    }

    fn write_epoch(&mut self) -> Result<(), RecordError> {
        write_epochs(&self.run.epochs_file(), &self.history)?;
        if let Some(steps) = &mut self.steps {
            steps.flush()?;
        }
        self.write_record()
    }

    fn write_record(&mut self) -> Result<(), RecordError> {
        let best = self.best();
        let record = &mut self.run.record;
        record.seconds = self.began.elapsed().as_secs_f64();
        record.epochs_done = self.history.len();
        record.steps_done = self.step;
        record.best = best;
        self.run.write()
    }

    /// Ends the recording at the first error.
    pub(crate) fn attempt(&mut self, epoch: usize, written: Result<(), RecordError>) {
        if let Err(error) = written
            && self.error.is_none()
        {
            let reason = plainly(&error);
            let message = format!("The training goes on, but is recorded no further: {reason}.");
            self.error = Some(error);
            self.tell_once("not_recorded", epoch, message);
        }
    }
}

/// The metrics of an epoch, by their columns.
pub(crate) type Metrics = Vec<(String, Number)>;

/// `row` with the columns of the first one, which a table has: what was not measured is no number.
fn aligned(row: EpochRow, first: Option<&EpochRow>) -> EpochRow {
    let Some(first) = first else { return row };
    let value = |name: &str| Number(row.metric(name).unwrap_or(f64::NAN));
    let metrics = first.metrics.iter().map(|(name, _)| (name.clone(), value(name))).collect();
    EpochRow { metrics, ..row }
}
