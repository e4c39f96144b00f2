//! The learning curves of a run as a figure: `train` puts them into the directory of every run.

use std::io;
use std::path::PathBuf;

use crate::train::{StoredRun as _, TrainError};
use converge_data::Task;
use converge_figures::figure::{Page, draw_figure};
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

/// Why training stopped before its last epoch, in a word or two; `None` where it did not.
fn early(reason: StopReason) -> Option<&'static str> {
    match reason {
        StopReason::MaxEpochs => None,
        StopReason::PatienceExhausted => Some("no improvement"),
        StopReason::StoppingThreshold => Some("target reached"),
        StopReason::DivergenceThreshold => Some("diverged"),
        StopReason::NonFiniteMetric | StopReason::NonFiniteLoss => Some("not a number"),
        StopReason::Interrupted => Some("interrupted"),
    }
}
