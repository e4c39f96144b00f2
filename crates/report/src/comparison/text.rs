//! A comparison as text for a terminal, and the cells that pages share with it.

use converge_figures::numbers::significant;
use converge_figures::{Look, table};

use super::differences::signed;
use super::{ComparedRun, Comparison, Group};
use crate::training::State;

/// The most columns of keys that a table has beside its own.
const MOST_KEYS: usize = 6;
/// A table may be so much wider than the terminal before its cells wrap into ribbons.
const WRAPS_WELL: f64 = 1.3;

impl Comparison {
    /// The comparison as text: the runs, the groups, the differences, what to know.
    pub fn text(&self, look: Look) -> String {
        let (header, rows) = self.table(MOST_KEYS);
        let mut text = fitted(look, &header, &rows);
        if self.keys.len() > MOST_KEYS {
            text += &format!(
                "\n{} more keys differ, which `--csv` and `--json` have",
                self.keys.len() - MOST_KEYS
            );
        }
        if self.groups.len() < self.runs.len() {
            let (header, rows) = self.group_table();
            text += &format!("\n\n{}", fitted(look, &header, &rows));
        }
        let sentences: Vec<&str> = match self.differences.as_slice() {
            [only] => vec![&only.sentence],
            _ => vec![],
        };
        for sentence in sentences.into_iter().chain(self.notes.iter().map(String::as_str)) {
            text += &format!("\n\n{}", wrapped(sentence, look));
        }
        text
    }

    /// A row for each run, with at most so many keys.
    pub(super) fn table(&self, most_keys: usize) -> (Vec<String>, Vec<Vec<String>>) {
        let keys = self.keys.iter().filter(|key| *key != "log").take(most_keys);
        let keys: Vec<&String> = keys.collect();
        let evaluated = self.evaluated();
        let mut header = vec!["run".to_owned()];
        header.extend(keys.iter().map(|key| super::keys::short(key, &self.keys)));
        header.extend(["seed", "verdict", "points"].map(str::to_owned));
        header.extend(self.score.iter().map(|score| score.name.clone()));
        header.extend(evaluated.iter().cloned());
        let row = |run: &ComparedRun| {
            let value = |key: &&String| {
                let place = self.keys.iter().position(|other| other == *key)?;
                run.values[place].clone()
            };
            let mut row = vec![run.name.clone()];
            row.extend(keys.iter().map(|key| value(key).unwrap_or_else(|| "–".to_owned())));
            row.push(run.seed.map_or_else(|| "–".to_owned(), |seed| seed.to_string()));
            row.push(standing(run));
            row.push(run.epochs.to_string());
            row.extend(self.score.iter().map(|_| shown(run.score)));
            row.extend(evaluated.iter().map(|name| shown(run.evaluation.get(name).copied())));
            row
        };
        (header, self.runs.iter().map(row).collect())
    }

    /// A row for each group, with what can be told of it.
    pub(super) fn group_table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        if self.groups.iter().all(|group| group.deviation.is_none()) {
            let row = |group: &Group| vec![group.name.clone(), shown(group.mean)];
            let header = ["group", "score"].map(str::to_owned).to_vec();
            return (header, self.groups.iter().map(row).collect());
        }
        let mut header = vec!["group", "seeds", "mean", "deviation"];
        if !self.differences.is_empty() {
            header.extend(["difference", "interval", "is"]);
        }
        let row = |(place, group): (usize, &Group)| {
            let mut row = vec![
                group.name.clone(),
                group.n.to_string(),
                shown(group.mean),
                shown(group.deviation),
            ];
            let difference = self.differences.iter().find(|one| one.group == place);
            if let Some(difference) = difference {
                let interval = difference
                    .interval
                    .map(|[low, high]| format!("{} to {}", signed(low), signed(high)));
                row.push(signed(difference.difference));
                row.push(interval.unwrap_or_else(|| "–".to_owned()));
                row.push(difference.words().to_owned());
            } else if self.differences.iter().any(|one| one.reference == place) {
                row.extend(["–", "–", "the reference"].map(str::to_owned));
            } else if !self.differences.is_empty() {
                row.extend(["–", "–", "without a score"].map(str::to_owned));
            }
            row
        };
        let rows = self.groups.iter().enumerate().map(row).collect();
        (header.into_iter().map(str::to_owned).collect(), rows)
    }

    /// The most telling score of evaluations: of each split the first that any run has.
    fn evaluated(&self) -> Vec<String> {
        const TELLING: [&str; 5] = ["accuracy", "r2", "rmse", "mae", "loss"];
        let has = |name: &str| {
            let all = self.runs.iter().flat_map(|run| run.evaluation.keys());
            let mut named =
                all.filter(|key| key.split_once('_').is_some_and(|(_, one)| one == name));
            named.next().cloned()
        };
        TELLING.iter().find_map(|name| has(name)).into_iter().collect()
    }
}

/// The verdict on a run, and how it stands where that matters.
pub(super) fn standing(run: &ComparedRun) -> String {
    let verdict = run.verdict.to_string();
    let mut also = vec![];
    match run.state {
        State::Running => also.push("still running"),
        State::Killed => also.push("killed"),
        State::Interrupted => also.push("interrupted"),
        State::Failed => also.push("failed"),
        State::Completed | State::Diverged | State::Log => {}
    }
    if run.synthetic {
        also.push("SYNTHETIC data");
    }
    if also.is_empty() { verdict } else { format!("{verdict} ({})", also.join(", ")) }
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| significant(value, 5))
}

/// A table that fits, or, where its cells would be ribbons, a paragraph for each row.
fn fitted(look: Look, header: &[String], rows: &[Vec<String>]) -> String {
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).chain([&header[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0) + 2
    };
    let natural: usize = (0..header.len()).map(widest).sum();
    let Some(width) = look.width.filter(|&width| natural as f64 > WRAPS_WELL * f64::from(width))
    else {
        return table(look, &names, rows);
    };
    let paragraph = |row: &Vec<String>| {
        let rest = header.iter().zip(row).skip(1).filter(|(_, cell)| *cell != "–");
        let rest: Vec<String> = rest.map(|(name, cell)| format!("{name} {cell}")).collect();
        let rest = wrapped(&format!("  {}", rest.join(", ")), look);
        format!("{}\n{rest}", textwrap::fill(&row[0], usize::from(width)))
    };
    rows.iter().map(paragraph).collect::<Vec<_>>().join("\n")
}

/// `text` in lines that fit, those after the first indented.
fn wrapped(text: &str, look: Look) -> String {
    let Some(width) = look.width else { return text.to_owned() };
    let options = textwrap::Options::new(usize::from(width)).subsequent_indent("  ");
    textwrap::fill(text, options)
}
