//! The sections that no other module owns: `[training]`, `[regularization]`, `[clipping]`,
//! `[checkpoints]`, `[records]`.
//!
//! Every key has a default, so an experiment says only what matters to it. `train` reads them.

use crate::optim::OptimizerSettings;
use converge_diagnosis::Mode;
use converge_logs::LogFormat;
use converge_settings::checks::InvalidSetting;
use converge_settings::ranges::{COUNT, FRACTION, NESTED, NON_NEGATIVE, POSITIVE, Range, SEED};
use converge_settings::settings;

settings! {
    /// The `[training]` section: how long, in what batches, from which seed.
    pub struct TrainingSettings {
        /// Passes over the training samples.
        epochs: usize = 10 => COUNT,
        /// Samples in one forward and backward pass.
        batch_size: usize = 32 => COUNT,
        /// What every random number of the run derives from.
        seed: u64 = 42 => SEED,
        /// Batches whose gradients are averaged into one optimizer step.
        gradient_accumulation: usize = 1 => COUNT,
        /// Samples in one forward pass of validation; changes speed and memory, not results.
        validation_batch_size: usize = 256 => COUNT,
        /// Whether every epoch sees the samples in a new order.
        shuffle: bool = true,
        /// Whether the CPU backend uses this program's fused kernels instead of Burn's operations.
        kernels: bool = true,
    }
}

settings! {
    /// The `[regularization]` section: what keeps weights and answers small, nothing unless
    /// written.
    ///
    /// Weight decay stands with the optimizer, dropout with the model. The losses that are reported
    /// are those of the data: penalties are not in them.
    pub struct RegularizationSettings {
        /// λ₁ of the penalty λ₁ Σ|w|; Keras' `L1`.
        l1: f64 = 0.0 => NON_NEGATIVE,
        /// λ₂ of the penalty λ₂ Σw²; Keras' `L2`. PyTorch's `weight_decay` of SGD is twice this.
        l2: f64 = 0.0 => NON_NEGATIVE,
        /// Fraction of every target spread over all classes in training.
        label_smoothing: f64 = 0.0 => FRACTION,
        /// Whether penalties and weight decay also reach biases and the parameters of
        /// normalisation: whatever is a vector.
        biases_and_norms: bool = false,
    }
}

impl RegularizationSettings {
    /// Whether nothing is written.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

const NAME_PART: Range<String> = Range {
    expected: "a part of a parameter's name",
    contains: |name| !name.trim().is_empty(),
    show: |_| "empty".to_owned(),
};

settings! {
    /// An entry of `[[groups]]`: parameters that are trained in a way of their own. Of several that
    /// fit a parameter, the last counts.
    pub struct GroupSettings {
        /// What the names of the parameters contain, such as `convolutions.0` or `bias`;
        /// `steps.csv` has all names.
        parameters: String = String::new() => NAME_PART,
        /// Whether they stay as they are. The running statistics of a batch normalisation move on.
        frozen: bool = false,
        /// Their base learning rate, which the schedule scales; else that of the optimizer.
        #[serde(skip_serializing_if = "Option::is_none")]
        learning_rate: Option<f64> = None => POSITIVE,
        /// Their weight decay; else that of the optimizer.
        #[serde(skip_serializing_if = "Option::is_none")]
        weight_decay: Option<f64> = None => NON_NEGATIVE,
        /// Their optimizer; else that of the experiment.
        #[serde(skip_serializing_if = "Option::is_none")]
        optimizer: Option<OptimizerSettings> = None => NESTED,
    }
    check |group| match &group.optimizer {
        Some(optimizer) if optimizer.looks_beyond_a_parameter() => Err(InvalidSetting::new(
            "optimizer.name",
            optimizer.name(),
            "one that sees a parameter at a time, such as adamw",
        )),
        _ => Ok(()),
    }
}

settings! {
    /// The `[clipping]` section: bounds on the gradient, none unless written.
    pub struct ClippingSettings {
        /// The largest L2 norm of all gradients together; `torch.nn.utils.clip_grad_norm_`.
        #[serde(skip_serializing_if = "Option::is_none")]
        global_norm: Option<f64> = None => POSITIVE,
        /// The largest L2 norm of the gradient of each parameter by itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        tensor_norm: Option<f64> = None => POSITIVE,
        /// The largest norm of the gradient of each unit (a column of a linear layer, a filter) as
        /// a fraction of the norm of its weights; adaptive gradient clipping.
        #[serde(skip_serializing_if = "Option::is_none")]
        adaptive: Option<f64> = None => POSITIVE,
        /// The largest absolute value of each gradient element; `torch.nn.utils.clip_grad_value_`.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<f64> = None => POSITIVE,
    }
}

impl ClippingSettings {
    /// Whether gradients are left as they are.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

settings! {
    /// The `[checkpoints]` section: which epochs stay on disk, beside the best.
    pub struct CheckpointSettings {
        /// How many of the latest epochs are kept.
        // A run without its latest epoch could not be resumed.
        keep_last: usize = 1 => COUNT,
        /// The metric that tells the best epoch. Not written, it is the one that early stopping
        /// watches; without early stopping `val_loss`, or `loss` where there are no validation
        /// samples.
        monitor: String = "val_loss".to_owned(),
        /// Whether it is better low or high.
        mode: Mode = Mode::Auto,
    }
}

settings! {
    /// The `[records]` section: what is written down while training.
    pub struct RecordSettings {
        /// Gradient and parameter norms are recorded every so many optimizer steps. They cost a
        /// pass over all parameters.
        norms_every: usize = 1 => COUNT,
        /// Logs for other tools, beside the files that every run has; changes no number.
        #[one_of(LogFormat)]
        logs: Vec<LogFormat> = vec![],
    }
}
