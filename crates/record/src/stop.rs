//! How a run stands, and why it stopped: a value for programs, a sentence for people.

use serde::{Deserialize, Serialize};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A process trains it, or was killed while it did.
    Running,
    /// It trained all its epochs, or early stopping ended it.
    Completed,
    /// Someone asked it to stop.
    Interrupted,
    /// Its loss or its monitored metric was no number any more, or crossed the threshold.
    Diverged,
    /// An error ended it.
    Failed,
}

/// Why a run stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs were trained.
    MaxEpochs,
    /// The monitored metric stopped improving.
    PatienceExhausted,
    /// The monitored metric reached `stopping_threshold`.
    StoppingThreshold,
    /// The monitored metric crossed `divergence_threshold`.
    DivergenceThreshold,
    /// The monitored metric became NaN or infinite.
    NonFiniteMetric,
    /// The training loss became NaN or infinite.
    NonFiniteLoss,
    /// The training loss was flat or at chance for long, and whoever started the run did not want
    /// to pay for that.
    NotImproving,
    /// Someone asked the run to stop.
    Interrupted,
}

impl StopReason {
    /// How a run stands that stopped for this reason.
    pub fn status(self) -> Status {
        match self {
            Self::MaxEpochs
            | Self::PatienceExhausted
            | Self::StoppingThreshold
            | Self::NotImproving => Status::Completed,
            Self::DivergenceThreshold | Self::NonFiniteMetric | Self::NonFiniteLoss => {
                Status::Diverged
            }
            Self::Interrupted => Status::Interrupted,
        }
    }
}

/// Why a run stopped, as a value and in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The reason.
    pub reason: StopReason,
    /// The same in a sentence, with the numbers.
    pub message: String,
}

impl Stop {
    /// The end of a run that was trained for all its epochs.
    pub fn max_epochs(epochs: usize) -> Self {
        let message = match epochs {
            1 => "its one epoch is trained".to_owned(),
            _ => format!("all {epochs} epochs are trained"),
        };
        Self::new(StopReason::MaxEpochs, message)
    }

    /// A stop for `reason`, which `message` puts in words.
    pub fn new(reason: StopReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
}
