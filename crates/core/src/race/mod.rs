//! A race: several settings of one experiment, each tuned with the same budget and then trained with
//! the same fresh seeds.
//!
//! [`Plan`] says who races and what it costs before anything is trained; [`Plan::run`] trains. Every
//! trial is a run directory of its own in the directory of the race, and is known there by what it
//! is of: its experiment, the data, the device, how it computes. So a race goes on wherever it was
//! stopped or killed, and another one with more seeds or one more contender trains only what is
//! not there. What the scores mean is for `converge_report::race` to say.
//!
//! Learning rates are tuned by successive halving (Jamieson and Talwalkar, AISTATS 2016): all are
//! trained for a few epochs, the best third for three times as many, the last two to the end. The
//! best one then races with fresh seeds, so that no score is the luck of the seed it was chosen by.
//! A trial of few epochs is stopped, not shortened: its schedule is that of the whole length, and it
//! is resumed when it goes on.
//!
//! Each trial computes on one thread, and as many of them as are asked for run at once. So results
//! do not depend on how many those are, and no core waits for another.
//!
//! Files, each using only those above it: `error`; `contender` (who races), `plan` (what is trained);
//! `trial` (one training, on disk), `workers` (several at once), `run` (the rounds of a race).

mod contender;
mod error;
mod plan;
mod run;
mod trial;
mod workers;

pub use contender::{Contender, Varied};
pub use error::RaceError;
pub use plan::{Plan, Request, Rung};
pub use run::{Entrant, SeedTrial, TuningTrial};
pub use workers::{Crew, Watch};

#[cfg(test)]
mod tests;
