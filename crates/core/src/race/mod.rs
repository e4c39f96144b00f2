//! A race: several settings of one experiment, each tuned with the same budget and then trained with
//! the same seeds.
//!
//! [`Plan`] says who races and what it costs before anything is trained. [`Race`] is its directory:
//! `race.json` and a run directory for each trial, by whose names it knows what is done; so it
//! can be killed at any moment and taken up again. A trial that goes on to more epochs is resumed
//! from its checkpoint. What the scores mean is for `converge_report::race` to say.
//!
//! Learning rates are tuned by successive halving (Jamieson and Talwalkar, AISTATS 2016): all are
//! trained for a few epochs, the best third for three times as many, the last two to the end. The
//! best one then races with fresh seeds, so that no score is the luck of the seed it was chosen by.
//! A trial of few epochs is stopped, not shortened: its schedule is that of the whole length.

mod contender;
mod error;
mod plan;
mod store;
mod trial;

pub use contender::{Contender, Varied};
pub use error::RaceError;
pub use plan::{Plan, Request, Rung};
pub use store::{RACE_FILE, Race};
pub use trial::{Entrant, SeedTrial, TuningTrial, Watch};

#[cfg(test)]
mod tests;
