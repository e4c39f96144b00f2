//! The sections that no other room owns: `[training]`, `[regularization]`, `[clipping]`,
//! `[checkpoints]`, `[records]`.
//!
//! Every key has a default, so an experiment says only what matters to it. `train` reads them.

use serde::{Deserialize, Serialize};

use crate::optim::OptimizerSettings;
use converge_diagnosis::Mode;
use converge_settings::checks::{Checked, count, ensure, non_negative, positive, share};

/// The `[training]` section: how long, in what batches, from which seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingSettings {
    /// Passes over the training samples.
    pub epochs: usize,
    /// Samples in one forward and backward pass.
    pub batch_size: usize,
    /// What every random number of the run derives from.
    pub seed: u64,
    /// Batches whose gradients are averaged into one optimizer step.
    pub gradient_accumulation: usize,
    /// Samples in one forward pass of validation; changes speed and memory, not results.
    pub validation_batch_size: usize,
    /// Whether every epoch sees the samples in a new order.
    pub shuffle: bool,
    /// Whether the CPU backend uses this program's fused kernels instead of Burn's operations.
    pub kernels: bool,
}

impl Default for TrainingSettings {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 32,
            seed: 42,
            gradient_accumulation: 1,
            validation_batch_size: 256,
            shuffle: true,
            kernels: true,
        }
    }
}

impl TrainingSettings {
    pub(super) fn check(&self) -> Checked {
        count("epochs", self.epochs)?;
        count("batch_size", self.batch_size)?;
        count("gradient_accumulation", self.gradient_accumulation)?;
        count("validation_batch_size", self.validation_batch_size)?;
        // TOML's whole numbers are signed: a larger seed could not be written back.
        ensure(
            i64::try_from(self.seed).is_ok(),
            "seed",
            self.seed,
            "a whole number from 0 to 9223372036854775807",
        )
    }
}

/// The `[regularization]` section: what keeps weights and answers small, nothing unless written.
///
/// Weight decay stands with the optimizer, dropout with the model. The losses that are reported
/// are those of the data: penalties are not in them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegularizationSettings {
    /// λ₁ of the penalty λ₁ Σ|w|; Keras' `L1`.
    pub l1: f64,
    /// λ₂ of the penalty λ₂ Σw²; Keras' `L2`. PyTorch's `weight_decay` of SGD is twice this.
    pub l2: f64,
    /// Share of every target spread over all classes in training.
    pub label_smoothing: f64,
    /// Whether penalties and weight decay also reach biases and the parameters of normalisation:
    /// whatever is a vector.
    pub biases_and_norms: bool,
}

impl RegularizationSettings {
    /// Whether nothing is written.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self) -> Checked {
        non_negative("l1", self.l1)?;
        non_negative("l2", self.l2)?;
        share("label_smoothing", self.label_smoothing)
    }
}

/// An entry of `[[groups]]`: parameters that are trained in a way of their own. Of several that fit
/// a parameter, the last counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupSettings {
    /// What the names of the parameters contain, such as `convolutions.0` or `bias`; `steps.csv`
    /// has all names.
    pub parameters: String,
    /// Whether they stay as they are. The running statistics of a batch normalisation move on.
    pub frozen: bool,
    /// Their base learning rate, which the schedule scales; else that of the optimizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Their weight decay; else that of the optimizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// Their optimizer; else that of the experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<OptimizerSettings>,
}

impl GroupSettings {
    pub(super) fn check(&self) -> Checked {
        let name = &self.parameters;
        ensure(!name.trim().is_empty(), "parameters", "empty", "a part of a parameter's name")?;
        self.learning_rate.map_or(Ok(()), |rate| positive("learning_rate", rate))?;
        self.weight_decay.map_or(Ok(()), |decay| non_negative("weight_decay", decay))?;
        let Some(optimizer) = &self.optimizer else { return Ok(()) };
        ensure(
            !optimizer.looks_beyond_a_parameter(),
            "optimizer.name",
            optimizer.name(),
            "one that sees a parameter at a time, such as adamw",
        )?;
        optimizer.check().map_err(|error| error.in_section("optimizer"))
    }
}

/// The `[clipping]` section: bounds on the gradient, none unless written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClippingSettings {
    /// The largest L2 norm of all gradients together; `torch.nn.utils.clip_grad_norm_`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_norm: Option<f64>,
    /// The largest L2 norm of the gradient of each parameter by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tensor_norm: Option<f64>,
    /// The largest norm of the gradient of each unit (a column of a linear layer, a filter) as a
    /// share of the norm of its weights; adaptive gradient clipping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<f64>,
    /// The largest absolute value of each gradient element; `torch.nn.utils.clip_grad_value_`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

impl ClippingSettings {
    /// Whether gradients are left as they are.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self) -> Checked {
        self.global_norm.map_or(Ok(()), |norm| positive("global_norm", norm))?;
        self.tensor_norm.map_or(Ok(()), |norm| positive("tensor_norm", norm))?;
        self.adaptive.map_or(Ok(()), |share| positive("adaptive", share))?;
        self.value.map_or(Ok(()), |value| positive("value", value))
    }
}

/// The `[checkpoints]` section: which epochs stay on disk, beside the best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckpointSettings {
    /// How many of the latest epochs are kept.
    pub keep_last: usize,
    /// The metric that tells the best epoch. Not written, it is the one that early stopping
    /// watches; without early stopping `val_loss`, or `loss` where there are no validation samples.
    pub monitor: String,
    /// Whether it is better low or high.
    pub mode: Mode,
}

impl Default for CheckpointSettings {
    fn default() -> Self {
        Self { keep_last: 1, monitor: "val_loss".to_owned(), mode: Mode::Auto }
    }
}

impl CheckpointSettings {
    pub(super) fn check(&self) -> Checked {
        // A run without its latest epoch could not be resumed.
        count("keep_last", self.keep_last)
    }
}

/// The `[records]` section: what is written down while training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordSettings {
    /// Gradient and parameter norms are recorded every so many optimizer steps. They cost a pass
    /// over all parameters.
    pub norms_every: usize,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self { norms_every: 1 }
    }
}

impl RecordSettings {
    pub(super) fn check(&self) -> Checked {
        count("norms_every", self.norms_every)
    }
}
