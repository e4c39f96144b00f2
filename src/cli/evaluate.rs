//! `converge evaluate`: score a checkpoint of a run on the test split.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Serialize;

use super::options::{DataOptions, DeviceOption};
use super::printer::Printer;
use super::progress::{Downloads, SampleBar};
use crate::data::{DataSet, DataSettings, Origin, Parts, Preprocessing, Samples, Source, Targets};
use crate::metrics::classification::{cross_entropy, predicted_classes};
use crate::metrics::{ClassificationReport, ConfusionMatrix, LeastSquares, RegressionScores};
use crate::models::Model;
use crate::report::{
    Look, classification_report_table, confusion_matrix_table, numbers, regression_table, table,
};
use crate::train::evaluation::Trained;
use crate::train::{RunDirectory, Which};

/// Score a run on the test split
///
/// Loads nothing but the run's directory and the test data. Any device will do.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge evaluate artifacts/cifar10-20261122-101500
  converge evaluate artifacts/cifar10-20261122-101500 --checkpoint last --device ndarray --json")]
pub(super) struct EvaluateArgs {
    /// The directory of the run
    run: PathBuf,
    /// The checkpoint: `best`, `last` or an epoch [default: best, or last where the experiment says
    /// `restore_best = false`]
    #[arg(long, value_name = "WHICH")]
    checkpoint: Option<Which>,
    #[command(flatten)]
    data_options: DataOptions,
    #[command(flatten)]
    pub(super) device: DeviceOption,
}

/// What `evaluate` found.
#[derive(Serialize)]
struct Evaluation {
    run: PathBuf,
    epoch: usize,
    device: String,
    data: String,
    origin: Origin,
    #[serde(flatten)]
    scores: Scores,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Scores {
    Classification {
        loss: f64,
        #[serde(flatten)]
        report: ClassificationReport,
        confusion_matrix: Vec<Vec<u64>>,
        class_names: Vec<String>,
        #[serde(skip)]
        matrix: ConfusionMatrix,
    },
    Regression {
        scores: RegressionScores,
        /// The closed-form least-squares solution on the same splits, for linear models.
        least_squares: Option<Baseline>,
    },
}

/// The closed-form solution beside a linear model.
#[derive(Serialize)]
struct Baseline {
    scores: RegressionScores,
    /// ‖w − w*‖ / ‖w*‖ over weights and intercept.
    relative_distance: f64,
}

impl EvaluateArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let run = RunDirectory::open(&self.run)?;
        let device = self.device.open()?;
        let trained = Trained::load(&run, self.checkpoint, &device)?;
        let settings = same_source(&trained.experiment.data, run.record.data.origin)?;
        let needs_training_split = matches!(trained.model, Model::Linear(_));
        let parts = if needs_training_split { Parts::Both } else { Parts::Test };
        let data = settings.load(parts, &self.data_options.load_options()?, &mut Downloads::new())?;
        let evaluation = Evaluation {
            run: self.run,
            epoch: trained.epoch,
            device: self.device.name(),
            data: data.title.clone(),
            origin: data.origin,
            scores: score(&trained, data)?,
        };
        let look = printer.look();
        printer.result(&evaluation, || evaluation.text(look))
    }
}

/// The data settings, with the kind of data that the run was trained on.
pub(super) fn same_source(settings: &DataSettings, origin: Origin) -> Result<DataSettings> {
    let mut settings = settings.clone();
    match origin {
        Origin::Real => settings.set_source(Source::Real)?,
        Origin::SyntheticStandIn => settings.set_source(Source::Synthetic)?,
        Origin::Synthetic => {}
    }
    Ok(settings)
}

fn score(trained: &Trained, data: DataSet) -> Result<Scores> {
    let test = Arc::new(data.test);
    if test.is_empty() {
        bail!("the test split is empty; raise `data.test_share`");
    }
    let bar = SampleBar::new(test.len());
    let outputs = trained.outputs(Arc::clone(&test), |done| bar.set(done))?;
    drop(bar);
    match &test.targets {
        Targets::Classes(targets) => {
            let classes = outputs.len() / test.len();
            let predicted = predicted_classes(&outputs, classes)?;
            let matrix = ConfusionMatrix::new(targets, &predicted, classes)?;
            Ok(Scores::Classification {
                loss: cross_entropy(targets, &outputs, classes)?,
                report: matrix.report(),
                confusion_matrix: matrix.rows().to_vec(),
                class_names: data.class_names,
                matrix,
            })
        }
        Targets::Values(targets) => {
            let scores = RegressionScores::new(targets, &outputs)?;
            let training = (data.training, &*test);
            let least_squares = match &trained.model {
                Model::Linear(model) => {
                    let weights = model.weights().context("the weights cannot be read")?;
                    Some(baseline(trained, training, targets, &weights)?)
                }
                _ => None,
            };
            Ok(Scores::Regression { scores, least_squares })
        }
    }
}

/// Least squares on the samples that the run was trained on, scored on the test split.
fn baseline(
    trained: &Trained,
    (training, test): (Samples, &Samples),
    targets: &[f32],
    weights: &[f32],
) -> Result<Baseline> {
    let settings = &trained.experiment.data;
    let (training, _) = crate::data::split_validation(
        training,
        settings.validation_share(),
        settings.validation_split(),
        trained.experiment.training.seed,
    )?;
    let Targets::Values(training_targets) = &training.targets else {
        bail!("the training split has no values to fit");
    };
    let features = |samples: &Samples| inputs(&trained.preprocessing, samples);
    let fitted = LeastSquares::fit(&features(&training), training.input_len(), training_targets)?;
    let predicted: Vec<f32> =
        fitted.predict(&features(test))?.into_iter().map(|value| value as f32).collect();
    let optimum: Vec<f64> = fitted.coefficients.iter().copied().chain([fitted.intercept]).collect();
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let mut differences =
        optimum.iter().zip(weights).map(|(best, weight)| f64::from(*weight) - best);
    let distance = square(&mut differences).sqrt();
    let relative_distance = distance / square(&mut optimum.iter().copied()).sqrt();
    Ok(Baseline { scores: RegressionScores::new(targets, &predicted)?, relative_distance })
}

/// All inputs of `samples`, preprocessed, row-major.
fn inputs(preprocessing: &Preprocessing, samples: &Samples) -> Vec<f32> {
    let width = samples.input_len();
    let mut all = vec![0.0; samples.len() * width];
    for (index, row) in all.chunks_exact_mut(width.max(1)).enumerate() {
        preprocessing.apply_into(samples, index, row);
    }
    all
}

impl Evaluation {
    fn text(&self, look: Look) -> String {
        let synthetic = if self.origin == Origin::Real { "" } else { ", SYNTHETIC data" };
        let mut text = format!(
            "{}: epoch {}, test split of {}{synthetic}\n\n",
            self.run.display(),
            self.epoch,
            self.data
        );
        match &self.scores {
            Scores::Classification { loss, report, matrix, class_names, .. } => {
                text += &classification_report_table(look, report, class_names);
                text += "\n";
                text += &confusion_matrix_table(look, matrix, class_names);
                text += &format!(
                    "\naccuracy {}, loss {}, {} samples",
                    numbers::percent(report.accuracy),
                    numbers::significant(*loss, 4),
                    numbers::count(report.samples)
                );
            }
            Scores::Regression { scores, least_squares: None } => {
                text += &regression_table(look, scores, "");
            }
            Scores::Regression { scores, least_squares: Some(baseline) } => {
                let best = &baseline.scores;
                let row = |name: &str, ours: f64, theirs: f64| {
                    let shown = |value| numbers::significant(value, 6);
                    vec![name.to_owned(), shown(ours), shown(theirs)]
                };
                let rows = [
                    row("MSE", scores.mse, best.mse),
                    row("RMSE", scores.rmse, best.rmse),
                    row("MAE", scores.mae, best.mae),
                    row("R²", scores.r2, best.r2),
                ];
                text += &table(look, &["score", "this run", "least squares"], &rows);
                text += &format!(
                    "\nrelative distance of the weights to the closed-form optimum: {}\n{} samples",
                    numbers::significant(baseline.relative_distance, 3),
                    numbers::count(scores.samples as u64)
                );
            }
        }
        text
    }
}
