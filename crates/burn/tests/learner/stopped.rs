//! What ends a training before its last epoch.

use std::sync::{Arc, Mutex};

use burn::tensor::TensorReadError;
use burn::train::Interrupter;
use burn::train::metric::{Metric, MetricMetadata, MetricName, SerializedEntry};
use converge_burn::{EarlyStoppingSettings, Monitor, StopWhen};
use converge_diagnosis::verdict::Label;
use converge_record::{RunDirectory, Status, StopReason};

use crate::small::{learner, training};

#[test]
fn patience_runs_out_where_nothing_improves() {
    let folder = tempfile::tempdir().unwrap();
    let patience = EarlyStoppingSettings { patience: 2, ..Default::default() };
    let recording = Monitor::new(folder.path(), "line").early_stopping(patience).start().unwrap();
    let training = training(recording.directory()).num_epochs(50);
    let outcome = recording.launch(training, learner(0.0)).outcome.unwrap();
    // The first epoch is the best; two more are waited for. A model of zeros guesses: ln 2.
    assert_eq!(outcome.epochs.len(), 3);
    let stop = outcome.record.stop.clone().unwrap();
    assert_eq!(stop.reason, StopReason::PatienceExhausted);
    assert_eq!(stop.message, "val_loss has not improved for 2 epochs (best 0.693147 in epoch 1)");
    assert_eq!(outcome.record.status, Status::Completed);
    assert!(outcome.to_string().starts_with("stopped early: val_loss has not"));
}

#[test]
fn a_metric_of_which_more_is_better_ends_it_once_it_is_good_enough() {
    let folder = tempfile::tempdir().unwrap();
    let enough = EarlyStoppingSettings {
        monitor: "val_accuracy".to_owned(),
        stopping_threshold: Some(0.6),
        ..Default::default()
    };
    let recording = Monitor::new(folder.path(), "line").early_stopping(enough).start().unwrap();
    let training = training(recording.directory()).num_epochs(50);
    let outcome = recording.launch(training, learner(0.5)).outcome.unwrap();
    let last = outcome.epochs.last().unwrap().metric("val_accuracy").unwrap();
    assert!(last > 0.6 && outcome.epochs.len() < 50, "{last}");
    let stop = outcome.record.stop.unwrap();
    assert_eq!(stop.reason, StopReason::StoppingThreshold);
}

#[test]
fn a_loss_at_chance_is_told_once_and_ends_it_where_that_is_wanted() {
    for (rule, epochs) in [(None, 15), (Some(StopWhen::AtChance), 10)] {
        let folder = tempfile::tempdir().unwrap();
        let told = Arc::new(Mutex::new(vec![]));
        let heard = Arc::clone(&told);
        let mut monitor = Monitor::new(folder.path(), "line")
            .on_notice(move |notice| heard.lock().unwrap().push(notice.clone()));
        if let Some(rule) = rule {
            monitor = monitor.stop_when(rule);
        }
        let recording = monitor.start().unwrap();
        let training = training(recording.directory()).num_epochs(15);
        let outcome = recording.launch(training, learner(0.0)).outcome.unwrap();
        assert_eq!(outcome.epochs.len(), epochs);
        let told = told.lock().unwrap();
        assert_eq!(*told, outcome.notices);
        let [notice] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((notice.epoch, notice.name.as_str()), (10, "chance_level"));
        assert!(notice.message.contains("ln 2, the loss of guessing"), "{notice}");
        let reason = outcome.record.stop.map(|stop| stop.reason);
        let expected =
            if rule.is_some() { StopReason::NotImproving } else { StopReason::MaxEpochs };
        assert_eq!(reason, Some(expected));
        assert_eq!(outcome.verdict.verdict, Label::NotLearning);
    }
}

#[test]
fn a_loss_that_is_no_number_ends_it_before_the_next_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let recording =
        Monitor::new(folder.path(), "line").stop_when(StopWhen::Diverging).start().unwrap();
    let training = training(recording.directory()).num_epochs(50);
    let outcome = recording.launch(training, learner(f64::INFINITY)).outcome.unwrap();
    // An epoch of four batches may be whole by the time that Burn stops.
    assert!(outcome.epochs.len() < 2, "{} epochs", outcome.epochs.len());
    assert_eq!(outcome.record.status, Status::Diverged);
    let stop = outcome.record.stop.unwrap();
    assert_eq!(stop.reason, StopReason::NonFiniteLoss);
    assert!(stop.message.contains("in epoch 1, step 2"), "{}", stop.message);
    assert_eq!(outcome.verdict.verdict, Label::Diverged);
}

#[test]
fn a_loss_that_is_no_number_is_a_notice_where_it_is_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let training = training(recording.directory());
    let outcome = recording.launch(training, learner(f64::INFINITY)).outcome.unwrap();
    assert_eq!((outcome.record.status, outcome.epochs.len()), (Status::Completed, 3));
    assert_eq!(outcome.notices.len(), 1);
    assert_eq!(
        outcome.notices[0].to_string().split('.').next(),
        Some("epoch 1: `loss` is NaN at 1")
    );
    assert_eq!(outcome.verdict.verdict, Label::Diverged);
    // It reads back.
    let run = RunDirectory::open(&outcome.run).unwrap();
    assert!(run.epochs().unwrap()[0].metric("loss").unwrap().is_nan());
    assert_eq!(run.steps().unwrap().len(), 12);
}

/// Asks Burn to stop in the middle of the second epoch.
#[derive(Clone)]
struct Stopping {
    interrupter: Interrupter,
    batches: usize,
}

impl Metric for Stopping {
    type Input = ();

    fn name(&self) -> MetricName {
        Arc::new("Stopping".to_owned())
    }

    fn update(&mut self, (): &(), _: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        self.batches += 1;
        if self.batches == 5 {
            self.interrupter.stop(Some("somebody asked"));
        }
        Ok(SerializedEntry::new(String::new(), String::new()))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(SerializedEntry::new(String::new(), String::new()))
    }

    fn clear(&mut self) {}
}

#[test]
fn an_epoch_that_was_cut_short_has_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let training = training(recording.directory()).num_epochs(50);
    let interrupter = training.interrupter();
    let training = training.metric_train(Stopping { interrupter, batches: 0 });
    let trained = recording.launch(training, learner(0.5));
    let outcome = trained.outcome.unwrap();
    assert!(trained.result.interrupted.is_some());
    assert_eq!(outcome.record.status, Status::Interrupted);
    assert_eq!(outcome.record.stop.map(|stop| stop.message).as_deref(), Some("somebody asked"));
    // Burn trains a batch or more before it stops: four are an epoch.
    let (steps, epochs) = (outcome.record.steps_done, outcome.epochs.len());
    assert!(steps >= 5 && epochs == steps / 4, "{epochs} epochs of {steps} steps");
}
