//! `converge diagnose`: the verdict on a run, or on the log of any other tool.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::printer::{Printer, message, quoted};
use converge_core::verdict::{RunVerdict, run_verdict};
use converge_diagnosis::command::{Answer, Diagnose, Diagnosis, text};
use converge_figures::figure::{Page, draw_figure};
use converge_figures::{EpochPoint, LearningCurves};
use converge_record::{RunDirectory, write_atomically};

/// Did this training converge, and if not, why, and what should I change?
///
/// Judges runs of Converge (`latest` is the newest) and the logs of other tools: Keras, Lightning,
/// Hugging Face, Ultralytics, TensorBoard, Burn, W&B exports, `XGBoost`, `LightGBM`, printed lines, and any CSV
/// with a header. What a curve cannot show, such as wrong labels, no verdict can tell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge diagnose latest
  converge diagnose lightning_logs/version_3
  converge diagnose training.log --validation-loss dev_loss
  python train.py | converge diagnose -
  converge diagnose run.csv --fail-on diverged,not_learning")]
pub(super) struct DiagnoseArgs {
    #[command(flatten)]
    diagnose: Diagnose,
    /// Also draw the curves into this file
    #[arg(long, value_name = "FILE.svg")]
    figure: Option<PathBuf>,
    /// The directory that holds the runs, for `latest`
    #[arg(long, value_name = "DIR", default_value = "artifacts")]
    output: PathBuf,
}

impl DiagnoseArgs {
    pub(super) fn run(mut self, printer: &mut Printer) -> Result<()> {
        for path in &mut self.diagnose.paths {
            if path.as_path() == Path::new("latest") && !path.exists() {
                *path = latest(&self.output)?;
            }
        }
        let diagnosis = self.diagnose.diagnose()?;
        printer.result(&diagnosis, || {
            let own = diagnosis.answers().iter().filter_map(own_changes);
            text(&diagnosis) + &own.collect::<String>()
        })?;
        if let Some(path) = &self.figure {
            write_figure(&diagnosis, path)?;
            message(&format!("the curves are in {}", path.display()));
        }
        self.diagnose.fail_on(&diagnosis)
    }
}

/// The newest run in `folder`.
fn latest(folder: &Path) -> Result<PathBuf> {
    let runs = RunDirectory::list(folder).into_iter().filter_map(Result::ok);
    let newest = runs.max_by(|a, b| a.record.started.cmp(&b.record.started));
    let newest = newest.with_context(|| format!("there are no runs in `{}`", folder.display()))?;
    Ok(newest.path().to_owned())
}

/// What to change, as options, where the answer is on a run of Converge.
fn own_changes(answer: &Answer) -> Option<String> {
    let run = RunDirectory::open(Path::new(&answer.path)).ok()?;
    let verdict = run_verdict(&run, &run.epochs().ok()?).ok()?;
    Some(format!("\n\n{}", changes(&run, &verdict)?))
}

/// The commands that make the changes.
pub(super) fn changes(run: &RunDirectory, verdict: &RunVerdict) -> Option<String> {
    let lines: Vec<String> = verdict
        .changes
        .iter()
        .map(|change| {
            let what = if change.resumes {
                format!("--resume {}", quoted(run.path()))
            } else {
                quoted(&run.file("experiment.toml"))
            };
            format!("  converge train {what} {}\n      {}", change.options, change.reason)
        })
        .collect();
    (!lines.is_empty()).then(|| format!("try\n{}", lines.join("\n")))
}

/// Draws the judged run: losses, the metric, the learning rate.
fn write_figure(diagnosis: &Diagnosis, path: &Path) -> Result<()> {
    let answer = diagnosis.answers().first().context("there is nothing to draw")?;
    let history = &answer.history;
    let series = [
        ("loss", history.train_loss.as_ref()),
        ("val_loss", history.validation_loss.as_ref()),
        ("metric", history.train_metric.as_ref().map(|metric| &metric.series)),
        ("val_metric", history.metric.as_ref().map(|metric| &metric.series)),
        ("learning_rate", history.learning_rate.as_ref()),
    ];
    let mut points: Vec<EpochPoint> = vec![];
    for (name, series) in series.into_iter().filter_map(|(name, series)| Some((name, series?))) {
        for (place, value) in series.y.iter().enumerate() {
            while points.len() <= place {
                points.push(EpochPoint { epoch: points.len() + 1, values: vec![] });
            }
            points[place].values.push((name.to_owned(), *value));
        }
    }
    let metric = history.metric.as_ref().map_or("metric", |metric| metric.series.name.as_str());
    let mut curves = LearningCurves::new(&answer.path, &answer.format, "metric", points);
    metric.clone_into(&mut curves.metric_label);
    curves.best_epoch = answer.verdict.best.map(|best| best.point);
    let svg = draw_figure(&curves.figure()?, Page::Adaptive)?;
    write_atomically(path, svg.as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))
}
