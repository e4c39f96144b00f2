//! Where in a run a schedule is asked for its rate.

use super::{Per, RunLength};

/// An optimizer step within a run, or within the part of a run that a schedule covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// The step, counted from 0.
    step: usize,
    /// Steps in all.
    steps: usize,
    steps_per_epoch: usize,
    per: Per,
}

impl Moment {
    /// Step `step` of a run of `length`.
    pub(super) fn new(step: usize, length: RunLength) -> Self {
        let steps_per_epoch = length.steps_per_epoch.max(1);
        let steps = steps_per_epoch.saturating_mul(length.epochs);
        Self { step, steps, steps_per_epoch, per: Per::Step }
    }

    /// The same moment, its units counted in `per`.
    pub(super) fn counted_in(self, per: Per) -> Self {
        Self { per, ..self }
    }

    /// Steps in a unit.
    fn unit(self) -> usize {
        match self.per {
            Per::Step => 1,
            Per::Epoch => self.steps_per_epoch,
        }
    }

    /// Whole units before this moment.
    pub(super) fn elapsed(self) -> usize {
        self.step / self.unit()
    }

    /// Units in all.
    pub(super) fn total(self) -> usize {
        self.steps / self.unit()
    }

    /// The moment within the part that begins after `start` units and ends with unit `end`, or with
    /// the run; its beginning, for a moment before that.
    pub(super) fn within(self, start: usize, end: Option<usize>) -> Self {
        let end = end.unwrap_or_else(|| self.total());
        let units = end.saturating_sub(start);
        Self {
            step: self.step.saturating_sub(start.saturating_mul(self.unit())),
            steps: units.saturating_mul(self.unit()),
            ..self
        }
    }

    /// How much of `length` units has elapsed, from 0 to 1; of the whole unless given.
    pub(super) fn progress(self, length: Option<usize>) -> f64 {
        let length = length.unwrap_or_else(|| self.total()).max(1);
        self.elapsed().min(length) as f64 / length as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_count_steps_and_epochs_from_where_a_part_begins() {
        let run = Moment::new(37, RunLength { steps_per_epoch: 10, epochs: 9 });
        assert_eq!((run.elapsed(), run.total()), (37, 90));
        let epochs = run.counted_in(Per::Epoch);
        assert_eq!((epochs.elapsed(), epochs.total()), (3, 9));
        let part = epochs.within(2, Some(7));
        assert_eq!((part.elapsed(), part.total()), (1, 5));
        assert_eq!((part.counted_in(Per::Step).elapsed(), part.step), (17, 17));
        assert_eq!(epochs.within(5, None).elapsed(), 0);
    }
}
