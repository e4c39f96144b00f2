//! The product of schedules, as `torch.optim.lr_scheduler.ChainedScheduler` for those that multiply.
//!
//! Each part runs over the whole of the run and counts in units of its own.

use super::about::schedule;
use super::{Moment, ScheduleSettings, Shape, check_parts};
use converge_settings::checks::ensure;

schedule! {
    /// The factors of several schedules, multiplied.
    pub struct Product {
        /// The schedules, each as a `[[schedule.parts]]`.
        parts: Vec<ScheduleSettings> = vec![],
    }
    per: Step,
    formula: "the product of the factors of all parts",
    source: "torch.optim.lr_scheduler.ChainedScheduler",
    use_when: "For decays in different units: a warm-up in steps and a decay in epochs, or cycles \
               that become lower",
    check |schedule| {
        let count = schedule.parts.len();
        ensure(count >= 2, "parts", count, "two schedules or more")?;
        check_parts(&schedule.parts)
    }
}

impl Shape for Product {
    fn factor(&self, moment: Moment) -> f64 {
        self.parts.iter().map(|part| part.factor(moment)).product()
    }

    fn parts(&self) -> &[ScheduleSettings] {
        &self.parts
    }
}
