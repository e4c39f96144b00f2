//! Progress on stderr: bars with time left on a terminal, one line an epoch elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use converge_core::train::Observer;
use converge_data::DownloadProgress;
use converge_figures::numbers;
use converge_labs as labs;
use converge_record::{EpochRow, StepRow};

/// Shows a training session.
pub(super) struct TrainingProgress {
    bar: ProgressBar,
    epoch: usize,
    epochs: usize,
    sessions_first_epoch: usize,
    began: Instant,
    epoch_began: Instant,
}

impl TrainingProgress {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            bar: bar(),
            epoch: 1,
            epochs: 1,
            sessions_first_epoch: 1,
            began: now,
            epoch_began: now,
        }
    }
}

/// A bar where stderr is a terminal; else one that is never drawn.
fn bar() -> ProgressBar {
    if io::stderr().is_terminal() {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5))
    } else {
        ProgressBar::hidden()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

impl Observer for TrainingProgress {
    fn start(&mut self, first_epoch: usize, epochs: usize) {
        (self.epoch, self.epochs, self.sessions_first_epoch) = (first_epoch, epochs, first_epoch);
        self.began = Instant::now();
    }

    fn pass(&mut self, validation: bool, samples: usize) {
        if !validation {
            self.epoch_began = Instant::now();
        }
        self.bar.reset();
        self.bar.set_length(samples as u64);
        let name = if validation { "validation" } else { "training" };
        let template = format!(
            "epoch {}/{} {name:<10} [{{bar:24}}] {{pos}}/{{len}} {{eta}} left {{msg}}",
            self.epoch, self.epochs
        );
        self.bar.set_style(style(&template));
    }

    fn progress(&mut self, samples: usize) {
        self.bar.set_position(samples as u64);
    }

    fn steps(&mut self, rows: &[StepRow]) {
        let Some(newest) = rows.last() else { return };
        self.bar.set_message(format!(
            " loss {}  learning rate {}",
            numbers::significant(newest.loss, 4),
            rate(newest.learning_rate)
        ));
    }

    fn epoch(&mut self, row: &EpochRow, best: bool) {
        let mut line = format!("epoch {:>2}/{}", row.epoch, self.epochs);
        for (name, value) in &row.metrics {
            let shown = matches!(name.trim_start_matches("val_"), "loss" | "accuracy" | "r2");
            if shown {
                line += &format!("  {name} {}", numbers::significant(value.0, 4));
            }
        }
        let done = (row.epoch + 1).saturating_sub(self.sessions_first_epoch).max(1) as f64;
        let left = self.epochs.saturating_sub(row.epoch) as f64;
        let left = self.began.elapsed().div_f64(done).mul_f64(left);
        line += &format!("  {}", numbers::duration(self.epoch_began.elapsed()));
        if left > Duration::ZERO {
            line += &format!(", {} left", numbers::duration(left));
        }
        if best {
            line += "  best so far";
        }
        self.epoch = row.epoch + 1;
        print_above(&self.bar, &line);
    }

    fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A learning rate as people write it: `0.001`, `5e-5`.
pub(super) fn rate(value: f64) -> String {
    if value >= 1e-3 {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        numbers::significant(value, 3)
    }
}

/// Prints a line above a bar, or plainly where no bar is drawn.
fn print_above(bar: &ProgressBar, line: &str) {
    if bar.is_hidden() {
        use std::io::Write as _;
        // Without stderr there is nobody to tell.
        let _ = writeln!(io::stderr(), "{line}");
    } else {
        bar.println(line);
    }
}

/// Shows downloads.
pub(super) struct Downloads {
    bar: ProgressBar,
}

impl Downloads {
    pub(super) fn new() -> Self {
        Self { bar: bar() }
    }
}

impl DownloadProgress for Downloads {
    fn begin(&mut self, file: &str, total_bytes: Option<u64>, already: u64) {
        self.bar = bar();
        if let Some(total) = total_bytes {
            self.bar.set_length(total);
        }
        self.bar.set_style(style(
            "{prefix} [{bar:24}] {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        ));
        self.bar.set_prefix(file.to_owned());
        self.bar.set_position(already);
        if self.bar.is_hidden() {
            print_above(&self.bar, &format!("downloading {file}"));
        }
    }

    fn advance(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn finish(&mut self) {
        self.bar.finish_and_clear();
    }

    fn notice(&mut self, message: &str) {
        print_above(&self.bar, message);
    }
}

/// A bar over samples, for evaluation.
pub(super) struct SampleBar(ProgressBar);

impl SampleBar {
    pub(super) fn new() -> Self {
        let bar = bar();
        bar.set_style(style("evaluating [{bar:24}] {pos}/{len} {eta} left"));
        Self(bar)
    }

    /// Shows that `done` of the `samples` are scored.
    pub(super) fn set(&self, done: usize, samples: usize) {
        self.0.set_length(samples as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for SampleBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Shows how far a lab is, and how many labs there are to come.
pub(super) struct LabProgress {
    bar: ProgressBar,
    name: &'static str,
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
        Self { bar: bar(), name: "", labs, ended: 0, began: now, told: now }
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
        self.bar.set_style(style(&format!("{left}{name} [{{bar:24}}] {{pos}}/{{len}} {{msg}}")));
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
        self.bar.set_message(part.to_owned());
        if self.bar.is_hidden() && self.told.elapsed() >= TOLD_EVERY {
            self.told = Instant::now();
            print_above(&self.bar, &format!("{}: {done}/{total} {part}", self.name));
        }
    }
}
