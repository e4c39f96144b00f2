//! Learning-rate schedules: the learning rate of every optimizer step.
//!
//! One file per schedule, each a pure function from progress to a factor of the base rate, so
//! that a schedule resumes anywhere from its step count alone. `per = "epoch"` holds the rate
//! within an epoch, as PyTorch users step their schedulers; `per = "step"` moves it every
//! optimizer step. [`Schedule`] wraps any of them as Burn's
//! [`LrScheduler`].
//!
//! A new schedule is a new file and one line in [`schedules!`].

mod constant;
mod cosine;
mod exponential;
mod linear;
mod step;

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use serde::{Deserialize, Serialize};

use crate::checks::Checked;

pub use constant::Constant;
pub use cosine::Cosine;
pub use exponential::Exponential;
pub use linear::Linear;
pub use step::Step;

/// What a schedule counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Optimizer steps.
    #[default]
    Step,
    /// Epochs: the rate changes between epochs only.
    Epoch,
}

/// The length of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLength {
    /// Optimizer steps in an epoch, at least 1.
    pub steps_per_epoch: usize,
    /// Epochs of the run.
    pub epochs: usize,
}

impl RunLength {
    /// How many units the run lasts.
    fn total(self, per: Per) -> usize {
        match per {
            Per::Step => self.steps_per_epoch.saturating_mul(self.epochs),
            Per::Epoch => self.epochs,
        }
    }

    /// How many units lie before optimizer step `step`, counted from 0.
    fn elapsed(self, step: usize, per: Per) -> usize {
        match per {
            Per::Step => step,
            Per::Epoch => step / self.steps_per_epoch.max(1),
        }
    }
}

/// The shape of a schedule.
trait Shape {
    /// What the schedule counts in.
    fn per(&self) -> Per;
    /// The factor of the base rate after `elapsed` of `total` units.
    fn factor(&self, elapsed: usize, total: usize) -> f64;
}

macro_rules! schedules {
    ($($name:literal => $schedule:ident),+ $(,)?) => {
        /// The `[schedule]` section: which schedule, and its parameters.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name")]
        pub enum ScheduleSettings {
            $(#[doc = concat!("`", $name, "`")] #[serde(rename = $name)] $schedule($schedule)),+
        }

        impl ScheduleSettings {
            /// The names that an experiment can use.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Every parameter is in its range.
            pub fn check(&self) -> Checked {
                match self { $(Self::$schedule(schedule) => schedule.check()),+ }
            }

            fn shape(&self) -> &dyn Shape {
                match self { $(Self::$schedule(schedule) => schedule),+ }
            }
        }
    };
}

schedules! {
    "constant" => Constant,
    "step" => Step,
    "exponential" => Exponential,
    "linear" => Linear,
    "cosine" => Cosine,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self::Constant(Constant::default())
    }
}

impl ScheduleSettings {
    /// The schedule of a run of `length` from `base_rate`.
    pub fn build(&self, base_rate: f64, length: RunLength) -> Schedule {
        Schedule { settings: self.clone(), base_rate, length, next_step: 0 }
    }
}

/// A schedule at work: Burn asks it for the rate before every optimizer step.
#[derive(Debug, Clone)]
pub struct Schedule {
    settings: ScheduleSettings,
    base_rate: f64,
    length: RunLength,
    next_step: usize,
}

impl Schedule {
    /// The learning rate of optimizer step `step`, counted from 0.
    pub fn learning_rate(&self, step: usize) -> f64 {
        let shape = self.settings.shape();
        let per = shape.per();
        self.base_rate * shape.factor(self.length.elapsed(step, per), self.length.total(per))
    }

    /// The same schedule, about to give the rate of `step`.
    #[must_use]
    pub fn at_step(mut self, step: usize) -> Self {
        self.next_step = step;
        self
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

#[cfg(test)]
mod tests;
