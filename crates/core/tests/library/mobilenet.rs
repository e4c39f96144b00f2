//! The published MobileNetV2 on the sample images beside its weights, from the folder that
//! `CONVERGE_DATA` names. Without the folder the tests print why they do nothing.

#![allow(clippy::print_stderr)]

use std::path::PathBuf;
use std::time::Duration;

use burn::tensor::Device;
use converge_core::models::mobilenet_v2::Classifier;
use converge_data::{LoadOptions, NoProgress};

/// The classifier with TensorFlow's weights, and the folder of the samples.
fn classifier() -> Option<(Classifier, PathBuf)> {
    let Some(directory) = std::env::var_os("CONVERGE_DATA").map(PathBuf::from) else {
        eprintln!("skipped: CONVERGE_DATA is not set");
        return None;
    };
    let samples = directory.join("mobilenet_v2/samples");
    if !samples.join("logits.csv").is_file() {
        eprintln!("skipped: CONVERGE_DATA holds no mobilenet_v2/samples/logits.csv");
        return None;
    }
    let options = LoadOptions {
        replaces_path: false,
        directory: Some(directory),
        cache: std::env::temp_dir().join("converge-no-cache"),
        mirror: Some("http://127.0.0.1:9".to_owned()),
        timeout: Duration::from_secs(1),
    };
    let name = "imagenet-tensorflow";
    let classifier = Classifier::load(name, &options, &mut NoProgress, &Device::default());
    Some((classifier.unwrap(), samples))
}

fn argmax(values: &[f32]) -> usize {
    (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap()
}

#[test]
fn its_logits_are_those_that_pytorch_computes_from_the_same_weights() {
    let Some((classifier, samples)) = classifier() else { return };
    let mut reader = csv::Reader::from_path(samples.join("logits.csv")).unwrap();
    let mut images = 0;
    for row in reader.records() {
        let row = row.unwrap();
        let expected: Vec<f32> = row.iter().skip(1).map(|cell| cell.parse().unwrap()).collect();
        let image = image::open(samples.join(&row[0])).unwrap().into_rgb8();
        assert_eq!(image.dimensions(), (224, 224));
        let bytes = image.as_raw();
        let planes: Vec<u8> =
            (0..3).flat_map(|colour| bytes.iter().skip(colour).step_by(3).copied()).collect();
        let logits = classifier.logits_of(&planes).unwrap();
        assert_eq!(logits.len(), expected.len());
        let square = |values: &mut dyn Iterator<Item = f32>| -> f64 {
            values.map(|value| f64::from(value).powi(2)).sum()
        };
        let error = square(&mut logits.iter().zip(&expected).map(|(a, b)| a - b));
        let relative = (error / square(&mut expected.iter().copied())).sqrt();
        assert!(relative < 1e-3, "{}: relative error {relative}", &row[0]);
        assert_eq!(argmax(&logits), argmax(&expected), "{}", &row[0]);
        images += 1;
    }
    assert_eq!(images, 10);
}

#[test]
fn an_image_file_gets_the_class_that_its_name_says() {
    let Some((classifier, samples)) = classifier() else { return };
    // ImageNet's classes 0 (tench) and 96 (toucan), resized and cropped as torchvision would.
    for (name, class) in [("n01440764_tench.png", 0), ("n01843383_toucan.png", 96)] {
        assert_eq!(argmax(&classifier.logits(&samples.join(name)).unwrap()), class, "{name}");
    }
}
