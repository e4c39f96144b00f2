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
//! in `optimizers!`.
//!
//! ```
//! use burn::nn::LinearConfig;
//! use burn::optim::GradientsParams;
//! use burn::tensor::{Device, Tensor};
//! use converge_core::optim::{OptimizerSettings, Sgd};
//!
//! let settings = OptimizerSettings::Sgd(Sgd { learning_rate: 0.1, ..Sgd::default() });
//! settings.check()?;
//! let mut optimizer = settings.build();
//!
//! let device = Device::default().autodiff();
//! let inputs = Tensor::<2>::from_data([[0.0], [1.0], [2.0]], &device);
//! let targets = inputs.clone() * 2.0 + 1.0;
//! let mut line = LinearConfig::new(1, 1).init(&device);
//! for _ in 0..500 {
//!     let loss = (line.forward(inputs.clone()) - targets.clone()).square().mean();
//!     let gradients = GradientsParams::from_grads(loss.backward(), &line);
//!     line = optimizer.step(settings.learning_rate(), line, gradients);
//! }
//! let slope: Vec<f32> = line.weight.val().try_into_vec_as()?;
//! assert!((slope[0] - 2.0).abs() < 1e-4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalogue;
mod conductor;
mod lbfgs_memory;
mod line_search;
mod matrices;
mod moments;
mod rule;
mod schedule_free;
mod state;
mod wrappers;

use burn::module::ParamId;
use burn::optim::ModuleOptimizer;

use converge_settings::choice;
use rule::Rule;

pub use catalogue::OptimizerInfo;
pub use conductor::Conductor;
pub use lbfgs::LbfgsMinimizer;
pub use muon::Adjustment;
pub use wrappers::{Cautious, Ema, GradientCentralization, Lookahead, Sam, Swa, WrapperSettings};

macro_rules! optimizers {
    ($($name:literal => $module:ident::$optimizer:ident),+ $(,)?) => {
        $(
            mod $module;
            pub use $module::$optimizer;
        )+

        choice! {
            /// The `[optimizer]` section: which optimizer, and its hyper-parameters.
            pub enum OptimizerSettings {
                $(#[doc = concat!("`", $name, "`")] $name => $optimizer($optimizer)),+
            }
        }

        impl OptimizerSettings {
            /// The base learning rate, which the schedule scales.
            pub fn learning_rate(&self) -> f64 {
                match self { $(Self::$optimizer(optimizer) => optimizer.learning_rate),+ }
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

            /// Whether the optimizer averages weights in place of a schedule.
            pub fn is_schedule_free(&self) -> bool {
                match self { $(Self::$optimizer(_) => <$optimizer as Rule>::AVERAGES),+ }
            }

            /// Whether a step depends on more than one parameter, or the weights to evaluate are
            /// not the trained ones.
            pub fn looks_beyond_a_parameter(&self) -> bool {
                let agrees = match self { $(
                    Self::$optimizer(_) => <$optimizer as Rule>::AGREES
                ),+ };
                agrees || self.is_schedule_free()
            }

            /// The same optimizer at a learning rate for problems whose parameters are about 1 in
            /// size, such as a regression, where its default is meant for networks.
            #[must_use]
            pub fn for_small_problems(mut self) -> Self {
                let rate = match &self { $(
                    Self::$optimizer(_) => <$optimizer as Rule>::SMALL_PROBLEM_RATE
                ),+ };
                if let (Some(rate), Some(own)) = (rate, self.value_mut("learning_rate")) {
                    *own = rate;
                }
                self
            }

            /// The whole collection, described.
            pub fn catalogue() -> Vec<OptimizerInfo> {
                vec![$(OptimizerInfo::of::<$optimizer>($name)),+]
            }
        }
    };
}

optimizers! {
    "sgd" => sgd::Sgd,
    "adam" => adam::Adam,
    "adamw" => adamw::AdamW,
    "rmsprop" => rmsprop::RmsProp,
    "adagrad" => adagrad::AdaGrad,
    "adadelta" => adadelta::AdaDelta,
    "adamax" => adamax::Adamax,
    "nadam" => nadam::NAdam,
    "radam" => radam::RAdam,
    "adafactor" => adafactor::Adafactor,
    "lamb" => lamb::Lamb,
    "lars" => lars::Lars,
    "lion" => lion::Lion,
    "rprop" => rprop::Rprop,
    "adabound" => adabound::AdaBound,
    "adabelief" => adabelief::AdaBelief,
    "adan" => adan::Adan,
    "adopt" => adopt::Adopt,
    "ademamix" => ademamix::AdEMAMix,
    "yogi" => yogi::Yogi,
    "sophia" => sophia::Sophia,
    "muon" => muon::Muon,
    "schedule_free_sgd" => schedule_free_sgd::ScheduleFreeSgd,
    "schedule_free_adamw" => schedule_free_adamw::ScheduleFreeAdamW,
    "prodigy" => prodigy::Prodigy,
    "shampoo" => shampoo::Shampoo,
    "soap" => soap::Soap,
    "lbfgs" => lbfgs::Lbfgs,
}

impl OptimizerSettings {
    /// Whether a step is w ← w − η g and nothing else, so that a weight whose gradient is zero stays
    /// as it is.
    pub fn moves_by_gradient_alone(&self) -> bool {
        matches!(self, Self::Sgd(sgd) if sgd.momentum == 0.0 && sgd.weight_decay == 0.0)
    }

    /// The same optimizer with another weight decay; `None` where it has none.
    pub fn with_weight_decay(&self, weight_decay: f64) -> Option<Self> {
        let mut settings = self.clone();
        *settings.value_mut("weight_decay")? = weight_decay;
        Some(settings)
    }

    /// What steps in the place of the optimizer where it has to ask for losses itself.
    pub fn minimizer(&self) -> Option<LbfgsMinimizer> {
        match self {
            Self::Lbfgs(lbfgs) => Some(lbfgs.build()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod convergence;
#[cfg(test)]
mod dead_units;
#[cfg(test)]
mod lbfgs_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
