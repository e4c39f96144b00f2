//! Lines that are read by a rule of their own: tables, and those of Darknet and CatBoost.

use super::super::names::Role;
use super::super::number::plain;
use super::super::table::Level;
use super::super::words::Split;
use super::grid;
use super::printed::{Known, Printed, Tool};

impl Printed {
    /// Remembers the names over a table.
    pub(super) fn head_of_table(&mut self, line: &str) {
        let Some(header) = grid::header(line) else { return };
        let judged = |name: &String| {
            matches!(self.known(name).role, Role::Loss { .. } | Role::Metric { .. })
        };
        if header.names.iter().filter(|name| !name.is_empty()).any(judged) {
            self.grid = Some(header);
        }
    }

    /// Reads a line of the table that is being printed.
    pub(super) fn row_of_table(&mut self, line: &str) -> bool {
        let Some(header) = self.grid.take() else { return false };
        let row = header.row(line);
        for (place, value) in row.iter().flatten() {
            let Some(name) = header.names.get(*place) else { continue };
            let role = self.known(name).role;
            if role != Role::Other && !name.is_empty() {
                self.in_bar = false;
                self.value(name, None, Level::Outer, false, *value);
            }
        }
        self.grid = Some(header);
        if row.is_some() {
            self.row = self.row.saturating_add(1);
        }
        row.is_some()
    }

    /// CatBoost names no metric: `0: learn: 0.69 test: 0.70 best: … remaining: 10s`.
    pub(super) fn catboost_names(&mut self, line: &str) {
        if self.tool.is_none() && line.contains("learn: ") && line.contains("remaining: ") {
            self.tool = Some(Tool::CatBoost);
            let role = Role::Loss { rank: 0, part: false };
            for (label, split) in [("learn", Split::Train), ("test", Split::Validation)] {
                let known =
                    Known { role, split: Some(split), bare_split: false, ..self.known(label) };
                self.known.insert(label.to_owned(), known);
            }
        }
    }

    /// Darknet names its numbers behind them: `3000: 1.38, 0.97 avg, 0.001 rate, 0.08 seconds, …`.
    pub(super) fn darknet_line(&mut self, line: &str) -> bool {
        let line = line.trim_start();
        if !line.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            return false;
        }
        let Some((iteration, rest)) = line.split_once(": ") else { return false };
        if !line.contains(" avg") || !line.contains(" rate,") {
            return false;
        }
        let mut cells = rest.split(',').map(str::trim);
        let (Ok(iteration), Some(loss)) = (iteration.parse::<u32>(), cells.next().and_then(plain))
        else {
            return false;
        };
        self.tool = Some(Tool::Darknet);
        self.counter("(iteration)", Some("iteration"), f64::from(iteration));
        self.value("momentary loss", None, Level::Outer, false, loss);
        for cell in cells {
            let Some((number, name)) = cell.split_once(' ') else { continue };
            let Some(number) = plain(number) else { continue };
            if name.starts_with("avg") {
                self.value("avg loss", None, Level::Outer, false, number);
            } else if name == "rate" {
                self.value("rate", None, Level::Outer, false, number);
            }
        }
        self.row = self.row.saturating_add(1);
        true
    }
}
