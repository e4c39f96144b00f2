//! What is recorded is what Burn says.

use burn::train::LearnerSummary;
use burn::train::checkpoint::MetricCheckpointingStrategy;
use burn::train::logger::FileMetricLogger;
use burn::train::metric::LossMetric;
use burn::train::metric::store::{Aggregate, Direction, Split};
use converge_burn::Monitor;
use converge_diagnosis::own_run::RunVerdict;
use converge_diagnosis::read::{Choices, read};
use converge_diagnosis::verdict::Label;
use converge_record::{RunDirectory, Status};
use serde::Serialize;

use crate::small::{BATCH, TRAINING, VALIDATION, bare, learner, training};

/// Burn's values of a metric, by epoch.
fn of_burn(summary: &LearnerSummary, split: &Split, name: &str) -> Vec<f64> {
    let metrics = match split {
        Split::Train => &summary.metrics.train,
        _ => &summary.metrics.valid,
    };
    let metric = metrics.iter().find(|metric| metric.name == name).unwrap();
    metric.entries.iter().map(|entry| entry.value).collect()
}

#[test]
fn epochs_and_steps_are_those_of_burns_own_logs() {
    let folder = tempfile::tempdir().unwrap();
    let burn = folder.path().join("burn");
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let training = training(recording.directory()).with_metric_logger(FileMetricLogger::new(&burn));
    let run = recording.directory().to_owned();
    let trained = recording.launch(training, learner(0.5));
    let outcome = trained.outcome.unwrap();
    assert!(trained.result.error.is_none() && trained.result.interrupted.is_none());

    let summary = LearnerSummary::new(&burn, &["Loss", "Accuracy"]).unwrap();
    let run = RunDirectory::open(&run).unwrap();
    let epochs = run.epochs().unwrap();
    assert_eq!(outcome.epochs, epochs);
    for (split, name, column, unit) in [
        (Split::Train, "Loss", "loss", 1.0),
        (Split::Train, "Accuracy", "accuracy", 100.0),
        (Split::Valid, "Loss", "val_loss", 1.0),
        (Split::Valid, "Accuracy", "val_accuracy", 100.0),
    ] {
        let recorded: Vec<f64> = epochs.iter().map(|row| row.metric(column).unwrap()).collect();
        let expected: Vec<f64> =
            of_burn(&summary, &split, name).into_iter().map(|value| value / unit).collect();
        assert_eq!(recorded, expected, "{column}");
        assert_eq!(recorded.len(), 3);
    }
    assert!(epochs.iter().all(|row| (row.learning_rate - 0.5).abs() < 1e-12));

    let steps = run.steps().unwrap();
    let logged: Vec<f64> = (1..=3)
        .flat_map(|epoch| {
            let file = burn.join(format!("train/epoch-{epoch}/Loss.log"));
            let text = std::fs::read_to_string(file).unwrap();
            let batches = text.lines().filter(|line| !line.ends_with("final"));
            batches
                .map(|line| line.split(',').next().unwrap().parse().unwrap())
                .collect::<Vec<f64>>()
        })
        .collect();
    assert_eq!(steps.iter().map(|row| row.loss).collect::<Vec<_>>(), logged);
    assert_eq!(steps.len(), 3 * TRAINING.div_ceil(BATCH));
    assert_eq!(steps.iter().map(|row| row.step).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
    assert_eq!((steps[4].epoch, steps[4].learning_rate), (2, 0.5));

    let record = &run.record;
    assert_eq!((record.status, record.epochs_done, record.steps_done), (Status::Completed, 3, 12));
    assert_eq!((record.training_samples, record.validation_samples), (TRAINING, VALIDATION));
    // Two weights and a bias for each side.
    assert_eq!((record.parameters, record.seed), (6, None));
    assert_eq!(record.device, "Flex(Cpu)");
    let best = record.best.as_ref().unwrap();
    assert_eq!((best.monitor.as_str(), best.epoch), ("val_loss", 3));
}

#[test]
fn the_verdict_is_stored_and_the_run_is_read_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let run = recording.directory().to_owned();
    assert_eq!(RunDirectory::open(&run).unwrap().record.status, Status::Running);
    let training = training(&run).num_epochs(40);
    let outcome = recording.launch(training, learner(0.5)).outcome.unwrap();
    let stored: RunVerdict =
        serde_json::from_slice(&std::fs::read(run.join("verdict.json")).unwrap()).unwrap();
    assert_eq!(stored.verdict, outcome.verdict);
    assert_eq!(outcome.verdict.points, 40);
    assert_ne!(outcome.verdict.verdict, Label::Undecidable);
    let log = read(&run, &Choices::default()).unwrap();
    assert_eq!(log.format, "run of Burn's Learner, line");
    let losses = &log.runs[0].validation_loss.as_ref().unwrap().y;
    assert_eq!(losses.len(), 40);
    let told = outcome.to_string();
    assert!(told.starts_with("completed: trained for 40 epochs\nverdict: "), "{told}");
    assert!(told.contains(&format!("converge report {}", run.display())), "{told}");
}

#[test]
fn burns_summary_and_its_checkpoint_of_the_best_epoch_work_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let run = recording.directory().to_owned();
    let best = MetricCheckpointingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Highest,
        Split::Valid,
    );
    let training =
        training(&run).with_default_checkpointers().with_checkpointing_strategy(best).summary();
    let outcome = recording.launch(training, learner(0.5)).outcome.unwrap();
    // The loss falls: the highest is that of the first epoch.
    let losses: Vec<f64> =
        outcome.epochs.iter().map(|row| row.metric("val_loss").unwrap()).collect();
    assert!(losses[0] > losses[1] && losses[1] > losses[2]);
    let kept = |epoch: usize| run.join(format!("checkpoint/model-{epoch}.bpk")).is_file();
    assert_eq!([1, 2, 3].map(kept), [true, false, false]);
    let summary = LearnerSummary::new(&run, &["Loss"]).unwrap();
    assert_eq!(of_burn(&summary, &Split::Valid, "Loss"), losses);
}

#[test]
fn settings_and_names_are_told_to_whoever_compares() {
    #[derive(Serialize)]
    struct Config {
        learning_rate: f64,
        seed: u64,
        dropout: Option<f64>,
    }
    let folder = tempfile::tempdir().unwrap();
    let config = Config { learning_rate: 0.5, seed: 7, dropout: None };
    let monitor = Monitor::new(folder.path(), "line").settings(&config).data("a line");
    let recording = monitor.start().unwrap();
    let run = RunDirectory::open(recording.directory()).unwrap();
    assert_eq!(run.record.seed, Some(7));
    assert_eq!(run.record.data.label(), "a line");
    assert!(!run.record.data.is_synthetic());
    let (_, text) = run.read_experiment().unwrap();
    assert_eq!(text.parse::<toml::Table>().unwrap()["learning_rate"].as_float(), Some(0.5));
}

#[test]
fn without_validation_there_are_no_columns_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let training = bare(recording.directory(), 0).metrics((LossMetric::new(),));
    let outcome = recording.launch(training, learner(0.5)).outcome.unwrap();
    assert_eq!(outcome.epochs.len(), 3);
    let names: Vec<&str> =
        outcome.epochs[0].metrics.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["loss"]);
    assert_eq!(outcome.record.best.map(|best| best.monitor), Some("loss".to_owned()));
}

#[test]
fn without_metrics_the_verdict_says_what_to_log() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Monitor::new(folder.path(), "line").start().unwrap();
    let training = bare(recording.directory(), 1).num_epochs(1);
    let outcome = recording.launch(training, learner(0.5)).outcome.unwrap();
    assert_eq!((outcome.epochs.len(), outcome.verdict.verdict), (1, Label::Undecidable));
    assert_eq!(outcome.verdict.advice, ["Log the training and validation loss at every epoch."]);
}
