//! When the rows of a run were written, as far as its files tell.
//!
//! A session is known by when it began, and a step by how long it took. The passes over the
//! validation samples in between are not known: times are early by these.

use std::collections::BTreeMap;

use converge_record::{EpochRow, RunRecord, StepRow};

/// Seconds since 1970.
#[derive(Debug)]
pub(crate) struct Times {
    started: f64,
    steps: Vec<f64>,
    epochs: BTreeMap<usize, f64>,
}

impl Times {
    /// The times of the run of `record`, of which `steps` are the rows.
    pub(crate) fn of(record: &RunRecord, steps: &[StepRow]) -> Self {
        let started = record.started_at().map_or(0.0, |time| time.as_duration().as_secs_f64());
        let mut sessions = record
            .resumed
            .iter()
            .filter_map(|one| {
                Some((one.epochs_done, one.resumed_at()?.as_duration().as_secs_f64()))
            })
            .peekable();
        let mut times = Self { started, steps: vec![], epochs: BTreeMap::new() };
        let mut now = started;
        for row in steps {
            while let Some((_, began)) = sessions.next_if(|(done, _)| *done < row.epoch) {
                // Steps of an epoch that was stopped in its middle stand after its resumption.
                now = now.max(began);
            }
            now += row.step_seconds;
            times.steps.push(now);
            times.epochs.insert(row.epoch, now);
        }
        times
    }

    /// When the step at `place` among the rows was over.
    pub(crate) fn step(&self, place: usize) -> f64 {
        self.steps.get(place).copied().unwrap_or(self.started)
    }

    /// When the last step of the epoch of `row` was over; where its steps are gone, that of the epoch
    /// before.
    pub(crate) fn epoch(&self, row: &EpochRow) -> f64 {
        self.epochs.range(..=row.epoch).next_back().map_or(self.started, |(_, time)| *time)
    }
}
