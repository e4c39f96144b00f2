//! `converge diagnose`: the verdict on a run, or on the log of any other tool.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use super::options::RUNS;
use super::printer::{Printer, message};
use super::width;
use converge_core::curves::history_figure;
use converge_core::train::StoredRun as _;
use converge_core::verdict::changes;
use converge_diagnosis::command::{Diagnose, text};
use converge_figures::figure::{Page, draw_figure};
use converge_record::{RunDirectory, find_run, write_atomically};

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
    /// The directory that holds the runs, for `latest` and beginnings of names
    #[arg(long, value_name = "DIR", default_value = RUNS)]
    output: PathBuf,
}

impl DiagnoseArgs {
    pub(super) fn run(mut self, printer: &mut Printer) -> Result<()> {
        for path in &mut self.diagnose.paths {
            // A dash is standard input.
            if path.as_path() != Path::new("-") {
                *path = find_run(path, &self.output)?;
            }
        }
        let mut diagnosis = self.diagnose.diagnose()?;
        for answer in diagnosis.answers_mut() {
            // Of a run of Converge, whose experiment is known.
            if let Ok(run) = RunDirectory::open(Path::new(&answer.path))
                && run.record.trained_by.is_none()
            {
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
