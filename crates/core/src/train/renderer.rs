//! Burn's renderer interface, passed on to an [`Observer`].

use std::sync::{Arc, Mutex};

use burn::train::LearnerSummary;
use burn::train::logger::{EvaluationProgressLogger, MetricLogger, TrainingProgressLogger};
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricDefinition, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};

use super::observer::Observer;
use super::state::lock;

/// Passes Burn's events on to an observer.
pub(super) struct Relay(pub Arc<Mutex<dyn Observer>>);

impl MetricsRendererTraining for Relay {
    fn update_train(&mut self, _: MetricState) {}
    fn update_valid(&mut self, _: MetricState) {}
    fn on_train_end(
        &mut self,
        _: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn core::error::Error>> {
        Ok(())
    }
}

impl MetricsRendererEvaluation for Relay {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl TrainingProgressLogger for Relay {
    fn start(&mut self, epochs: usize, first_epoch: usize, _: Option<usize>, _: Option<&str>) {
        lock(&self.0).start(first_epoch, epochs);
    }
    fn update_epoch(&mut self, _: usize) {}
    fn start_split(&mut self, split: &str, samples: usize) {
        lock(&self.0).pass(split != "train", samples);
    }
    fn update_split(&mut self, samples: usize) {
        lock(&self.0).progress(samples);
    }
    fn end_split(&mut self) {}
    fn end(&mut self) {
        lock(&self.0).finish();
    }
    fn log_event_training(&mut self, _: String) {}
}

impl EvaluationProgressLogger for Relay {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}

impl MetricsRenderer for Relay {
    fn manual_close(&mut self) {}
    fn register_metric(&mut self, _: MetricDefinition) {}
}

/// Takes the place of Burn's per-batch log files: `epochs.csv` and `steps.csv` hold the record.
pub(super) struct NoFiles;

impl MetricLogger for NoFiles {
    fn log(&mut self, _: MetricsUpdate, _: usize, _: &Split) {}
    fn read_numeric(&mut self, _: &str, _: usize, _: &Split) -> Result<Vec<NumericEntry>, String> {
        Err("metrics are kept in epochs.csv".to_owned())
    }
    fn log_metric_definition(&mut self, _: MetricDefinition) {}
    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}
