//! From tables to runs: the chosen columns along their axis, each run by itself.

use super::axis::{Axis, axis};
use super::choose::{Picks, choose, meanings};
use super::error::ReadError;
use super::names::{Meaning, Role};
use super::table::{Column, Counting, Found, Level, Table, shared};
use super::track::Track;
use super::{Choices, remarks};
use crate::history::{History, Log, Metric, Series};

/// Series beside the chosen ones that are kept.
const OTHERS: usize = 200;

/// The log in what a reader `found`.
pub(super) fn assemble(mut found: Found, choices: &Choices) -> Result<Log, ReadError> {
    let mut log = Log { format: found.format, runs: vec![], notes: found.notes };
    for table in found.tables.iter_mut().filter(|table| !table.printed) {
        table.label_bare_splits();
    }
    let mut missing = None;
    for table in &found.tables {
        match runs(table, choices, &mut log.notes) {
            Ok(runs) => log.runs.extend(runs),
            // Of several tables, some may lack what the user named.
            Err(error) => missing = missing.or(Some(error)),
        }
    }
    if let Some(error) = missing.filter(|_| log.runs.is_empty()) {
        return Err(error);
    }
    if let Some(name) = &choices.run {
        select(&mut log, name)?;
    }
    remarks::on_the_whole(&mut log);
    Ok(log)
}

/// Keeps the run that the user named or numbered.
fn select(log: &mut Log, name: &str) -> Result<(), ReadError> {
    let numbered = name.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let place = log
        .runs
        .iter()
        .position(|run| run.name == name)
        .or(numbered.filter(|place| *place < log.runs.len()));
    let Some(place) = place else {
        return Err(ReadError::NoSuchRun {
            name: name.to_owned(),
            runs: log.runs.iter().map(|run| run.name.clone()).collect(),
        });
    };
    log.runs = vec![log.runs.swap_remove(place)];
    Ok(())
}

fn runs(
    table: &Table,
    choices: &Choices,
    notes: &mut Vec<String>,
) -> Result<Vec<History>, ReadError> {
    let meanings = meanings(table);
    let picks = choose(table, &meanings, choices)?;
    if !picks.any() {
        return Ok(vec![]);
    }
    let column = |place: &usize| table.columns.get(*place);
    let losses = picks.train_loss.iter().chain(&picks.validation_loss);
    let lead = losses.filter_map(column).max_by_key(|column| column.len());
    let lead = lead.or(picks.metric.as_ref().and_then(column));
    let Some(lead) = lead else { return Ok(vec![]) };
    let chosen_x = match &choices.x {
        Some(name) => {
            let place = table.columns.iter().position(|column| column.name == *name);
            Some(place.ok_or_else(|| ReadError::NoSuchColumn {
                option: "--x",
                name: name.clone(),
                columns: table.columns.iter().map(|column| column.name.clone()).collect(),
            })?)
        }
        None => None,
    };
    let axis = axis(table, &meanings, &lead.rows, chosen_x);
    let runs = split(table, &meanings, &picks, &axis);
    remarks::on_columns(&picks, &axis, runs.last(), notes);
    Ok(remarks::without_stubs(runs, &axis, notes))
}

/// What stands for several values at one place of the axis.
#[derive(Clone, Copy)]
enum Together {
    Mean,
    Last,
}

fn split(table: &Table, meanings: &[Meaning], picks: &Picks, axis: &Axis) -> Vec<History> {
    let count = axis.runs();
    let train = summed(table, &picks.train_loss);
    let validation = summed(table, &picks.validation_loss);
    // Rows of one epoch that nothing counts are the same row, written again.
    let counted = table.printed
        || meanings.iter().zip(&table.columns).any(|(said, column)| {
            matches!(said.role, Role::Step | Role::Batch) && column.len() > 0
        });
    let together = |column: &Column| {
        let beside = validation.as_ref().is_some_and(|other| {
            column.rows.first().is_some_and(|row| other.at(*row).is_some())
                && column.rows.last().is_some_and(|row| other.at(*row).is_some())
        });
        if column.running || column.level == Level::Bar || beside || !counted {
            Together::Last
        } else {
            Together::Mean
        }
    };
    let series = |column: &Column, together| {
        series(column, own_axis(table, meanings, axis, column), axis, count, together)
    };
    let mut histories: Vec<History> = (0..count)
        .map(|run| History {
            name: run_name(&table.name, run, count),
            x: axis.name.clone(),
            ..History::default()
        })
        .collect();
    let mut give = |column: &Column, together, to: &dyn Fn(&mut History, Series)| {
        for (history, series) in histories.iter_mut().zip(series(column, together)) {
            if !series.x.is_empty() {
                to(history, series);
            }
        }
    };
    if let Some(column) = &train {
        give(column, together(column), &|run, series| run.train_loss = Some(series));
    }
    if let Some(column) = &validation {
        give(column, Together::Last, &|run, series| run.validation_loss = Some(series));
    }
    let column = |place: Option<usize>| table.columns.get(place?);
    let higher_is_better = picks.higher_is_better;
    if let Some(column) = column(picks.metric) {
        let own = picks.train_metric.is_none()
            && train.as_ref().is_some_and(|train| {
                column.rows.first().is_some_and(|row| train.at(*row).is_some())
            });
        let together = if own { together(column) } else { Together::Last };
        give(column, together, &|run, series| {
            run.metric = Some(Metric { series, higher_is_better });
        });
    }
    if let Some(column) = column(picks.train_metric) {
        give(column, together(column), &|run, series| {
            run.train_metric = Some(Metric { series, higher_is_better });
        });
    }
    if let Some(column) = column(picks.learning_rate) {
        give(column, Together::Last, &|run, series| run.learning_rate = Some(series));
    }
    let taken: Vec<usize> =
        picks.judged().chain(picks.learning_rate).chain(axis.places.iter().copied()).collect();
    let rest = table.columns.iter().enumerate().filter(|(place, _)| !taken.contains(place));
    for (place, column) in rest.take(OTHERS) {
        let is_axis = meanings.get(place).is_some_and(|said| {
            matches!(said.role, Role::Epoch | Role::Step | Role::Batch | Role::Index)
        });
        if !is_axis {
            give(column, Together::Last, &|run, series| run.others.push(series));
        }
    }
    histories.retain(|run| {
        run.train_loss.is_some() || run.validation_loss.is_some() || run.metric.is_some()
    });
    histories
}

fn run_name(table: &str, run: usize, count: usize) -> String {
    match (table.is_empty(), count) {
        (_, 1) => table.to_owned(),
        (true, _) => format!("run {} of {count}", run + 1),
        (false, _) => format!("{table}, run {} of {count}", run + 1),
    }
}

/// The columns at `places`, summed in the rows that have all of them.
fn summed(table: &Table, places: &[usize]) -> Option<Column> {
    let columns: Vec<&Column> =
        places.iter().filter_map(|place| table.columns.get(*place)).collect();
    let (first, rest) = columns.split_first()?;
    if rest.is_empty() {
        return Some((*first).clone());
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut sum = Column { level: first.level, ..Column::new(names.join("+")) };
    for (row, value) in first.points() {
        let others: Option<f64> = rest.iter().map(|column| column.at(row)).sum();
        if let Some(others) = others {
            sum.push(row, value + others);
        }
    }
    Some(sum)
}

/// A counter that stands beside the values of `column` in a printed log, where that of the axis
/// does not: nanoGPT counts `iter` on the lines of training and `step` on those of validation.
fn own_axis<'a>(
    table: &'a Table,
    meanings: &[Meaning],
    axis: &Axis,
    column: &Column,
) -> Option<&'a Column> {
    if !table.printed || axis.places.len() != 1 || table.counting != Counting::Plain {
        return None;
    }
    let beside = |counter: &Column| 10 * shared(&column.rows, &counter.rows) >= 9 * column.len();
    let place = *axis.places.first()?;
    let (own, said) = (table.columns.get(place)?, meanings.get(place)?);
    if beside(own) {
        return None;
    }
    let end = |column: &Column| column.values.iter().copied().fold(0.0, f64::max);
    meanings
        .iter()
        .zip(&table.columns)
        .filter(|(other, counter)| other.role == said.role && counter.len() > 0)
        .map(|(_, counter)| counter)
        .find(|counter| {
            beside(counter) && end(counter) <= 2.0 * end(own) && 2.0 * end(counter) >= end(own)
        })
}

/// The series of each run in `column`.
fn series(
    column: &Column,
    own: Option<&Column>,
    axis: &Axis,
    count: usize,
    together: Together,
) -> Vec<Series> {
    let mut runs: Vec<Building> = (0..count).map(|_| Building::default()).collect();
    let track = match &axis.lead {
        Some(lead) if counts_otherwise(column, axis, lead) => lead,
        _ => &axis.track,
    };
    // Read row by row, a count stands before or beside what it counts; printed, also behind it.
    let follows = axis.lead.is_none() && track.follows(&column.rows);
    for (place, (row, y)) in column.points().enumerate() {
        let counted = || if follows { track.next_at(row) } else { track.at(row) };
        let x = own.and_then(|own| own.at(row)).or_else(counted);
        let Some(x) = x.filter(|x| x.is_finite()) else { continue };
        let closing = place + 1 == column.len() && place >= 5;
        if let Some(run) = runs.get_mut(axis.run(row)) {
            // A closing line repeats the best iteration.
            if closing && run.x.last().is_some_and(|last| *last > x) {
                continue;
            }
            run.add(x, y, together);
        }
    }
    runs.into_iter().map(|run| Series { name: column.name.clone(), x: run.x, y: run.y }).collect()
}

/// Whether the steps of `column` are of another unit, as where training counts iterations and
/// validation, under the same name, epochs.
fn counts_otherwise(column: &Column, axis: &Axis, lead: &Track) -> bool {
    let behind = |row: &&u32| match (axis.track.at(**row), lead.at(**row)) {
        (Some(own), Some(lead)) => 4.0 * own < lead,
        _ => false,
    };
    let rows = column.rows.iter().filter(behind).count();
    10 * rows >= 9 * column.len() && column.len() > 0
}

/// A series under construction.
#[derive(Default)]
struct Building {
    x: Vec<f64>,
    y: Vec<f64>,
    /// Finite values at the last place, and their sum.
    at_last: (f64, usize),
}

impl Building {
    fn add(&mut self, x: f64, y: f64, together: Together) {
        // Written again after a resume: what was there before is gone.
        while self.x.last().is_some_and(|last| *last > x) {
            self.x.pop();
            self.y.pop();
            self.at_last = (0.0, 0);
        }
        if self.x.last() != Some(&x) {
            self.x.push(x);
            self.y.push(y);
            self.at_last = if y.is_finite() { (y, 1) } else { (0.0, 0) };
            return;
        }
        if y.is_finite() {
            self.at_last = (self.at_last.0 + y, self.at_last.1 + 1);
        }
        let mean = self.at_last.0 / self.at_last.1.max(1) as f64;
        if let Some(last) = self.y.last_mut() {
            // A mean must not hide that the last values of an epoch are none.
            *last = if matches!(together, Together::Mean) && y.is_finite() { mean } else { y };
        }
    }
}
