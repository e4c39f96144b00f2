//! What a log says of a training run: series of numbers with the names that they have in the log.
//!
//! Readers make it, whatever tool wrote the log; judges take it.

use converge_record::EpochRow;

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
    /// What every optimizer step did, of a run of Converge: the columns of its `steps.csv`.
    pub steps: Vec<Series>,
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

impl History {
    /// The course of a run of Converge, by epoch.
    pub fn of_epochs(rows: &[EpochRow]) -> Self {
        let x: Vec<f64> = rows.iter().map(|row| row.epoch as f64).collect();
        let series = |name: &str| -> Option<Series> {
            let y: Option<Vec<f64>> = rows.iter().map(|row| row.metric(name)).collect();
            let y = y.filter(|y| !y.is_empty())?;
            Some(Series { name: name.to_owned(), x: x.clone(), y })
        };
        let metric = |prefix: &str| {
            ["accuracy", "r2"].into_iter().find_map(|name| {
                let series = series(&format!("{prefix}{name}"))?;
                Some(Metric { series, higher_is_better: true })
            })
        };
        let rates = rows.iter().map(|row| row.learning_rate).collect();
        Self {
            name: String::new(),
            x: Some("epoch".to_owned()),
            train_loss: series("loss"),
            validation_loss: series("val_loss"),
            metric: metric("val_"),
            train_metric: metric(""),
            learning_rate: (!rows.is_empty()).then(|| Series {
                name: "learning_rate".to_owned(),
                x: x.clone(),
                y: rates,
            }),
            others: vec![],
            steps: vec![],
        }
    }
}
