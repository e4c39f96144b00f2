//! Schedules one after another, as `torch.optim.lr_scheduler.SequentialLR`.
//!
//! Part i runs from milestone i − 1 to milestone i, the last one to the end of the run; each begins
//! at its own beginning and is as long as its part. Parts of a sequence of epochs may count steps.

use super::about::schedule;
use super::multi_step::check_ascending;
use super::{Moment, Per, ScheduleSettings, Shape, check_parts};
use converge_settings::checks::{InvalidSetting, ensure};

schedule! {
    /// Schedules one after another.
    pub struct Sequence {
        /// m: the first unit of every part but the first, ascending.
        milestones: Vec<usize> = vec![],
        /// The schedules, each as a `[[schedule.parts]]`, one more than `milestones`.
        parts: Vec<ScheduleSettings> = vec![],
    }
    per: Step,
    formula: "that of part i at t − mᵢ, where i counts the milestones m ≤ t",
    source: "torch.optim.lr_scheduler.SequentialLR",
    use_when: "Where one schedule follows another, such as a plateau of its own before a decay",
    check |schedule| {
        let Self { milestones, parts, per, .. } = schedule;
        check_ascending("milestones", milestones)?;
        ensure(
            parts.len() == milestones.len() + 1,
            "parts",
            parts.len(),
            "one schedule more than `milestones`",
        )?;
        for (index, part) in parts.iter().enumerate() {
            if *per == Per::Step && part.counts_epochs() {
                let key = format!("parts[{index}].per");
                let expected = "\"step\" in a sequence with `per = \"step\"`: a part need not \
                                begin with an epoch";
                return Err(InvalidSetting::new(&key, "\"epoch\"", expected));
            }
        }
        check_parts(parts)
    }
}

impl Shape for Sequence {
    fn factor(&self, moment: Moment) -> f64 {
        let elapsed = moment.elapsed();
        let index = self.milestones.iter().filter(|&&milestone| milestone <= elapsed).count();
        let start = index.checked_sub(1).and_then(|before| self.milestones.get(before)).copied();
        let part = moment.within(start.unwrap_or(0), self.milestones.get(index).copied());
        self.parts.get(index).map_or(1.0, |schedule| schedule.factor(part))
    }

    fn parts(&self) -> &[ScheduleSettings] {
        &self.parts
    }
}
