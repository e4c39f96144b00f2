//! What is done to runs in the list: notes and tags, and removing them.

use std::collections::HashSet;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::super::printer::{Printer, message};
use super::listed::Listed;
use converge_figures::numbers;
use converge_record::{RunDirectory, Status, find_run};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    Note(NoteArgs),
    Remove(RemoveArgs),
    Prune(PruneArgs),
}

/// Write a note or tags on a run, or show them
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge runs note latest the first with augmentation --tag baseline
  converge runs --filter tag=baseline")]
pub(super) struct NoteArgs {
    /// The run: its directory, `latest` or the beginning of its name
    run: PathBuf,
    /// The note, in place of an earlier one; '' takes it away
    note: Vec<String>,
    /// Add a tag; may be repeated
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Take a tag away; may be repeated
    #[arg(long, value_name = "TAG")]
    untag: Vec<String>,
}

/// Remove runs with all their files
#[derive(Debug, Args)]
#[command(after_help = "Example:
  converge runs remove artifacts/mnist-20261122-101500")]
pub(super) struct RemoveArgs {
    /// The runs: directories, `latest` or beginnings of names
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    consent: Consent,
}

/// Remove runs that came to nothing: failed, or without a whole epoch, or those that `--filter` names
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge runs prune
  converge runs prune --filter verdict=diverged")]
pub(super) struct PruneArgs {
    /// Remove the runs of which this is so instead, as `converge runs --filter` shows them; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Debug, Args)]
struct Consent {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What was removed.
#[derive(Serialize)]
struct Removed {
    removed: Vec<PathBuf>,
    bytes: u64,
}

impl Action {
    /// Runs are looked for in `folder`.
    pub(super) fn run(self, folder: &Path, printer: &mut Printer) -> Result<()> {
        match self {
            Self::Note(args) => args.run(folder, printer),
            Self::Remove(args) => {
                let found = args.runs.iter().map(|run| find_run(run, folder));
                let mut paths: Vec<PathBuf> = found.collect::<Result<_, _>>()?;
                // A run may be named twice: by its name and as the latest, or by two patterns of a shell.
                let mut named = HashSet::new();
                paths.retain(|path| named.insert(path.canonicalize().unwrap_or(path.clone())));
                let opened = paths.iter().map(|path| RunDirectory::open(path));
                remove(opened.collect::<Result<_, _>>()?, &args.consent, printer)
            }
            Self::Prune(args) => {
                let filters = super::filters(&args.filter)?;
                let runs = RunDirectory::list(folder).into_iter().filter_map(Result::ok);
                let chosen = runs.filter(|run| {
                    !run.is_locked()
                        && if filters.is_empty() {
                            run.record.status == Status::Failed || run.record.epochs_done == 0
                        } else {
                            let listed = Listed::of(run.clone());
                            filters.iter().all(|(key, value)| listed.has(key, value))
                        }
                });
                remove(chosen.collect(), &args.consent, printer)
            }
        }
    }
}

impl NoteArgs {
    fn run(self, folder: &Path, printer: &mut Printer) -> Result<()> {
        let run = RunDirectory::open(&find_run(&self.run, folder)?)?;
        let before = run.notes()?;
        let mut notes = before.clone();
        if !self.note.is_empty() {
            self.note.join(" ").trim().clone_into(&mut notes.note);
        }
        self.tag.iter().for_each(|tag| notes.tag(tag));
        self.untag.iter().for_each(|tag| notes.untag(tag));
        if notes != before {
            run.write_notes(&notes)?;
        }
        printer.result(&notes, || notes.to_string())
    }
}

/// Removes `runs`, if the person at the terminal agrees.
fn remove(runs: Vec<RunDirectory>, consent: &Consent, printer: &mut Printer) -> Result<()> {
    let bytes = runs.iter().map(RunDirectory::bytes).sum();
    let paths: Vec<PathBuf> = runs.iter().map(|run| run.path().to_owned()).collect();
    if !runs.is_empty() && !consent.yes && !agreed(&paths, bytes)? {
        bail!("nothing was removed");
    }
    for run in runs {
        run.remove()?;
    }
    let removed = Removed { removed: paths, bytes };
    printer.result(&removed, || match removed.removed.len() {
        0 => "there is nothing to remove".to_owned(),
        1 => format!("removed {}", removed.removed[0].display()),
        count => format!("removed {count} runs, {}", megabytes(bytes)),
    })
}

fn agreed(paths: &[PathBuf], bytes: u64) -> Result<bool> {
    for path in paths {
        message(&path.display().to_string());
    }
    if !io::stdin().is_terminal() {
        bail!("pass `--yes` to remove these without being asked");
    }
    let plural = if paths.len() == 1 { "this run" } else { "these runs" };
    let mut stderr = io::stderr().lock();
    write!(stderr, "Remove {plural} ({}) for good? [y/N] ", megabytes(bytes))?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("the answer cannot be read")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", numbers::significant(bytes as f64 / 1e6, 3))
}
