//! What counts along a log, and where one run ends and the next begins.

use super::names::{Meaning, Role};
use super::table::{Column, Counting, Table, shared};
use super::track::Track;

/// Where rows stand, and to which run they belong.
#[derive(Debug, Clone, Default)]
pub(super) struct Axis {
    /// The column that counts, if one does.
    pub(super) name: Option<String>,
    /// The places of the columns that it was made of.
    pub(super) places: Vec<usize>,
    /// Where rows stand.
    pub(super) track: Track,
    /// The same where each series has steps of its own: only in the rows of the series with the
    /// most points.
    pub(super) lead: Option<Track>,
    /// The first row of each stretch of rows, and its run.
    pub(super) stretches: Vec<(u32, usize)>,
    /// Whether the rows of several runs alternate.
    pub(super) interleaved: bool,
}

impl Axis {
    /// The run of `row`.
    pub(super) fn run(&self, row: u32) -> usize {
        let after = self.stretches.partition_point(|(start, _)| *start <= row);
        self.stretches.get(after.saturating_sub(1)).map_or(0, |(_, run)| *run)
    }

    /// The number of runs.
    pub(super) fn runs(&self) -> usize {
        self.stretches.iter().map(|(_, run)| run + 1).max().unwrap_or(1)
    }

    fn new(
        table: &Table,
        name: Option<&str>,
        places: &[usize],
        track: Track,
        lead: &[u32],
    ) -> Self {
        // Series may have steps of their own: only those of one series fall at a restart.
        let lead = (!table.printed).then(|| track.seen_at(lead));
        let (stretches, interleaved) = lead.as_ref().unwrap_or(&track).stretches();
        let name = name.map(str::to_owned);
        Self { name, places: places.to_vec(), track, lead, stretches, interleaved }
    }
}

/// The axis of `table`, whose judged series with the most points stands in the rows `lead`.
pub(super) fn axis(
    table: &Table,
    meanings: &[Meaning],
    lead: &[u32],
    chosen: Option<usize>,
) -> Axis {
    let named = |place: usize| table.columns.get(place).map(|column| column.name.as_str());
    if let Some(column) = chosen.and_then(|place| table.columns.get(place)) {
        let place = chosen.unwrap_or_default();
        return Axis::new(table, Some(&column.name), &[place], Track::of(column), lead);
    }
    let best = |wanted: &dyn Fn(Role) -> bool| {
        let of_role = meanings
            .iter()
            .zip(&table.columns)
            .enumerate()
            .filter(|(_, (said, _))| wanted(said.role));
        let key = |column: &Column| {
            let beside = shared(lead, &column.rows);
            let share = 20 * beside / lead.len().max(1);
            (share, Track::of(column).distinct())
        };
        let best = of_role
            .filter(|(_, (_, column))| column.len() > 0)
            .max_by_key(|(place, (_, column))| (key(column), std::cmp::Reverse(*place)));
        best.map(|(place, _)| place)
    };
    let epoch = best(&|role| role == Role::Epoch);
    let step = best(&|role| role == Role::Step).or_else(|| best(&|role| role == Role::Batch));
    let track = |place: Option<usize>| {
        let column = place.and_then(|place| table.columns.get(place))?;
        Some((place?, Track::of(column))).filter(|(_, track)| !track.rows.is_empty())
    };
    let (epoch, step) = (track(epoch), track(step));
    let make = |place: usize, track: Track| Axis::new(table, named(place), &[place], track, lead);
    match (epoch, step) {
        (Some((place, epochs)), Some((step_place, steps))) => {
            let epochs = if table.counting == Counting::StepsWithinEpochs {
                filled_by_step(table, &epochs, &steps)
            } else {
                epochs
            };
            let (seen, stepped) = (epochs.seen_at(lead), steps.seen_at(lead));
            let distinct = seen.distinct();
            if table.counting == Counting::Steps || distinct <= 1 || !seen.whole() {
                return make(step_place, steps);
            }
            let once_an_epoch = 2 * lead.len() <= 3 * distinct;
            let within = table.counting == Counting::StepsWithinEpochs;
            if once_an_epoch || within || stepped.distinct() < distinct {
                return make(place, epochs);
            }
            // Epochs of runs that alternate fall all the time.
            if stepped.falls() <= seen.falls() && 10 * seen.falls() <= lead.len() {
                return make(step_place, steps);
            }
            if distinct >= 5 {
                return make(place, epochs);
            }
            composed(table, (place, &epochs), (step_place, &steps), lead)
        }
        (Some((place, track)), None) | (None, Some((place, track))) => {
            // Batches that start again are another epoch of the same run.
            let batches = meanings.get(place).is_some_and(|said| said.role == Role::Batch);
            let seen = track.seen_at(lead);
            if seen.distinct() <= 1 && lead.len() > 1 || batches && seen.falls() > 0 {
                counted(table, lead)
            } else {
                make(place, track)
            }
        }
        (None, None) => {
            let index = best(&|role| role == Role::Index);
            match track(index) {
                Some((place, track)) if track.distinct() > 1 && track.distinct() >= lead.len() => {
                    make(place, track)
                }
                _ => counted(table, lead),
            }
        }
    }
}

/// Nothing counts: rows are counted, of text those with the judged series.
fn counted(table: &Table, lead: &[u32]) -> Axis {
    let rows: Vec<u32> = if table.printed { lead.to_vec() } else { (0..table.rows).collect() };
    let xs = (0..rows.len()).map(|count| count as f64).collect();
    let stretches = rows.first().map(|row| (*row, 0)).into_iter().collect();
    Axis { track: Track { rows, xs }, stretches, ..Axis::default() }
}

/// The epoch of every row that has a step: where none stands beside it, that of the first step
/// that is as late.
fn filled_by_step(table: &Table, epochs: &Track, steps: &Track) -> Track {
    let mut known: Vec<(f64, f64)> = vec![];
    for (row, epoch) in epochs.rows.iter().zip(&epochs.xs) {
        if let Some(step) = steps.at(*row)
            && known.last().is_none_or(|(last, _)| *last < step)
        {
            known.push((step, *epoch));
        }
    }
    let mut filled = Track::default();
    for row in 0..table.rows {
        let own = epochs.rows.binary_search(&row).ok().and_then(|place| epochs.xs.get(place));
        let by_step = || {
            let step = steps.at(row)?;
            let after = known.partition_point(|(known, _)| *known < step);
            known.get(after).or(known.last()).map(|(_, epoch)| *epoch)
        };
        if let Some(epoch) = own.copied().or_else(by_step) {
            filled.rows.push(row);
            filled.xs.push(epoch);
        }
    }
    filled
}

/// Steps that start again every epoch, laid end to end.
fn composed(table: &Table, epochs: (usize, &Track), steps: (usize, &Track), lead: &[u32]) -> Axis {
    let length = steps.1.xs.iter().copied().fold(0.0, f64::max);
    let least = steps.1.xs.iter().copied().fold(f64::INFINITY, f64::min);
    let length = if least <= 0.0 { length + 1.0 } else { length };
    let first = epochs.1.xs.iter().copied().fold(f64::INFINITY, f64::min);
    let mut track = Track::default();
    for row in lead {
        if let (Some(epoch), Some(step)) = (epochs.1.at(*row), steps.1.at(*row)) {
            track.rows.push(*row);
            track.xs.push((epoch - first) * length + step);
        }
    }
    let name = |place: usize| table.columns.get(place).map_or("", |column| &column.name);
    let name = format!("{} and {}", name(epochs.0), name(steps.0));
    Axis::new(table, Some(&name), &[epochs.0, steps.0], track, lead)
}
