//! `converge diagnose`: the verdict on a run, or on the log of any other tool.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::printer::{Printer, message};
use super::width;
use converge_core::curves::history_figure;
use converge_core::train::StoredRun as _;
use converge_core::verdict::changes;
use converge_diagnosis::command::{Diagnose, text};
use converge_figures::figure::{Page, draw_figure};
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
        let mut diagnosis = self.diagnose.diagnose()?;
        for answer in diagnosis.answers_mut() {
            // Of a run of Converge, whose experiment is known.
            if let Ok(run) = RunDirectory::open(Path::new(&answer.path)) {
                let epochs = run.record.epochs_done;
                answer.changes = changes(&answer.verdict, &run.experiment()?, epochs);
            }
        }
        printer.result(&diagnosis, || text(&diagnosis, width::columns()))?;
        if let Some(path) = &self.figure {
            let judged = diagnosis.answers().iter();
            let curves: Vec<_> = judged.map(|one| (one.path.as_str(), &one.history)).collect();
            let svg = draw_figure(&history_figure(&curves), Page::Adaptive)?;
            write_atomically(path, svg.as_bytes())
                .with_context(|| format!("cannot write `{}`", path.display()))?;
            message(&format!("the curves are in {}", path.display()));
        }
        self.diagnose.fail_on(&diagnosis)
    }
}

/// The newest run in `folder`.
pub(super) fn latest(folder: &Path) -> Result<PathBuf> {
    let runs = RunDirectory::list(folder).into_iter().filter_map(Result::ok);
    let newest = runs.max_by(|a, b| a.record.started.cmp(&b.record.started));
    let newest = newest.with_context(|| format!("there are no runs in `{}`", folder.display()))?;
    Ok(newest.path().to_owned())
}
