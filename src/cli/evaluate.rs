//! `converge evaluate`: score a checkpoint of a run on the test split.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::options::{DataOptions, DeviceOption};
use super::printer::Printer;
use super::progress::{Downloads, SampleBar};
use converge_core::models::Model;
use converge_core::train::baseline::{Baseline, least_squares};
use converge_core::train::evaluation::Trained;
use converge_core::train::same_source;
use converge_data::{DataSet, Origin, Parts, Preprocessing, Targets, Task};
use converge_figures::{
    Look, classification_report_table, confusion_matrix_table, numbers, regression_table, table,
};
use converge_metrics::classification::{
    cross_entropy, predicted_classes, top_k_accuracy, two_class_logits,
};
use converge_metrics::{
    ClassificationReport, ConfusionMatrix, MetricsError, RegressionScores, roc_auc,
};
use converge_record::{RunDirectory, Which};

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
pub(super) enum Scores {
    Classification {
        loss: f64,
        #[serde(flatten)]
        report: ClassificationReport,
        /// Of two classes.
        #[serde(skip_serializing_if = "Option::is_none")]
        auroc: Option<f64>,
        /// Of more than five classes.
        #[serde(skip_serializing_if = "Option::is_none")]
        top_5_accuracy: Option<f64>,
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

impl EvaluateArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let run = RunDirectory::open(&self.run)?;
        let device = self.device.open()?;
        let trained = Trained::load(&run, self.checkpoint, &device)?;
        let settings = same_source(&trained.experiment.data, run.record.data.origin)?;
        let needs_training_split = matches!(trained.model, Model::Linear(_));
        let parts = if needs_training_split { Parts::Both } else { Parts::Test };
        let data =
            settings.load(parts, &self.data_options.load_options()?, &mut Downloads::new())?;
        let evaluation = Evaluation {
            run: self.run,
            epoch: trained.epoch,
            device: self.device.name(),
            data: data.title.clone(),
            origin: data.origin,
            scores: score(&trained, data)?,
        };
        let look = Look::detect();
        printer.result(&evaluation, || evaluation.text(look))
    }
}

pub(super) fn score(trained: &Trained, data: DataSet) -> Result<Scores> {
    let test = Arc::new(data.test);
    if test.is_empty() {
        bail!("the test split is empty; raise `data.test_share`");
    }
    let bar = SampleBar::new(test.len());
    let mut outputs = trained.outputs(Arc::clone(&test), |done| bar.set(done))?;
    drop(bar);
    match &test.targets {
        Targets::Classes(targets) => {
            if trained.experiment.data.task() == Task::BinaryClassification {
                outputs = two_class_logits(&outputs);
            }
            let classes = outputs.len() / test.len();
            let margins = || -> Vec<f32> { outputs.chunks(2).map(|row| row[1] - row[0]).collect() };
            let auroc = match (classes == 2).then(|| roc_auc(targets, &margins())).transpose() {
                Err(MetricsError::OneClass { .. }) => None,
                auroc => auroc?,
            };
            let top_5_accuracy =
                (classes > 5).then(|| top_k_accuracy(targets, &outputs, classes, 5)).transpose()?;
            let predicted = predicted_classes(&outputs, classes)?;
            let matrix = ConfusionMatrix::new(targets, &predicted, classes)?;
            Ok(Scores::Classification {
                loss: cross_entropy(targets, &outputs, classes)?,
                report: matrix.report(),
                auroc,
                top_5_accuracy,
                confusion_matrix: matrix.rows().to_vec(),
                class_names: data.class_names,
                matrix,
            })
        }
        Targets::Values(targets) => {
            if let Preprocessing::Ratings(index) = &trained.preprocessing {
                for rating in &mut outputs {
                    *rating = index.clip(*rating);
                }
            }
            let scores = RegressionScores::new(targets, &outputs)?;
            let least_squares = least_squares(trained, data.training, &test)?;
            Ok(Scores::Regression { scores, least_squares })
        }
    }
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
            Scores::Classification {
                loss,
                report,
                auroc,
                top_5_accuracy,
                matrix,
                class_names,
                ..
            } => {
                text += &classification_report_table(look, report, class_names);
                text += "\n\n";
                text += &confusion_matrix_table(look, matrix, class_names);
                text += &format!("\n\naccuracy {}", numbers::percent(report.accuracy));
                if let Some(accuracy) = top_5_accuracy {
                    text += &format!(", top-5 accuracy {}", numbers::percent(*accuracy));
                }
                if let Some(auroc) = auroc {
                    text += &format!(", AUROC {}", numbers::significant(*auroc, 4));
                }
                text += &format!(
                    ", loss {}, {} samples",
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
                    "\n\nrelative distance of the weights to the closed-form optimum: {}\n{} samples",
                    numbers::significant(baseline.relative_distance, 3),
                    numbers::count(scores.samples as u64)
                );
            }
        }
        text
    }
}
