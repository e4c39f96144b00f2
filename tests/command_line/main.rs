//! The program as a user meets it: commands, what they print, the files they leave.

#![allow(clippy::unwrap_used, missing_docs)]

#[cfg(all(feature = "flex", feature = "ndarray", feature = "wgpu"))]
mod backends;
mod common;
mod diagnose;
mod explore;
mod lab;
mod logs;
mod own_data;
mod race;
mod resume;
mod runs;
mod schedule;
mod train;
mod transfer;
mod usage;
mod watch;
