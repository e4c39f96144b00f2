//! Optimizers: how parameters move, given a gradient and a learning rate.
//!
//! One file per optimizer. The struct that an experiment's `[optimizer]` section is read into is
//! the optimizer itself, implementing Burn's [`Optimizer`](burn::optim::Optimizer). Semantics and
//! defaults are PyTorch's (`torch.optim`, 2.x), which differ from Burn's own in places: Adam's
//! epsilon is 1e-8 (Burn 1e-5), dampening is 0 (0.1), `RMSprop` has no momentum (0.9).
//!
//! A new optimizer is a new file and one line in [`optimizers!`].

mod adam;
mod adamw;
mod moments;
mod rmsprop;
mod sgd;
mod state;

use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};

use crate::checks::Checked;

pub use adam::Adam;
pub use adamw::AdamW;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

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

            /// Whether a step is w ← w − η g and nothing else, so that a weight whose gradient is
            /// zero stays as it is.
            pub fn moves_by_gradient_alone(&self) -> bool {
                matches!(self, Self::Sgd(sgd) if sgd.momentum == 0.0 && sgd.weight_decay == 0.0)
            }

            /// The optimizer for all parameters of a module, without state.
            pub fn build(&self) -> ModuleOptimizer {
                match self { $(Self::$optimizer(optimizer) => optimizer.clone().into()),+ }
            }
        }
    };
}

optimizers! {
    "sgd" => Sgd,
    "adam" => Adam,
    "adamw" => AdamW,
    "rmsprop" => RmsProp,
}

#[cfg(test)]
mod tests;
