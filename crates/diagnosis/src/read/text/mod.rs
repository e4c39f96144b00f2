//! Text as programs print it and people redirect it: `name value` in every dress, progress bars,
//! whatever else was printed between.
//!
//! It is streamed, a line at a time; of a progress bar, the last refresh of a line is read.

mod grid;
mod line;
mod place;
mod printed;
mod terminal;
mod tools;

use std::io::{BufRead, Cursor};

use self::printed::Printed;
use self::terminal::Lines;
use super::error::ReadError;
use super::source::Source;
use super::table::Found;

/// Fewer points than this are no course: perhaps the refreshes of a bar are.
const FEW: usize = 3;

/// What the text in memory holds.
pub(super) fn find(text: &[u8]) -> Found {
    // Reading from memory does not fail.
    let first = pass(&mut Cursor::new(text), false).unwrap_or_default();
    if first.points() >= FEW {
        return first.finish();
    }
    better(first, pass(&mut Cursor::new(text), true).unwrap_or_default())
}

/// What the text at `source` holds.
pub(super) fn stream(source: &Source) -> Result<Found, ReadError> {
    let first = pass(&mut *source.open()?, false).map_err(|error| source.io(error))?;
    if first.points() >= FEW {
        return Ok(first.finish());
    }
    let second = pass(&mut *source.open()?, true).map_err(|error| source.io(error))?;
    Ok(better(first, second))
}

fn better(first: Printed, second: Printed) -> Found {
    if second.points() <= first.points() {
        return first.finish();
    }
    let mut found = second.finish();
    found.notes.push(
        "Each refresh of its progress bars was taken as a point; it has no others.".to_owned(),
    );
    found
}

fn pass(reader: &mut dyn BufRead, refreshes: bool) -> std::io::Result<Printed> {
    let mut lines = Lines::new(reader, refreshes);
    let mut printed = Printed::default();
    let mut line = vec![];
    while lines.next(&mut line)? {
        printed.line(&line);
    }
    Ok(printed)
}
