//! `converge schedules`: the schedules there are, with formulas and defaults.

use anyhow::{Result, bail};
use clap::Args;

use super::printer::Printer;
use converge_core::experiment::nearest;
use converge_core::schedule::catalogue::{Entry, Key, entries, markdown};
use converge_figures::{Look, table};

/// List the learning-rate schedules
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge schedules               what there is
  converge schedules one_cycle     its keys, their defaults, and where it comes from
  converge train cifar10 --set schedule.name=one_cycle --set schedule.pct_start=0.2")]
pub(super) struct SchedulesArgs {
    /// The schedule to describe
    name: Option<String>,
    /// Print the page `docs/schedules.md`
    #[arg(long, conflicts_with_all = ["name", "json"])]
    markdown: bool,
}

impl SchedulesArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let all = entries();
        let look = Look::detect();
        if self.markdown {
            return printer.result(&all, markdown);
        }
        let Some(name) = self.name else {
            return printer.result(&all, || overview(look, &all));
        };
        let Some(entry) = all.iter().find(|entry| entry.name == name) else {
            let names: Vec<&str> = all.iter().map(|entry| entry.name).collect();
            let meant = nearest(&name, &names)
                .map_or_else(String::new, |meant| format!(", did you mean `{meant}`?"));
            bail!("there is no schedule `{name}`{meant}\n   = one of: {}", names.join(", "))
        };
        printer.result(entry, || description(look, entry))
    }
}

fn overview(look: Look, all: &[Entry]) -> String {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|entry| {
            let shown = |key: &&Key| key.name != "warmup" && key.default_text() != Key::NONE;
            let keys = entry.parameters.iter().filter(shown);
            let keys = keys.map(|key| format!("{} {}", key.name, key.default_text()));
            let keys = keys.collect::<Vec<_>>().join(", ");
            vec![entry.name.to_owned(), entry.formula.to_owned(), keys]
        })
        .collect();
    table(look, &["schedule", "factor of the base rate", "keys and defaults"], &rows)
        + "\nt counts units from 0 to T, the end of the run. `converge schedules NAME` says what the \
           keys mean, where a schedule comes from and when to use it"
}

fn description(look: Look, entry: &Entry) -> String {
    let rows: Vec<Vec<String>> = entry
        .parameters
        .iter()
        .map(|key| vec![key.name.to_owned(), key.default_text(), key.meaning.to_owned()])
        .collect();
    format!(
        "{}: {}\nfactor: {}\nsource: {}\nuse:    {}\n\n{}",
        entry.name,
        entry.summary,
        entry.formula,
        entry.source,
        entry.use_when,
        table(look, &["key", "default", "meaning"], &rows)
    )
}
