//! Learning curves: losses and metrics by epoch, and what every optimizer step did.

use converge_diagnosis::{History, Series};
use converge_record::EpochRow;

use super::{Chart, MOST_POINTS};
use crate::training::Training;

/// The most series of a log beyond those that are judged.
const MOST_OTHERS: usize = 24;

/// Losses and metrics, by epoch or by what the log counts.
pub(crate) fn by_epoch(training: &Training) -> Vec<Chart> {
    let mut charts = if training.epochs.is_empty() {
        of_history(&training.history)
    } else {
        of_epochs(&training.epochs)
    };
    if let (Some(best), Some(judged)) = (training.verdict.best, &training.verdict.judged) {
        let base = base(&judged.name);
        let shows = |chart: &&mut Chart| chart.title == base || chart.title == judged.name;
        if let Some(chart) = charts.iter_mut().find(shows) {
            chart.mark(best.x, "best");
        }
    }
    charts
}

/// A chart for each metric of `epochs.csv`, of training and validation together.
fn of_epochs(rows: &[EpochRow]) -> Vec<Chart> {
    let x: Vec<f64> = rows.iter().map(|row| row.epoch as f64).collect();
    let mut charts: Vec<Chart> = vec![];
    let names = rows.first().map(|row| row.metrics.as_slice()).unwrap_or_default();
    for (name, _) in names {
        let y: Vec<f64> = rows.iter().map(|row| row.metric(name).unwrap_or(f64::NAN)).collect();
        let title = base(name);
        let place = charts.iter().position(|chart| chart.title == title).unwrap_or_else(|| {
            let mut chart = Chart::curves(title, "epoch", title);
            chart.tick_epochs(rows.len() as f64);
            charts.push(chart);
            charts.len() - 1
        });
        charts[place].add(name, usize::from(title != name), &x, &y);
    }
    charts
}

/// The same of the log of another tool.
fn of_history(history: &History) -> Vec<Chart> {
    let axis = history.x.as_deref().unwrap_or("point");
    let chart = |mut all: Vec<(usize, &Series)>| {
        // A run may have diverged before its first epoch was over.
        all.retain(|(_, series)| series.y.iter().any(|y| y.is_finite()));
        let (_, first) = all.first()?;
        let mut chart = Chart::curves(base(&first.name), axis, base(&first.name));
        for (color, series) in all {
            chart.add(&series.name, color, &series.x, &series.y);
        }
        Some(chart)
    };
    let loss = [&history.train_loss, &history.validation_loss];
    let loss = loss.into_iter().enumerate();
    let loss = loss.filter_map(|(color, series)| Some((color, series.as_ref()?)));
    let metric = [&history.train_metric, &history.metric].into_iter().enumerate();
    let metric = metric.filter_map(|(color, metric)| Some((color, &metric.as_ref()?.series)));
    let rate = history.learning_rate.iter().map(|series| (0, series));
    [loss.collect(), metric.collect(), rate.collect()].into_iter().filter_map(chart).collect()
}

/// The series of a log that nothing else shows, and how many more there are.
pub(crate) fn other_series(history: &History) -> (Vec<Chart>, usize) {
    let axis = history.x.as_deref().unwrap_or("point");
    let shown = history.others.len().clamp(1, MOST_OTHERS);
    let charts = history.others.iter().take(MOST_OTHERS).map(|series| {
        let mut chart = Chart::curves(&series.name, axis, &series.name);
        chart.height = 240;
        chart.add_within(&series.name, 0, &series.x, &series.y, MOST_POINTS * 6 / shown.max(6));
        chart
    });
    (charts.collect(), history.others.len().saturating_sub(MOST_OTHERS))
}

/// What every step did, of the whole model.
pub(crate) fn by_step(training: &Training) -> Vec<Chart> {
    const SHOWN: [(&str, &str, &str); 6] = [
        ("loss", "training loss of every step", ""),
        ("learning_rate", "learning rate", ""),
        ("gradient_norm", "gradient norm", "‖g‖ over all parameters, before clipping."),
        ("update_ratio", "update ratio", "‖Δw‖ / ‖w‖ over all parameters."),
        ("parameter_norm", "parameter norm", "‖w‖ over all parameters."),
        (
            "gradient_cosine",
            "cosine of successive gradients",
            "Near 1, steps go on in one direction; below 0, they go back and forth.",
        ),
    ];
    let chart = |(column, title, caption): &(&str, &str, &str)| {
        let series = training.history.steps.iter().find(|series| series.name == *column)?;
        let mut chart = Chart::curves(title, "optimizer step", title);
        if !caption.is_empty() {
            chart.say(caption);
        }
        chart.add(column, 0, &series.x, &series.y);
        if *column == "learning_rate" {
            // A constant rate would stand somewhere between −1 and 1.
            chart.begin_with_zero();
        }
        Some(chart)
    };
    SHOWN.iter().filter_map(chart).collect()
}

/// A metric without what says that it is of validation.
fn base(name: &str) -> &str {
    name.strip_prefix("val_").unwrap_or(name)
}
