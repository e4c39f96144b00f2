//! The learning curves of a run as a figure: `train` puts them into the directory of every run.

use std::io;
use std::path::PathBuf;

use crate::train::{StoredRun as _, TrainError};
use converge_data::Task;
use converge_diagnosis::{History, Series};
use converge_figures::figure::{Axis, Figure, Layer, Page, Panel, Plot, draw_figure};
use converge_figures::{EpochPoint, LearningCurves, ReportError, StopMark, render_png};
use converge_record::{EpochRow, RunDirectory, StopReason, write_atomically};

/// Why curves could not be drawn or saved.
#[derive(Debug, thiserror::Error)]
pub enum CurvesError {
    /// The run cannot be read.
    #[error(transparent)]
    Run(#[from] TrainError),
    /// There is nothing to draw, or drawing failed.
    #[error(transparent)]
    Drawing(#[from] ReportError),
    /// A file could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
}

/// Draws the learning curves of `run` into its `curves.svg` and `curves.png`.
pub fn write_learning_curves(run: &RunDirectory, history: &[EpochRow]) -> Result<(), CurvesError> {
    let svg = draw_figure(&learning_curves(run, history)?.figure()?, Page::Adaptive)?;
    let png = render_png(&svg, 1.0)?;
    for (name, contents) in [("curves.svg", svg.as_bytes()), ("curves.png", &png)] {
        let path = run.file(name);
        write_atomically(&path, contents).map_err(|error| CurvesError::Write { path, error })?;
    }
    Ok(())
}

/// The learning curves of `run`, of which `history` is every whole epoch: loss, main metric and
/// learning rate, with marks at the best epoch and where training stopped before its last one.
pub fn learning_curves(
    run: &RunDirectory,
    history: &[EpochRow],
) -> Result<LearningCurves, TrainError> {
    let record = &run.record;
    let epochs = history.iter().map(|row| {
        let metrics = row.metrics.iter().map(|(name, value)| (name.clone(), value.0));
        let rate = ("learning_rate".to_owned(), row.learning_rate);
        EpochPoint { epoch: row.epoch, values: metrics.chain([rate]).collect() }
    });
    let (metric, metric_label, loss_label) = match run.experiment()?.data.task() {
        Task::Classification { .. } | Task::BinaryClassification => {
            ("accuracy", "accuracy", "cross-entropy loss (nats)")
        }
        Task::Regression => ("r2", "R²", "mean squared error"),
    };
    let mut curves =
        LearningCurves::new(&record.experiment, &record.data.label(), metric, epochs.collect());
    loss_label.clone_into(&mut curves.loss_label);
    metric_label.clone_into(&mut curves.metric_label);
    curves.best_epoch = record.best.as_ref().map(|best| best.epoch);
    let reason = record.stop.as_ref().and_then(|stop| early(stop.reason));
    curves.stop = reason.map(|reason| StopMark {
        epoch: history.last().map_or(1, |row| row.epoch),
        reason: reason.to_owned(),
    });
    Ok(curves)
}

/// The curves of logs of any tool, each behind its name: losses, metrics and the learning rate of
/// each over its own axis.
pub fn history_figure(histories: &[(&str, &History)]) -> Figure {
    let panel = |(name, history): &(&str, &History)| {
        let losses = [&history.train_loss, &history.validation_loss].map(Option::as_ref);
        let metrics = [&history.train_metric, &history.metric]
            .map(|metric| metric.as_ref().map(|metric| &metric.series));
        let rows = [("loss", losses), ("metric", metrics)];
        let rates = ("learning rate", [history.learning_rate.as_ref(), None]);
        let x = Axis::linear(history.x.as_deref().unwrap_or("point"));
        let plots = rows.into_iter().chain([rates]).filter_map(|(label, series)| {
            let drawn: Vec<&Series> = series.into_iter().flatten().collect();
            let values = drawn.iter().flat_map(|series| series.y.iter().copied());
            let y = Axis::log_beyond(label, 2.0, values.filter(|value| value.is_finite()));
            let lines = (0..).zip(&drawn).map(|(color, series)| {
                let points = series.x.iter().copied().zip(series.y.iter().copied()).collect();
                Layer::line(&series.name, color, points)
            });
            let plot = Plot {
                layers: lines.collect(),
                labels_at_ends: true,
                ..Plot::new("", x.clone(), y)
            };
            (!drawn.is_empty()).then_some(plot)
        });
        let mut plots: Vec<Plot> = plots.collect();
        if let Some(first) = plots.first_mut() {
            (*name).clone_into(&mut first.title);
        }
        (!plots.is_empty()).then_some(Panel::Stack(plots))
    };
    Figure {
        name: "curves".to_owned(),
        title: String::new(),
        caption: "The curves that were judged.".to_owned(),
        panels: histories.iter().filter_map(panel).collect(),
        columns: if histories.len() > 1 { 2 } else { 1 },
    }
}

/// Why training stopped before its last epoch, in a word or two; `None` where it did not.
fn early(reason: StopReason) -> Option<&'static str> {
    match reason {
        StopReason::MaxEpochs => None,
        StopReason::PatienceExhausted => Some("no improvement"),
        StopReason::NotImproving => Some("not improving"),
        StopReason::StoppingThreshold => Some("target reached"),
        StopReason::DivergenceThreshold => Some("diverged"),
        StopReason::NonFiniteMetric | StopReason::NonFiniteLoss => Some("not a number"),
        StopReason::Interrupted => Some("interrupted"),
    }
}
