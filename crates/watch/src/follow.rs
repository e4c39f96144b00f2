//! A run whose curves somebody looks at: what is new in them since the last look.
//!
//! Every page has its own, which forgets the rows and keeps the curves in a bounded size: a run of a million
//! steps takes no more memory than one of ten thousand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use converge_record::EpochRow;
use serde_json::{Map, Value, json};

use crate::appended::Appended;
use crate::curve::Curve;
use crate::folder::find;
use crate::summary::{Summary, Watched};

/// The columns of `steps.csv` that are drawn.
const COLUMNS: [&str; 4] = ["loss", "learning_rate", "gradient_norm", "update_ratio"];
/// So much of a long file is read before what it holds is shown.
const PIECE: usize = 8 << 20;

#[derive(Debug)]
pub(crate) struct Followed {
    folder: PathBuf,
    name: String,
    watched: Option<Watched>,
    /// What the page knows.
    summary: Option<Summary>,
    epochs: Vec<EpochRow>,
    steps: Steps,
    told_gone: bool,
}

impl Followed {
    pub(crate) fn new(folder: &Path, name: String) -> Self {
        let (watched, summary, steps) = (None, None, Steps::default());
        let folder = folder.to_owned();
        Self { folder, name, watched, summary, epochs: vec![], steps, told_gone: false }
    }

    pub(crate) fn watched(&self) -> Option<&Watched> {
        self.watched.as_ref()
    }

    /// What is new, and whether there is more to read at once.
    pub(crate) fn look(&mut self) -> (Option<Value>, bool) {
        if self.watched.as_ref().is_some_and(|watched| !watched.is_there()) {
            *self = Self::new(&self.folder, std::mem::take(&mut self.name));
        }
        if self.watched.is_none() {
            self.watched = find(&self.folder, &self.name).map(Watched::new);
            let path = self.watched.as_ref().map(|watched| watched.path().join("steps.csv"));
            self.steps = path.map_or_else(Steps::default, Steps::new);
        }
        let Some(watched) = &mut self.watched else {
            let told = std::mem::replace(&mut self.told_gone, true);
            return ((!told).then(|| json!({ "name": self.name, "gone": true })), false);
        };
        let mut news = Map::new();
        if watched.look() {
            watched.judge();
            if let Some(epochs) = epoch_news(&self.epochs, &watched.epochs) {
                news.insert("epochs".to_owned(), epochs);
                self.epochs.clone_from(&watched.epochs);
            }
            let summary = watched.summary(&self.name);
            if self.summary.as_ref() != Some(&summary) {
                news.insert("summary".to_owned(), json!(summary));
                self.summary = Some(summary);
            }
        }
        let more = self.steps.look();
        news.extend(self.steps.news().map(|steps| ("steps".to_owned(), steps)));
        if news.is_empty() {
            return (None, more);
        }
        news.insert("name".to_owned(), json!(self.name));
        (Some(Value::Object(news)), more)
    }
}

/// Rows that replace all but the first `kept`. What is no number is null.
fn epoch_news(before: &[EpochRow], now: &[EpochRow]) -> Option<Value> {
    let kept = before.iter().zip(now).take_while(|(before, now)| before == now).count();
    if kept == before.len() && kept == now.len() {
        return None;
    }
    let row = |row: &EpochRow| -> BTreeMap<String, f64> {
        let own = [("epoch", row.epoch as f64), ("learning_rate", row.learning_rate)];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let metrics = row.metrics.iter().map(|(name, value)| (name.clone(), value.0));
        own.into_iter().chain(metrics).collect()
    };
    Some(json!({ "kept": kept, "new": now[kept..].iter().map(row).collect::<Vec<_>>() }))
}

/// The curves of `steps.csv`.
#[derive(Debug, Default)]
struct Steps {
    file: Appended,
    /// Where the step and the [`COLUMNS`] stand; unknown before the header is read.
    places: Option<(usize, [Option<usize>; COLUMNS.len()])>,
    curves: [Curve; COLUMNS.len()],
    last: Option<f64>,
    problem: Option<String>,
    restarted: bool,
}

impl Steps {
    fn new(path: PathBuf) -> Self {
        Self { file: Appended::new(path), ..Self::default() }
    }

    /// Reads what was appended; whether there is more.
    fn look(&mut self) -> bool {
        let piece = match self.file.read(PIECE) {
            Ok(piece) => piece,
            Err(error) => {
                let problem = format!("`steps.csv` cannot be read: {error}");
                self.restarted |= self.problem.as_ref() != Some(&problem);
                self.problem = Some(problem);
                return false;
            }
        };
        if piece.restarted {
            let file = std::mem::take(&mut self.file);
            *self = Self { file, restarted: true, ..Self::default() };
        }
        for line in piece.lines.lines() {
            match self.places {
                None => self.read_header(line),
                Some(_) => self.add(line),
            }
        }
        piece.more
    }

    fn read_header(&mut self, line: &str) {
        let place = |name: &str| line.split(',').position(|column| column == name);
        match place("step") {
            Some(step) => self.places = Some((step, COLUMNS.map(place))),
            None => self.problem = Some("`steps.csv` has no column `step`".to_owned()),
        }
    }

    fn add(&mut self, line: &str) {
        let Some((step_at, places)) = self.places else { return };
        let mut step = None;
        let mut values = [None; COLUMNS.len()];
        let needed = places.iter().flatten().copied().chain([step_at]).max().unwrap_or_default();
        for (at, cell) in line.split(',').enumerate().take(needed + 1) {
            if at == step_at {
                step = cell.parse().ok();
            }
            if let Some(column) = places.iter().position(|place| *place == Some(at)) {
                values[column] = cell.parse().ok();
            }
        }
        let Some(step) = step else {
            self.problem = Some("some rows of `steps.csv` are damaged and left out".to_owned());
            return;
        };
        self.last = Some(step);
        for (curve, value) in self.curves.iter_mut().zip(values) {
            if let Some(value) = value {
                curve.push(step, value);
            }
        }
    }

    fn news(&mut self) -> Option<Value> {
        let curves = COLUMNS.iter().zip(&mut self.curves);
        let curves: Map<String, Value> =
            curves.filter_map(|(name, curve)| Some(((*name).to_owned(), curve.news()?))).collect();
        let restarted = std::mem::take(&mut self.restarted);
        if curves.is_empty() && !restarted {
            return None;
        }
        let (last, problem) = (self.last, &self.problem);
        Some(json!({
            "restarted": restarted, "curves": curves, "last": last, "problem": problem
        }))
    }
}
