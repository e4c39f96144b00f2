//! Learning-rate schedules: the learning rate of every optimizer step.
//!
//! One file per schedule, each a pure function from progress to a factor of the base rate, so
//! that a schedule resumes anywhere from its step count alone; only `reduce_on_plateau` depends on
//! the run, and its state is part of the checkpoint. `per = "epoch"` holds the rate within an epoch,
//! as PyTorch users step their schedulers; `per = "step"` moves it every optimizer step.
//! [`Schedule`] wraps any of them as Burn's `LrScheduler`.
//!
//! A new schedule is a new file and one line in `schedules!`.
//!
//! ```
//! use converge_core::schedule::{Cosine, RunLength, ScheduleSettings};
//!
//! let settings = ScheduleSettings::Cosine(Cosine { warmup: 10, ..Cosine::default() });
//! settings.check()?;
//! let schedule = settings.build(0.1, RunLength { steps_per_epoch: 110, epochs: 1 });
//!
//! assert_eq!(schedule.learning_rate(10), 0.1);
//! assert!((schedule.learning_rate(60) - 0.05).abs() < 1e-12, "half-way down");
//! # Ok::<(), converge_settings::checks::InvalidSetting>(())
//! ```

mod about;
mod at_work;
pub mod catalogue;
mod moment;

use serde::{Deserialize, Serialize};

use about::{Common, Described};
use converge_settings::checks::{Checked, InvalidSetting};
use converge_settings::choice;
use converge_settings::ranges::Range;
use moment::Moment;

pub use about::About;
pub use at_work::Schedule;
pub use cyclic::CyclicMode;
pub use one_cycle::AnnealStrategy;
pub use reduce_on_plateau::PlateauState;
pub use warmup_stable_decay::Decay;

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
    /// The factor of the base rate.
    fn factor(&self, moment: Moment) -> f64;
    /// The schedules it is made of.
    fn parts(&self) -> &[ScheduleSettings] {
        &[]
    }
}

macro_rules! schedules {
    ($($name:literal => $module:ident::$schedule:ident),+ $(,)?) => {
        $(
            mod $module;
            pub use $module::$schedule;
        )+

        choice! {
            /// The `[schedule]` section: which schedule, and its parameters. The defaults of some
            /// have lists that an experiment has to fill.
            pub enum ScheduleSettings {
                $(#[doc = concat!("`", $name, "`")] $name => $schedule($schedule)),+
            }
        }

        impl ScheduleSettings {
            /// What a person should know about the schedule.
            pub fn about(&self) -> &'static About {
                match self { $(Self::$schedule(_) => &<$schedule as Described>::ABOUT),+ }
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
    "constant" => constant::Constant,
    "piecewise_constant" => piecewise_constant::PiecewiseConstant,
    "step" => step::Step,
    "multi_step" => multi_step::MultiStep,
    "exponential" => exponential::Exponential,
    "inverse_time" => inverse_time::InverseTime,
    "inverse_sqrt" => inverse_sqrt::InverseSqrt,
    "linear" => linear::Linear,
    "polynomial" => polynomial::Polynomial,
    "cosine" => cosine::Cosine,
    "cosine_restarts" => cosine_restarts::CosineRestarts,
    "one_cycle" => one_cycle::OneCycle,
    "cyclic" => cyclic::Cyclic,
    "warmup_stable_decay" => warmup_stable_decay::WarmupStableDecay,
    "rex" => rex::Rex,
    "chebyshev" => chebyshev::Chebyshev,
    "reduce_on_plateau" => reduce_on_plateau::ReduceOnPlateau,
    "sequence" => sequence::Sequence,
    "product" => product::Product,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self::Constant(Constant::default())
    }
}

impl ScheduleSettings {
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

/// γ, the factor of one decay.
const GAMMA: Range<f64> = Range::new("above 0, at most 1", |&gamma| gamma > 0.0 && gamma <= 1.0);

/// The parts of a schedule are in their ranges, and none of them depends on the run.
fn check_parts(parts: &[ScheduleSettings]) -> Checked {
    for (index, part) in parts.iter().enumerate() {
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

/// Elapsed units by `step_size`, rounded down on a staircase.
fn stairs(moment: Moment, step_size: usize, staircase: bool) -> f64 {
    let steps = moment.elapsed() as f64 / step_size.max(1) as f64;
    if staircase { steps.floor() } else { steps }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
