//! Progress on stderr: bars with time left on a terminal, one line an epoch elsewhere.
//!
//! What else is said while a bar is drawn goes above it ([`say`]): a line written over a bar leaves
//! half of it behind.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::printer::for_people;
use super::steady_terminal::SteadyTerminal;
use super::width::{self, columns};
use converge_core::train::Observer;
use converge_data::DownloadProgress;
use converge_diagnosis::History;
use converge_diagnosis::verdict::Notices;
use converge_figures::numbers;
use converge_record::{EpochRow, StepRow};

/// Shows a training session.
pub(super) struct TrainingProgress {
    bar: ProgressBar,
    epoch: usize,
    epochs: usize,
    sessions_first_epoch: usize,
    began: Instant,
    epoch_began: Instant,
    pass: &'static str,
    samples: usize,
    /// What the bar says of the last steps, the longest first.
    messages: Vec<String>,
    /// The epochs of the session.
    history: Vec<EpochRow>,
    notices: Notices,
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
            pass: "training",
            samples: 0,
            messages: vec![],
            history: vec![],
            notices: Notices::default(),
        }
    }

    /// Says what is wrong with the run so far, if anything is that was not said.
    fn notice(&mut self) {
        let Some(finding) = self.notices.news(&History::of_epochs(&self.history)) else { return };
        let change = finding.change.unwrap_or_default();
        print_above(&self.bar, &for_people(&format!("  {} {change}", finding.message)));
    }

    /// Lays the bar out anew: the terminal may have another width by now.
    fn lay_out(&self) {
        let head = format!("epoch {}/{} {:<10}", self.epoch, self.epochs, self.pass);
        let counted = 2 * self.samples.to_string().len() + 1;
        let line = width::line(columns().unwrap_or(80), &head, "{pos}/{len}", counted);
        self.bar.set_style(style(&line.template));
        self.bar.set_message(width::message(line.room, &self.messages));
    }
}

/// The bar that is drawn now, if one is.
static CURRENT: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Tells something on stderr, above the bar if there is one.
pub(super) fn say(text: &str) {
    let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match current.filter(|bar| !bar.is_finished()) {
        Some(bar) => print_above(&bar, text),
        None => print_plainly(text),
    }
}

/// Takes the bar away, if one is drawn.
pub(super) fn clear() {
    if let Some(bar) = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

/// A bar where stderr is a terminal; else one that is never drawn.
pub(super) fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let terminal = Box::new(SteadyTerminal::stderr());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like_with_hz(terminal, 5))
}

/// From now on `bar` is the one that is drawn.
pub(super) fn show(bar: &ProgressBar) {
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) =
        Some(bar.clone()).filter(|bar| !bar.is_hidden());
}

pub(super) fn style(template: &str) -> ProgressStyle {
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
        show(&self.bar);
        self.bar.set_length(samples as u64);
        self.pass = if validation { "validation" } else { "training" };
        self.samples = samples;
        self.lay_out();
    }

    fn progress(&mut self, samples: usize) {
        self.bar.set_position(samples as u64);
    }

    fn steps(&mut self, rows: &[StepRow]) {
        let Some(newest) = rows.last() else { return };
        let loss = format!("loss {}", numbers::significant(newest.loss, 4));
        let rate = rate(newest.learning_rate);
        self.messages = vec![format!("{loss}  learning rate {rate}"), loss];
        if !self.bar.is_hidden() {
            self.lay_out();
        }
    }

    fn epoch(&mut self, row: &EpochRow, best: bool) {
        let mut parts = vec![format!("epoch {:>2}/{}", row.epoch, self.epochs)];
        for (name, value) in &row.metrics {
            let shown = matches!(name.trim_start_matches("val_"), "loss" | "accuracy" | "r2");
            if shown {
                parts.push(format!("{name} {}", numbers::significant(value.0, 4)));
            }
        }
        let done = (row.epoch + 1).saturating_sub(self.sessions_first_epoch).max(1) as f64;
        let left = self.epochs.saturating_sub(row.epoch) as f64;
        let left = self.began.elapsed().div_f64(done).mul_f64(left);
        let mut time = numbers::duration(self.epoch_began.elapsed());
        if left > Duration::ZERO {
            time += &format!(", {} left", numbers::duration(left));
        }
        parts.push(time);
        if best {
            parts.push("best so far".to_owned());
        }
        self.epoch = row.epoch + 1;
        let columns = columns().filter(|_| !self.bar.is_hidden());
        print_above(&self.bar, &width::joined(&parts, columns));
        self.history.push(row.clone());
        self.notice();
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
pub(super) fn print_above(bar: &ProgressBar, line: &str) {
    if bar.is_hidden() {
        print_plainly(line);
    } else {
        bar.println(line);
    }
}

fn print_plainly(text: &str) {
    use std::io::Write as _;
    // Without stderr there is nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
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
        show(&self.bar);
        if let Some(total) = total_bytes {
            self.bar.set_length(total);
        }
        // As `123.45 MiB/123.45 MiB 123.45 MiB/s`, or without the speed.
        let columns = columns().unwrap_or(80);
        let name = file.rsplit('/').next().unwrap_or(file);
        let (count, counted) = if columns >= 80 {
            ("{bytes}/{total_bytes} {bytes_per_sec}", 34)
        } else {
            ("{bytes}/{total_bytes}", 21)
        };
        self.bar.set_style(style(&width::line(columns, name, count, counted).template));
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
        say(message);
    }
}

/// A bar over samples, for evaluation.
pub(super) struct SampleBar(ProgressBar);

impl SampleBar {
    pub(super) fn new() -> Self {
        let bar = bar();
        let columns = columns().unwrap_or(80);
        show(&bar);
        bar.set_style(style(&width::line(columns, "evaluating", "{pos}/{len}", 17).template));
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
