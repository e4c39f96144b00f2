//! What goes wrong beside the training does not take it along.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::TensorReadError;
use burn::train::metric::{Metric, MetricMetadata, MetricName, SerializedEntry};
use converge_burn::{EarlyStoppingSettings, Monitor, MonitorError};
use converge_record::{RunDirectory, Status};

use crate::small::{learner, training};

#[test]
fn a_file_that_cannot_be_written_is_an_error_at_the_end_and_the_model_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    fs::create_dir_all(recording.directory().join("epochs.csv/full")).unwrap();
    let training = training(recording.directory());
    let trained = recording.launch(training, learner(0.5));
    assert!(trained.result.error.is_none() && trained.result.interrupted.is_none());
    let error = trained.outcome.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("epochs.csv`"), "{message}");
    assert!(!message.contains("converge train"), "{message}");
    let MonitorError::NotWhole { outcome, .. } = error else { panic!("{message}") };
    assert_eq!(outcome.epochs.len(), 3);
    let names: Vec<&str> = outcome.notices.iter().map(|notice| notice.name.as_str()).collect();
    assert_eq!(names, ["not_recorded"]);
    // The record could still be written, and does not say that it goes on.
    let record = RunDirectory::open(&outcome.run).unwrap().record;
    assert_eq!(record.status, Status::Completed);
    assert!(record.error.unwrap().contains("not whole"));
}

#[test]
fn what_cannot_begin_says_why_before_anything_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |monitor: Monitor| monitor.start().err().unwrap().to_string();
    for name in ["", "a/b", "..", "/guide"] {
        let message = refused(Monitor::new(folder.path(), name));
        assert!(message.starts_with(&format!("`{name}` cannot begin the name")), "{message}");
    }
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let message = refused(Monitor::new(&file, "line"));
    assert!(message.starts_with("cannot write `"), "{message}");
    let message = refused(Monitor::new(folder.path(), "line").settings(&7));
    assert!(message.contains("cannot be written as TOML"), "{message}");
    let negative = EarlyStoppingSettings { min_delta: -1.0, ..Default::default() };
    let message = refused(Monitor::new(folder.path(), "line").early_stopping(negative));
    assert!(message.starts_with("early stopping: `min_delta` is -1"), "{message}");
}

#[test]
fn a_metric_that_is_not_there_is_told_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let mistyped = EarlyStoppingSettings { monitor: "val_acc".to_owned(), ..Default::default() };
    let recording = Monitor::new(folder.path(), "line").early_stopping(mistyped).start().unwrap();
    let training = training(recording.directory());
    let outcome = recording.launch(training, learner(0.5)).outcome.unwrap();
    assert_eq!((outcome.epochs.len(), outcome.notices.len()), (3, 1));
    assert_eq!(
        outcome.notices[0].to_string(),
        "epoch 1: Early stopping watches `val_acc`, which is not among the metrics of this training: \
         `loss`, `accuracy`, `val_loss`, `val_accuracy`."
    );
}

/// Cannot read what it measures.
#[derive(Clone)]
struct Unreadable;

impl Metric for Unreadable {
    type Input = ();

    fn name(&self) -> MetricName {
        "Unreadable".to_owned().into()
    }

    fn update(&mut self, (): &(), _: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        Err(burn::tensor::ExecutionError::with_context("the device is gone").into())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(SerializedEntry::new(String::new(), String::new()))
    }

    fn clear(&mut self) {}
}

#[test]
fn an_error_of_burn_is_in_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let training = training(recording.directory()).metric_train(Unreadable);
    let trained = recording.launch(training, learner(0.5));
    let outcome = trained.outcome.unwrap();
    assert!(trained.result.error.is_some());
    assert_eq!((outcome.record.status, outcome.epochs.len()), (Status::Failed, 0));
    assert!(outcome.record.error.unwrap().contains("Unreadable"));
}

#[test]
fn a_run_that_panics_or_is_never_launched_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let run = recording.directory().to_owned();
    drop(recording);
    let record = RunDirectory::open(&run).unwrap().record;
    assert_eq!(record.status, Status::Failed);

    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let run = recording.directory().to_owned();
    let training = training(&run).checkpoint(7).with_default_checkpointers();
    let launched = catch_unwind(AssertUnwindSafe(|| recording.launch(training, learner(0.5))));
    assert!(launched.is_err(), "Burn panics where the checkpoint to begin with is not there");
    let record = RunDirectory::open(&run).unwrap().record;
    assert_eq!(record.status, Status::Failed);
    assert!(record.error.unwrap().contains("it panicked"));
}
