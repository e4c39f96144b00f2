//! Where the time of a run went.

use std::time::Duration;

use converge_figures::numbers::{self, significant};

use crate::chart::{Spent, step_times};
use crate::page::{Page, table};
use crate::training::Training;

/// Where the time went.
pub(super) fn section(page: &mut Page, training: &Training) {
    let Some(chart) = step_times(&training.steps) else { return };
    page.section("Time");
    let seconds = training.record.as_ref().map_or(0.0, |record| record.seconds);
    if let Some(spent) = Spent::of(&training.steps, seconds) {
        let total = spent.steps + spent.between + spent.rest;
        let row = |name: &str, seconds: f64| {
            let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            vec![name.to_owned(), numbers::duration(time), numbers::percent(seconds / total)]
        };
        let rows = [
            row("optimizer steps, their batches included", spent.steps),
            row("between epochs: validation, checkpoints, figures", spent.between),
            row("before the first step and after the last", spent.rest),
        ];
        page.add(&table(&["where time went", "time", "share"], &rows));
        page.add(&format!(
            "<p>A step takes {} ms (median), and 99 of 100 no more than {} ms.</p>\n",
            significant(1000.0 * spent.median, 3),
            significant(1000.0 * spent.percentile_99, 3)
        ));
    }
    page.charts([chart]);
}
