//! Learning-rate schedules: the learning rate of every optimizer step.
//!
//! One file per schedule, each a pure function from progress to a factor of the base rate, so
//! that a schedule resumes anywhere from its step count alone; only `reduce_on_plateau` depends on
//! the run, and its state is part of the checkpoint. `per = "epoch"` holds the rate within an epoch,
//! as PyTorch users step their schedulers; `per = "step"` moves it every optimizer step.
//! [`Schedule`] wraps any of them as Burn's `LrScheduler`.
//!
//! A new schedule is a new file and one line in [`schedules!`].

mod about;
mod at_work;
pub mod catalogue;
mod chebyshev;
mod constant;
mod cosine;
mod cosine_restarts;
mod cyclic;
mod exponential;
mod inverse_sqrt;
mod inverse_time;
mod linear;
mod moment;
mod multi_step;
mod one_cycle;
mod piecewise_constant;
mod polynomial;
mod product;
mod reduce_on_plateau;
mod rex;
mod sequence;
mod step;
mod warmup_stable_decay;

use serde::{Deserialize, Serialize};

use about::{Common, Described};
use converge_settings::checks::{Checked, InvalidSetting, count, ensure};
use moment::Moment;

pub use about::{About, Parameter};
pub use at_work::Schedule;
pub use chebyshev::Chebyshev;
pub use constant::Constant;
pub use cosine::Cosine;
pub use cosine_restarts::CosineRestarts;
pub use cyclic::{Cyclic, CyclicMode};
pub use exponential::Exponential;
pub use inverse_sqrt::InverseSqrt;
pub use inverse_time::InverseTime;
pub use linear::Linear;
pub use multi_step::MultiStep;
pub use one_cycle::{AnnealStrategy, OneCycle};
pub use piecewise_constant::PiecewiseConstant;
pub use polynomial::Polynomial;
pub use product::Product;
pub use reduce_on_plateau::{PlateauState, ReduceOnPlateau};
pub use rex::Rex;
pub use sequence::Sequence;
pub use step::Step;
pub use warmup_stable_decay::{Decay, WarmupStableDecay};

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

/// The shape of a schedule, without its warm-up.
trait Shape {
    /// Every parameter of its own is in its range.
    fn check(&self) -> Checked;
    /// The factor of the base rate.
    fn factor(&self, moment: Moment) -> f64;
    /// The schedules it is made of.
    fn parts(&self) -> &[ScheduleSettings] {
        &[]
    }
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

            /// Every schedule with its default settings, in the order of [`Self::NAMES`]. Some
            /// have lists that an experiment has to fill.
            pub fn all() -> Vec<Self> {
                vec![$(Self::$schedule($schedule::default())),+]
            }

            /// The name, as experiments write it.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$schedule(_) => $name),+ }
            }

            /// What a person should know about the schedule.
            pub fn about(&self) -> &'static About {
                match self { $(Self::$schedule(_) => $schedule::ABOUT),+ }
            }

            fn common(&self) -> Common {
                match self { $(Self::$schedule(schedule) => schedule.common()),+ }
            }

            fn shape(&self) -> &dyn Shape {
                match self { $(Self::$schedule(schedule) => schedule),+ }
            }
        }
    };
}

schedules! {
    "constant" => Constant,
    "piecewise_constant" => PiecewiseConstant,
    "step" => Step,
    "multi_step" => MultiStep,
    "exponential" => Exponential,
    "inverse_time" => InverseTime,
    "inverse_sqrt" => InverseSqrt,
    "linear" => Linear,
    "polynomial" => Polynomial,
    "cosine" => Cosine,
    "cosine_restarts" => CosineRestarts,
    "one_cycle" => OneCycle,
    "cyclic" => Cyclic,
    "warmup_stable_decay" => WarmupStableDecay,
    "rex" => Rex,
    "chebyshev" => Chebyshev,
    "reduce_on_plateau" => ReduceOnPlateau,
    "sequence" => Sequence,
    "product" => Product,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self::Constant(Constant::default())
    }
}

impl ScheduleSettings {
    /// Every parameter is in its range, of this schedule and of those it is made of.
    pub fn check(&self) -> Checked {
        self.common().check()?;
        self.shape().check()?;
        for (index, part) in self.shape().parts().iter().enumerate() {
            let section = format!("parts[{index}]");
            if part.depends_on_run() {
                let expected = "a schedule that does not depend on the run: `reduce_on_plateau` \
                                stands alone";
                return Err(InvalidSetting::new("name", format!("{:?}", part.name()), expected)
                    .in_section(&section));
            }
            part.check().map_err(|error| error.in_section(&section))?;
        }
        Ok(())
    }

    /// Whether the rates follow from how the training goes, and cannot be told before.
    pub fn depends_on_run(&self) -> bool {
        matches!(self, Self::ReduceOnPlateau(_))
    }

    /// Units of warm-up, and what they are.
    pub fn warmup(&self) -> (usize, Per) {
        let Common { warmup, per, .. } = self.common();
        (warmup, per)
    }

    /// The schedule of a run of `length` from `base_rate`.
    pub fn build(&self, base_rate: f64, length: RunLength) -> Schedule {
        Schedule::new(self.clone(), base_rate, length)
    }

    /// The factor of the base rate, warm-up included.
    fn factor(&self, moment: Moment) -> f64 {
        let common = self.common();
        let moment = moment.counted_in(common.per);
        self.shape().factor(moment.within(common.warmup, None)) * common.ramp(moment.elapsed())
    }

    /// Whether this schedule, or one that it is made of, counts in epochs.
    fn counts_epochs(&self) -> bool {
        let parts = self.shape().parts();
        self.common().per == Per::Epoch || parts.iter().any(Self::counts_epochs)
    }
}

/// γ, the factor of one decay, is in its range.
fn check_gamma(gamma: f64) -> Checked {
    ensure(gamma > 0.0 && gamma <= 1.0, "gamma", gamma, "above 0, at most 1")
}

/// f, the factor at the end, is in its range.
fn check_final_factor(factor: f64) -> Checked {
    ensure((0.0..=1.0).contains(&factor), "final_factor", factor, "from 0 to 1")
}

/// A length, if written, counts something.
fn check_length(length: Option<usize>) -> Checked {
    length.map_or(Ok(()), |length| count("length", length))
}

/// Elapsed units by `step_size`, rounded down on a staircase.
fn stairs(moment: Moment, step_size: usize, staircase: bool) -> f64 {
    let steps = moment.elapsed() as f64 / step_size.max(1) as f64;
    if staircase { steps.floor() } else { steps }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
