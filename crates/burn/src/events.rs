//! What a [`MetricLogger`](burn::train::logger::MetricLogger) is not told: the learning rate, how far
//! the epoch is, and where it ends.
//!
//! A metric is told. This one measures nothing: it leaves one [`Event`] for every update that the
//! logger gets next, on another thread and in the same order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::tensor::TensorReadError;
use burn::train::metric::{Metric, MetricMetadata, MetricName, SerializedEntry};

use crate::recorder::SharedRecorder;

/// What an update is about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// A batch.
    Batch {
        /// When it was done.
        at: Instant,
        /// The learning rate, of training.
        learning_rate: Option<f64>,
        /// Samples of the epoch so far.
        samples: usize,
        /// Samples of the whole epoch.
        of: usize,
    },
    /// The end of an epoch.
    End,
}

/// Events that the logger has not come to yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Arc<Mutex<VecDeque<Event>>>);

impl Events {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next update is about.
    pub(crate) fn next(&self) -> Option<Event> {
        self.queue().pop_front()
    }
}

/// The metric.
#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) events: Events,
    pub(crate) recorder: SharedRecorder,
}

impl Observer {
    /// For Burn's full-screen interface: the newest notice. Nothing that loggers keep.
    fn entry(&self) -> SerializedEntry {
        SerializedEntry::new(self.recorder.lock().news(), String::new())
    }
}

impl Metric for Observer {
    type Input = ();

    fn name(&self) -> MetricName {
        Arc::new("Converge".to_owned())
    }

    fn update(
        &mut self,
        (): &(),
        metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.events.queue().push_back(Event::Batch {
            at: Instant::now(),
            learning_rate: metadata.lr.as_ref().map(ModuleLearningRate::base),
            samples: metadata.progress.items_processed,
            of: metadata.progress.items_total,
        });
        Ok(self.entry())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        self.events.queue().push_back(Event::End);
        Ok(self.entry())
    }

    fn clear(&mut self) {}
}
