//! `converge evaluate`: score a checkpoint of a run on the test split.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use super::options::{DataOptions, DeviceOption, RunArgument};
use super::printer::{Printer, message};
use super::progress::{Downloads, SampleBar};
use converge_core::evaluation::{Evaluation, Scores, TestData, Trained, evaluate};
use converge_data::Origin;
use converge_figures::{
    Look, classification_report_table, confusion_matrix_table, numbers, regression_table, table,
};
use converge_record::Which;

/// Score a run on the test split
///
/// Loads nothing but the run's directory and the test data. Any device will do. The scores, the
/// confusion matrix and the surest mistakes are kept in the run as `evaluation.json`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge evaluate artifacts/cifar10-20261122-101500
  converge evaluate artifacts/cifar10-20261122-101500 --checkpoint last --device ndarray --json")]
pub(super) struct EvaluateArgs {
    #[command(flatten)]
    run: RunArgument,
    /// The checkpoint: `best`, `last` or an epoch [default: best, or last where the experiment says
    /// `restore_best = false`]
    #[arg(long, value_name = "WHICH")]
    checkpoint: Option<Which>,
    /// The data: those of the `run`, or whichever are found, `other`
    #[arg(long, value_name = "WHICH", default_value = "run")]
    data: WhichData,
    #[command(flatten)]
    data_options: DataOptions,
    #[command(flatten)]
    pub(super) device: DeviceOption,
}

/// The data that `--data` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum WhichData {
    /// The data of the run, or an error
    Run,
    /// The test split of the data found, whose classes are matched by name
    Other,
}

impl EvaluateArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let which = match self.data {
            WhichData::Run => TestData::OfRun,
            WhichData::Other => TestData::Other,
        };
        let (device, data) = (&self.device, &self.data_options);
        let evaluation = score(&self.run.path()?, self.checkpoint, which, device, data)?;
        let look = Look::detect();
        printer.result(&evaluation, || text(&evaluation, look))?;
        if let Some(difference) = &evaluation.other_data {
            printer.warning(&format!("scored on other data than the run's: {difference}"));
        }
        Ok(())
    }
}

/// Scores a checkpoint of the run in the directory `run`, showing how far it is, and keeps the scores
/// there.
pub(super) fn score(
    run: &Path,
    checkpoint: Option<Which>,
    which: TestData,
    device: &DeviceOption,
    data: &DataOptions,
) -> Result<Evaluation> {
    let trained = Trained::load(run, checkpoint, &device.name())?;
    let (options, bar) = (data.load_options()?, SampleBar::new());
    let mut progress = |done, samples| bar.set(done, samples);
    let evaluation = evaluate(&trained, which, &options, &mut Downloads::new(), &mut progress)?;
    // A run that may only be read is scored all the same.
    let record = evaluation.record();
    let kept = trained.run.write_evaluation(&record);
    if let Err(error) = kept.and_then(|()| converge_logs::add_evaluation(&trained.run, &record)) {
        message(&format!("warning: the scores are not kept in the run: {error}"));
    }
    Ok(evaluation)
}

fn text(evaluation: &Evaluation, look: Look) -> String {
    let synthetic = if evaluation.origin == Origin::Real { "" } else { ", SYNTHETIC data" };
    let other = if evaluation.other_data.is_some() { ", OTHER data than the run's" } else { "" };
    let mut text = format!(
        "{}: epoch {}, test split of {}{synthetic}{other}\n\n",
        evaluation.run.display(),
        evaluation.epoch,
        evaluation.data
    );
    match &evaluation.scores {
        Scores::Classification {
            loss,
            report,
            auroc,
            top_5_accuracy,
            confusion_matrix,
            class_names,
            ..
        } => {
            text += &classification_report_table(look, report, class_names);
            text += "\n\n";
            text += &confusion_matrix_table(look, confusion_matrix, class_names);
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
