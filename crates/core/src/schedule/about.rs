//! The declaration of a schedule: its keys, those that all schedules share, and what `converge
//! schedules` says about it.
//!
//! [`schedule!`] adds to [`settings!`](converge_settings::settings!) what is special to schedules.

use super::Per;
use converge_settings::checks::{Checked, ensure};
use converge_settings::ranges::Range;

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
}

/// How many keys all schedules share, the last ones of each.
pub(super) const COMMON: usize = 3;

pub(super) const WARMUP: Range<usize> =
    Range::new("a whole number from 0 to 1000000000", |&units| units <= 1_000_000_000);

/// The values of the keys that all schedules share in one of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    pub(super) per: Per,
    pub(super) warmup: usize,
    pub(super) warmup_start_factor: Option<f64>,
}

impl Common {
    pub(super) fn check(self) -> Checked {
        let Self { warmup, warmup_start_factor, .. } = self;
        ensure(
            warmup > 0 || warmup_start_factor.is_none(),
            "warmup_start_factor",
            warmup_start_factor.unwrap_or_default(),
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

/// What [`schedule!`] says of every schedule.
pub(super) trait Described {
    /// What a person should know about it.
    const ABOUT: About;

    /// The keys that all schedules share.
    fn common(&self) -> Common;
}

/// Declares the settings of a schedule, with the keys that all share, and its [`About`].
macro_rules! schedule {
    (
        $(#[doc = $summary:literal])+
        pub struct $name:ident { $($keys:tt)* }
        per: $per:ident,
        formula: $formula:literal,
        source: $source:literal,
        use_when: $use_when:literal,
        $(check |$schedule:ident| $check:expr)?
    ) => {
        converge_settings::settings! {
            $(#[doc = $summary])+
            pub struct $name {
                $($keys)*
                /// w: units of linear warm-up in front, up to the schedule's first rate, which
                /// follows in unit w; the schedule's own t and T count from there
                warmup: usize = 0 => $crate::schedule::about::WARMUP,
                /// The factor of that first rate in the first unit of warm-up; 1 / (w + 1) unless
                /// written
                #[serde(skip_serializing_if = "Option::is_none")]
                warmup_start_factor: Option<f64> = None => converge_settings::ranges::UNIT,
                /// What a unit is: "step" (an optimizer step) or "epoch" (the rate changes
                /// between epochs only)
                per: $crate::schedule::Per = $crate::schedule::Per::$per,
            }
            check |settings| {
                $crate::schedule::about::Described::common(settings).check()?;
                $(
                    let $schedule = settings;
                    $check?;
                )?
                Ok(())
            }
        }

        impl $crate::schedule::about::Described for $name {
            const ABOUT: $crate::schedule::About = $crate::schedule::About {
                summary: concat!($($summary),+).trim_ascii(),
                formula: $formula,
                source: $source,
                use_when: $use_when,
            };

            fn common(&self) -> $crate::schedule::about::Common {
                let Self { per, warmup, warmup_start_factor, .. } = *self;
                $crate::schedule::about::Common { per, warmup, warmup_start_factor }
            }
        }
    };
}

pub(super) use schedule;
