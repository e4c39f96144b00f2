//! What is done with runs: learning curves, cross-validation, predictions.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use converge_core::cross_validation::{CrossValidationError, cross_validate};
use converge_core::curves::{learning_curves, write_learning_curves};
use converge_core::device;
use converge_core::evaluation::{Evaluation, Scores, Trained};
use converge_core::experiment::Experiment;
use converge_core::prediction::{
    Answer, Prediction, PredictionError, PredictionOptions, predict, recommend,
};
use converge_core::train::StoredRun as _;
use converge_core::train::{Outcome, Silent, StopRequest};
use converge_data::{DataSettings, Origin};
use converge_figures::StopMark;
use converge_metrics::RegressionScores;
use converge_record::{RunDirectory, StopReason, Which};

use crate::session::session;

/// A run of the experiment `name` below `parent`.
fn run(name: &str, overrides: &[&str], parent: &Path, request: StopRequest) -> Outcome {
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    let experiment = Experiment::load(name, &overrides).unwrap();
    session(parent, Arc::new(Mutex::new(Silent)), request).train(experiment, parent).unwrap()
}

#[test]
fn learning_curves_mark_the_best_epoch_and_an_early_stop() {
    let directory = tempfile::tempdir().unwrap();
    let stops = [
        "early_stopping.monitor=val_loss",
        "early_stopping.patience=1",
        "early_stopping.min_delta=1e9",
    ];
    let outcome = run("linear", &stops, directory.path(), StopRequest::default());
    assert_eq!(outcome.stop.reason, StopReason::PatienceExhausted);
    let figure = learning_curves(&outcome.run, &outcome.history).unwrap();
    assert_eq!(figure.epochs.len(), outcome.history.len());
    let first: Vec<&str> = figure.epochs[0].values.iter().map(|(name, _)| name.as_str()).collect();
    assert!(first.contains(&"val_loss") && first.contains(&"learning_rate"), "{first:?}");
    assert_eq!((figure.metric.as_str(), figure.loss_label.as_str()), ("r2", "mean squared error"));
    // No fall is as large as `min_delta`, so the first epoch stays the best: to early stopping, to
    // the checkpoints, to the picture.
    let last = outcome.history.len();
    assert_eq!(figure.best_epoch, Some(1));
    assert!(outcome.stop.message.ends_with("in epoch 1)"), "{}", outcome.stop.message);
    assert_eq!(outcome.run.checkpoint(Which::Best).unwrap().state.epochs_done, 1);
    assert_eq!(figure.stop, Some(StopMark { epoch: last, reason: "no improvement".to_owned() }));
    write_learning_curves(&outcome.run, &outcome.history).unwrap();
    for name in ["curves.svg", "curves.png"] {
        assert!(outcome.run.file(name).is_file(), "{name}");
    }
}

#[test]
fn cross_validation_trains_on_every_fold_and_gives_the_mean_of_their_scores() {
    let directory = tempfile::tempdir().unwrap();
    let settings = ["data.samples=20", "training.epochs=1"];
    let Outcome { run, stop, .. } =
        run("linear", &settings, directory.path(), StopRequest::default());
    let experiment = Experiment::load("movielens-small", &[]).unwrap();
    let (mut trained, mut error) = (vec![], 0.0);
    let result = cross_validate::<CrossValidationError>(
        &experiment,
        |fold, experiment| {
            let DataSettings::MovieLens(settings) = &experiment.data else { panic!("{fold}") };
            trained.push((fold, settings.fold));
            Ok(Outcome { run: run.clone(), history: vec![], stop: stop.clone() })
        },
        |run: &RunDirectory| {
            // All predictions of fold n are off by n.
            error += 1.0;
            let scores = RegressionScores::new(&[1.0, 2.0], &[1.0 + error, 2.0 - error]).unwrap();
            Ok(Evaluation {
                run: run.path().to_owned(),
                epoch: 1,
                device: String::new(),
                data: String::new(),
                origin: Origin::Synthetic,
                data_record: run.record.data.clone(),
                mistakes: vec![],
                other_data: None,
                scores: Scores::Regression { scores, least_squares: None },
            })
        },
    )
    .unwrap();
    assert_eq!(trained, [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
    assert_eq!((result.mean_rmse, result.mean_mae), (3.0, 3.0));
    assert!(result.is_synthetic);
}

#[test]
fn a_fold_that_does_not_complete_ends_the_cross_validation() {
    let directory = tempfile::tempdir().unwrap();
    let request = StopRequest::default();
    request.raise();
    let interrupted = run("linear", &["data.samples=20"], directory.path(), request);
    let path: PathBuf = interrupted.run.path().to_owned();
    let mut interrupted = Some(interrupted);
    let experiment = Experiment::load("movielens-small", &[]).unwrap();
    let error = cross_validate::<CrossValidationError>(
        &experiment,
        |_, _| Ok(interrupted.take().unwrap()),
        |_| panic!("it is not scored"),
    )
    .unwrap_err()
    .to_string();
    assert!(error.contains("fold 1") && error.contains(&path.display().to_string()), "{error}");
}

#[test]
fn data_without_folds_cannot_be_cross_validated() {
    let experiment = Experiment::load("linear", &[]).unwrap();
    let error = cross_validate::<CrossValidationError>(
        &experiment,
        |_, _| panic!("nothing is trained"),
        |_| panic!("nothing is scored"),
    );
    assert!(matches!(error, Err(CrossValidationError::Data(_))));
}

#[test]
fn rows_are_predicted_one_by_one_and_from_a_file_with_the_names_of_their_lines() {
    let directory = tempfile::tempdir().unwrap();
    let settings = ["data.samples=100", "data.features=2", "data.informative=2"];
    let outcome = run("linear", &settings, directory.path(), StopRequest::default());
    let trained = Trained::load(outcome.run.path(), None, device::default_name()).unwrap();
    let file = directory.path().join("rows.csv");
    std::fs::write(&file, "x1,x2\n0,0\n1,0\n0,1\n1,1\n").unwrap();
    let file = file.display().to_string();
    let predicted = |input: &str| {
        let predictions = predict(&trained, input, PredictionOptions::default());
        let predictions: Result<Vec<Prediction>, _> =
            predictions.and_then(|rows| rows.into_iter().collect());
        predictions.map_err(|error: PredictionError| error.to_string())
    };
    let values: Vec<f64> = predicted(&file)
        .unwrap()
        .into_iter()
        .zip(["0,0", "1,0", "0,1", "1,1"])
        .enumerate()
        .map(|(index, (Prediction { input, answer, .. }, row))| {
            assert_eq!(input, format!("{file}:{}", index + 2));
            assert_eq!(answer, predicted(row).unwrap()[0].answer);
            let Answer::Value(value) = answer else { panic!("a class") };
            value
        })
        .collect();
    // A linear model: f(1, 1) − f(0, 1) = f(1, 0) − f(0, 0), and the slopes are the weights.
    let (slope, slope_above) = (values[1] - values[0], values[3] - values[2]);
    assert!(slope.abs() > 1.0 && (slope - slope_above).abs() < 1e-3 * slope.abs(), "{values:?}");
    assert!(predicted("1").unwrap_err().contains("has 1 values, but 2 are needed"));
    assert!(predicted("1,x").unwrap_err().contains("has `x` in column 2"));
    assert!(recommend(&trained, "1", 3).unwrap_err().to_string().contains("recommenders"));
}
