//! The command `diagnose`: its options, what it answers, and the answer as text. The program
//! `converge` has it among its commands, `converge-diagnose` is it alone.

mod plot;
mod text;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Serialize;

pub use text::{change, quoted, text};

use crate::history::{History, Log};
use crate::own_run;
use crate::read::{Choices, ReadError, read, read_bytes};
use crate::verdict::{Change, Label, Options, Verdict, judge};
use converge_record::RunDirectory;

/// What to judge, and how to read it.
#[derive(Debug, Clone, Args)]
pub struct Diagnose {
    /// Runs, logs of any tool, folders that hold one, or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The column, key or tag of the training loss
    #[arg(long, value_name = "NAME")]
    train_loss: Option<String>,
    /// The column, key or tag of the validation loss
    #[arg(long, value_name = "NAME")]
    validation_loss: Option<String>,
    /// The column, key or tag of a metric
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// The column, key or tag of the learning rate
    #[arg(long, value_name = "NAME")]
    learning_rate: Option<String>,
    /// The column that counts epochs or steps
    #[arg(long, value_name = "NAME")]
    x: Option<String>,
    /// The run to judge, by its name or its number, where a log holds several [default: the last]
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// So many more points to forecast [default: as many again]
    #[arg(long, value_name = "POINTS", value_parser = positive)]
    horizon: Option<usize>,
    /// The least improvement worth having, in the unit of the judged series [default: 2 % of its
    /// best, the noise, or two standard deviations over seeds, whichever is largest]
    #[arg(long, value_name = "DIFFERENCE", value_parser = worthwhile)]
    worthwhile: Option<f64>,
    /// How many classes the task has, which tells a loss at chance
    #[arg(long, value_name = "N")]
    classes: Option<usize>,
    /// Verdicts that make the exit status 1, separated by commas: `diverged,not_learning`
    #[arg(long, value_name = "VERDICTS", value_delimiter = ',', value_parser = label)]
    fail_on: Vec<Label>,
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&count| count > 0)
        .ok_or_else(|| "must be a whole number above 0".into())
}

fn worthwhile(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| "must be a finite number above 0".into())
}

fn label(text: &str) -> Result<Label, String> {
    let names: Vec<&str> = Label::ALL.into_iter().map(Label::name).collect();
    let found = Label::ALL.into_iter().find(|label| label.name() == text);
    found.ok_or_else(|| format!("must be one of {}", names.join(", ")))
}

/// The answer: of one path its verdict alone, of several all of them.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Diagnosis {
    /// Of one path.
    One(Box<Answer>),
    /// Of several.
    Several(Several),
}

/// Verdicts on several runs.
#[derive(Debug, Clone, Serialize)]
pub struct Several {
    /// One for each path.
    pub verdicts: Vec<Answer>,
    /// What seeds alone make of it, where the runs differ by nothing else.
    pub seeds: Option<Spread>,
}

/// How the best judged values of runs that differ by their seeds only lie.
#[derive(Debug, Clone, Serialize)]
pub struct Spread {
    /// How many runs.
    pub runs: usize,
    /// The mean.
    pub mean: f64,
    /// The standard deviation, with `n - 1` below the sum.
    pub deviation: f64,
}

/// The verdict on one run, and how its log was read.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// What was read.
    pub path: String,
    /// What wrote it.
    pub format: String,
    /// How many runs it holds.
    pub runs: usize,
    /// Which of them was judged, where that is not the only one.
    pub run: Option<String>,
    /// What a person should know of how it was read.
    pub notes: Vec<String>,
    /// Where the weights of the best epoch are, of a run of Converge.
    pub checkpoint: Option<String>,
    /// What to change, of a run of Converge: filled in by who knows experiments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The curves.
    #[serde(skip)]
    pub history: History,
}

impl Diagnosis {
    /// All answers, to be added to.
    pub fn answers_mut(&mut self) -> &mut [Answer] {
        match self {
            Self::One(answer) => std::slice::from_mut(answer),
            Self::Several(several) => &mut several.verdicts,
        }
    }

    /// All answers.
    pub fn answers(&self) -> &[Answer] {
        match self {
            Self::One(answer) => std::slice::from_ref(answer),
            Self::Several(several) => &several.verdicts,
        }
    }
}

impl Diagnose {
    /// Reads and judges all paths.
    pub fn diagnose(&self) -> Result<Diagnosis> {
        let logs: Vec<Log> =
            self.paths.iter().map(|path| self.read(path)).collect::<Result<_>>()?;
        let answers = |options: Options| -> Result<Vec<Answer>> {
            let read = self.paths.iter().zip(logs.iter().cloned());
            read.map(|(path, log)| answer(path, log, &options)).collect()
        };
        let options = Options {
            horizon: self.horizon,
            worthwhile: self.worthwhile,
            classes: self.classes,
            ..Options::default()
        };
        let mut verdicts = answers(options)?;
        if let [_] = verdicts.as_slice()
            && let Some(only) = verdicts.pop()
        {
            return Ok(Diagnosis::One(Box::new(only)));
        }
        let seeds = self.differ_by_seed().then(|| spread(&verdicts)).flatten();
        if let Some(spread) = &seeds {
            verdicts = answers(Options { seed_deviation: Some(spread.deviation), ..options })?;
        }
        Ok(Diagnosis::Several(Several { verdicts, seeds }))
    }

    /// An error where a verdict is one of those of `--fail-on`.
    pub fn fail_on(&self, diagnosis: &Diagnosis) -> Result<()> {
        for answer in diagnosis.answers() {
            let verdict = answer.verdict.verdict;
            if self.fail_on.contains(&verdict) {
                bail!(
                    "the verdict on `{}` is {}, as `--fail-on` has it",
                    answer.path,
                    verdict.name()
                );
            }
        }
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Log> {
        let choices = Choices {
            train_loss: self.train_loss.clone(),
            validation_loss: self.validation_loss.clone(),
            metric: self.metric.clone(),
            learning_rate: self.learning_rate.clone(),
            x: self.x.clone(),
            run: self.run.clone(),
        };
        let log = if path == Path::new("-") {
            let mut bytes = vec![];
            io::stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
            read_bytes("standard input", bytes, &choices)
        } else {
            read(path, &choices)
        };
        match log {
            // Nothing in it can be judged, which is an answer.
            Err(error @ (ReadError::NoLog { .. } | ReadError::Unsafe { .. })) => Ok(Log {
                format: "no log".to_owned(),
                runs: vec![],
                notes: vec![error.to_string()],
            }),
            log => Ok(log?),
        }
    }

    /// Whether the paths are runs of one experiment with other seeds, at least three.
    fn differ_by_seed(&self) -> bool {
        let runs: Vec<RunDirectory> =
            self.paths.iter().filter_map(|path| RunDirectory::open(path).ok()).collect();
        // The seed is a line of the experiment, which is otherwise the same.
        let without_seed = |run: &RunDirectory| {
            let (_, text) = run.read_experiment().ok()?;
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("seed ="));
            Some(lines.map(str::to_owned).collect::<Vec<_>>())
        };
        let experiments: Vec<_> = runs.iter().map(without_seed).collect();
        let mut seeds: Vec<u64> = runs.iter().filter_map(|run| run.record.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        runs.len() == self.paths.len()
            && seeds.len() == runs.len()
            && runs.len() >= 3
            && experiments.iter().all(|one| one.is_some() && *one == experiments[0])
    }
}

/// Judges what the log at `path` holds, the last of several runs.
fn answer(path: &Path, mut log: Log, options: &Options) -> Result<Answer> {
    let runs = log.runs.len();
    let mut history = log.runs.pop().unwrap_or_default();
    let run = RunDirectory::open(path).ok();
    let own = run.as_ref().map(own_run::options).transpose()?.unwrap_or_default();
    if let Some(run) = &run {
        own_run::mark_end(&mut history, run.record.status);
        if run.steps_file().is_file() {
            history.steps = own_run::step_series(&run.steps()?);
        }
    }
    let verdict = judge(
        &history,
        &Options {
            classes: options.classes.or(own.classes),
            clip_norm: own.clip_norm,
            samples_per_step: own.samples_per_step,
            ..*options
        },
    );
    let checkpoint = run.zip(verdict.best).and_then(|(run, best)| {
        let found = run.checkpoints().epochs().ok()?.contains(&(best.x as usize));
        found.then(|| format!("--checkpoint {}", best.x as usize))
    });
    Ok(Answer {
        path: path.display().to_string(),
        format: log.format,
        runs,
        run: (runs > 1).then(|| history.name.clone()),
        notes: log.notes,
        checkpoint,
        changes: vec![],
        verdict,
        history,
    })
}

/// How the best values of `answers` lie, if they are of one series.
fn spread(answers: &[Answer]) -> Option<Spread> {
    let best: Vec<f64> = answers.iter().filter_map(|one| Some(one.verdict.best?.value)).collect();
    let judged = |answer: &Answer| answer.verdict.judged.clone();
    if best.len() != answers.len()
        || answers.windows(2).any(|two| judged(&two[0]) != judged(&two[1]))
    {
        return None;
    }
    let runs = best.len();
    let mean = best.iter().sum::<f64>() / runs as f64;
    let square: f64 = best.iter().map(|value| (value - mean).powi(2)).sum();
    Some(Spread { runs, mean, deviation: (square / (runs as f64 - 1.0)).sqrt() })
}
