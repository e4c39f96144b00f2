//! Transfer learning: a new head on the features of a pretrained MobileNetV2.
//!
//! Global average pooling, hidden dense layers with `ReLU`, a dense output. The base is frozen: its
//! batch normalisation stays in evaluation mode, also where a second stage trains the weights of
//! its last blocks. What frozen parts make of an image never changes, so `train` computes it once
//! and lets the model start behind them ([`Transfer::starting_after`]).

use burn::module::{Module, ParamGroup};
use burn::tensor::{Device, Tensor};

use super::mlp::{Mlp, MlpSettings, WIDTHS};
use super::mobilenet_v2::{Architecture, Features, check_images, image_shape, images, pool};
use super::{Activation, BuildModel, Initialization, InputSpec, Network, Size};
use converge_settings::checks::Checked;
use converge_settings::ranges::{FRACTION, NESTED, POSITIVE, Range};
use converge_settings::settings;

const WEIGHTS: Range<String> =
    Range::quoted("a name, a path, or \"random\"", |weights| !weights.is_empty());
const BLOCKS: Range<usize> =
    Range::new("a whole number from 0 to 17", |&blocks| blocks <= Features::PARTS - 2);

settings! {
    /// The settings of [`Transfer`].
    pub struct TransferSettings {
        /// Where the weights of the base come from: `imagenet` or another published name, a file
        /// (`.pth`, `.safetensors`), the directory of a run that trained `mobilenet_v2`, or
        /// `random`.
        weights: String = "imagenet".to_owned() => WEIGHTS,
        /// Units of each hidden dense layer of the head.
        hidden: Vec<usize> = vec![1024] => WIDTHS,
        /// Fraction of hidden units dropped in training.
        dropout: f64 = 0.0 => FRACTION,
        /// How the weights of the head start.
        initialization: Initialization = Initialization::Default,
        /// The second stage.
        fine_tuning: FineTuning = FineTuning::default() => NESTED,
        /// The network that the weights belong to. Published weights and runs know theirs, and
        /// these keys are filled in from them; files do not.
        base: Architecture = Architecture::default() => NESTED,
    }
}

settings! {
    /// A second stage, in which the last blocks of the base train too. Early stopping ends the run
    /// in either stage.
    pub struct FineTuning {
        /// How many blocks, of the 17, train beside the convolution behind them; 0 for no second
        /// stage.
        blocks: usize = 0 => BLOCKS,
        /// How many epochs the head trains alone before.
        after_epochs: usize = 10,
        /// The base learning rate of the blocks; the head keeps the optimizer's.
        learning_rate: f64 = 1e-5 => POSITIVE,
    }
}

impl FineTuning {
    /// How many of the last [`Features::PARTS`] train after so many whole epochs.
    pub fn trained_parts(&self, epochs_done: usize) -> usize {
        // The convolution behind the blocks is a part of its own.
        if self.blocks > 0 && epochs_done >= self.after_epochs { self.blocks + 1 } else { 0 }
    }
}

/// A pretrained base, frozen, with a head.
#[derive(Module, Debug)]
pub struct Transfer {
    base: Features,
    head: Mlp,
    /// How many parts of the base the inputs have passed already.
    passed: usize,
    input: [usize; 3],
}

impl TransferSettings {
    /// What stands on the base.
    fn head(&self) -> MlpSettings {
        MlpSettings {
            activation: Activation::Relu,
            hidden: self.hidden.clone(),
            dropout: self.dropout,
            batch_norm: false,
            initialization: self.initialization,
        }
    }
}

impl BuildModel for TransferSettings {
    type Model = Transfer;

    fn check_input(&self, input: &InputSpec) -> Checked {
        check_images("transfer", &input.shape)
    }

    fn size(&self, input: &InputSpec, outputs: usize) -> Size {
        let base = self.base.size(&input.shape);
        // Of a frozen base nothing is kept for the way back.
        let trained = self.fine_tuning.blocks as f64 / Features::PARTS as f64;
        let base = Size { activations: base.activations * trained.min(1.0), ..base };
        base + self.head().size_of(self.base.features(), outputs)
    }

    fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Self::Model {
        let input = image_shape(&input.shape);
        let base = Features::new(&self.base, input[0], device);
        let head = Mlp::new(self.base.features(), &self.head(), outputs, device);
        Transfer { base, head, passed: 0, input }
    }
}

impl Network for Transfer {
    type Inputs = Tensor<2>;

    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let maps = self.base.forward(images(inputs, self.input), self.passed..Features::PARTS);
        self.head.forward(pool(maps))
    }
}

impl Transfer {
    /// The network below the head.
    pub fn base(&self) -> &Features {
        &self.base
    }

    /// The model with another base of the same shape.
    #[must_use]
    pub fn with_base(mut self, base: Features) -> Self {
        self.base = base;
        self
    }

    /// The model in training: the base frozen, but for the weights of its last `trained` parts.
    #[must_use]
    pub fn frozen(mut self, trained: usize) -> Self {
        self.base = self.base.freeze();
        if trained > 0 {
            let group = self.base.last_parameters(trained);
            self.base = self.base.set_require_grad_group(group, true);
        }
        self
    }

    /// The parameters of the last `trained` parts of the base.
    pub fn trained_parameters(&self, trained: usize) -> ParamGroup {
        self.base.last_parameters(trained)
    }

    /// What the first `parts` parts make of flat images, and its shape `[channels, height,
    /// width]` per image; after all of them pooled, which is all the head wants of it.
    pub fn stored(&self, inputs: Tensor<2>, parts: usize) -> (Tensor<2>, [usize; 3]) {
        let maps = self.base.forward(images(inputs, self.input), 0..parts);
        if parts == Features::PARTS {
            let pooled = pool(maps);
            let shape = [pooled.dims()[1], 1, 1];
            return (pooled, shape);
        }
        let [_, channels, height, width] = maps.dims();
        (maps.flatten(1, 3), [channels, height, width])
    }

    /// The model for inputs of `shape` that have passed the first `parts` parts.
    #[must_use]
    pub fn starting_after(mut self, parts: usize, shape: [usize; 3]) -> Self {
        self.passed = parts;
        self.input = shape;
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::module::ModuleVisitor;
    use burn::module::Param;
    use burn::tensor::{Distribution, TensorData};

    use super::*;
    use converge_settings::Check as _;

    fn small(device: &Device) -> Transfer {
        let settings = TransferSettings {
            hidden: vec![16],
            base: Architecture { width: 0.05, ..Architecture::default() },
            ..TransferSettings::default()
        };
        settings.check().unwrap();
        settings.init(&InputSpec::of_shape(&[3, 32, 32]), 2, device)
    }

    fn inputs(device: &Device) -> Tensor<2> {
        Tensor::random([4, 3 * 32 * 32], Distribution::Uniform(0.0, 1.0), device)
    }

    /// The parameters that gradients reach, without those of the head.
    #[derive(Default)]
    struct Trained(usize);

    impl ModuleVisitor for Trained {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 += usize::from(param.val().is_require_grad());
        }
    }

    #[test]
    fn a_frozen_base_trains_as_many_parameters_as_asked_for() {
        let device = Device::default().autodiff();
        let count = |model: &Transfer| {
            let mut trained = Trained::default();
            model.base.visit(&mut trained);
            trained.0
        };
        let model = small(&device);
        // A convolution and its normalisation have three parameters; block 17 has three layers.
        for (trained, parameters) in [(0, 0), (1, 3), (2, 12), (4, 30)] {
            assert_eq!(count(&model.clone().frozen(trained)), parameters);
        }
    }

    #[test]
    fn training_moves_no_statistic_of_the_frozen_base() {
        let device = Device::default().autodiff();
        let values = |model: &Transfer| -> Vec<TensorData> {
            #[derive(Default)]
            struct Values(Vec<TensorData>);
            impl ModuleVisitor for Values {
                fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                    self.0.push(param.val().into_data());
                }
            }
            let mut values = Values::default();
            model.base.visit(&mut values);
            values.0
        };
        for trained in [0, 3] {
            let model = small(&device).frozen(trained);
            let before = values(&model);
            let inputs = inputs(&device);
            let first = model.forward(inputs.clone());
            drop(first.clone().sum().backward());
            assert_eq!(first.into_data(), model.forward(inputs).into_data());
            assert_eq!(before, values(&model.valid()));
        }
    }

    #[test]
    fn a_model_that_starts_behind_frozen_parts_gives_the_same_outputs() {
        let device = Device::default();
        let model = small(&device).valid();
        let inputs = inputs(&device);
        let expected: Vec<f32> = model.forward(inputs.clone()).try_into_vec_as().unwrap();
        for parts in [1, 15, Features::PARTS - 1, Features::PARTS] {
            let (stored, shape) = model.stored(inputs.clone(), parts);
            let model = model.clone().starting_after(parts, shape);
            let outputs: Vec<f32> = model.forward(stored).try_into_vec_as().unwrap();
            for (output, expected) in outputs.iter().zip(&expected) {
                assert!((output - expected).abs() < 1e-5, "{parts}: {output} and {expected}");
            }
        }
    }

    #[test]
    fn the_second_stage_follows_the_first_and_lasts() {
        let tuning = FineTuning { blocks: 3, after_epochs: 2, learning_rate: 1e-5 };
        let parts: Vec<usize> = (0..5).map(|done| tuning.trained_parts(done)).collect();
        assert_eq!(parts, [0, 0, 4, 4, 4]);
        assert_eq!(FineTuning { blocks: 0, ..tuning }.trained_parts(9), 0);
    }
}
