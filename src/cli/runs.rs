//! `converge runs`: the runs there are, how each stands, what it scored and what sets it apart.

mod actions;
mod differs;
mod listed;

use std::cmp::Ordering;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use rayon::prelude::*;

use super::options::RUNS;
use super::printer::Printer;
use super::width::wrapped;
use actions::Action;
use converge_diagnosis::Mode;
use converge_figures::{Look, numbers, table};
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
            let rows: Vec<[String; COLUMNS]> = runs.iter().map(row).collect();
            let narrow = look.width.map(usize::from).filter(|width| least_width(&rows) > *width);
            if let Some(width) = narrow {
                return rows.iter().map(|row| listed(row, width) + "\n").collect();
            }
            let used = used(&rows);
            let header: Vec<&str> = used.iter().map(|&column| HEADER[column]).collect();
            let rows = rows
                .into_iter()
                .map(|row| used.iter().map(|&column| row[column].clone()).collect());
            table(look, &header, &rows.collect::<Vec<_>>())
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

const COLUMNS: usize = 13;
const HEADER: [&str; COLUMNS] = [
    "run",
    "status",
    "verdict",
    "data",
    "optimizer",
    "rate",
    "seed",
    "differs",
    "epochs",
    "best",
    "test",
    "time",
    "note",
];
/// What a column of text takes when its cells wrap.
const WRAPPED: usize = 16;

/// The columns in which a row says anything.
fn used(rows: &[[String; COLUMNS]]) -> Vec<usize> {
    (0..COLUMNS).filter(|&column| rows.iter().any(|row| !row[column].is_empty())).collect()
}

/// The characters across that a table of `rows` takes in which no path is broken.
fn least_width(rows: &[[String; COLUMNS]]) -> usize {
    let widths = used(rows).into_iter().map(|column| {
        let name = HEADER[column];
        let cells = rows.iter().map(|row| row[column].chars().count());
        let width = cells.chain([name.len()]).max().unwrap_or(0);
        let wraps = matches!(name, "data" | "differs" | "best" | "note");
        2 + if wraps { width.min(WRAPPED) } else { width }
    });
    widths.sum()
}

/// A run on lines of its own, for terminals of a `width` too narrow for the table: its path, then the
/// rest, indented and broken between words.
fn listed(row: &[String; COLUMNS], width: usize) -> String {
    let [
        run,
        status,
        verdict,
        data,
        optimizer,
        rate,
        seed,
        differs,
        epochs,
        best,
        test,
        time,
        note,
    ] = row;
    let plural = if epochs == "1" { "" } else { "s" };
    let mut paragraph = format!("{run}\n");
    let stands = format!("{status}, {epochs} epoch{plural} in {time}");
    let verdict = verdict.replace('_', " ");
    let trained = format!("{optimizer} at {rate}, seed {seed}");
    let test = if test.is_empty() { String::new() } else { format!("test {test}") };
    let lines = [&stands, &verdict, data, &trained, differs, best, &test, note];
    for more in lines.into_iter().filter(|more| !more.is_empty()) {
        paragraph += &format!("{}\n", wrapped(&format!("  {more}"), width, 4));
    }
    paragraph
}

fn row(run: &Listed) -> [String; COLUMNS] {
    let record = &run.record;
    let best = record.best.as_ref().map_or_else(String::new, |best| {
        format!("{} {} (epoch {})", best.monitor, numbers::significant(best.value, 4), best.epoch)
    });
    let test = run.test.as_ref().map_or_else(String::new, |score| {
        format!("{} {}", score.name, numbers::significant(score.value, 4))
    });
    [
        run.path.display().to_string(),
        run.status().to_owned(),
        run.verdict.map_or_else(String::new, |label| label.name().to_owned()),
        record.data.label(),
        run.optimizer.clone().unwrap_or_default(),
        run.learning_rate.map_or_else(String::new, |rate| rate.to_string()),
        record.seed.to_string(),
        run.differs.shown().to_owned(),
        record.epochs_done.to_string(),
        best,
        test,
        numbers::duration(Duration::try_from_secs_f64(record.seconds).unwrap_or_default()),
        run.notes.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_in_a_narrow_terminal_is_a_paragraph_whose_path_is_whole() {
        let row = [
            "artifacts/mnist-20261122-101500",
            "interrupted",
            "not_learning",
            "MNIST (synthetic), which is a long name for what it is and goes over the edge",
            "adam",
            "0.001",
            "42",
            "batch_size 64",
            "12",
            "val_loss 0.1234 (epoch 11)",
            "accuracy 0.97",
            "2m 3s",
            "[paper] not good",
        ]
        .map(str::to_owned);
        let text = listed(&row, 60);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
        assert!(
            text.starts_with(
                "artifacts/mnist-20261122-101500\n  interrupted, 12 epochs in 2m 3s\n  not learning\n"
            ),
            "{text}"
        );
        assert!(text.contains("\n  adam at 0.001, seed 42\n  batch_size 64\n"), "{text}");
        assert!(text.ends_with("  test accuracy 0.97\n  [paper] not good\n"), "{text}");
        assert!(least_width(&[row]) > 60);
    }
}
