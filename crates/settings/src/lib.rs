//! What every crate that owns settings shares: [`checks`] of their ranges.

pub mod checks;
