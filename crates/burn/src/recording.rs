//! A run that is recorded: from its directory to its end.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use burn::tensor::Device;
use burn::train::{Learner, LearnerModel, LearningResult, SupervisedTraining};

use crate::events::{Events, Observer};
use crate::logger::Logger;
use crate::outcome::Trained;
use crate::recorder::{End, Recorder, SharedRecorder};
use crate::rules::Stopper;

/// A run that is recorded. Dropped before its end, it is recorded as failed.
pub struct Recording {
    directory: PathBuf,
    recorder: SharedRecorder,
    loss: String,
}

impl Recording {
    pub(crate) fn new(recorder: Recorder, loss: String) -> Self {
        let directory = recorder.run.path().to_owned();
        Self { directory, recorder: SharedRecorder::new(recorder), loss }
    }

    /// The directory of the run, also meant for Burn's own files: what is never used twice has no
    /// checkpoints and logs of older runs in it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Trains as `training.launch(learner)` does, and records it.
    ///
    /// Adds a metric logger, a metric that measures nothing and, where there are rules to stop by, an
    /// early stopping strategy. Everything else of `training` is left as it is.
    pub fn launch<M: LearnerModel>(
        self,
        training: SupervisedTraining<M>,
        learner: Learner<M>,
    ) -> Trained<M> {
        let model = learner.model();
        let devices: Vec<String> =
            model.devices().iter().map(|device| name(&device.clone().inner())).collect();
        let (parameters, device) = (model.num_params(), devices.join(", "));
        drop(model);
        self.recorder.lock().begin(training.interrupter(), parameters, device);
        let (open, closed) = mpsc::channel();
        let events = Events::default();
        let logger = Logger::new(self.recorder.clone(), events.clone(), self.loss.clone(), open);
        let observer = Observer { events, recorder: self.recorder.clone() };
        let mut training = training
            .with_metric_logger(logger)
            .metric_train(observer.clone())
            .metric_valid(observer);
        if self.recorder.lock().has_rules() {
            training = training.early_stopping(Stopper(self.recorder.clone()));
        }
        let result = training.launch(learner);
        // Burn's threads may still tell the logger of the last epoch: they drop it when they are done.
        // Whoever else keeps them alive is not waited for.
        let _ = closed.recv_timeout(Duration::from_mins(1));
        let outcome = self.recorder.lock().close(end(&result));
        Trained { result, outcome }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.recorder.lock().abandon();
    }
}

/// `Device<Flex(Cpu)>` as `Flex(Cpu)`.
fn name(device: &Device) -> String {
    let whole = format!("{device:?}");
    let inner = whole.strip_prefix("Device<").and_then(|rest| rest.strip_suffix('>'));
    inner.map_or_else(|| whole.clone(), str::to_owned)
}

fn end<M>(result: &LearningResult<M>) -> End {
    match (&result.error, &result.interrupted) {
        (Some(error), _) => End::Failed(error.to_string()),
        (None, Some(interruption)) => End::Interrupted(interruption.reason.clone()),
        (None, None) => End::Done,
    }
}
