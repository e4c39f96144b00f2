//! One pass over memory per optimizer update, in place: weights, gradient and state are read once
//! and written once.
//!
//! On request the same pass adds up the squares of the gradient, of the weights before and of their
//! change, which the record of a step needs. Formulas and order of operations are those of `torch.optim`
//! (single tensor). Large tensors are cut into chunks of fixed size, so that results do not
//! depend on the number of threads. Called per parameter by the optimizers. The rules import from
//! `update`, which applies them.

mod adam;
mod rmsprop;
mod sgd;
#[cfg(test)]
mod tests;
mod update;

pub use adam::{AdamState, AdamUpdate};
pub use rmsprop::{RmsPropState, RmsPropUpdate};
pub use sgd::SgdUpdate;
pub use update::SquaredNorms;
