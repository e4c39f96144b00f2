//! The log of a run as event files of TensorBoard.
//!
//! In the folder `tensorboard` of the run: every optimizer step (`batch_loss`,
//! `gradient_norm/output.weight`), the experiment and its hyper-parameters; in `train` and
//! `validation` below it, as Keras has them, every epoch (`epoch_loss`, `epoch_accuracy`), so that
//! TensorBoard lays both over each other; in `test`, what `converge evaluate` found. Steps and epochs
//! count from 1, as in the CSV files.

mod board;
mod hparams;
mod messages;
mod records;
mod shown;

use converge_record::{
    EpochRow, EvaluationRecord, RecordError, RunDirectory, RunRecord, Status, StepRow,
};

use self::board::Board;
pub use self::messages::{
    Content, DOUBLE, Dimension, Event, FLOAT, INT32, INT64, PluginData, STRING, SessionLog,
    Summary, SummaryMetadata, Tensor, TensorShape, Value, What,
};
pub use self::records::{RecordDamage, is_record, read_record, write_record};
use crate::times::Times;

const FOLDER: &str = "tensorboard";

/// Writes the event files of a run.
#[derive(Debug)]
pub(crate) struct TensorBoard {
    steps: Board,
    training: Board,
    /// Absent where nothing is validated.
    validation: Option<Board>,
}

impl TensorBoard {
    /// Opens the folder of `run` and brings it up to the rows so far.
    pub(crate) fn open(
        run: &RunDirectory,
        epochs: &[EpochRow],
        steps: &[StepRow],
        times: &Times,
    ) -> Result<Self, RecordError> {
        let (record, folder) = (&run.record, run.file(FOLDER));
        let now = crate::log::now();
        let step = steps.last().map_or(0, |row| row.step);
        let epoch = epochs.last().map_or(0, |row| row.epoch);
        let validates = record.validation_samples > 0;
        let mut log = Self {
            steps: Board::open(&folder, step, now)?,
            training: Board::open(&folder.join("train"), epoch, now)?,
            validation: validates
                .then(|| Board::open(&folder.join("validation"), epoch, now))
                .transpose()?,
        };
        let before = log.steps.first() - 1;
        let experiment = run.read_experiment()?;
        log.steps.add(now, before, shown::texts(record, &experiment.1))?;
        log.steps.add(now, 0, hparams::start(record, &experiment)?)?;
        for (place, row) in steps.iter().enumerate().filter(|(_, row)| row.step > before) {
            log.step(row, times.step(place))?;
        }
        for row in epochs {
            log.epoch(row, times.epoch(row))?;
        }
        log.flush()?;
        Ok(log)
    }

    pub(crate) fn step(&mut self, row: &StepRow, wall_time: f64) -> Result<(), RecordError> {
        let whole = row.measures().map(|(name, value)| scalar(batch_tag(name).to_owned(), value));
        let parts = row.parts.iter().filter_map(|(column, value)| {
            Some(scalar(format!("{}/{}", column.measure.name(), column.part), (*value)?))
        });
        self.steps.add(wall_time, row.step, whole.chain(parts).collect())
    }

    pub(crate) fn epoch(&mut self, row: &EpochRow, wall_time: f64) -> Result<(), RecordError> {
        let (mut training, mut validation) = (vec![], vec![]);
        for (name, value) in &row.metrics {
            match name.strip_prefix("val_") {
                Some(name) => validation.push(scalar(epoch_tag(name), value.0)),
                None => training.push(scalar(epoch_tag(name), value.0)),
            }
        }
        training.push(scalar(epoch_tag("learning_rate"), row.learning_rate));
        let boards =
            [Some((&mut self.training, training)), self.validation.as_mut().zip(Some(validation))];
        for (board, values) in boards.into_iter().flatten() {
            if row.epoch >= board.first() {
                board.add(wall_time, row.epoch, values)?;
            }
        }
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> Result<(), RecordError> {
        self.steps.flush()?;
        self.training.flush()?;
        self.validation.as_mut().map_or(Ok(()), Board::flush)
    }

    /// Says how the run ended. TensorBoard keeps the first that it is told: a run that is to go on
    /// has not ended.
    pub(crate) fn finish(&mut self, record: &RunRecord, now: f64) -> Result<(), RecordError> {
        if matches!(record.status, Status::Running | Status::Interrupted) {
            return Ok(());
        }
        self.steps.add(now, 0, vec![hparams::end(record, now)])
    }
}

/// Adds what `run` scored to its event files, in place of an earlier evaluation, if it has any.
pub(crate) fn add_evaluation(
    run: &RunDirectory,
    evaluation: &EvaluationRecord,
    now: f64,
) -> Result<(), RecordError> {
    let folder = run.file(FOLDER);
    if !folder.is_dir() {
        return Ok(());
    }
    let mut board = Board::open(&folder.join("test"), 0, now)?;
    let scores = evaluation.metrics.iter();
    let scores = scores.map(|score| scalar(epoch_tag(&score.name), score.value.0));
    let values = scores.chain(shown::mistakes(evaluation)).collect();
    board.add(now, evaluation.epoch, values)?;
    board.flush()
}

/// What Keras calls a metric of an epoch.
fn epoch_tag(metric: &str) -> String {
    format!("epoch_{metric}")
}

/// What a measure of a step is called.
fn batch_tag(measure: &str) -> &str {
    match measure {
        // As Keras does.
        "loss" => "batch_loss",
        "learning_rate" => "batch_learning_rate",
        // Beside those of the single parameters.
        "gradient_norm" => "gradient_norm/all",
        "parameter_norm" => "parameter_norm/all",
        "update_ratio" => "update_ratio/all",
        other => other,
    }
}

fn scalar(tag: String, value: f64) -> Value {
    Value { tag, metadata: None, content: Some(Content::Simple(value as f32)) }
}

/// A tensor for a plugin that is told `content`.
fn for_plugin(tag: &str, plugin: &str, content: Vec<u8>, tensor: Tensor) -> Value {
    let plugin_data = PluginData { plugin_name: plugin.to_owned(), content };
    // `DATA_CLASS_TENSOR`, or of pictures `DATA_CLASS_BLOB_SEQUENCE`.
    let data_class = if plugin == "images" { 3 } else { 2 };
    let metadata = SummaryMetadata { plugin_data: Some(plugin_data), data_class };
    Value { tag: tag.to_owned(), metadata: Some(metadata), content: Some(Content::Tensor(tensor)) }
}
