//! Burn's own `Learner`, recorded, stopped and judged by three lines.

#![allow(clippy::unwrap_used)]

mod recorded;
mod small;
mod stopped;
mod troubled;
