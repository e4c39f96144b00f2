//! `converge lab`: the classic experiments on convergence.

mod options;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Subcommand};
use serde::Serialize;

use self::options::Chosen;
use super::lab_progress::LabProgress;
use super::printer::Printer;
use converge_figures::figure::{Page, draw_figure, draw_gif};
use converge_figures::{Look, html, numbers, render_png, table};
use converge_labs::{Chapter, DataFile, Findings, LABS, Registered, book};
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
    Lab(Chosen),
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

impl LabArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        match self.which {
            Which::List => list(printer),
            Which::All => run_all(&self.output, printer),
            Which::Lab(chosen) => {
                let mut progress = LabProgress::new();
                progress.begin(chosen.lab.name);
                let told = run_lab(&chosen, &self.output, &mut progress);
                progress.finish();
                let told = told?;
                printer.result(&told, || text(Look::detect(), &told))?;
                held(&told)
            }
        }
    }
}

/// The labs by theme.
fn by_theme() -> Vec<&'static Registered> {
    let mut labs: Vec<_> = LABS.iter().collect();
    labs.sort_by_key(|lab| lab.about.theme);
    labs
}

fn list(printer: &mut Printer) -> Result<()> {
    let listed: Vec<Listed> = by_theme()
        .into_iter()
        .map(|Registered { name, about, .. }| Listed {
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
fn run_lab(chosen: &Chosen, output: &Path, progress: &mut LabProgress) -> Result<Told> {
    let Registered { name, about, .. } = *chosen.lab;
    let began = Instant::now();
    let findings = chosen.run(progress).with_context(|| format!("the lab `{name}` failed"))?;
    let mut told = Told {
        lab: name,
        title: about.title,
        question: about.question,
        options: chosen.told().map(|(option, value)| (option, value.into())).collect(),
        seconds: began.elapsed().as_secs_f64(),
        findings,
        files: vec![],
    };
    write_findings(&mut told, &output.join(name))?;
    Ok(told)
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
    let mut progress = LabProgress::of_many(LABS.len());
    let mut chapters = vec![];
    let mut summaries = vec![];
    for lab in by_theme() {
        let Registered { name, about, .. } = *lab;
        progress.begin(name);
        let began = Instant::now();
        let chosen = Chosen::at_defaults(lab);
        let done = run_lab(&chosen, output, &mut progress).and_then(|told| {
            let options: Vec<_> = chosen.told().collect();
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
