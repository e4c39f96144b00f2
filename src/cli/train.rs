//! `converge train`: train an experiment in a run directory of its own, or take a run up again.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::options::{DataOptions, DeviceOption};
use super::printer::{Printer, message};
use super::progress::{Downloads, TrainingProgress};
use super::{cross_validate, evaluate};
use converge_core::cross_validation::cross_validate;
use converge_core::curves::write_learning_curves;
use converge_core::experiment::{Experiment, builtins};
use converge_core::train::{Observer, Outcome, Session, Silent, StopRequest, StoredRun as _};
use converge_data::{Origin, Source};
use converge_figures::{Look, numbers, table};
use converge_record::{EpochRow, PretrainedRecord, RunDirectory, RunRecord, Status, StopReason};

/// Train an experiment
///
/// The run gets a directory of its own, with everything needed to repeat, resume and evaluate it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge train cifar10
  converge train mnist --epochs 3 --set optimizer.learning_rate=0.01 --set model.hidden=[256,128]
  converge train ./mine.toml --data real --seed 7
  converge train movielens --cross-validate
  converge train --resume artifacts/cifar10-20261122-101500 --epochs 20")]
pub(super) struct TrainArgs {
    /// The experiment: a built-in name, or the path of a TOML file
    #[arg(required_unless_present_any = ["resume", "list"])]
    experiment: Option<String>,
    /// List the built-in experiments
    #[arg(long, conflicts_with_all = ["experiment", "resume"])]
    list: bool,
    /// Override a key of the experiment, such as `optimizer.learning_rate=0.01`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "resume")]
    overrides: Vec<String>,
    /// Train so many epochs in all
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// What every random number of the run derives from
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    seed: Option<u64>,
    /// Real data or their synthetic stand-in; `auto` takes the stand-in where there are no real data
    #[arg(long, value_name = "KIND", conflicts_with = "resume")]
    data: Option<DataKind>,
    #[command(flatten)]
    data_options: DataOptions,
    #[command(flatten)]
    pub(super) device: DeviceOption,
    /// The directory to make the run's directory in
    #[arg(long, value_name = "DIR", default_value = "artifacts", conflicts_with = "resume")]
    output: PathBuf,
    /// Take this run up again where it stopped
    #[arg(long, value_name = "RUN", conflicts_with = "experiment")]
    resume: Option<PathBuf>,
    /// Train once for every published fold of the data, and score each on its test split
    #[arg(long, conflicts_with = "resume")]
    cross_validate: bool,
    /// How progress is shown
    #[arg(long, value_name = "KIND", default_value = "auto")]
    progress: ProgressKind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DataKind {
    Auto,
    Real,
    Synthetic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProgressKind {
    /// Bars on a terminal, else one line an epoch
    Auto,
    /// Nothing
    Off,
    /// Burn's full-screen interface (needs the feature `tui`)
    Tui,
}

impl TrainArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        if self.list {
            return list(printer);
        }
        let full_screen = self.progress == ProgressKind::Tui;
        if full_screen && !cfg!(feature = "tui") {
            bail!(
                "`--progress tui` is not compiled in; build with `cargo build --release --features \
                 tui`"
            );
        }
        if full_screen && !std::io::stdout().is_terminal() {
            bail!("`--progress tui` needs a terminal on stdout; leave the option out");
        }
        if self.cross_validate {
            return self.cross_validate(printer);
        }
        let session = self.session(printer, StopRequest::default(), true)?;
        let outcome = match &self.resume {
            Some(run) => session.resume(run, self.epochs)?,
            None => session.train(self.experiment(printer)?, &self.output)?,
        };
        finish(&outcome, printer)
    }

    /// Trains and scores every fold. The first one catches Ctrl-C for all.
    fn cross_validate(&self, printer: &mut Printer) -> Result<()> {
        let experiment = self.experiment(printer)?;
        let folds = experiment.data.folds()?;
        let stop_request = StopRequest::default();
        let train = |fold, experiment| {
            message(&format!("fold {fold} of {folds}"));
            let session = self.session(printer, stop_request.clone(), fold == 1)?;
            let outcome = session.train(experiment, &self.output)?;
            draw(&outcome)?;
            Ok(outcome)
        };
        let evaluate = |run: &RunDirectory| {
            evaluate::score(run.path(), None, &self.device, &self.data_options)
        };
        let result = cross_validate(&experiment, train, evaluate)?;
        cross_validate::print(&result, printer)
    }

    fn session(
        &self,
        printer: &Printer,
        stop_request: StopRequest,
        catches_signals: bool,
    ) -> Result<Session> {
        let observer: Arc<Mutex<dyn Observer>> = match self.progress {
            ProgressKind::Auto => Arc::new(Mutex::new(TrainingProgress::new())),
            ProgressKind::Off | ProgressKind::Tui => Arc::new(Mutex::new(Silent)),
        };
        Ok(Session {
            device: self.device.open()?,
            device_name: self.device.name(),
            load: self.data_options.load_options()?,
            downloads: Box::new(Downloads::new()),
            announce: Box::new(announcer(printer, catches_signals.then(|| stop_request.clone()))),
            warn: {
                let printer = Printer::new(printer.json);
                Box::new(move |text| printer.warning(text))
            },
            observer,
            stop_request,
            full_screen: self.progress == ProgressKind::Tui,
        })
    }

    fn experiment(&self, printer: &Printer) -> Result<Experiment> {
        let name = self.experiment.as_deref().context("name an experiment to train")?;
        let mut experiment = Experiment::load(name, &self.overrides)?;
        experiment.warnings().iter().for_each(|warning| printer.warning(warning));
        if let Some(kind) = self.data {
            let source = match kind {
                DataKind::Auto => Source::Auto,
                DataKind::Real => Source::Real,
                DataKind::Synthetic => Source::Synthetic,
            };
            let mut data = experiment.data.clone();
            data.set_source(source)?;
            experiment = experiment.with(|settings| settings.data = data)?;
        }
        Ok(experiment.with(|settings| {
            settings.training.epochs = self.epochs.unwrap_or(settings.training.epochs);
            settings.training.seed = self.seed.unwrap_or(settings.training.seed);
        })?)
    }
}

fn list(printer: &mut Printer) -> Result<()> {
    #[derive(Serialize)]
    struct Listed {
        name: &'static str,
        purpose: String,
    }
    let all: Vec<Listed> =
        builtins().map(|one| Listed { name: one.name, purpose: one.purpose }).collect();
    let rows: Vec<_> = all.iter().map(|one| vec![one.name.into(), one.purpose.clone()]).collect();
    let look = Look::detect();
    printer.result(&all, || table(look, &["experiment", "purpose"], &rows))
}

/// The first Ctrl-C asks the session to stop, the second one ends the program.
fn catch_signals(stop_request: StopRequest) -> Result<()> {
    ctrlc::set_handler(move || {
        if stop_request.raise() {
            #[expect(clippy::exit, reason = "a second Ctrl-C means now")]
            std::process::exit(130);
        }
        message("stopping after this step; press Ctrl-C again to stop at once");
    })
    .context("cannot catch Ctrl-C")
}

/// Says what is about to be trained on what, and from then on catches Ctrl-C: before, there is
/// nothing to save.
fn announcer(
    printer: &Printer,
    mut stop_request: Option<StopRequest>,
) -> impl FnMut(&RunDirectory) + use<> {
    let printer = Printer::new(printer.json);
    move |run| {
        if let Some(stop_request) = stop_request.take()
            && let Err(error) = catch_signals(stop_request)
        {
            printer.warning(&format!("{error:#}: Ctrl-C will not save the current epoch"));
        }
        let record = &run.record;
        message(&format!(
            "{} on {} ({}): {} training and {} validation samples, {} parameters, device {}",
            record.experiment,
            record.data.title,
            record.data.description,
            numbers::count(record.training_samples as u64),
            numbers::count(record.validation_samples as u64),
            numbers::count(record.parameters as u64),
            record.device,
        ));
        if record.data.origin == Origin::SyntheticStandIn {
            let reason = record.data.stand_in_reason.as_deref().unwrap_or("it was asked for");
            printer.warning(&format!(
                "THIS IS SYNTHETIC DATA: a stand-in of the same shape, drawn by code.\n  Reason: \
                 {reason}.\n  Its scores say nothing about the real data. For those, see `converge \
                 data`, or name the folder that holds them with `--data-dir`"
            ));
        }
        if let Some(pretrained) = &record.pretrained {
            announce_weights(&printer, pretrained);
        }
        message(&format!("run: {}", run.path().display()));
    }
}

/// Says what weights a transfer model starts with.
fn announce_weights(printer: &Printer, pretrained: &PretrainedRecord) {
    if let Some(path) = &pretrained.path {
        message(&format!("pretrained weights: {} from {}", pretrained.weights, path.display()));
        return;
    }
    let reason = pretrained.stand_in_reason.as_deref().unwrap_or("they were asked for");
    printer.warning(&format!(
        "THESE ARE RANDOM WEIGHTS: nobody has trained the base, and it stays as it is.\n  Reason: \
         {reason}.\n  The scores say nothing about transfer learning. Name weights with `--set \
         model.weights=…`: a file, or a run of `mobilenet-cifar10`"
    ));
}

/// What `train --json` prints.
#[derive(Serialize)]
struct TrainResult<'a> {
    run: String,
    #[serde(flatten)]
    record: &'a RunRecord,
    epochs: &'a [EpochRow],
}

/// Draws the curves and prints the result.
fn finish(outcome: &Outcome, printer: &mut Printer) -> Result<()> {
    if !outcome.history.is_empty() {
        draw(outcome)?;
    }
    let run = outcome.run.path().display().to_string();
    let look = Look::detect();
    let result =
        TrainResult { run: run.clone(), record: &outcome.run.record, epochs: &outcome.history };
    printer.result(&result, || summary(outcome, look))?;
    match outcome.run.record.status {
        Status::Interrupted => {
            message(&format!("go on with: converge train --resume {run}"));
        }
        Status::Diverged => {
            let kept = match &outcome.run.record.best {
                Some(best) => format!("; the best checkpoint, of epoch {}, is kept", best.epoch),
                None => String::new(),
            };
            bail!(
                "the training diverged: {}{kept}. Try a lower learning rate, such as `--set \
                 optimizer.learning_rate={}`, or `--set clipping.global_norm=1`",
                outcome.stop.message,
                outcome.run.experiment()?.optimizer.learning_rate() / 10.0
            );
        }
        _ => message(&format!("score it on the test split: converge evaluate {run}")),
    }
    Ok(())
}

fn summary(outcome: &Outcome, look: Look) -> String {
    let record = &outcome.run.record;
    let best_epoch = record.best.as_ref().map(|best| best.epoch);
    let best = best_epoch.and_then(|epoch| outcome.history.get(epoch - 1));
    let mut text = String::new();
    if let Some(last) = outcome.history.last() {
        let mut header = vec!["metric".to_owned(), format!("last (epoch {})", last.epoch)];
        header.extend(best_epoch.map(|epoch| format!("best (epoch {epoch})")));
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> = last
            .metrics
            .iter()
            .map(|(name, value)| {
                let at_best = best.and_then(|row| row.metric(name));
                let values = std::iter::once(value.0).chain(at_best);
                let shown = values.map(|value| numbers::significant(value, 4));
                std::iter::once(name.clone()).chain(shown).collect()
            })
            .collect();
        text += &table(look, &header, &rows);
        text += "\n";
    }
    text += &format!(
        "{}: {}. {} in {}.",
        match record.status {
            Status::Completed if outcome.stop.reason != StopReason::MaxEpochs => "stopped early",
            Status::Completed => "completed",
            Status::Interrupted => "interrupted",
            Status::Diverged => "diverged",
            Status::Running | Status::Failed => "failed",
        },
        outcome.stop.message,
        plural(record.steps_done, "step"),
        numbers::duration(Duration::try_from_secs_f64(record.seconds).unwrap_or_default())
    );
    if record.data.is_synthetic() {
        text += "\nThe data are synthetic.";
    }
    text
}

fn plural(count: usize, unit: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {unit}{ending}", numbers::count(count as u64))
}

/// Draws the learning curves into the directory of the run.
fn draw(outcome: &Outcome) -> Result<()> {
    write_learning_curves(&outcome.run, &outcome.history)
        .context("the run is saved, but its curves could not be drawn")
}
