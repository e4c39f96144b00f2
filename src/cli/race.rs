//! `converge race`: which of several settings is better on an experiment, and whether that is luck.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Serialize;

use super::measured::{TimedProgress, train_command, write_figure, write_file, written};
use super::options::{DataOptions, DeviceOption};
use super::printer::{Printer, message};
use super::progress::Downloads;
use super::signals::{self, Stopped};
use converge_core::experiment::Experiment;
use converge_core::race::{Crew, Entrant, Plan, RaceError, Request, Varied, Watch};
use converge_core::train::{Session, StopRequest};
use converge_data::{LoadOptions, Origin};
use converge_figures::{Look, numbers};
use converge_report::race::{Entry, Judgement, Profiles, SeedRun};

/// Race optimizers, or any settings, against each other
///
/// Tunes the learning rate of each with the same budget, trains each with the same fresh seeds, and
/// says which differences are real. Every trial is a run of its own; what was trained before is not
/// trained again, so a race goes on where it was stopped, and more seeds cost only themselves.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge race mnist --optimizers adam,sgd,lion
  converge race cifar10 imdb-adam movielens --optimizers sgd,adam,lion --budget 300
  converge race mnist --vary optimizer.name=adam,sgd --vary model.dropout=0,0.2
  converge race ./mine.toml --vary schedule.name=constant,cosine --seeds 12")]
pub(super) struct RaceArgs {
    /// The experiments: built-in names, or paths of TOML files
    #[arg(required = true)]
    experiments: Vec<String>,
    /// The optimizers that race: `--vary optimizer.name=…`
    #[arg(long, value_name = "NAME,…")]
    optimizers: Option<String>,
    /// A key with the values that race, such as `model.dropout=0,0.2`; of several, all combinations
    #[arg(long, value_name = "KEY=A,B,…")]
    vary: Vec<String>,
    /// Override a key of the experiments for all contenders; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Learning rates that each is tuned over; 1 takes the usual one
    #[arg(long, value_name = "N", default_value_t = 5)]
    rates: usize,
    /// The usual rate is tried up to so many times as high, and as low
    #[arg(long, value_name = "FACTOR", default_value_t = 30.0)]
    reach: f64,
    /// Seeds that each races with
    #[arg(long, value_name = "N", default_value_t = 3)]
    seeds: usize,
    /// Epochs of a whole training [default: as the experiment says]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Train no longer than so many epochs in all on each experiment, by shorter trainings
    #[arg(long, value_name = "EPOCHS")]
    budget: Option<usize>,
    /// The metric whose best value is the score [default: what the experiment keeps checkpoints by]
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// The value to come to [default: the mean score of the first contender]
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    target: Option<f64>,
    /// Trials trained at once, each on one thread [default: as many as there are threads]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    data_options: DataOptions,
    #[command(flatten)]
    pub(super) device: DeviceOption,
    /// The directory to write into: a directory per experiment, with its runs
    #[arg(long, value_name = "DIR", default_value = "artifacts/race")]
    output: PathBuf,
}

/// What `race --json` prints.
#[derive(Serialize)]
struct Told {
    races: Vec<Raced>,
    /// Where there are several experiments.
    #[serde(skip_serializing_if = "Option::is_none")]
    profiles: Option<Profiles>,
    files: Vec<PathBuf>,
}

/// The race on one experiment, as its `race.json` has it.
#[derive(Serialize)]
struct Raced {
    data: String,
    origin: Origin,
    epochs: usize,
    /// The most epochs that it takes.
    cost: usize,
    /// Those trained by this call, and the seconds that took.
    trained: usize,
    seconds: f64,
    #[serde(flatten)]
    judgement: Judgement,
    contenders: Vec<Entrant>,
    /// What to add to `converge train EXPERIMENT`.
    set: Vec<String>,
}

impl RaceArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        if self.target.is_some() && self.experiments.len() > 1 {
            bail!("`--target` is for one experiment: scores of several are not on one scale");
        }
        let varied = self.varied()?;
        let load = self.data_options.load_options()?;
        let stop = StopRequest::default();
        signals::catch(stop.clone())?;
        let mut planned = vec![];
        for name in &self.experiments {
            planned.push(self.plan(name, &varied, &load, printer)?);
        }
        if let Some((plan, _)) = planned.iter().enumerate().find_map(|(index, plan)| {
            let twice = |other: &Plan| other.experiment == plan.experiment;
            planned[..index].iter().any(twice).then_some((plan, index))
        }) {
            bail!("`{}` is named twice: leave one out", plan.experiment);
        }
        let mut told = Told { races: vec![], profiles: None, files: vec![] };
        for plan in &planned {
            let directory = self.output.join(&plan.experiment);
            let crew = Crew {
                jobs: self.jobs.unwrap_or_else(crate::kernels::threads),
                device: self.device.name(),
                load: load.clone(),
                stop: stop.clone(),
                directory,
            };
            let raced = self.race(plan, &crew)?;
            write(&crew.directory, &raced, &mut told.files)?;
            told.races.push(raced);
        }
        if told.races.len() > 1 {
            let judgements: Vec<Judgement> =
                told.races.iter().map(|race| race.judgement.clone()).collect();
            let profiles = Profiles::of(&judgements);
            let csv = profiles.csv();
            write_file(&self.output, "profile.csv", csv.as_bytes(), &mut told.files)?;
            write_figure(&self.output, &profiles.figure(), &mut told.files)?;
            told.profiles = Some(profiles);
        }
        printer.result(&told, || text(Look::detect(), &told, &self.experiments))
    }

    fn varied(&self) -> Result<Vec<Varied>, RaceError> {
        let optimizers = self.optimizers.as_ref().map(|names| format!("optimizer.name={names}"));
        optimizers.iter().chain(&self.vary).map(|text| Varied::parse(text)).collect()
    }

    /// The race on the experiment `name`, and what it costs told.
    fn plan(
        &self,
        name: &str,
        varied: &[Varied],
        load: &LoadOptions,
        printer: &Printer,
    ) -> Result<Plan> {
        let experiment = Experiment::load(name, &self.overrides)?;
        experiment.warnings().iter().for_each(|warning| printer.warning(warning));
        let request = Request {
            experiment: name.to_owned(),
            overrides: self.overrides.clone(),
            varied: varied.to_vec(),
            rates: self.rates,
            reach: self.reach,
            seeds: self.seeds,
            epochs: self.epochs,
            budget: self.budget,
            metric: self.metric.clone(),
        };
        let mut session = Session::new(&self.device.name(), load.clone())?;
        session.downloads = Box::new(Downloads::new());
        let plan = Plan::new(&request, &mut session)?;
        if plan.data.origin == Origin::SyntheticStandIn {
            printer.warning(
                "THIS IS SYNTHETIC DATA: what is better on it may not be on the real data",
            );
        }
        let tuning = match plan.rungs.first() {
            Some(rung) => format!("tuned over {} learning rates, then ", rung.trials),
            None => String::new(),
        };
        message(&format!(
            "{}: {} contenders, each {tuning}trained for {} epochs with {}: at most {} epochs of \
             training",
            plan.experiment,
            plan.contenders.len(),
            plan.epochs,
            if self.seeds == 1 { "1 seed".to_owned() } else { format!("{} seeds", self.seeds) },
            plan.cost(),
        ));
        Ok(plan)
    }

    /// Trains what is not there yet, and judges it.
    fn race(&self, plan: &Plan, crew: &Crew) -> Result<Raced> {
        std::fs::create_dir_all(&crew.directory)
            .with_context(|| format!("cannot make the directory {}", crew.directory.display()))?;
        let began = Instant::now();
        let mut shown = Shown { bar: TimedProgress::new("race"), trained: 0 };
        let result = plan.run(crew, &mut shown);
        shown.bar.finish();
        let contenders = match result {
            Err(RaceError::Stopped) => {
                message("stopped; the same command goes on from here");
                return Err(Stopped.into());
            }
            result => result?,
        };
        let entries: Vec<Entry> = contenders.iter().map(entry).collect();
        let (metric, higher) = (&plan.metric, plan.higher_is_better);
        let mut judgement = Judgement::of(&plan.experiment, metric, higher, &entries, self.target);
        let first = judgement.standings.first().filter(|first| first.mean.is_some());
        let Some(first) = first else {
            bail!(
                "no contender learnt anything on {} at the rates tried: take other ones, around \
                 `--set optimizer.learning_rate=…`",
                plan.experiment
            );
        };
        let at_end = contenders.iter().filter(|one| one.end_of_range.is_some());
        let at_end: Vec<&str> = at_end.map(|one| one.label.as_str()).collect();
        if !at_end.is_empty() {
            let quote = judgement.quote.trim_end_matches('.');
            judgement.quote = format!(
                "{quote}; of {} the best learning rate tried was the last of its range.",
                at_end.join(", ")
            );
        }
        let winner = contenders.iter().find(|one| one.label == first.label);
        let own = winner.map(|one| one.set.clone()).unwrap_or_default();
        Ok(Raced {
            data: plan.data.label(),
            origin: plan.data.origin,
            epochs: plan.epochs,
            cost: plan.cost(),
            trained: shown.trained,
            seconds: began.elapsed().as_secs_f64(),
            judgement,
            set: self.overrides.iter().cloned().chain(own).collect(),
            contenders,
        })
    }
}

/// Shows how far a race is.
struct Shown {
    bar: TimedProgress,
    trained: usize,
}

impl Watch for Shown {
    fn at(&mut self, done: usize, total: usize, part: &str) {
        self.trained = done;
        self.bar.at(done, total, part);
    }
}

fn entry(entrant: &Entrant) -> Entry {
    let run = |run: &converge_core::race::SeedTrial| SeedRun {
        seed: run.seed,
        curve: run.curve.iter().map(|value| value.unwrap_or(f64::NAN)).collect(),
        seconds_per_epoch: run.seconds_per_epoch,
        diverged: run.diverged,
    };
    Entry { label: entrant.label.clone(), runs: entrant.runs.iter().map(run).collect() }
}

/// Writes figure and numbers of a race into its `directory`.
fn write(directory: &Path, raced: &Raced, files: &mut Vec<PathBuf>) -> Result<()> {
    write_figure(directory, &raced.judgement.figure(), files)?;
    write_file(directory, "curves.csv", raced.judgement.csv()?.as_bytes(), files)?;
    let mut tuning = "contender,learning_rate,epochs,score,given_up\n".to_owned();
    for one in &raced.contenders {
        let label = one.label.replace('"', "\"\"");
        for trial in &one.tuning {
            let score = trial.score.map(|score| score.to_string()).unwrap_or_default();
            let given_up = trial.hopeless.unwrap_or_default();
            let (rate, epochs) = (trial.rate, trial.epochs);
            tuning += &format!("\"{label}\",{rate:e},{epochs},{score},{given_up}\n");
        }
    }
    write_file(directory, "tuning.csv", tuning.as_bytes(), files)?;
    write_file(directory, "race.json", &serde_json::to_vec_pretty(raced)?, files)
}

fn text(look: Look, told: &Told, names: &[String]) -> String {
    let mut text = String::new();
    for (race, name) in told.races.iter().zip(names) {
        if told.races.len() > 1 {
            text += &format!("{name}\n\n");
        }
        text += &format!("{}\n\n", race.judgement.text(look));
        let rate = |one: &Entrant| one.rate.map(|rate| format!("{} {rate}", one.label));
        let rates: Vec<String> = race.contenders.iter().filter_map(rate).collect();
        text += &format!("Learning rates: {}.\n", rates.join(", "));
        for one in &race.contenders {
            let label = &one.label;
            match (one.rate, one.end_of_range) {
                (None, _) => text += &format!("`{label}` learnt at none of the rates tried.\n"),
                (Some(_), Some(end)) => {
                    text += &format!(
                        "`{label}` did best at the {end} rate tried: look further, with a higher \
                         `--reach` and `--rates`.\n"
                    );
                }
                _ => {}
            }
        }
        let took = std::time::Duration::from_secs_f64(race.seconds);
        let took = numbers::duration(took);
        text += &format!("Trained {} epochs in {took}.\n\n", race.trained);
    }
    if let Some(profiles) = &told.profiles {
        text += &format!("{}\n\n", profiles.text(look));
    }
    text += "Train with what came out ahead:\n";
    for (race, name) in told.races.iter().zip(names) {
        text += &format!("  {}\n", train_command(name, &race.set));
    }
    text + &written(&told.files)
}
