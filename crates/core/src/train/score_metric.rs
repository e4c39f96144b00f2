//! The tally's scores as Burn metrics, for Burn's full-screen interface to draw.

use std::sync::Arc;

use burn::tensor::TensorReadError;
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};

use super::state::Shared;
use crate::experiment::Mode;

/// One metric of the tally, over the epoch so far.
#[derive(Clone)]
pub(super) struct ScoreMetric {
    shared: Arc<Shared>,
    name: &'static str,
    validation: bool,
}

impl ScoreMetric {
    pub(super) fn new(shared: &Arc<Shared>, name: &'static str, validation: bool) -> Self {
        Self { shared: Arc::clone(shared), name, validation }
    }

    fn current(&self) -> f64 {
        let scores = self.shared.scores();
        let tally = if self.validation { &scores.validation } else { &scores.training };
        tally.value(self.name)
    }

    fn entry(&self) -> SerializedEntry {
        let value = self.current();
        SerializedEntry::new(format!("{value:.4}"), NumericEntry::Value(value).serialize())
    }
}

impl Metric for ScoreMetric {
    type Input = ();

    fn name(&self) -> MetricName {
        Arc::new(self.name.to_owned())
    }

    fn attributes(&self) -> MetricAttributes {
        let higher_is_better = Mode::Auto.higher_is_better(self.name);
        NumericAttributes { unit: None, higher_is_better }.into()
    }

    fn update(&mut self, (): &(), _: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry())
    }

    fn clear(&mut self) {}
}

impl Numeric for ScoreMetric {
    fn value(&self) -> Option<NumericEntry> {
        Some(NumericEntry::Value(self.current()))
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.value()
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Value(self.current())
    }
}
