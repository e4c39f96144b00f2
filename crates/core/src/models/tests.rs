//! Losses, outputs and gradients against PyTorch's, from `tests/golden/make_training.py`.

#![allow(clippy::unwrap_used)]

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde_json::Value;

use super::{InputSpec, Model, ModelSettings, Size};
use crate::train::loader::DeviceTargets;
use crate::train::mean_loss;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../tests/golden/training.json")).unwrap()
}

/// The formula that the golden file states.
fn mixed(index: usize, key: usize) -> f64 {
    (((31 * index * index + 17 * index + 101 * key) % 1009) as f64 - 504.0) / 504.0
}

/// Sets every parameter, in visiting order, to what the golden file states.
struct Fill<'a> {
    stated: std::slice::Iter<'a, Value>,
}

impl ModuleMapper for Fill<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let stated = self.stated.next().unwrap();
        let (key, scale) =
            (stated["k"].as_u64().unwrap() as usize, stated["scale"].as_f64().unwrap());
        let shape: Vec<usize> = serde_json::from_value(stated["shape"].clone()).unwrap();
        let value = |index: usize| (scale * mixed(index, key)) as f32;
        // PyTorch keeps dense weights as [outputs, inputs], Burn as [inputs, outputs].
        let values: Vec<f32> = if D == 2 {
            let (outputs, inputs) = (shape[0], shape[1]);
            (0..inputs * outputs).map(|i| value((i % outputs) * inputs + i / outputs)).collect()
        } else {
            (0..shape.iter().product()).map(value).collect()
        };
        let dims = param.val().dims();
        let device = param.val().device();
        param.map(|_| Tensor::from_data(TensorData::new(values, dims), &device).require_grad())
    }
}

struct Norms<'a> {
    gradients: &'a GradientsParams,
    norms: Vec<f64>,
}

impl ModuleVisitor for Norms<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(param.id).unwrap();
        let square: f32 = gradient.square().sum().try_into_scalar().unwrap();
        self.norms.push(f64::from(square).sqrt());
    }
}

fn compare(case: &str, settings: &str, shape: &[usize]) {
    let golden = &golden()[case];
    let settings: ModelSettings = toml::from_str(settings).unwrap();
    settings.check().unwrap();
    let input = InputSpec { ids: Some(vec![]), ..InputSpec::of_shape(shape) };
    settings.check_input(&input).unwrap();
    let device = Device::default().autodiff();
    let stated = golden["parameters"].as_array().unwrap();
    let model = settings.init(&input, 10, &device).map(&mut Fill { stated: stated.iter() });

    let labels: Vec<i32> = serde_json::from_value(golden["labels"].clone()).unwrap();
    let width: usize = shape.iter().product();
    let inputs: Vec<f32> =
        (0..labels.len() * width).map(|index| f64::midpoint(mixed(index, 0), 1.0) as f32).collect();
    let inputs = Tensor::<2>::from_data(TensorData::new(inputs, [labels.len(), width]), &device);
    let targets =
        Tensor::<1, Int>::from_data(TensorData::new(labels.clone(), [labels.len()]), &device);
    let outputs = model.forward(inputs);
    let logits: Vec<f32> = outputs.clone().try_into_vec_as().unwrap();
    let loss = mean_loss(outputs, &DeviceTargets::Classes(targets), 0.0);
    let gradients = GradientsParams::from_grads(loss.clone().backward(), &model);
    let mut norms = Norms { gradients: &gradients, norms: vec![] };
    model.visit(&mut norms);

    let exact = &golden["float64"];
    let close = |actual: f64, expected: &Value, what: &str| {
        let expected = expected.as_f64().unwrap();
        let error = (actual - expected).abs() / expected.abs().max(0.5);
        assert!(error < 1e-5, "{case}, {what}: {actual} instead of {expected}");
    };
    close(loss.try_into_scalar::<f32>().unwrap().into(), &exact["loss"], "loss");
    for (row, logits) in logits.chunks(10).enumerate() {
        for (column, logit) in logits.iter().enumerate() {
            close(f64::from(*logit), &exact["logits"][row][column], "logit");
        }
    }
    assert_eq!(norms.norms.len(), stated.len());
    for (index, norm) in norms.norms.iter().enumerate() {
        close(*norm, &exact["gradient_norms"][index], "gradient norm");
    }
}

#[test]
fn the_cnn_computes_what_pytorch_computes() {
    compare("cnn", "name = \"cnn\"", &[3, 32, 32]);
}

#[test]
fn the_mlp_computes_what_pytorch_computes() {
    compare("mlp", "name = \"mlp\"", &[784]);
}

#[test]
fn the_cnn_of_the_tutorial_has_122570_parameters() {
    let settings: ModelSettings = toml::from_str("name = \"cnn\"").unwrap();
    let model = settings.init(&InputSpec::of_shape(&[3, 32, 32]), 10, &Device::default());
    assert_eq!(model.num_params(), 122_570);
}

#[test]
fn a_cnn_too_deep_for_its_images_is_an_error() {
    let settings: ModelSettings =
        toml::from_str("name = \"cnn\"\nchannels = [8, 8, 8, 8]").unwrap();
    assert_eq!(
        settings.check_input(&InputSpec::of_shape(&[1, 28, 28])).unwrap_err().to_string(),
        "`channels` is a list of 4 convolutions, but must be at most 3 for images of 28x28 \
         pixels: pooling leaves 1x1 before convolution 4, too few for a kernel of 3"
    );
    let error = settings.check_input(&InputSpec::of_shape(&[8])).unwrap_err().to_string();
    assert!(error.contains("needs images"), "{error}");
}

#[test]
fn initial_weights_have_the_spread_that_their_name_says() {
    // Standard deviations for fan-in 784 and fan-out 128; a uniform in ±a has a/√3.
    let (fan_in, fan_out) = (784_f64, 128_f64);
    for (name, expected) in [
        ("default", 1.0 / (3.0 * fan_in).sqrt()),
        ("he_uniform", (2.0 / fan_in).sqrt()),
        ("he_normal", (2.0 / fan_in).sqrt()),
        ("glorot_uniform", (2.0 / (fan_in + fan_out)).sqrt()),
        ("glorot_normal", (2.0 / (fan_in + fan_out)).sqrt()),
        ("zeros", 0.0),
    ] {
        let text = format!("name = \"linear\"\ninitialization = \"{name}\"");
        let settings: ModelSettings = toml::from_str(&text).unwrap();
        let device = Device::default();
        device.seed(1);
        let Model::Linear(model) = settings.init(&InputSpec::of_shape(&[784]), 128, &device) else {
            panic!()
        };
        let mut square = 0.0;
        let mut weights = Weights::default();
        model.visit(&mut weights);
        for weight in &weights.matrix {
            square += f64::from(*weight) * f64::from(*weight);
        }
        let deviation = (square / weights.matrix.len() as f64).sqrt();
        assert!((deviation - expected).abs() <= 0.02 * expected, "{name}: {deviation}");
        let biases_are_zero = weights.vector.iter().all(|bias| *bias == 0.0);
        assert_eq!(biases_are_zero, name != "default", "{name}");
    }
}

#[derive(Default)]
struct Weights {
    matrix: Vec<f32>,
    vector: Vec<f32>,
}

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let values = param.val().try_into_vec_as().unwrap();
        if D == 2 { self.matrix = values } else { self.vector = values }
    }
}

#[test]
fn the_size_told_before_is_the_number_of_parameters() {
    let device = Device::default();
    for mut settings in ModelSettings::all() {
        let (shape, ids) = match &mut settings {
            ModelSettings::Linear(_) => (vec![5], vec![]),
            ModelSettings::Mlp(mlp) => {
                mlp.batch_norm = true;
                (vec![3, 4], vec![])
            }
            ModelSettings::Lstm(lstm) => {
                lstm.bidirectional = true;
                (vec![7], vec![50])
            }
            ModelSettings::MatrixFactorization(_) => (vec![2], vec![9, 4]),
            _ => (vec![3, 32, 32], vec![]),
        };
        let input = InputSpec { shape, ids: Some(ids), target_mean: 0.0 };
        settings.check_input(&input).unwrap();
        let told = settings.size(&input, 3).parameters;
        let found = settings.init(&input, 3, &device).num_params() as f64;
        assert!((told - found).abs() < 0.5, "{}: {told}, not {found}", settings.name());
    }
}

/// The example of an issue: two hidden layers of 100,000 units for MNIST.
#[test]
fn sizes_beyond_all_integers_are_told() {
    let widths = vec![usize::MAX / 4; 3];
    let mlp = super::MlpSettings { hidden: widths, ..Default::default() };
    assert!(mlp.size_of(784, 10).parameters > 1e36);
    let mlp = super::MlpSettings { hidden: vec![100_000; 2], ..Default::default() };
    let Size { parameters, activations } = mlp.size_of(784, 10);
    // 784 * 1e5 + 1e5 + 1e10 + 1e5 + 1e6 + 10.
    assert!((parameters - 10_079_600_010.0).abs() < 1.0, "{parameters}");
    assert!((activations - 200_010.0).abs() < 1.0);
}
