//! Experiments that settle what a curve cannot: short trainings and measurements around an
//! experiment, none of which makes a run or touches one.
//!
//! [`lr_find`] looks for a learning rate. What trains in them is a
//! [`Stepper`](crate::train::Stepper), whose steps are those of a run.

pub mod lr_find;
