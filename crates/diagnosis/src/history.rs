//! What a log says of a training run: series of numbers with the names that they have in the log.
//!
//! Readers make it, whatever tool wrote the log; judges take it.

/// A log, read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Log {
    /// What wrote it, as a person would say: "Keras `CSVLogger`", "`TensorBoard` events".
    pub format: String,
    /// The runs in it, in their order.
    pub runs: Vec<History>,
    /// What a person should know of how it was read, as sentences.
    pub notes: Vec<String>,
}

/// The course of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// What tells it from the others of its log, if anything does.
    pub name: String,
    /// The column, key or tag that counts epochs, steps or iterations; none if points are counted.
    pub x: Option<String>,
    /// Training loss.
    pub train_loss: Option<Series>,
    /// Validation loss.
    pub validation_loss: Option<Series>,
    /// A metric, of validation where there is one.
    pub metric: Option<Metric>,
    /// The same metric on training data.
    pub train_metric: Option<Metric>,
    /// Learning rate.
    pub learning_rate: Option<Series>,
    /// All other series of numbers.
    pub others: Vec<Series>,
}

/// Numbers over the course of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// The column, key or tag that it was read from.
    pub name: String,
    /// Where each value stands: never falling, finite.
    pub x: Vec<f64>,
    /// The values, as many as `x`; not finite where the log says so.
    pub y: Vec<f64>,
}

/// A metric, and which way is better.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// The values.
    pub series: Series,
    /// Whether a higher value is better.
    pub higher_is_better: bool,
}
