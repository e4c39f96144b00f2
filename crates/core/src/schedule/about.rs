//! The keys of a schedule and what `converge schedules` says about it, written once.
//!
//! [`settings!`] makes a schedule's section of an experiment from its keys, defaults and doc
//! comments, adds the keys that all schedules share, and keeps the comments for the table of
//! `converge schedules` and `docs/schedules.md`.

use super::Per;
use converge_settings::checks::{Checked, ensure};

/// What a person should know about a schedule.
#[derive(Debug)]
pub struct About {
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The factor of the base rate η, by t of T units.
    pub formula: &'static str,
    /// Whose definition it follows.
    pub source: &'static str,
    /// When to use it.
    pub use_when: &'static str,
    /// Its keys, those that all schedules share left out.
    pub parameters: &'static [Parameter],
}

/// A key of a schedule.
#[derive(Debug)]
pub struct Parameter {
    /// The key, as experiments write it.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// The keys that all schedules share.
pub(super) const COMMON: &[Parameter] = &[
    Parameter {
        name: "warmup",
        meaning: "w: units of linear warm-up in front, up to the schedule's first rate, which \
                  follows in unit w; the schedule's own t and T count from there",
    },
    Parameter {
        name: "warmup_start_factor",
        meaning: "The factor of that first rate in the first unit of warm-up; 1 / (w + 1) unless \
                  written",
    },
    Parameter {
        name: "per",
        meaning: "What a unit is: \"step\" (an optimizer step) or \"epoch\" (the rate changes \
                  between epochs only)",
    },
];

/// The values of [`COMMON`] in one schedule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    pub(super) per: Per,
    pub(super) warmup: usize,
    pub(super) warmup_start_factor: Option<f64>,
}

impl Common {
    pub(super) fn check(self) -> Checked {
        let Self { warmup, warmup_start_factor, .. } = self;
        let most = 1_000_000_000;
        ensure(warmup <= most, "warmup", warmup, "a whole number from 0 to 1000000000")?;
        let start = warmup_start_factor.unwrap_or_default();
        ensure((0.0..=1.0).contains(&start), "warmup_start_factor", start, "from 0 to 1")?;
        ensure(
            warmup > 0 || warmup_start_factor.is_none(),
            "warmup_start_factor",
            start,
            "left out unless `warmup` is above 0",
        )
    }

    /// The factor of the first rate after `elapsed` units of warm-up, as
    /// `torch.optim.lr_scheduler.LinearLR`; 1 from unit w on.
    pub(super) fn ramp(self, elapsed: usize) -> f64 {
        let Self { warmup, warmup_start_factor, .. } = self;
        if elapsed >= warmup {
            return 1.0;
        }
        let start = warmup_start_factor.unwrap_or(1.0 / (warmup + 1) as f64);
        start + (1.0 - start) * (elapsed as f64 / warmup as f64)
    }
}

/// What [`settings!`] says of every schedule.
pub(super) trait Described {
    /// What a person should know about it.
    const ABOUT: &'static About;
}

/// Defines the settings of a schedule, with the keys that all share, and its [`About`].
macro_rules! settings {
    (
        $(#[doc = $summary:literal])+
        pub struct $name:ident {
            $(
                $(#[doc = $meaning:literal])+
                $(#[serde($($serde:tt)+)])?
                $key:ident: $type:ty = $default:expr,
            )*
        }
        per: $per:ident,
        formula: $formula:literal,
        source: $source:literal,
        use_when: $use_when:literal $(,)?
    ) => {
        $(#[doc = $summary])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[doc = $meaning])+
                $(#[serde($($serde)+)])?
                pub $key: $type,
            )*
            /// w: units of linear warm-up in front.
            pub warmup: usize,
            /// The factor of the first rate in the first unit of warm-up; 1 / (w + 1) unless
            /// written.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub warmup_start_factor: Option<f64>,
            /// What a unit is.
            pub per: $crate::schedule::Per,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($key: $default,)*
                    warmup: 0,
                    warmup_start_factor: None,
                    per: $crate::schedule::Per::$per,
                }
            }
        }

        impl $name {
            pub(super) fn common(&self) -> $crate::schedule::about::Common {
                let Self { per, warmup, warmup_start_factor, .. } = *self;
                $crate::schedule::about::Common { per, warmup, warmup_start_factor }
            }
        }

        impl $crate::schedule::about::Described for $name {
            const ABOUT: &'static $crate::schedule::about::About =
                &$crate::schedule::about::About {
                    summary: concat!($($summary),+),
                    formula: $formula,
                    source: $source,
                    use_when: $use_when,
                    parameters: &[$($crate::schedule::about::Parameter {
                        name: stringify!($key),
                        meaning: concat!($($meaning),+),
                    }),*],
                };
        }
    };
}

pub(super) use settings;
