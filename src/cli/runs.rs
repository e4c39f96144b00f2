//! `converge runs`: the runs there are, how each stands, what it scored and what sets it apart.

mod actions;
mod columns;
mod differs;
mod listed;

use std::cmp::Ordering;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use rayon::prelude::*;

use super::options::RUNS;
use super::printer::Printer;
use actions::Action;
use converge_diagnosis::Mode;
use converge_figures::Look;
use converge_record::RunDirectory;
use listed::Listed;

/// List the runs, the newest first
///
/// The column `differs` has what sets a run apart: keys whose values most runs of the same experiment in the
/// list do not have.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge runs
  converge runs --filter optimizer.name=adam --filter status=completed
  converge runs --best val_accuracy
  converge runs note latest the first with augmentation --tag baseline
  converge runs prune")]
pub(super) struct RunsArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// The directory that holds the runs
    #[arg(long, value_name = "DIR", default_value = RUNS, global = true)]
    output: PathBuf,
    /// Only runs of which this is so: a key of the experiment, such as `optimizer.name` or
    /// `training.batch_size`, or `experiment`, `status`, `verdict`, `seed`, `tag`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// The order
    #[arg(long, value_name = "BY", default_value = "newest", conflicts_with = "best")]
    sort: Sort,
    /// Show the best value of this column of `epochs.csv`, and list the run with the best first
    #[arg(long, value_name = "METRIC")]
    best: Option<String>,
}

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// The newest first
    Newest,
    /// The oldest first
    Oldest,
    /// By name
    Name,
    /// The longest training first
    Time,
    /// The best test score first, those without one last
    Test,
}

impl RunsArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        if let Some(action) = self.action {
            if !self.filter.is_empty() || self.best.is_some() {
                bail!(
                    "`--filter` and `--best` are of the list; `prune` has a `--filter` behind it"
                );
            }
            return action.run(&self.output, printer);
        }
        let filters = filters(&self.filter)?;
        let mut found = vec![];
        for run in RunDirectory::list(&self.output) {
            match run {
                Ok(run) => found.push(run),
                Err(error) => printer.warning(&error.to_string()),
            }
        }
        let mut runs: Vec<Listed> = found.into_par_iter().map(Listed::of).collect();
        let all = runs.len();
        runs.retain(|run| filters.iter().all(|(key, value)| run.has(key, value)));
        match &self.best {
            Some(metric) => rank(&mut runs, metric)?,
            None => self.sort.apply(&mut runs),
        }
        differs::tell(&mut runs);
        let look = Look::detect();
        printer.result(&runs, || {
            if all == 0 {
                return format!("no runs in `{}`", self.output.display());
            }
            if runs.is_empty() {
                return format!("none of the {all} runs in `{}` is so", self.output.display());
            }
            columns::text(look, &runs)
        })
    }
}

/// The keys and values of `--filter`.
fn filters(given: &[String]) -> Result<Vec<(&str, &str)>> {
    given
        .iter()
        .map(|filter| {
            filter.split_once('=').with_context(|| {
                format!("`--filter {filter}` has no `=`; write it like `optimizer.name=adam`")
            })
        })
        .collect()
}

impl Sort {
    /// Sorts `runs`, which come with the oldest first.
    fn apply(self, runs: &mut [Listed]) {
        match self {
            Self::Oldest => {}
            Self::Newest => runs.reverse(),
            Self::Name => runs.sort_by(|a, b| a.path.cmp(&b.path)),
            Self::Time => runs.sort_by(|a, b| b.record.seconds.total_cmp(&a.record.seconds)),
            Self::Test => runs.sort_by(by_test_score),
        }
    }
}

/// The better test score first. Scores of other names are not compared, but kept apart.
fn by_test_score(a: &Listed, b: &Listed) -> Ordering {
    match (&a.test, &b.test) {
        (Some(a), Some(b)) if a.name == b.name => {
            better_first(a.value, b.value, a.higher_is_better)
        }
        (Some(a), Some(b)) => a.name.cmp(&b.name),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// Takes the best value of `metric` for that of each run, and sorts by it; runs without it come last.
fn rank(runs: &mut [Listed], metric: &str) -> Result<()> {
    let higher = Mode::Auto.higher_is_better(metric);
    runs.par_iter_mut().for_each(|run| run.record.best = run.best_of(metric, higher));
    if !runs.is_empty() && runs.iter().all(|run| run.record.best.is_none()) {
        bail!("no run has a column `{metric}` in its `epochs.csv`; try `val_loss`");
    }
    runs.sort_by(|a, b| match (&a.record.best, &b.record.best) {
        (Some(a), Some(b)) => better_first(a.value, b.value, higher),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    Ok(())
}

fn better_first(a: f64, b: f64, higher_is_better: bool) -> Ordering {
    if higher_is_better { b.total_cmp(&a) } else { a.total_cmp(&b) }
}
