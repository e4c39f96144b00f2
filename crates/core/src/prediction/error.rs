//! What can go wrong with inputs and predictions.

use std::path::PathBuf;

use crate::train::TrainError;
use converge_data::DataError;

/// Why nothing was predicted. The cause of an error that names none is its
/// [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
pub enum PredictionError {
    /// A file of texts has none.
    #[error("`{}` has no text", .0.display())]
    NoText(PathBuf),
    /// A table has no inputs.
    #[error("`{}` has no rows of numbers", .0.display())]
    NoRows(PathBuf),
    /// A row cannot be used.
    #[error("{row} {problem}")]
    Row {
        /// The row: as typed, or a file and the number of a line.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An image cannot be brought to the channels that the model takes.
    #[error("images of {0} channels cannot be read")]
    Channels(usize),
    /// An input of a recommender is no pair.
    #[error("`{0}` is not a pair of user and item; write `USER,ITEM`, or use `--user USER`")]
    NotAPair(String),
    /// Recommendations were asked of another model.
    #[error("`--user` is for recommenders, and {} is none", .0.display())]
    NotARecommender(PathBuf),
    /// The input cannot be had as the data set has its inputs.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model cannot take the input.
    #[error("cannot predict for `{input}`")]
    Input {
        /// The name of the input.
        input: String,
        /// Why not.
        #[source]
        error: TrainError,
    },
    /// A rating could not be computed.
    #[error(transparent)]
    Run(#[from] TrainError),
}
