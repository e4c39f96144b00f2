//! Which columns are the training loss, the validation loss, the metric and the learning rate.

use super::Choices;
use super::error::ReadError;
use super::names::{Meaning, Role, meaning};
use super::table::{Column, Level, Table};
use super::words::Split;

/// The columns chosen; several are summed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Picks {
    pub(super) train_loss: Vec<usize>,
    pub(super) validation_loss: Vec<usize>,
    pub(super) metric: Option<usize>,
    pub(super) higher_is_better: bool,
    pub(super) train_metric: Option<usize>,
    pub(super) learning_rate: Option<usize>,
    /// What needs saying of the choice.
    pub(super) notes: Vec<String>,
}

impl Picks {
    /// Whether there is anything to judge.
    pub(super) fn any(&self) -> bool {
        !self.train_loss.is_empty() || !self.validation_loss.is_empty() || self.metric.is_some()
    }

    /// All columns chosen for what is judged.
    pub(super) fn judged(&self) -> impl Iterator<Item = usize> {
        let losses = self.train_loss.iter().chain(&self.validation_loss).copied();
        losses.chain(self.metric).chain(self.train_metric)
    }
}

/// What the columns of a table say they are.
pub(super) fn meanings(table: &Table) -> Vec<Meaning> {
    let mut meanings: Vec<Meaning> = table
        .columns
        .iter()
        .map(|column| {
            let mut said = meaning(column.label());
            said.split = match (column.split, said.split) {
                // `Test: loss` among lines that call themselves validation.
                (Some(around), None) => Some(around),
                (_, own) => own,
            };
            said
        })
        .collect();
    first_evaluation_set_is_training(table, &mut meanings);
    meanings
}

/// Boosting is often given the training data as the first of its evaluation sets: `validation_0`
/// beside `validation_1` (XGBoost), `valid_0` beside `valid_1` (LightGBM).
fn first_evaluation_set_is_training(table: &Table, meanings: &mut [Meaning]) {
    let numbered = |column: &Column, number: char| {
        let label = column.label().to_ascii_lowercase();
        ["validation_", "valid_"]
            .iter()
            .any(|prefix| label.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(number)))
    };
    let train = meanings
        .iter()
        .any(|said| said.split == Some(Split::Train) && !matches!(said.role, Role::Other));
    if train || !table.columns.iter().any(|column| numbered(column, '1')) {
        return;
    }
    for (column, said) in table.columns.iter().zip(meanings) {
        if numbered(column, '0') {
            said.split = Some(Split::Train);
        }
    }
}

/// The columns of `table`, by their names and by what the user chose.
pub(super) fn choose(
    table: &Table,
    meanings: &[Meaning],
    choices: &Choices,
) -> Result<Picks, ReadError> {
    let mut picks = by_name(table, meanings);
    let find = |name: &str, option: &'static str| {
        let exact = table.columns.iter().position(|column| column.name == name);
        let found = exact.or_else(|| {
            table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
        });
        found.ok_or_else(|| ReadError::NoSuchColumn {
            option,
            name: name.to_owned(),
            columns: table.columns.iter().map(|column| column.name.clone()).collect(),
        })
    };
    if let Some(name) = &choices.train_loss {
        picks.train_loss = vec![find(name, "--train-loss")?];
    }
    if let Some(name) = &choices.validation_loss {
        picks.validation_loss = vec![find(name, "--validation-loss")?];
    }
    if let Some(name) = &choices.metric {
        let place = find(name, "--metric")?;
        picks.metric = Some(place);
        picks.train_metric = None;
        picks.higher_is_better = match meanings.get(place).map(|said| said.role) {
            Some(Role::Metric { higher, .. }) => higher,
            Some(Role::Loss { .. }) => false,
            _ => true,
        };
    }
    if let Some(name) = &choices.learning_rate {
        picks.learning_rate = Some(find(name, "--learning-rate")?);
    }
    Ok(picks)
}

/// A column that may be chosen.
struct Candidate {
    place: usize,
    rank: u8,
    part: bool,
    points: usize,
}

fn by_name(table: &Table, meanings: &[Meaning]) -> Picks {
    let mut picks = Picks::default();
    let loss = |said: &Meaning| match said.role {
        Role::Loss { rank, part } => Some((rank, part)),
        _ => None,
    };
    // Where no column is called a loss, one that training can minimise is taken for it.
    let objective = |said: &Meaning| match said.role {
        Role::Metric { rank, objective: true, .. } => Some((rank, false)),
        _ => None,
    };
    for of in [&loss as &dyn Fn(&Meaning) -> Option<(u8, bool)>, &objective] {
        let train = |split| matches!(split, None | Some(Split::Train));
        picks.train_loss = pick(table, &candidates(table, meanings, of, &train));
        let validation = |split| split == Some(Split::Validation);
        picks.validation_loss = pick(table, &candidates(table, meanings, of, &validation));
        if picks.validation_loss.is_empty() {
            let test = candidates(table, meanings, of, &|split| split == Some(Split::Test));
            let lasting: Vec<Candidate> = test.into_iter().filter(|one| one.points > 1).collect();
            picks.validation_loss = pick(table, &lasting);
            if let [place, ..] = picks.validation_loss.as_slice() {
                let name = name(table, *place);
                picks.notes.push(format!(
                    "`{name}` is logged while it trains and is taken as validation: if the best \
                     epoch is chosen by it, it is no test any more."
                ));
            }
        }
        if !picks.train_loss.is_empty() || !picks.validation_loss.is_empty() {
            break;
        }
    }
    metrics(table, meanings, &mut picks);
    picks.learning_rate = learning_rate(table, meanings, &picks);
    picks
}

fn name(table: &Table, place: usize) -> &str {
    table.columns.get(place).map_or("", |column| &column.name)
}

fn candidates(
    table: &Table,
    meanings: &[Meaning],
    of: &dyn Fn(&Meaning) -> Option<(u8, bool)>,
    with: &dyn Fn(Option<Split>) -> bool,
) -> Vec<Candidate> {
    let columns = table.columns.iter().zip(meanings).enumerate();
    columns
        .filter(|(_, (column, said))| column.len() > 0 && with(said.split))
        .filter_map(|(place, (column, said))| {
            let (rank, part) = of(said)?;
            Some(Candidate { place, rank, part, points: column.len() })
        })
        .collect()
}

/// The best of the candidates, or the parts that sum to it.
fn pick(table: &Table, candidates: &[Candidate]) -> Vec<usize> {
    let most = candidates.iter().map(|one| one.points).max().unwrap_or(0);
    let key = |one: &Candidate| {
        let column = table.columns.get(one.place);
        let said = column.map(|column| meaning(column.label()));
        let per_step = said.as_ref().is_some_and(|said| said.per_step);
        let explicit = said.as_ref().is_some_and(|said| said.split.is_some())
            || column.is_some_and(|column| column.split.is_some());
        // A summary at the end, or an epoch's mean where there is only one epoch.
        let thin = one.points <= 2 && most >= 5;
        let level = column.map_or(Level::Outer, |column| column.level);
        // A running average is quieter than the last batch.
        let momentary = column.is_none_or(|column| !column.running);
        let lasting = if one.points > 2 { level } else { level.max(Level::Inner) };
        (
            (thin, one.rank, per_step, lasting, std::cmp::Reverse(one.points)),
            (momentary, !explicit, one.place),
        )
    };
    let Some(best) = candidates.iter().min_by_key(|one| key(one)) else { return vec![] };
    if best.part && candidates.len() > 1 {
        let parts: Vec<&Candidate> =
            candidates.iter().filter(|one| one.part && one.points == best.points).collect();
        return parts.iter().map(|one| one.place).collect();
    }
    vec![best.place]
}

fn metrics(table: &Table, meanings: &[Meaning], picks: &mut Picks) {
    let taken: Vec<usize> = picks.judged().collect();
    let of = |said: &Meaning| match said.role {
        Role::Metric { rank, .. } => Some((rank, false)),
        _ => None,
    };
    let select = |with: &dyn Fn(Option<Split>) -> bool, least: usize| {
        let mut found = candidates(table, meanings, &of, with);
        found.retain(|one| one.points >= least && !taken.contains(&one.place));
        pick(table, &found).first().copied()
    };
    let chosen = select(&|split| split == Some(Split::Validation), 1)
        .or_else(|| select(&|split| split == Some(Split::Test), 2))
        .or_else(|| select(&|split| matches!(split, None | Some(Split::Train)), 1));
    let Some(place) = chosen else { return };
    let Some(said) = meanings.get(place) else { return };
    let Role::Metric { higher, .. } = said.role else { return };
    picks.metric = Some(place);
    picks.higher_is_better = higher;
    if matches!(said.split, Some(Split::Validation | Split::Test)) {
        let level = table.columns.get(place).map(|column| column.level);
        let same = meanings.iter().zip(&table.columns).enumerate().filter(|(_, (other, _))| {
            other.core == said.core && matches!(other.split, None | Some(Split::Train))
        });
        picks.train_metric =
            same.max_by_key(|(_, (_, column))| Some(column.level) == level).map(|(place, _)| place);
    }
}

fn learning_rate(table: &Table, meanings: &[Meaning], picks: &Picks) -> Option<usize> {
    let mut rates: Vec<(usize, Option<u8>)> = meanings
        .iter()
        .zip(&table.columns)
        .enumerate()
        .filter_map(|(place, (said, column))| match said.role {
            // Printed once, it is a setting.
            Role::LearningRate(group) if column.len() > usize::from(table.printed) => {
                Some((place, group))
            }
            _ => None,
        })
        .collect();
    // Those of steps beside losses of steps, those of epochs beside losses of epochs.
    let per_step = |place: &usize| meanings.get(*place).is_some_and(|said| said.per_step);
    let judged = picks.judged().any(|place| per_step(&place));
    if rates.iter().any(|(place, _)| per_step(place) == judged) {
        rates.retain(|(place, _)| per_step(place) == judged);
    }
    let most =
        rates.iter().filter_map(|(place, _)| table.columns.get(*place)).map(Column::len).max()?;
    let whole =
        |place: usize| table.columns.get(place).is_some_and(|column| 2 * column.len() >= most);
    if let Some((place, _)) = rates.iter().find(|(place, group)| group.is_none() && whole(*place)) {
        return Some(*place);
    }
    // Of the three groups of Ultralytics, 0 holds biases with a warm-up of their own.
    let three = rates.len() >= 3 && rates.iter().any(|(_, group)| *group == Some(2));
    let wanted =
        if three && rates.iter().any(|(_, group)| *group == Some(0)) { Some(1) } else { None };
    let group = rates.iter().find(|(_, group)| wanted.is_some() && *group == wanted);
    group.or(rates.first()).map(|(place, _)| *place)
}
