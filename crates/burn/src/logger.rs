//! Burn's metrics, as Burn logs them, for the recorder.
//!
//! Burn calls a logger once for every batch and once at the end of every epoch, of training and of
//! validation. In exchange Burn asks it what metrics were: its checkpoints of the best epoch and its
//! early stopping work from [`MetricLogger::read_numeric`].

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Instant;

use burn::train::logger::MetricLogger;
use burn::train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn::train::metric::{MetricAttributes, MetricDefinition, MetricId, NumericEntry};
use converge_record::Number;

use crate::burn_log;
use crate::events::{Event, Events};
use crate::recorder::{Metrics, SharedRecorder};

/// The column of the loss.
const LOSS: &str = "loss";
/// Columns that are there anyway.
const TAKEN: [&str; 2] = ["epoch", "learning_rate"];

/// A metric of Burn's.
struct Column {
    /// What Burn calls it.
    burn_name: String,
    /// What `epochs.csv` calls it.
    name: String,
    /// Whether Burn counts it in per cent.
    percent: bool,
}

/// The epoch of training or of validation that goes on.
#[derive(Default)]
struct Pass {
    batches: usize,
    samples: usize,
    of: usize,
    learning_rate: Option<f64>,
}

/// Tells the recorder what Burn logs.
pub(crate) struct Logger {
    recorder: SharedRecorder,
    events: Events,
    /// Where Burn's own files go.
    directory: PathBuf,
    /// What Burn calls the loss.
    loss: String,
    columns: HashMap<MetricId, Column>,
    pass: Pass,
    last_step: Instant,
    /// The final values of epochs, in Burn's units.
    ended: HashMap<(String, usize, Split), f64>,
    /// Whoever waits for the last update sees the other end of this close.
    _open: Sender<()>,
}

impl Logger {
    pub(crate) fn new(
        recorder: SharedRecorder,
        events: Events,
        loss: String,
        open: Sender<()>,
    ) -> Self {
        let directory = recorder.lock().run.path().to_owned();
        Self {
            recorder,
            events,
            directory,
            loss,
            columns: HashMap::new(),
            pass: Pass::default(),
            last_step: Instant::now(),
            ended: HashMap::new(),
            _open: open,
        }
    }

    /// A column of its own for a metric.
    fn column(&self, burn_name: &str) -> String {
        if burn_name == self.loss {
            return LOSS.to_owned();
        }
        let name = snake_case(burn_name);
        let is_free = |name: &str| {
            name != LOSS
                && !TAKEN.contains(&name)
                && self.columns.values().all(|one| one.name != name)
        };
        let mut names = std::iter::once(name.clone()).chain((2..).map(|n| format!("{name}_{n}")));
        names.find(|name| is_free(name)).unwrap_or(name)
    }

    fn batch(&mut self, update: &MetricsUpdate, epoch: usize, split: &Split, event: Event) {
        let Event::Batch { at, learning_rate, samples, of } = event else { return };
        self.pass.batches += 1;
        (self.pass.samples, self.pass.of) = (samples, of);
        if *split != Split::Train {
            return;
        }
        self.pass.learning_rate = learning_rate;
        let seconds = at.saturating_duration_since(self.last_step).as_secs_f64();
        self.last_step = at;
        let loss = update.entries_numeric.iter().find(|one| {
            self.columns.get(&one.entry.metric_id).is_some_and(|column| column.name == LOSS)
        });
        let loss = loss.and_then(|one| one.numeric_entry.as_ref()).map(NumericEntry::current);
        let rate = learning_rate.unwrap_or(f64::NAN);
        self.recorder.lock().batch(epoch, loss, rate, seconds);
    }

    fn end(&mut self, update: &MetricsUpdate, epoch: usize, split: &Split) {
        let pass = std::mem::take(&mut self.pass);
        let validates = *split == Split::Valid;
        let mut recorder = self.recorder.lock();
        if pass.samples < pass.of && recorder.interrupter.should_stop() {
            recorder.cut_short();
            return;
        }
        if pass.batches == 0 {
            // Without a sample, metrics are no numbers.
            if validates {
                recorder.end_validation(vec![]);
            }
            return;
        }
        let mut metrics = Metrics::new();
        for one in &update.entries_numeric {
            let Some(column) = self.columns.get(&one.entry.metric_id) else { continue };
            let Some(entry) = &one.numeric_entry else { continue };
            let value = entry.current();
            self.ended.insert((column.burn_name.clone(), epoch, split.clone()), value);
            let name = &column.burn_name;
            let written =
                burn_log::write(&self.directory, &split.to_string(), epoch, (name, value));
            recorder.attempt(epoch, written);
            if name != "Learning Rate" {
                let prefix = if validates { "val_" } else { "" };
                let value = if column.percent { value / 100.0 } else { value };
                metrics.push((format!("{prefix}{}", column.name), Number(value)));
            }
        }
        let samples = pass.of;
        let record = &mut recorder.run.record;
        if validates {
            record.validation_samples = samples;
            recorder.end_validation(metrics);
        } else {
            record.training_samples = samples;
            recorder.end_training(epoch, metrics, pass.learning_rate.unwrap_or(f64::NAN));
        }
    }
}

impl MetricLogger for Logger {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        match self.events.next() {
            Some(Event::End) => self.end(&update, epoch, split),
            Some(batch) => self.batch(&update, epoch, split, batch),
            None => {}
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let value = self.ended.get(&(name.to_owned(), epoch, split.clone()));
        Ok(value.map(|value| NumericEntry::Final(*value)).into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        let MetricAttributes::Numeric(attributes) = &definition.attributes else { return };
        if self.columns.contains_key(&definition.metric_id) {
            return;
        }
        let name = self.column(&definition.name);
        self.recorder.lock().define(&name, attributes.higher_is_better);
        let percent = attributes.unit.as_deref() == Some("%");
        let burn_name = definition.name.to_string();
        self.columns.insert(definition.metric_id, Column { burn_name, name, percent });
    }

    fn log_epoch_summary(&mut self, _: EpochSummary) {}
}

/// "Top-5 Accuracy @ TopK(5)" as `top_5_accuracy_topk_5`.
fn snake_case(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    if words.is_empty() { "metric".to_owned() } else { words.join("_") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_metrics_become_names_of_columns() {
        let names = ["Accuracy", "Top-5 Accuracy @ TopK(5)", "Learning Rate", "正解率", "%"];
        let expected = ["accuracy", "top_5_accuracy_topk_5", "learning_rate", "正解率", "metric"];
        assert_eq!(names.map(snake_case), expected);
    }
}
