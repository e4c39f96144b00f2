//! Optimizers: how parameters move, given a gradient and a learning rate.
//!
//! One file per optimizer. The struct that an experiment's `[optimizer]` section is read into is
//! the optimizer itself, implementing Burn's [`Optimizer`](burn::optim::Optimizer). Semantics and
//! defaults are PyTorch's (`torch.optim`, 2.x) where it has the optimizer, else Keras', else those of
//! the authors' code; each file says whose. Burn's own differ in places: Adam's epsilon is 1e-5
//! (here 1e-8), dampening 0.1 (0), `RMSprop`'s momentum 0.9 (0).
//!
//! What needs more than one tensor at a time, and the weights to evaluate, are the
//! [`Conductor`]'s; what combines with any optimizer is in [`WrapperSettings`]; [`Lbfgs`], which
//! asks for losses itself, steps as an [`LbfgsMinimizer`]. A new optimizer is a new file and one line
//! in [`optimizers!`].

mod adabelief;
mod adabound;
mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod adan;
mod ademamix;
mod adopt;
mod catalogue;
mod conductor;
mod lamb;
mod lars;
mod lbfgs;
mod lbfgs_memory;
mod line_search;
mod lion;
mod matrices;
mod moments;
mod muon;
mod nadam;
mod prodigy;
mod radam;
mod rmsprop;
mod rprop;
mod rule;
mod schedule_free;
mod schedule_free_adamw;
mod schedule_free_sgd;
mod sgd;
mod shampoo;
mod soap;
mod sophia;
mod state;
mod wrappers;
mod yogi;

use burn::module::ParamId;
use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};

use converge_settings::checks::Checked;

pub use adabelief::AdaBelief;
pub use adabound::AdaBound;
pub use adadelta::AdaDelta;
pub use adafactor::Adafactor;
pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use adan::Adan;
pub use ademamix::AdEMAMix;
pub use adopt::Adopt;
pub use catalogue::OptimizerInfo;
pub use conductor::Conductor;
pub use lamb::Lamb;
pub use lars::Lars;
pub use lbfgs::{Lbfgs, LbfgsMinimizer};
pub use lion::Lion;
pub use muon::{Adjustment, Muon};
pub use nadam::NAdam;
pub use prodigy::Prodigy;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub use rprop::Rprop;
pub use schedule_free_adamw::ScheduleFreeAdamW;
pub use schedule_free_sgd::ScheduleFreeSgd;
pub use sgd::Sgd;
pub use shampoo::Shampoo;
pub use soap::Soap;
pub use sophia::Sophia;
pub use wrappers::{Cautious, Ema, GradientCentralization, Lookahead, Sam, Swa, WrapperSettings};
pub use yogi::Yogi;

macro_rules! optimizers {
    ($($name:literal => $optimizer:ident),+ $(,)?) => {
        /// The `[optimizer]` section: which optimizer, and its hyper-parameters.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "name")]
        pub enum OptimizerSettings {
            $(#[doc = concat!("`", $name, "`")] #[serde(rename = $name)] $optimizer($optimizer)),+
        }

        impl OptimizerSettings {
            /// The names that an experiment can use.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The base learning rate, which the schedule scales.
            pub fn learning_rate(&self) -> f64 {
                match self { $(Self::$optimizer(optimizer) => optimizer.learning_rate),+ }
            }

            /// Every hyper-parameter is in its range.
            pub fn check(&self) -> Checked {
                match self { $(Self::$optimizer(optimizer) => optimizer.check()),+ }
            }

            /// The optimizer for all parameters of a module, without state, where neither wrappers
            /// nor evaluation weights are wanted.
            pub fn build(&self) -> ModuleOptimizer {
                self.conducted(&WrapperSettings::default()).0
            }

            /// The optimizer for all parameters of a module, without state, and what conducts it.
            pub fn conducted(&self, wrappers: &WrapperSettings) -> (ModuleOptimizer, Conductor) {
                match self {
                    $(Self::$optimizer(optimizer) => conductor::conduct(optimizer, wrappers)),+
                }
            }

            /// `optimizer`, conducted by `conductor`, with this one for the `members`, which are
            /// parameters and their paths.
            pub fn join(
                &self,
                optimizer: ModuleOptimizer,
                conductor: &Conductor,
                members: &[(ParamId, &str)],
                wrappers: &WrapperSettings,
            ) -> ModuleOptimizer {
                match self { $(
                    Self::$optimizer(rule) => conductor.join(optimizer, members, rule, wrappers)
                ),+ }
            }

            /// The name that an experiment uses for this optimizer.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$optimizer(_) => $name),+ }
            }

            /// The whole collection, described.
            pub fn catalogue() -> Vec<OptimizerInfo> {
                vec![$(OptimizerInfo::of::<$optimizer>($name)),+]
            }
        }
    };
}

optimizers! {
    "sgd" => Sgd,
    "adam" => Adam,
    "adamw" => AdamW,
    "rmsprop" => RmsProp,
    "adagrad" => AdaGrad,
    "adadelta" => AdaDelta,
    "adamax" => Adamax,
    "nadam" => NAdam,
    "radam" => RAdam,
    "adafactor" => Adafactor,
    "lamb" => Lamb,
    "lars" => Lars,
    "lion" => Lion,
    "rprop" => Rprop,
    "adabound" => AdaBound,
    "adabelief" => AdaBelief,
    "adan" => Adan,
    "adopt" => Adopt,
    "ademamix" => AdEMAMix,
    "yogi" => Yogi,
    "sophia" => Sophia,
    "muon" => Muon,
    "schedule_free_sgd" => ScheduleFreeSgd,
    "schedule_free_adamw" => ScheduleFreeAdamW,
    "prodigy" => Prodigy,
    "shampoo" => Shampoo,
    "soap" => Soap,
    "lbfgs" => Lbfgs,
}

impl OptimizerSettings {
    /// Whether a step is w ← w − η g and nothing else, so that a weight whose gradient is zero stays
    /// as it is.
    pub fn moves_by_gradient_alone(&self) -> bool {
        matches!(self, Self::Sgd(sgd) if sgd.momentum == 0.0 && sgd.weight_decay == 0.0)
    }

    /// Whether a step depends on more than one parameter, or the weights to evaluate are not the
    /// trained ones.
    pub fn looks_beyond_a_parameter(&self) -> bool {
        self.is_schedule_free() || matches!(self, Self::Prodigy(_))
    }

    /// The same optimizer with another weight decay; `None` where it has none.
    pub fn with_weight_decay(&self, weight_decay: f64) -> Option<Self> {
        let mut settings = serde_json::to_value(self).ok()?;
        *settings.get_mut("weight_decay")? = weight_decay.into();
        serde_json::from_value(settings).ok()
    }

    /// What steps in the place of the optimizer where it has to ask for losses itself.
    pub fn minimizer(&self) -> Option<LbfgsMinimizer> {
        match self {
            Self::Lbfgs(lbfgs) => Some(lbfgs.build()),
            _ => None,
        }
    }

    /// Whether the optimizer averages weights in place of a schedule.
    pub fn is_schedule_free(&self) -> bool {
        matches!(self, Self::ScheduleFreeSgd(_) | Self::ScheduleFreeAdamW(_))
    }
}

#[cfg(test)]
mod convergence;
#[cfg(test)]
mod lbfgs_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
