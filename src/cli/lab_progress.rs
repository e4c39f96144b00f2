//! Progress of labs: a bar over the parts of one, and how many there are to come.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::progress::{bar, print_above, show, style};
use super::width::{self, columns};
use converge_figures::numbers;
use converge_labs as labs;

/// Shows how far a lab is, and how many labs there are to come.
pub(super) struct LabProgress {
    bar: ProgressBar,
    name: &'static str,
    /// What stands before the bar.
    head: String,
    /// How many labs there are, and how many have ended.
    labs: usize,
    ended: usize,
    began: Instant,
    told: Instant,
}

/// How often a line tells of the parts of a lab, where there is no bar.
const TOLD_EVERY: Duration = Duration::from_secs(2);

impl LabProgress {
    pub(super) fn new() -> Self {
        Self::of_many(1)
    }

    /// For `labs` of them.
    pub(super) fn of_many(labs: usize) -> Self {
        let now = Instant::now();
        Self { bar: bar(), name: "", head: String::new(), labs, ended: 0, began: now, told: now }
    }

    /// The lab `name` begins.
    pub(super) fn begin(&mut self, name: &'static str) {
        self.name = name;
        self.told = Instant::now();
        let left = if self.labs > 1 {
            let left = self.left().map_or_else(String::new, |left| format!(", {left} left"));
            format!("{}/{}{left}  ", self.ended + 1, self.labs)
        } else {
            String::new()
        };
        self.bar.reset();
        show(&self.bar);
        self.head = format!("{left}{name}");
    }

    /// The lab has ended so, after `took`.
    pub(super) fn end(&mut self, outcome: &str, took: Duration) {
        self.ended += 1;
        let left = self.left().map_or_else(String::new, |left| format!(", {left} left"));
        let (ended, labs, name) = (self.ended, self.labs, self.name);
        let took = numbers::duration(took);
        print_above(&self.bar, &format!("{ended}/{labs} {name}: {outcome}, {took}{left}"));
    }

    /// The time left, if all labs take as long as those that have ended.
    fn left(&self) -> Option<String> {
        let left = self.labs.saturating_sub(self.ended);
        let each = self.began.elapsed().checked_div(u32::try_from(self.ended).ok()?)?;
        (left > 0).then(|| numbers::duration(each.mul_f64(left as f64)))
    }

    pub(super) fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl labs::Progress for LabProgress {
    fn at(&mut self, done: usize, total: usize, part: &str) {
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
        let counted = 2 * total.to_string().len() + 1;
        let line = width::line(columns().unwrap_or(80), &self.head, "{pos}/{len}", counted);
        self.bar.set_style(style(&line.template));
        self.bar.set_message(width::message(line.room, &[part.to_owned()]));
        if self.bar.is_hidden() && self.told.elapsed() >= TOLD_EVERY {
            self.told = Instant::now();
            print_above(&self.bar, &format!("{}: {done}/{total} {part}", self.name));
        }
    }
}
