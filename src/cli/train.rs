//! `converge train`: train an experiment in a run directory of its own, or take a run up again.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::options::{DataOptions, DeviceOption, RUNS, log_format};
use super::printer::{Printer, for_people, message};
use super::progress::{Downloads, TrainingProgress};
use super::signals::{self, Stopped};
use super::train_result::finish;
use super::training_page::TrainingPage;
use super::{cross_validate, evaluate, progress};
use converge_core::cross_validation::{self, cross_validate};
use converge_core::curves::write_learning_curves;
use converge_core::evaluation::TestData;
use converge_core::experiment::{Experiment, builtins};
use converge_core::train::{Observer, Outcome, Session, Silent, StopRequest, TrainError};
use converge_core::verdict::{is_judged, write_verdict};
use converge_data::{Origin, Source};
use converge_diagnosis::command::quoted;
use converge_figures::{Look, numbers, table};
use converge_logs::LogFormat;
use converge_record::{PretrainedRecord, RunDirectory, Status, find_run};

/// Train an experiment
///
/// The run gets a directory of its own, with everything needed to repeat, resume and evaluate it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge train cifar10
  converge train mnist --epochs 3 --set optimizer.learning_rate=0.01 --set model.hidden=[256,128]
  converge train ./mine.toml --data real --seed 7
  converge train cifar10 --watch
  converge train mnist --log tensorboard && tensorboard --logdir artifacts
  converge train movielens --cross-validate
  converge train --cross-validate --resume artifacts/movielens-20261122-101500
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
    #[arg(long, value_name = "DIR", default_value = RUNS, conflicts_with = "resume")]
    output: PathBuf,
    /// Take this run (`latest`, or the beginning of its name) up again where it stopped; with `--cross-validate`, the folds after it too
    #[arg(long, value_name = "RUN", conflicts_with = "experiment")]
    resume: Option<PathBuf>,
    /// Train once for every published fold of the data, and score each on its test split
    #[arg(long)]
    cross_validate: bool,
    /// Write a log for other tools too; several are separated by commas
    #[arg(long = "log", value_name = "FORMAT", value_delimiter = ',', value_parser = log_format())]
    logs: Vec<LogFormat>,
    /// How progress is shown
    #[arg(long, value_name = "KIND", default_value = "auto")]
    progress: ProgressKind,
    /// Follow it in the browser, as `converge watch` does, until it ends
    #[arg(long)]
    watch: bool,
    #[arg(skip)]
    page: TrainingPage,
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
        let page = self.page.clone();
        let trained = self.train(printer);
        if let Err(error) = page.end() {
            printer.warning(&format!("{error:#}"));
        }
        trained
    }

    fn train(mut self, printer: &mut Printer) -> Result<()> {
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
        if let Some(run) = &mut self.resume {
            *run = find_run(run, Path::new(RUNS))?;
        }
        if self.cross_validate {
            return self.cross_validate(printer);
        }
        let session = self.session(printer, StopRequest::default(), true)?;
        let outcome = match &self.resume {
            Some(run) => session.resume(run, self.epochs),
            None => session.train(self.experiment(printer)?, &self.output),
        };
        progress::clear();
        match outcome {
            Err(TrainError::Complete { run, .. }) if complete(&run)? => {
                message(&format!(
                    "the curves and the verdict of {} were missing, and are there now",
                    run.display()
                ));
                Ok(())
            }
            outcome => finish(&outcome?, printer),
        }
    }

    /// Trains and scores every fold. The first one catches Ctrl-C for all.
    fn cross_validate(&self, printer: &mut Printer) -> Result<()> {
        let mut stopped = match &self.resume {
            Some(_) if self.epochs.is_some() => bail!(
                "`--epochs` cannot change a cross-validation that is taken up again: its folds \
                 would not be comparable"
            ),
            Some(run) => Some(cross_validation::Stopped::at(&RunDirectory::open(run)?)?),
            None => None,
        };
        let experiment = match &stopped {
            Some(stopped) => stopped.experiment.clone(),
            None => self.experiment(printer)?,
        };
        let folds = experiment.data.folds()?;
        let stop_request = StopRequest::default();
        let mut catches_signals = true;
        let train = |fold, experiment| {
            let earlier = stopped.as_mut().and_then(|stopped| stopped.earlier.remove(&fold));
            if let Some(run) = earlier {
                message(&format!("fold {fold} of {folds}: {}", run.path().display()));
                return Ok(Outcome::of(run)?);
            }
            message(&format!("fold {fold} of {folds}"));
            let session = self.session(printer, stop_request.clone(), catches_signals)?;
            catches_signals = false;
            let resumed = self
                .resume
                .as_ref()
                .filter(|_| stopped.as_ref().is_some_and(|stopped| stopped.fold == fold));
            let outcome = if let Some(run) = resumed {
                match session.resume(run, None) {
                    // Stopped between two folds.
                    Err(TrainError::Complete { run, .. }) => Outcome::of(RunDirectory::open(&run)?),
                    outcome => outcome,
                }
            } else {
                let beside = self.resume.as_ref().and_then(|run| run.parent());
                session.train(experiment, beside.unwrap_or(&self.output))
            };
            progress::clear();
            let outcome = outcome?;
            draw(&outcome)?;
            if outcome.run.record.status == Status::Interrupted {
                let run = quoted(outcome.run.path());
                message(&format!("go on with: converge train --cross-validate --resume {run}"));
                return Err(Stopped.into());
            }
            Ok(outcome)
        };
        let evaluate = |run: &RunDirectory| {
            evaluate::score(run.path(), None, TestData::OfRun, &self.device, &self.data_options)
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
            announce: {
                let stop_request = catches_signals.then(|| stop_request.clone());
                Box::new(announcer(printer, stop_request, self.watch.then(|| self.page.clone())))
            },
            warn: {
                let printer = Printer::new(printer.json);
                Box::new(move |text| printer.warning(text))
            },
            observer,
            stop_request,
            logs: self.logs.clone(),
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

/// Says what is about to be trained on what, and from then on catches Ctrl-C: before, there is
/// nothing to save. Shows the `page`, if one is wanted.
fn announcer(
    printer: &Printer,
    mut stop_request: Option<StopRequest>,
    page: Option<TrainingPage>,
) -> impl FnMut(&RunDirectory) + use<> {
    let printer = Printer::new(printer.json);
    move |run| {
        if let Some(stop_request) = stop_request.take()
            && let Err(error) = signals::catch(stop_request)
        {
            printer.warning(&format!("{error:#}: Ctrl-C will not save the current epoch"));
        }
        let record = &run.record;
        message(&for_people(&format!(
            "{} on {} ({}): {} training and {} validation samples, {} parameters, device {}",
            record.experiment,
            record.data.title,
            record.data.description,
            numbers::count(record.training_samples as u64),
            numbers::count(record.validation_samples as u64),
            numbers::count(record.parameters as u64),
            record.device,
        )));
        if record.data.origin == Origin::SyntheticStandIn {
            let reason = record.data.stand_in_reason.as_deref().unwrap_or("it was asked for");
            printer.warning(&format!(
                "THIS IS SYNTHETIC DATA: a stand-in of the same shape, drawn by code.\n  Reason: \
                 {reason}.\n  Its scores say nothing about the real data. For those, see `converge \
                 data`, or name the folder that holds them with `--data-dir`"
            ));
        }
        let mut files = record.data.files.iter();
        if let Some(file) = files.find(|file| file.official == Some(false)) {
            printer.warning(&format!(
                "`{}` is not the official file of {}: its checksum is another",
                file.path.display(),
                record.data.title
            ));
        }
        if let Some(pretrained) = &record.pretrained {
            announce_weights(&printer, pretrained);
        }
        message(&format!("run: {}", run.path().display()));
        if let Some(Err(error)) = page.as_ref().map(|page| page.show(run)) {
            printer.warning(&format!("{error:#}"));
        }
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

/// Draws the learning curves into the directory of the run, if there is an epoch to draw.
pub(super) fn draw(outcome: &Outcome) -> Result<()> {
    if outcome.history.is_empty() {
        return Ok(());
    }
    write_learning_curves(&outcome.run, &outcome.history)
        .context("the run is saved, but its curves could not be drawn")
}

/// Draws and judges a complete run whose process was killed before it could; returns whether it had
/// to. The verdict is written last, and may be there from a stop before.
fn complete(run: &Path) -> Result<bool> {
    let outcome = Outcome::of(RunDirectory::open(run)?)?;
    let (run, history) = (&outcome.run, &outcome.history);
    let is_drawn = ["curves.svg", "curves.png"].iter().all(|name| run.file(name).exists());
    if is_drawn && is_judged(run, history)? {
        return Ok(false);
    }
    draw(&outcome)?;
    write_verdict(run, history)?;
    Ok(true)
}
