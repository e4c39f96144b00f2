//! `converge lr-find`: a learning rate for an experiment, found by trying.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::lab_progress::LabProgress;
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
use converge_figures::figure::{Page, draw_figure};
use converge_figures::{Look, numbers, render_png, table};
use converge_labs::Progress as _;
use converge_record::{DataRecord, write_atomically};

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

/// The file that keeps what was measured, so that a search goes on where it was stopped.
const KEPT: &str = "measured.json";

/// What was measured, and of what: another experiment, other data or options begin anew.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    experiment: String,
    data: DataRecord,
    options: Options,
    measured: Measured,
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
    #[serde(flatten)]
    found: &'a Found,
    set: Option<String>,
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
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make the directory {}", directory.display()))?;
        let path = directory.join(KEPT);
        let mut kept = Kept {
            experiment: prepared.experiment.to_toml()?,
            data: prepared.data.clone(),
            options: options.clone(),
            measured: Measured::default(),
        };
        kept.take_up(&path);
        let stop = StopRequest::default();
        signals::catch(stop.clone())?;
        let measured = kept.measured.clone();
        let mut shown = Shown { bar: LabProgress::new(), path, kept, began: None };
        shown.bar.begin("lr-find");
        let result = find(&prepared, &options, measured, &stop, &mut shown);
        shown.bar.finish();
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
            found: &found,
            set: rate.as_ref().map(|rate| format!("--set optimizer.learning_rate={rate}")),
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

impl Kept {
    /// Takes over what the file at `path` has measured of the same. A file that cannot be read, or
    /// is of something else, is replaced.
    fn take_up(&mut self, path: &Path) {
        let Ok(bytes) = std::fs::read(path) else { return };
        let Ok(mut earlier) = serde_json::from_slice::<Self>(&bytes) else { return };
        let measured = std::mem::take(&mut earlier.measured);
        if earlier == *self {
            self.measured = measured;
            message("going on from what was measured before");
        }
    }
}

/// Shows the progress of a search and keeps what it measures.
struct Shown {
    bar: LabProgress,
    path: PathBuf,
    kept: Kept,
    /// When it began, and how many steps were done then.
    began: Option<(Instant, usize)>,
}

impl Watcher for Shown {
    fn at(&mut self, done: usize, total: usize, part: &str) {
        let (began, before) = *self.began.get_or_insert((Instant::now(), done));
        let part = match u32::try_from(done - before).ok().filter(|&steps| steps > 0) {
            Some(steps) => {
                let left = (total - done) as f64 / f64::from(steps);
                let left = numbers::duration(began.elapsed().mul_f64(left));
                format!("{part}, at most {left} left")
            }
            None => part.to_owned(),
        };
        self.bar.at(done, total, &part);
    }

    fn keep(&mut self, measured: &Measured) -> std::io::Result<()> {
        self.kept.measured = measured.clone();
        write_atomically(&self.path, &serde_json::to_vec(&self.kept)?)
    }
}

/// A rate as `--set` takes it, without the noise of binary fractions.
fn numbers_that_parse(rate: f64) -> String {
    let short = format!("{rate:.1e}");
    short.parse::<f64>().map_or(short, |rate| rate.to_string())
}

/// Writes figure, numbers and what was found into `directory`.
fn write(directory: &Path, told: &mut Told, measured: &Measured) -> Result<()> {
    let svg = draw_figure(&figure(told.experiment, told.found, measured), Page::Light)?;
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
    let files = [
        ("lr-find.svg", svg.clone().into_bytes()),
        ("lr-find.png", render_png(&svg, 1.0)?),
        ("sweeps.csv", sweeps.into_bytes()),
        ("trials.csv", trials.into_bytes()),
    ];
    let mut paths: Vec<PathBuf> = files.iter().map(|(name, _)| directory.join(name)).collect();
    paths.push(directory.join("lr-find.json"));
    told.files.clone_from(&paths);
    let json = serde_json::to_vec_pretty(&told)?;
    let contents = files.into_iter().map(|(_, bytes)| bytes).chain([json]);
    for (path, bytes) in paths.iter().zip(contents) {
        write_atomically(path, &bytes)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
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
    if let Some(set) = &told.set {
        let now = prepared.experiment.optimizer.learning_rate();
        let name = converge_diagnosis::command::quoted(Path::new(name));
        text += &format!(
            "\nThe experiment has {}. Train with what was found:\n  converge train {name} {set}\n",
            rate(now)
        );
    }
    text += "\nWritten\n";
    for file in &told.files {
        text += &format!("{}\n", file.display());
    }
    text
}
