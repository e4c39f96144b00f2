//! Training and evaluation against PyTorch, from `tests/golden/make_mobilenet.py`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::nn::LinearConfig;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde_json::Value;

use super::{
    Architecture, ConvBnRelu6, Features, MobileNetV2, MobileNetV2Settings, Padding, names,
};
use crate::models::{BuildModel as _, InputSpec, ModelSettings, Network as _, Weights};
use converge_settings::Check as _;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../../tests/golden/mobilenet.json")).unwrap()
}

/// The formula that the golden file states.
fn mixed(index: usize, key: usize) -> f64 {
    (((31 * index * index + 17 * index + 101 * key) % 1009) as f64 - 504.0) / 504.0
}

/// Visits or sets every tensor by torchvision's name.
#[derive(Default)]
struct ByName {
    path: Vec<String>,
    stated: BTreeMap<String, Value>,
    gradients: GradientsParams,
    gradient_norms: BTreeMap<String, f64>,
    norms: BTreeMap<String, f64>,
}

impl ByName {
    fn name(&self) -> String {
        names::torchvision(&self.path.join(".")).unwrap()
    }
}

impl ModuleMapper for ByName {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let stated = self.stated.remove(&self.name()).unwrap();
        let number = |key: &str| stated[key].as_f64().unwrap();
        let shape: Vec<usize> = serde_json::from_value(stated["shape"].clone()).unwrap();
        let key = number("k") as usize;
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|index| (number("offset") + number("scale") * mixed(index, key)) as f32)
            .collect();
        param.map(|old| {
            let tensor = Tensor::<D>::from_data(TensorData::new(values, shape), &old.device());
            let tensor = if D == 2 { tensor.transpose() } else { tensor };
            assert_eq!(tensor.dims(), old.dims());
            tensor.set_require_grad(old.is_require_grad())
        })
    }
}

impl ModuleVisitor for ByName {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let norm = |tensor: Tensor<D>| {
            f64::from(tensor.square().sum().try_into_scalar::<f32>().unwrap()).sqrt()
        };
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.gradient_norms.insert(self.name(), norm(gradient));
        }
        self.norms.insert(self.name(), norm(param.val().inner()));
    }
}

fn narrow(padding: Padding, device: &Device) -> MobileNetV2 {
    let golden = golden();
    let base = Architecture {
        width: golden["width"].as_f64().unwrap(),
        padding,
        ..Architecture::default()
    };
    let settings = MobileNetV2Settings { dropout: 0.0, base };
    settings.check().unwrap();
    let input = InputSpec::of_shape(&[3, 40, 40]);
    settings.check_input(&input).unwrap();
    let stated = golden["tensors"].as_array().unwrap().iter();
    let stated = stated.map(|one| (one["name"].as_str().unwrap().to_owned(), one.clone()));
    let mut fill = ByName { stated: stated.collect(), ..ByName::default() };
    let model = settings.init(&input, 3, device).map(&mut fill);
    assert!(fill.stated.is_empty(), "{:?}", fill.stated);
    model
}

fn pixels(device: &Device) -> Tensor<2> {
    let width = 3 * 40 * 40;
    let values = (0..3 * width).map(|index| mixed(index, 0) as f32);
    Tensor::from_data(TensorData::new(values.collect::<Vec<_>>(), [3, width]), device)
}

fn close(actual: f64, expected: &Value, tolerance: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    let error = (actual - expected).abs() / expected.abs().max(1.0);
    assert!(error < tolerance, "{what}: {actual} instead of {expected}");
}

fn close_rows(outputs: Tensor<2>, expected: &Value, tolerance: f64, what: &str) {
    let outputs: Vec<f32> = outputs.try_into_vec_as().unwrap();
    for (index, output) in outputs.iter().enumerate() {
        close(f64::from(*output), &expected[index / 3][index % 3], tolerance, what);
    }
}

fn compare(padding: Padding, key: &str) {
    let golden = &golden();
    let expected = &golden[key];
    let device = Device::default();
    let model = narrow(padding, &device.clone().autodiff());
    close_rows(model.valid().forward(pixels(&device)), &expected["evaluation"], 1e-5, "evaluation");

    // The float32 of PyTorch is as far from its float64: batches of 3 maps of 2x2 are small.
    let labels: Vec<i32> = serde_json::from_value(golden["labels"].clone()).unwrap();
    let device = device.autodiff();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(labels, [3]), &device);
    let outputs = model.forward(pixels(&device));
    close_rows(outputs.clone().inner(), &expected["training"], 1e-4, "training");
    let loss = crate::train::mean_loss(
        outputs,
        &crate::train::loader::DeviceTargets::Classes(targets),
        0.0,
    );
    let gradients = GradientsParams::from_grads(loss.clone().backward(), &model);
    close(loss.try_into_scalar::<f32>().unwrap().into(), &expected["loss"], 1e-4, "loss");
    let after = model.valid();
    let mut visitor = ByName { gradients, ..ByName::default() };
    model.visit(&mut visitor);
    let expected_gradients = expected["gradient_norms"].as_object().unwrap();
    assert_eq!(visitor.gradient_norms.len(), expected_gradients.len());
    for (name, norm) in &visitor.gradient_norms {
        close(*norm, &expected_gradients[name], 1e-3, name);
    }
    let mut visitor = ByName::default();
    after.visit(&mut visitor);
    for (name, expected) in expected["statistics_after"].as_object().unwrap() {
        close(visitor.norms[name], expected, 1e-4, name);
    }
    let outputs = after.forward(pixels(&Device::default()));
    close_rows(outputs, &expected["evaluation_after"], 1e-4, "evaluation after");
}

#[test]
fn with_symmetric_padding_it_computes_what_pytorch_computes() {
    compare(Padding::Symmetric, "symmetric");
}

#[test]
fn with_same_padding_it_computes_what_tensorflow_s_padding_comes_to_in_pytorch() {
    compare(Padding::Same, "same");
}

#[test]
fn it_has_the_parameters_of_the_published_one() {
    // torchvision states 3,504,872 for ImageNet; the running statistics, two for every channel
    // that is normalised, are no parameters.
    let settings: ModelSettings = toml::from_str("name = \"mobilenet_v2\"").unwrap();
    let model = settings.init(&InputSpec::of_shape(&[3, 224, 224]), 1000, &Device::default());
    assert_eq!(model.num_params(), 3_504_872 + 2 * 17_056);
}

#[test]
fn a_frozen_network_trains_nothing_and_its_statistics_stay() {
    let device = Device::default().autodiff();
    let model = narrow(Padding::Symmetric, &device).freeze();
    let before = model.clone().forward(pixels(&device)).inner().into_data();
    let inputs = pixels(&device).require_grad();
    for _ in 0..2 {
        let gradients = model.forward(inputs.clone()).sum().backward();
        let mut visitor = ByName {
            gradients: GradientsParams::from_grads(gradients, &model),
            ..ByName::default()
        };
        model.visit(&mut visitor);
        assert!(visitor.gradient_norms.is_empty(), "{:?}", visitor.gradient_norms);
    }
    let after = model.forward(pixels(&device)).inner().into_data();
    assert_eq!(before, after);
    let evaluated = narrow(Padding::Symmetric, &device).valid().forward(pixels(&Device::default()));
    assert_eq!(before, evaluated.into_data());
}

/// One layer and a classifier: what `layer.pth` holds.
#[derive(Module, Debug)]
struct Small {
    features: Vec<ConvBnRelu6>,
    classifier: burn::nn::Linear,
}

fn small(outputs: usize) -> Small {
    let device = Device::default();
    let shape = super::layer::LayerShape {
        inputs: 1,
        outputs,
        kernel: 3,
        stride: 1,
        depthwise: false,
        activation: true,
    };
    Small {
        features: vec![ConvBnRelu6::new(shape, &Architecture::default(), &device)],
        classifier: LinearConfig::new(outputs, 3).init(&device),
    }
}

fn small_name(name: &str) -> Option<String> {
    names::torchvision(&name.replace("features.0", "features.stem"))
}

fn layer_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/layer.pth")
}

#[test]
fn a_pth_file_is_read_by_the_names_of_torchvision() {
    let weights = Weights::read(&layer_file()).unwrap();
    let loaded = weights.apply(small(2), small_name, |_| false).unwrap();
    // Tensor 6 of the file, [3, 2] in PyTorch: √(6 / 2) mixed(i, 6).
    let values: Vec<f32> = loaded.classifier.weight.val().try_into_vec_as().unwrap();
    for (index, value) in values.iter().enumerate() {
        let expected = 3f64.sqrt() * mixed(index % 3 * 2 + index / 3, 6);
        assert!((f64::from(*value) - expected).abs() < 1e-6, "{value} instead of {expected}");
    }
}

#[test]
fn weights_of_another_network_are_refused_by_the_names_of_their_tensors() {
    let weights = Weights::read(&layer_file()).unwrap();
    let refused = |outputs| {
        let error = weights.apply(small(outputs), small_name, |_| false).unwrap_err().to_string();
        assert!(error.contains("layer.pth` are of another network: "), "{error}");
        error
    };
    let error = refused(4);
    assert!(
        error.contains("`features.0.0.weight` is [2, 1, 3, 3] in the file, [4, 1, 3, 3] in"),
        "{error}"
    );
    assert!(error.ends_with("and 2 more tensors"), "{error}");
    let error = weights
        .apply(small(2), |name| Some(small_name(name)?.replace("classifier", "top")), |_| false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("`top.1.weight` is not in the file"), "{error}");
    assert!(error.contains("`classifier.1.bias` is in the file, but not in"), "{error}");
    let ignored = |name: &str| name.starts_with("features.");
    let classifier = |name: &str| names::torchvision(&format!("classifier.{name}"));
    assert!(weights.apply(small(2).classifier, classifier, ignored).is_ok());
}

#[test]
fn every_part_goes_on_where_the_one_before_ended() {
    let device = Device::default();
    let model = narrow(Padding::Symmetric, &device).valid();
    let images = || super::images(pixels(&device), [3, 40, 40]);
    let features = model.into_features();
    let whole = features.forward(images(), 0..Features::PARTS);
    for part in [1, 9, Features::PARTS - 1] {
        let stored = features.forward(images(), 0..part);
        let rest = features.forward(stored, part..Features::PARTS);
        assert_eq!(whole.to_data(), rest.to_data());
    }
}

#[test]
fn files_that_are_no_weights_are_errors_and_never_panics() {
    let directory = tempfile::tempdir().unwrap();
    let read = |name: &str, contents: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, contents).unwrap();
        Weights::read(&path).err().unwrap().to_string()
    };
    assert!(read("weights.h5", b"").contains(".safetensors"));
    for name in ["weights.pth", "weights.safetensors"] {
        for contents in [&b""[..], b"PK", &[0xff; 64]] {
            assert!(read(name, contents).contains("cannot read the weights in"));
        }
    }
    assert!(Weights::read(Path::new("/nowhere/weights.pth")).is_err());
    // One flipped bit at a time: what is read may be wrong, but nothing breaks.
    let whole = std::fs::read(layer_file()).unwrap();
    for index in (0..whole.len()).step_by(29) {
        let mut damaged = whole.clone();
        damaged[index] ^= 1 << (index % 8);
        let path = directory.path().join("damaged.pth");
        std::fs::write(&path, damaged).unwrap();
        let _ = Weights::read(&path);
    }
}
