//! What a run of Converge knows of itself beside its curves: what every step did, the settings that
//! verdicts ask for, and the verdict that is stored beside them.

use converge_record::{EpochRow, RecordError, RunDirectory, Status, StepRow, write_atomically};
use serde::{Deserialize, Serialize};

use crate::history::{History, Series};
use crate::verdict::{Change, Options, Verdict, judge};

/// The file of the verdict in the directory of a run.
pub const VERDICT_FILE: &str = "verdict.json";

/// The verdict on a run, and what to change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunVerdict {
    /// What to add to `converge train`, the most useful first, each with its reason.
    pub changes: Vec<Change>,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl RunVerdict {
    /// How it is stored.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec_pretty(self)
    }

    /// Stores it in the directory of `run`.
    pub fn write(&self, run: &RunDirectory) -> Result<(), RecordError> {
        let path = run.file(VERDICT_FILE);
        let written =
            self.to_json().map_err(Into::into).and_then(|json| write_atomically(&path, &json));
        written.map_err(|error| RecordError::write(&path, error))
    }
}

/// The value of a column in a row.
type Value = fn(&StepRow) -> Option<f64>;

/// The columns of `steps.csv` in `rows`, under their names; blank cells are left out.
pub fn step_series(rows: &[StepRow]) -> Vec<Series> {
    let whole: [(&str, Value); 6] = [
        ("loss", |row| Some(row.loss)),
        ("learning_rate", |row| Some(row.learning_rate)),
        ("gradient_norm", |row| row.gradient_norm),
        ("parameter_norm", |row| row.parameter_norm),
        ("update_ratio", |row| row.update_ratio),
        ("gradient_cosine", |row| row.gradient_cosine),
    ];
    let series = |name: String, value: &dyn Fn(&StepRow) -> Option<f64>| {
        let measured = rows.iter().filter_map(|row| Some((row.step as f64, value(row)?)));
        let (x, y): (Vec<f64>, Vec<f64>) = measured.unzip();
        (!x.is_empty()).then_some(Series { name, x, y })
    };
    let whole = whole.iter().filter_map(|(name, value)| series((*name).to_owned(), value));
    // A later stage of a run has more columns, never fewer.
    let columns = rows.last().map(|row| row.parts.as_slice()).unwrap_or_default();
    let parts = columns.iter().enumerate().filter_map(|(at, (column, _))| {
        let value = |row: &StepRow| match row.parts.get(at) {
            Some((found, value)) if found == column => *value,
            _ => row.measured(column.measure, &column.part),
        };
        series(column.to_string(), &value)
    });
    whole.chain(parts).collect()
}

/// The epochs of a run that ended with `status`.
pub fn history(epochs: &[EpochRow], status: Status) -> History {
    let mut history = History::of_epochs(epochs);
    mark_end(&mut history, status);
    history
}

/// Adds the epoch in which a run with this `status` came to a loss that is no number: it has no row
/// of its own.
pub(crate) fn mark_end(history: &mut History, status: Status) {
    if status != Status::Diverged {
        return;
    }
    history
        .train_loss
        .get_or_insert_with(|| Series { name: "loss".to_owned(), ..Series::default() });
    for series in [&mut history.train_loss, &mut history.validation_loss].into_iter().flatten() {
        if series.y.last().is_none_or(|last| last.is_finite()) {
            series.x.push(series.x.last().map_or(1.0, |last| last + 1.0));
            series.y.push(f64::NAN);
        }
    }
}

/// Judges `run`, of which `epochs` are the whole ones.
pub fn verdict(run: &RunDirectory, epochs: &[EpochRow]) -> Result<Verdict, RecordError> {
    let mut history = history(epochs, run.record.status);
    history.steps = step_series(&run.steps()?);
    Ok(judge(&history, &options(run)?))
}

/// What is known of `run` beside its curves.
pub fn options(run: &RunDirectory) -> Result<Options, RecordError> {
    let (path, text) = run.read_experiment()?;
    let experiment: toml::Table =
        text.parse().map_err(|error| RecordError::damaged(&path, error))?;
    let number = |section: &str, key: &str| {
        let value = experiment.get(section)?.get(key)?;
        value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
    };
    let per_step = number("training", "batch_size")
        .map(|batch| batch * number("training", "gradient_accumulation").unwrap_or(1.0));
    Ok(Options {
        classes: Some(run.record.data.class_names.len()).filter(|&classes| classes > 1),
        clip_norm: number("clipping", "global_norm"),
        samples_per_step: per_step.map(|samples| samples.min(run.record.training_samples as f64)),
        ..Options::default()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use converge_record::Number;

    use super::*;

    fn epoch(epoch: usize) -> EpochRow {
        let metrics = vec![("loss".to_owned(), Number(1.0)), ("val_loss".to_owned(), Number(2.0))];
        EpochRow { epoch, metrics, learning_rate: 0.1 }
    }

    #[test]
    fn the_epoch_in_which_a_run_broke_follows_its_last_whole_one() {
        let broken = history(&[epoch(1), epoch(2)], Status::Diverged);
        for series in [broken.train_loss.unwrap(), broken.validation_loss.unwrap()] {
            assert_eq!(series.x, [1.0, 2.0, 3.0]);
            assert!(series.y[2].is_nan() && series.y[1].is_finite());
        }
        assert_eq!(broken.learning_rate.unwrap().y, [0.1, 0.1]);
        let whole = history(&[epoch(1), epoch(2)], Status::Completed);
        assert_eq!(whole.train_loss.unwrap().x, [1.0, 2.0]);
        let at_once = history(&[], Status::Diverged);
        assert_eq!(at_once.train_loss.unwrap().x, [1.0]);
        assert_eq!((at_once.validation_loss, at_once.learning_rate), (None, None));
    }
}
