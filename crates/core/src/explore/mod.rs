//! Experiments that settle what a curve cannot: short trainings and measurements around an
//! experiment, none of which makes a run or touches one.
//!
//! [`lr_find`] looks for a learning rate. What trains in it is a
//! [`Stepper`](crate::train::Stepper), whose steps are those of a run. [`curvature`] asks how the loss
//! is bent around a checkpoint, which is a [`WeightSpace`](crate::train::WeightSpace): the loss as a
//! function of all weights.

pub mod curvature;
pub mod lr_find;
