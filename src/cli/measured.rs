//! What commands share that measure for a while: progress with the time left, what was measured kept
//! so that a stopped command goes on, and figures written as labs write them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::lab_progress::LabProgress;
use super::printer::message;
use converge_diagnosis::command::quoted;
use converge_figures::figure::{Figure, Page, draw_figure};
use converge_figures::{numbers, render_png};
use converge_labs::Progress as _;
use converge_record::write_atomically;

/// A bar over equal parts of work, with the time left.
pub(super) struct TimedProgress {
    bar: LabProgress,
    /// When it began, and how many parts were done then.
    began: Option<(Instant, usize)>,
}

impl TimedProgress {
    /// The progress of the command `name`.
    pub(super) fn new(name: &'static str) -> Self {
        let mut bar = LabProgress::new();
        bar.begin(name);
        Self { bar, began: None }
    }

    /// `done` of at most `total` parts are done; `part` is under way.
    pub(super) fn at(&mut self, done: usize, total: usize, part: &str) {
        let (began, before) = *self.began.get_or_insert((Instant::now(), done));
        let part = match u32::try_from(done.saturating_sub(before)).ok().filter(|&parts| parts > 0)
        {
            Some(parts) => {
                let left = total.saturating_sub(done) as f64 / f64::from(parts);
                let left = numbers::duration(began.elapsed().mul_f64(left));
                format!("{part}, at most {left} left")
            }
            None => part.to_owned(),
        };
        self.bar.at(done, total, &part);
    }

    pub(super) fn finish(&mut self) {
        self.bar.finish();
    }
}

/// What was measured so far, in a file beside what it was measured of: another experiment, other data
/// or other options begin anew.
pub(super) struct Kept {
    path: PathBuf,
    of: Value,
}

impl Kept {
    /// The file `measured.json` in `directory`, which is made, for what is measured `of` this, and what
    /// it holds so far. A file that cannot be read, or is of something else, is replaced.
    pub(super) fn open<M: DeserializeOwned>(
        directory: &Path,
        of: &impl Serialize,
    ) -> Result<(Self, Option<M>)> {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the directory {}", directory.display()))?;
        let kept = Self { path: directory.join("measured.json"), of: serde_json::to_value(of)? };
        let earlier = std::fs::read(&kept.path).ok();
        let earlier = earlier.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let measured = earlier.filter(|earlier| earlier.get("of") == Some(&kept.of)).and_then(
            |mut earlier| serde_json::from_value(earlier.get_mut("measured")?.take()).ok(),
        );
        if measured.is_some() {
            message("going on from what was measured before");
        }
        Ok((kept, measured))
    }

    /// Keeps what is `measured` by now.
    pub(super) fn keep(&self, measured: &impl Serialize) -> std::io::Result<()> {
        let all = serde_json::json!({ "of": self.of, "measured": serde_json::to_value(measured)? });
        write_atomically(&self.path, all.to_string().as_bytes())
    }
}

/// Writes `bytes` to the file `name` in `directory`, and notes it among `files`.
pub(super) fn write_file(
    directory: &Path,
    name: &str,
    bytes: &[u8],
    files: &mut Vec<PathBuf>,
) -> Result<()> {
    let path = directory.join(name);
    write_atomically(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    files.push(path);
    Ok(())
}

/// Writes `figure` into `directory`, as SVG and PNG, and notes both among `files`.
pub(super) fn write_figure(
    directory: &Path,
    figure: &Figure,
    files: &mut Vec<PathBuf>,
) -> Result<()> {
    let svg = draw_figure(figure, Page::Light)?;
    write_file(directory, &format!("{}.svg", figure.name), svg.as_bytes(), files)?;
    write_file(directory, &format!("{}.png", figure.name), &render_png(&svg, 1.0)?, files)
}

/// The command that trains `experiment`, a name or a path, with `changes` such as `optimizer.name=sgd`.
pub(super) fn train_command(experiment: &str, changes: &[String]) -> String {
    let command = format!("converge train {}", quoted(Path::new(experiment)));
    changes.iter().fold(command, |command, change| command + " --set " + &plain_or_quoted(change))
}

/// `text` as a shell takes it.
fn plain_or_quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-=/+,".contains(letter);
    if text.chars().all(plain) { text.to_owned() } else { quoted(Path::new(text)) }
}

/// The list of `files`, as it ends what is printed.
pub(super) fn written(files: &[PathBuf]) -> String {
    files
        .iter()
        .fold("\nWritten\n".to_owned(), |text, file| text + &format!("{}\n", file.display()))
}
