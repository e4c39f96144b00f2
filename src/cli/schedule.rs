//! `converge schedule`: the learning rate of every step, before anything is trained.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Serialize;

use super::options::DataOptions;
use super::printer::Printer;
use converge_core::experiment::Experiment;
use converge_core::schedule::{Per, RunLength, ScheduleSettings};
use converge_core::train::{PlannedLength, planned_length};
use converge_figures::figure::{Page, draw_figure};
use converge_figures::{
    LearningRates, Look, Milestone, milestones, numbers, render_png, sparkline, table,
};
use converge_record::write_atomically;

/// Print and draw the learning rate of every step of an experiment
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge schedule cifar10 --set schedule.name=cosine --set schedule.warmup=500
  converge schedule ./mine.toml --epochs 90 --steps-per-epoch 1000
  converge schedule mnist --set schedule.name=one_cycle --json")]
pub(super) struct ScheduleArgs {
    /// The experiment: a built-in name, or the path of a TOML file
    experiment: String,
    /// Override a key of the experiment, such as `schedule.name=cosine`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// The epochs of the run
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Optimizer steps in an epoch [default: by data, batch size and accumulation]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps_per_epoch: Option<u32>,
    #[command(flatten)]
    data_options: DataOptions,
    /// The directory to write schedule.svg and schedule.png into
    #[arg(long, value_name = "DIR", default_value = "artifacts")]
    output: PathBuf,
}

/// What `schedule --json` prints.
#[derive(Serialize)]
struct Planned<'a> {
    experiment: &'a str,
    schedule: &'a ScheduleSettings,
    base_rate: f64,
    epochs: usize,
    steps_per_epoch: usize,
    steps_per_epoch_from: String,
    steps: usize,
    notes: Vec<String>,
    milestones: Vec<Milestone>,
    /// Of every optimizer step, the first one first.
    learning_rates: &'a [f64],
    files: [PathBuf; 2],
}

/// More steps are neither drawn nor printed.
const MOST_STEPS: usize = 10_000_000;

impl ScheduleArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let mut experiment = Experiment::load(&self.experiment, &self.overrides)?;
        experiment.warnings().iter().for_each(|warning| printer.warning(warning));
        if let Some(epochs) = self.epochs {
            experiment = experiment.with(|settings| settings.training.epochs = epochs)?;
        }
        let (length, source) = self.length(&experiment)?;
        let RunLength { steps_per_epoch, epochs } = length;
        let steps = steps_per_epoch.saturating_mul(epochs);
        if steps > MOST_STEPS {
            bail!(
                "{} steps are too many to draw, the most are {}: choose fewer `--epochs` or \
                 `--steps-per-epoch`; factors that depend on progress alone keep their shape",
                numbers::count(steps as u64),
                numbers::count(MOST_STEPS as u64)
            );
        }
        let settings = &experiment.schedule;
        let base_rate = experiment.optimizer.learning_rate();
        let schedule = settings.build(base_rate, length);
        let rates: Vec<f64> = (0..steps).map(|step| schedule.learning_rate(step)).collect();
        let warmup_steps = warmup_steps(settings, length);
        let learning_rates = LearningRates {
            title: format!(
                "{}: {}, base rate {base_rate}",
                experiment.name,
                settings.name().replace('_', " ")
            ),
            rates,
            steps_per_epoch,
            warmup_steps,
            notes: notes(settings, warmup_steps, steps),
        };
        let planned = Planned {
            experiment: &experiment.name,
            schedule: settings,
            base_rate,
            epochs,
            steps_per_epoch,
            steps_per_epoch_from: source,
            steps,
            notes: learning_rates.notes.clone(),
            milestones: milestones(&learning_rates),
            learning_rates: &learning_rates.rates,
            files: self.draw(&learning_rates)?,
        };
        let look = Look::detect();
        printer.result(&planned, || text(look, &planned))
    }

    /// The length of the run, and what its steps per epoch follow from.
    fn length(&self, experiment: &Experiment) -> Result<(RunLength, String)> {
        let training = &experiment.training;
        if let Some(steps) = self.steps_per_epoch {
            let length = RunLength { steps_per_epoch: steps as usize, epochs: training.epochs };
            return Ok((length, "steps per epoch as given".to_owned()));
        }
        let Some(PlannedLength { length, training_samples, counted }) =
            planned_length(experiment, &self.data_options.load_options()?)?
        else {
            bail!(
                "how many samples {} has is not known before it is loaded, and it is not on this \
                 machine: fetch it with `converge data fetch {}`, or give `--steps-per-epoch`",
                experiment.data.title(),
                experiment.data.name()
            );
        };
        let samples = numbers::count(training_samples as u64);
        let origin = if counted { "counted" } else { "the published number of the real data" };
        let batch = training.batch_size;
        let accumulated = match training.gradient_accumulation {
            1 => String::new(),
            batches => format!(", {batches} batches a step"),
        };
        let source =
            format!("{samples} training samples ({origin}), in batches of {batch}{accumulated}");
        Ok((length, source))
    }

    fn draw(&self, learning_rates: &LearningRates) -> Result<[PathBuf; 2]> {
        let svg = draw_figure(&learning_rates.figure()?, Page::Adaptive)?;
        let png = render_png(&svg, 1.0)?;
        let paths = ["schedule.svg", "schedule.png"].map(|name| self.output.join(name));
        std::fs::create_dir_all(&self.output)
            .with_context(|| format!("cannot make the directory {}", self.output.display()))?;
        for (path, contents) in paths.iter().zip([svg.as_bytes(), &png]) {
            write_atomically(path, contents)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(paths)
    }
}

fn warmup_steps(settings: &ScheduleSettings, length: RunLength) -> usize {
    match settings.warmup() {
        (units, Per::Step) => units,
        (units, Per::Epoch) => units.saturating_mul(length.steps_per_epoch),
    }
}

fn notes(settings: &ScheduleSettings, warmup_steps: usize, steps: usize) -> Vec<String> {
    let mut notes = vec![];
    if let ScheduleSettings::ReduceOnPlateau(plateau) = settings {
        notes.push(format!(
            "Depends on the run: shown as if {} improved in every epoch. After {} epochs without \
             improvement the rate is multiplied by {}.",
            plateau.monitor,
            plateau.patience + 1,
            plateau.factor
        ));
    }
    if warmup_steps > 0 && warmup_steps >= steps {
        notes.push(format!(
            "The warm-up of {} steps takes the whole run of {}.",
            numbers::count(warmup_steps as u64),
            numbers::count(steps as u64)
        ));
    }
    notes
}

fn text(look: Look, planned: &Planned<'_>) -> String {
    let count = |number: usize| numbers::count(number as u64);
    let mut text = format!(
        "{}: {}, base rate {}\n{} epochs of {} steps: {} steps\n{}\n\n{}\n\n",
        planned.experiment,
        planned.schedule.name(),
        planned.base_rate,
        count(planned.epochs),
        count(planned.steps_per_epoch),
        count(planned.steps),
        planned.steps_per_epoch_from,
        sparkline(planned.learning_rates, 72),
    );
    let rows: Vec<Vec<String>> = planned
        .milestones
        .iter()
        .map(|one| {
            let rate = numbers::significant(one.learning_rate, 4);
            vec![count(one.step), count(one.epoch), rate, one.what.clone()]
        })
        .collect();
    text += &table(look, &["step", "epoch", "learning rate", "where"], &rows);
    for note in &planned.notes {
        text += &format!("\n{note}");
    }
    let [svg, png] = &planned.files;
    text + &format!("\ndrawn: {}, {}", svg.display(), png.display())
}
