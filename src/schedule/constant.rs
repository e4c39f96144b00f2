//! The base rate throughout.

use serde::{Deserialize, Serialize};

use super::{Per, Shape};
use crate::checks::Checked;

/// The same learning rate at every step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constant {}

impl Constant {
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "one signature for all")]
    pub(super) fn check(&self) -> Checked {
        Ok(())
    }
}

impl Shape for Constant {
    fn per(&self) -> Per {
        Per::Step
    }

    fn factor(&self, _elapsed: usize, _total: usize) -> f64 {
        1.0
    }
}
