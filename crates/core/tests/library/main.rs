//! What a program that uses this crate can rely on.

#![allow(clippy::unwrap_used, missing_docs)]

mod mobilenet;
mod real_data;
mod runs;
mod session;
