//! `converge lr-find`: a learning rate for an experiment, found by trying.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::measured::{Kept, TimedProgress, train_command, write_figure, write_file, written};
use super::options::{DataOptions, DeviceOption};
use super::printer::{Printer, message};
use super::progress::Downloads;
use super::signals::{self, Stopped};
use converge_core::experiment::Experiment;
use converge_core::explore::lr_find::{
    self, Found, LearningRateError, Measured, Options, Watcher, figure, find,
};
use converge_core::train::{Prepared, Session, StopRequest};
use converge_data::Origin;
use converge_figures::{Look, numbers, table};

/// Find a learning rate for an experiment by trying
///
/// Raises the rate from step to step until the loss breaks, with several seeds; then trains a few
/// rates in between from the start for a while, and says which came furthest.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge lr-find mnist
  converge lr-find cifar10 --set optimizer.name=sgd --seeds 5
  converge lr-find ./mine.toml --budget 2")]
pub(super) struct LrFindArgs {
    /// The experiment: a built-in name, or the path of a TOML file
    experiment: String,
    /// Override a key of the experiment, such as `optimizer.name=sgd`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// The rate that the sweeps begin with
    #[arg(long, value_name = "RATE", default_value_t = 1e-7)]
    from: f64,
    /// The rate that the sweeps end with, if the loss has not broken before
    #[arg(long, value_name = "RATE", default_value_t = 10.0)]
    to: f64,
    /// Steps of a sweep
    #[arg(long, value_name = "N", default_value_t = 100)]
    steps: usize,
    /// How many seeds to sweep with
    #[arg(long, value_name = "N", default_value_t = 3)]
    seeds: usize,
    /// Steps of each trial [default: an epoch, but 100 to 1000, and no more than the run has]
    #[arg(long, value_name = "N")]
    trial_steps: Option<usize>,
    /// Train no longer than so many epochs in all, by shorter trials
    #[arg(long, value_name = "EPOCHS", conflicts_with = "trial_steps")]
    budget: Option<f64>,
    #[command(flatten)]
    data_options: DataOptions,
    #[command(flatten)]
    pub(super) device: DeviceOption,
    /// The directory to write into: a directory per experiment, with the figure and the numbers
    #[arg(long, value_name = "DIR", default_value = "artifacts/lr-find")]
    output: PathBuf,
}

/// What `lr-find --json` prints, and `lr-find.json` has.
#[derive(Serialize)]
struct Told<'a> {
    experiment: &'a str,
    optimizer: &'a str,
    data: &'a str,
    origin: Origin,
    options: &'a Options,
    steps_per_epoch: usize,
    /// What the trials are scored on.
    held_out_samples: usize,
    #[serde(flatten)]
    found: &'a Found,
    /// What to train with: the changes that were asked for, and the rate.
    set: Option<Vec<String>>,
    files: Vec<PathBuf>,
}

impl LrFindArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let experiment = Experiment::load(&self.experiment, &self.overrides)?;
        experiment.warnings().iter().for_each(|warning| printer.warning(warning));
        let mut session = Session::new(&self.device.name(), self.data_options.load_options()?)?;
        session.downloads = Box::new(Downloads::new());
        let prepared = session.prepare(experiment)?;
        if prepared.data.origin == Origin::SyntheticStandIn {
            printer
                .warning("THIS IS SYNTHETIC DATA: a rate found on it may not suit the real data");
        }
        let options = self.options(&prepared)?;
        let steps_per_epoch = prepared.steps_per_epoch();
        let epochs = options.total_steps() as f64 / steps_per_epoch as f64;
        message(&format!(
            "{} sweeps of {} steps, then up to {} trials of {} steps: at most {} epochs of training",
            options.seeds.len(),
            options.steps,
            lr_find::MOST_TRIALS,
            options.trial_steps,
            numbers::significant(epochs, 2),
        ));

        let directory = self.output.join(&prepared.experiment.name);
        let of = (prepared.experiment.to_toml()?, &prepared.data, &options);
        let (kept, measured) = Kept::open(&directory, &of)?;
        let measured = measured.unwrap_or_default();
        let stop = StopRequest::default();
        signals::catch(stop.clone())?;
        let mut shown = Shown { progress: TimedProgress::new("lr-find"), kept };
        let result = find(&prepared, &options, measured, &stop, &mut shown);
        shown.progress.finish();
        let (found, measured) = match result {
            Err(LearningRateError::Stopped) => {
                message("stopped; the same command goes on from here");
                return Err(Stopped.into());
            }
            result => result?,
        };
        let rate = found.learning_rate.map(numbers_that_parse);
        let mut told = Told {
            experiment: &prepared.experiment.name,
            optimizer: prepared.experiment.optimizer.name(),
            data: &prepared.data.title,
            origin: prepared.data.origin,
            options: &options,
            steps_per_epoch,
            held_out_samples: prepared.validation.len(),
            found: &found,
            set: rate.map(|rate| {
                let own = format!("optimizer.learning_rate={rate}");
                self.overrides.iter().cloned().chain([own]).collect()
            }),
            files: vec![],
        };
        write(&directory, &mut told, &measured)?;
        let name = &self.experiment;
        printer.result(&told, || text(Look::detect(), &told, name, &prepared))?;
        if found.learning_rate.is_none() {
            bail!("every trial broke: begin the sweeps lower, with `--from`");
        }
        Ok(())
    }

    fn options(&self, prepared: &Prepared) -> Result<Options> {
        let steps_per_epoch = prepared.steps_per_epoch();
        let settings = &prepared.experiment.training;
        let mut trial_steps =
            self.trial_steps.unwrap_or(lr_find::trial_steps(steps_per_epoch, settings.epochs));
        if let Some(budget) = self.budget {
            let all = (budget * steps_per_epoch as f64) as usize;
            let left = all.saturating_sub(self.seeds * self.steps) / lr_find::MOST_TRIALS;
            if left < 10 {
                bail!(
                    "a budget of {budget} epochs is {all} steps, too few for {} sweeps of {} and \
                     trials: raise `--budget`, or lower `--seeds` or `--steps`",
                    self.seeds,
                    self.steps
                );
            }
            trial_steps = trial_steps.min(left);
        }
        let seeds = (0..self.seeds as u64).map(|seed| settings.seed.wrapping_add(seed)).collect();
        let (from, to, steps) = (self.from, self.to, self.steps);
        Ok(Options { from, to, steps, seeds, trial_steps })
    }
}

/// Shows the progress of a search and keeps what it measures.
struct Shown {
    progress: TimedProgress,
    kept: Kept,
}

impl Watcher for Shown {
    fn at(&mut self, done: usize, total: usize, part: &str) {
        self.progress.at(done, total, part);
    }

    fn keep(&mut self, measured: &Measured) -> std::io::Result<()> {
        self.kept.keep(measured)
    }
}

/// Fewer held-out samples than this tell rates apart only where they differ much.
const FEW: usize = 200;

/// A rate as `--set` takes it, without the noise of binary fractions.
fn numbers_that_parse(rate: f64) -> String {
    let short = format!("{rate:.1e}");
    short.parse::<f64>().map_or(short, |rate| rate.to_string())
}

/// Writes figure, numbers and what was found into `directory`.
fn write(directory: &Path, told: &mut Told, measured: &Measured) -> Result<()> {
    let mut files = vec![];
    write_figure(directory, &figure(told.experiment, told.found, measured), &mut files)?;
    let mut sweeps = "seed,learning_rate,loss,smoothed\n".to_owned();
    for sweep in &measured.sweeps {
        for point in &sweep.points {
            let (seed, rate) = (sweep.seed, point.learning_rate);
            sweeps += &format!("{seed},{rate:e},{},{}\n", point.loss, point.smoothed);
        }
    }
    let mut trials = "learning_rate,steps,training_loss,validation_loss\n".to_owned();
    for trial in &told.found.trials {
        let loss = trial.validation_loss.map(|loss| loss.to_string()).unwrap_or_default();
        let (rate, steps) = (trial.learning_rate, trial.steps);
        trials += &format!("{rate:e},{steps},{},{loss}\n", trial.training_loss);
    }
    write_file(directory, "sweeps.csv", sweeps.as_bytes(), &mut files)?;
    write_file(directory, "trials.csv", trials.as_bytes(), &mut files)?;
    files.push(directory.join("lr-find.json"));
    told.files = files;
    write_file(directory, "lr-find.json", &serde_json::to_vec_pretty(&told)?, &mut vec![])
}

fn text(look: Look, told: &Told, name: &str, prepared: &Prepared) -> String {
    let rate = |rate: f64| numbers::significant(rate, 2);
    let mut text = match told.found.diverges {
        Some([low, high]) => {
            format!("The loss breaks at a rate of {} to {}.\n", rate(low), rate(high))
        }
        None => format!("Not every sweep broke by a rate of {}.\n", rate(told.options.to)),
    };
    let rows = told.found.suggestions.iter().map(|one| {
        let rates = [one.learning_rate, one.low, one.high].map(rate);
        std::iter::once(one.rule.title().to_owned()).chain(rates).collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        let header = ["what the sweeps suggest", "rate", "least", "greatest over seeds"];
        text += &format!("\n{}\n", table(look, &header, &rows));
    }
    let rows = told.found.trials.iter().map(|one| {
        let loss = one.validation_loss.map(|loss| numbers::significant(loss, 4));
        let mark = if told.found.learning_rate == Some(one.learning_rate) { "best" } else { "" };
        vec![
            rate(one.learning_rate),
            one.steps.to_string(),
            numbers::significant(one.training_loss, 4),
            loss.unwrap_or_else(|| "broke".to_owned()),
            mark.to_owned(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let header = ["trial", "steps", "training loss", "loss on held-out samples", ""];
    text += &format!("\n{}\n", table(look, &header, &rows));
    match told.held_out_samples {
        0 => {
            text += "\nThe experiment holds nothing out: the trials were scored on what they train on.\n";
        }
        few @ 1..FEW => {
            text += &format!(
                "\nOnly {few} samples are held out, too few to tell good rates apart: of those that \
                 did not break, prefer a lower one where training is unsteady.\n"
            );
        }
        _ => {}
    }
    if let Some(set) = &told.set {
        let now = prepared.experiment.optimizer.learning_rate();
        text += &format!(
            "\nThe experiment has {}. Train with what was found:\n  {}\n",
            rate(now),
            train_command(name, set)
        );
    }
    text + &written(&told.files)
}
