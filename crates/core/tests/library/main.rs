//! What a program that uses this crate can rely on.

#![allow(clippy::unwrap_used, missing_docs)]

#[allow(clippy::expect_used, dead_code, unreachable_pub)]
mod fuzz_corpus;
mod mobilenet;
mod real_data;
mod runs;
mod session;
