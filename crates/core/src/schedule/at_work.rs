//! A schedule at work: Burn asks it for the rate before every optimizer step.
//!
//! The session keeps a second handle, by which it tells the schedule how each epoch went, and keeps
//! what the schedule remembers in the checkpoint.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};

use super::{Moment, PlateauState, RunLength, ScheduleSettings};

/// A schedule at work. Clones count steps on their own, but remember the same plateau.
#[derive(Debug, Clone)]
pub struct Schedule {
    settings: ScheduleSettings,
    base_rate: f64,
    length: RunLength,
    next_step: usize,
    plateau: Arc<Mutex<PlateauState>>,
}

impl Schedule {
    pub(super) fn new(settings: ScheduleSettings, base_rate: f64, length: RunLength) -> Self {
        Self { settings, base_rate, length, next_step: 0, plateau: Arc::default() }
    }

    /// The learning rate of optimizer step `step`, counted from 0. Where the schedule depends on the
    /// run: as things stand now.
    pub fn learning_rate(&self, step: usize) -> f64 {
        let factor = self.settings.factor(Moment::new(step, self.length));
        self.base_rate * factor * self.plateau().factor
    }

    /// The same schedule, about to give the rate of `step`.
    #[must_use]
    pub fn at_step(mut self, step: usize) -> Self {
        self.next_step = step;
        self
    }

    /// The same schedule, remembering `state`.
    #[must_use]
    pub fn with_plateau(self, state: PlateauState) -> Self {
        *self.plateau() = state;
        self
    }

    /// The same schedule of another base rate, for a group of parameters: what one of the two
    /// remembers of the run, the other remembers too.
    #[must_use]
    pub fn at_rate(&self, base_rate: f64) -> Self {
        Self { base_rate, ..self.clone() }
    }

    /// Takes notice of the end of `epoch`, from 1, whose metrics `metric` gives by name. Epochs of
    /// warm-up are not judged.
    pub fn observe(&self, epoch: usize, metric: impl FnOnce(&str) -> Option<f64>) {
        if let ScheduleSettings::ReduceOnPlateau(settings) = &self.settings
            && epoch > settings.warmup
        {
            let value = metric(&settings.monitor).unwrap_or(f64::NAN);
            self.plateau().observe(settings, value);
        }
    }

    /// What the schedule remembers, if it depends on the run.
    pub fn plateau_state(&self) -> Option<PlateauState> {
        self.settings.depends_on_run().then(|| self.plateau().clone())
    }

    /// The state is whole at every moment, also if another thread panicked while it held the lock.
    fn plateau(&self) -> MutexGuard<'_, PlateauState> {
        self.plateau.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const STEP_KEY: &str = "next_step";

impl LrScheduler for Schedule {
    fn step(&mut self) -> f64 {
        let rate = self.learning_rate(self.next_step);
        self.next_step += 1;
        rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar(STEP_KEY, self.next_step)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        if let Some(step) = record.scalar(STEP_KEY) {
            self.next_step = step;
        }
    }
}
