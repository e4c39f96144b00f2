//! `converge lab`: the classic experiments on convergence.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use serde::Serialize;

use super::printer::Printer;
use super::progress::LabProgress;
use converge_figures::figure::{Page, draw_figure, draw_gif};
use converge_figures::{Look, html, numbers, render_png, table};
use converge_labs::{About, Chapter, DataFile, Findings, LabCommand, book};
use converge_record::write_atomically;

/// Run a classic experiment on convergence, and check what theory says of it
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
#[command(after_help = "Examples:
  converge lab list                                      all labs by theme
  converge lab gradient-descent --learning-rate 0.4      one lab, with an option of its own
  converge lab all                                       every lab, and a page of all they found")]
pub(super) struct LabArgs {
    /// The directory to write into: a directory per lab, with figures, data and findings.json
    #[arg(long, value_name = "DIR", default_value = "artifacts/labs", global = true)]
    output: PathBuf,
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, Subcommand)]
enum Which {
    /// List the labs by theme
    List,
    /// Run every lab at its defaults, and write the page index.html of all they found
    All,
    #[command(flatten)]
    Lab(LabCommand),
}

/// A lab with its options at their defaults.
#[derive(Debug, Parser)]
struct AtDefaults {
    #[command(subcommand)]
    lab: LabCommand,
}

/// What `lab NAME --json` prints, and `findings.json` has.
#[derive(Serialize)]
struct Told {
    lab: &'static str,
    title: &'static str,
    question: &'static str,
    options: serde_json::Map<String, serde_json::Value>,
    seconds: f64,
    #[serde(flatten)]
    findings: Findings,
    files: Vec<PathBuf>,
}

/// What `lab all` tells of a lab.
#[derive(Serialize)]
struct Summary {
    lab: &'static str,
    claims: usize,
    failed_claims: usize,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    theme: &'static str,
    title: &'static str,
    question: &'static str,
}

/// A lab that was run.
struct Done {
    about: &'static About,
    options: Vec<(String, String)>,
    told: Told,
}

impl LabArgs {
    /// `matches` are those of `lab`, in which the values of a lab's options stand as they were
    /// written.
    pub(super) fn run(self, matches: Option<&ArgMatches>, printer: &mut Printer) -> Result<()> {
        match self.which {
            Which::List => list(printer),
            Which::All => run_all(&self.output, printer),
            Which::Lab(lab) => {
                let matches = matches.and_then(ArgMatches::subcommand).map(|(_, matches)| matches);
                let mut progress = LabProgress::new();
                progress.begin(lab.name());
                let done = run_lab(&lab, matches, &self.output, &mut progress);
                progress.finish();
                let told = done?.told;
                printer.result(&told, || text(Look::detect(), &told))?;
                held(&told)
            }
        }
    }
}

/// The labs by theme.
fn by_theme() -> Vec<(&'static str, &'static About)> {
    let mut labs = LabCommand::all();
    labs.sort_by_key(|(_, about)| about.theme);
    labs
}

fn list(printer: &mut Printer) -> Result<()> {
    let listed: Vec<Listed> = by_theme()
        .into_iter()
        .map(|(name, about)| Listed {
            name,
            theme: about.theme.title(),
            title: about.title,
            question: about.question,
        })
        .collect();
    printer.result(&listed, || {
        let width = listed.iter().map(|lab| lab.name.len()).max().unwrap_or(0);
        let mut text = String::new();
        let mut theme = "";
        for lab in &listed {
            if lab.theme != theme {
                text += &format!("{}{}\n", if theme.is_empty() { "" } else { "\n" }, lab.theme);
                theme = lab.theme;
            }
            text += &format!("  {:width$}  {}\n", lab.name, lab.question);
        }
        text
    })
}

/// Runs one lab and writes what it found into a directory of its name.
fn run_lab(
    lab: &LabCommand,
    matches: Option<&ArgMatches>,
    output: &Path,
    progress: &mut LabProgress,
) -> Result<Done> {
    let (name, about) = (lab.name(), lab.about());
    let options = options(name, matches);
    let began = Instant::now();
    let findings = lab.run(progress).with_context(|| format!("the lab `{name}` failed"))?;
    let mut told = Told {
        lab: name,
        title: about.title,
        question: about.question,
        options: options
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect(),
        seconds: began.elapsed().as_secs_f64(),
        findings,
        files: vec![],
    };
    write_findings(&mut told, &output.join(name))?;
    Ok(Done { about, options, told })
}

/// The options of the lab `name` and their values, given or by default.
fn options(name: &str, matches: Option<&ArgMatches>) -> Vec<(String, String)> {
    let labs = AtDefaults::command();
    let Some((lab, matches)) = labs.find_subcommand(name).zip(matches) else { return vec![] };
    let value = |argument: &clap::Arg| {
        let option = argument.get_long()?;
        let values = matches.get_raw(argument.get_id().as_str())?;
        let values: Vec<String> =
            values.map(|value| value.to_string_lossy().into_owned()).collect();
        Some((option.to_owned(), values.join(",")))
    };
    lab.get_arguments().filter_map(value).collect()
}

/// Writes figures, animations, data and findings into `directory`, and notes the files.
fn write_findings(told: &mut Told, directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;
    let mut files = vec![];
    let mut write = |name: String, contents: &[u8]| -> Result<()> {
        let path = directory.join(name);
        write_atomically(&path, contents)
            .with_context(|| format!("cannot write {}", path.display()))?;
        files.push(path);
        Ok(())
    };
    for figure in &told.findings.figures {
        let svg = draw_figure(figure, Page::Light)?;
        write(format!("{}.svg", figure.name), svg.as_bytes())?;
        write(format!("{}.png", figure.name), &render_png(&svg, 1.0)?)?;
    }
    for animation in &told.findings.animations {
        write(format!("{}.gif", animation.name), &draw_gif(animation, Page::Light)?)?;
        let title = html::escape(&animation.title);
        let body = format!("<h1>{title}</h1>\n{}", html::animation(animation, "frames")?);
        let page = html::page(&animation.title, &body);
        write(format!("{}.html", animation.name), page.as_bytes())?;
    }
    for data in &told.findings.data {
        write(format!("{}.csv", data.name), &csv(data)?)?;
    }
    files.push(directory.join("findings.json"));
    told.files = files;
    let path = directory.join("findings.json");
    let json =
        serde_json::to_string_pretty(&told).context("the findings cannot be written as JSON")?;
    write_atomically(&path, json.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}

fn csv(data: &DataFile) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(vec![]);
    writer.write_record(&data.header)?;
    for row in &data.rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| anyhow!("{}.csv cannot be written: {error}", data.name))
}

/// An error that names the claims that do not hold.
fn held(told: &Told) -> Result<()> {
    let claims = &told.findings.claims;
    let failed: Vec<&str> =
        claims.iter().filter(|claim| !claim.holds).map(|claim| claim.says.as_str()).collect();
    if !failed.is_empty() {
        let noun = if failed.len() == 1 { "does" } else { "do" };
        bail!("{} of {} claims {noun} not hold: {}", failed.len(), claims.len(), failed.join("; "));
    }
    Ok(())
}

fn text(look: Look, told: &Told) -> String {
    let mut text = format!("{}\n{}\n\n", told.title, told.question);
    for sentence in &told.findings.sentences {
        text += &format!("{}\n", wrapped(sentence, look));
    }
    for one in &told.findings.tables {
        let header: Vec<&str> = one.header.iter().map(String::as_str).collect();
        text += &format!("\n{}\n{}\n", one.title, table(look, &header, &one.rows));
    }
    if !told.findings.claims.is_empty() {
        text += "\nClaims\n";
    }
    for claim in &told.findings.claims {
        let word = if claim.holds { "ok    " } else { "FAILED" };
        text += &format!("{word} {}\n       {}\n", claim.says, claim.evidence);
    }
    text += "\nWritten\n";
    for file in &told.files {
        text += &format!("{}\n", file.display());
    }
    let seconds = Duration::try_from_secs_f64(told.seconds).unwrap_or_default();
    text + &format!("in {}", numbers::duration(seconds))
}

/// `text` in lines that fit the terminal; as it is elsewhere.
fn wrapped(text: &str, look: Look) -> String {
    let Some(width) = look.width.map(usize::from) else { return text.to_owned() };
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// Runs every lab at its defaults; one that fails does not keep the others from running.
fn run_all(output: &Path, printer: &mut Printer) -> Result<()> {
    // Better now than after the first lab.
    std::fs::create_dir_all(output)
        .with_context(|| format!("cannot make the directory {}", output.display()))?;
    let mut progress = LabProgress::of_many(LabCommand::all().len());
    let mut chapters = vec![];
    let mut summaries = vec![];
    for (name, about) in by_theme() {
        progress.begin(name);
        let began = Instant::now();
        let done = run_at_defaults(name, output, &mut progress).and_then(|done| {
            let Done { about, options, told } = done;
            let chapter = Chapter::new(name, about, &options, told.seconds, &told.findings)?;
            Ok((chapter, told))
        });
        let mut summary =
            Summary { lab: name, claims: 0, failed_claims: 0, seconds: 0.0, error: None };
        match done {
            Ok((chapter, told)) => {
                summary.claims = told.findings.claims.len();
                summary.failed_claims =
                    told.findings.claims.iter().filter(|claim| !claim.holds).count();
                chapters.push(chapter);
            }
            Err(error) => {
                let error = format!("{error:#}");
                chapters.push(Chapter::failed(name, about, &error));
                summary.error = Some(error);
            }
        }
        summary.seconds = began.elapsed().as_secs_f64();
        progress.end(&outcome(&summary), began.elapsed());
        summaries.push(summary);
    }
    progress.finish();
    let page = output.join("index.html");
    write_atomically(&page, book(&chapters).as_bytes())
        .with_context(|| format!("cannot write {}", page.display()))?;
    printer.result(&summaries, || {
        let rows: Vec<Vec<String>> = summaries
            .iter()
            .map(|summary| {
                vec![
                    summary.lab.to_owned(),
                    (summary.claims - summary.failed_claims).to_string(),
                    summary.failed_claims.to_string(),
                    format!("{:.1}", summary.seconds),
                    summary.error.clone().unwrap_or_default(),
                ]
            })
            .collect();
        let header = ["lab", "claims held", "failed", "seconds", "error"];
        format!("{}\n\nthe book: {}", table(Look::detect(), &header, &rows), page.display())
    })?;
    let failed: Vec<&str> =
        summaries.iter().filter(|summary| failed(summary)).map(|summary| summary.lab).collect();
    if !failed.is_empty() {
        bail!("{} of {} labs failed: {}", failed.len(), summaries.len(), failed.join(", "));
    }
    Ok(())
}

fn run_at_defaults(name: &str, output: &Path, progress: &mut LabProgress) -> Result<Done> {
    let matches = AtDefaults::command().try_get_matches_from(["lab", name])?;
    let AtDefaults { lab } = AtDefaults::from_arg_matches(&matches)?;
    run_lab(&lab, matches.subcommand_matches(name), output, progress)
}

fn failed(summary: &Summary) -> bool {
    summary.error.is_some() || summary.failed_claims > 0
}

fn outcome(summary: &Summary) -> String {
    match &summary.error {
        Some(error) => error.clone(),
        None if summary.failed_claims > 0 => {
            format!("{} of {} claims FAILED", summary.failed_claims, summary.claims)
        }
        None => format!("{} claims held", summary.claims),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_lab_has_defaults_an_own_name_and_says_what_it_asks() {
        let mut names = std::collections::BTreeSet::new();
        for (name, about) in LabCommand::all() {
            assert!(names.insert(name), "{name} is there twice");
            let matches = AtDefaults::command().try_get_matches_from(["lab", name]).unwrap();
            assert_eq!(AtDefaults::from_arg_matches(&matches).unwrap().lab.name(), name);
            assert!(about.question.ends_with('?'), "{name}: {}", about.question);
            assert!(!about.sources.is_empty() && !about.method.is_empty(), "{name}");
        }
        let themes: Vec<_> = by_theme().into_iter().map(|(_, about)| about.theme).collect();
        assert!(themes.is_sorted());
    }

    #[test]
    fn options_are_told_as_they_were_given_and_by_default() {
        let given = ["lab", "gradient-descent", "--learning-rate", "0.25"];
        let matches = AtDefaults::command().try_get_matches_from(given).unwrap();
        let told = options("gradient-descent", matches.subcommand_matches("gradient-descent"));
        let told: Vec<(&str, &str)> =
            told.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(told, [("learning-rate", "0.25"), ("start", "5"), ("steps", "50")]);
    }
}
