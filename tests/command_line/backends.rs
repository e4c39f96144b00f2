//! A run trained on one backend answers the same on another.
//!
//! Needs the features `ndarray` and `wgpu`; a software Vulkan device serves for the latter.

use crate::common::{Runs, succeed};
use serde_json::Value;

fn json(arguments: &str) -> Value {
    serde_json::from_slice(&succeed(&format!("{arguments} --json")).stdout).unwrap()
}

/// Whether there is a device for wgpu, software or not.
fn has_wgpu() -> bool {
    let listed = json("devices");
    let found = listed["devices"]
        .as_array()
        .unwrap()
        .iter()
        .any(|device| device["name"].as_str().unwrap().starts_with("wgpu"));
    if !found {
        let required = std::env::var_os("CONVERGE_REQUIRE_WGPU").is_some();
        assert!(!required, "there is no device for wgpu");
        eprintln!("skipped: there is no device for wgpu; install mesa-vulkan-drivers");
    }
    found
}

fn backends() -> Vec<&'static str> {
    if has_wgpu() { vec!["ndarray", "wgpu"] } else { vec!["ndarray"] }
}

#[test]
fn a_classifier_trained_on_flex_predicts_the_same_everywhere() {
    let runs = Runs::new();
    let run = runs.train(
        "mnist --data synthetic --epochs 1 --set model.hidden=[16] --set training.batch_size=100",
    );
    let image = runs.path().join("digit.png");
    image::GrayImage::from_fn(28, 28, |x, y| image::Luma([(8 * x + y) as u8]))
        .save(&image)
        .unwrap();
    let on = |device: &str| {
        let result = json(&format!("evaluate {} --device {device}", run.display()));
        let prediction =
            json(&format!("predict {} {} --device {device}", run.display(), image.display()));
        (result["classification"]["confusion_matrix"].clone(), prediction)
    };
    let (matrix, prediction) = on("flex");
    for device in backends() {
        let (other_matrix, other) = on(device);
        assert_eq!(matrix, other_matrix, "{device}");
        for (ours, theirs) in prediction[0]["classes"]
            .as_array()
            .unwrap()
            .iter()
            .zip(other[0]["classes"].as_array().unwrap())
        {
            assert_eq!(ours["class"], theirs["class"], "{device}");
            let difference =
                ours["probability"].as_f64().unwrap() - theirs["probability"].as_f64().unwrap();
            assert!(difference.abs() < 1e-5, "{device}: {difference}");
        }
    }
}

#[test]
fn a_convolutional_network_computes_the_same_everywhere() {
    let runs = Runs::new();
    // Two steps are enough for weights that were trained.
    let run = runs.train(
        "mnist --data synthetic --epochs 1 --set model.name=cnn --set model.channels=[4,8] \
         --set model.hidden=[] --set training.batch_size=4500 --set data.validation_fraction=0.1 \
         --set training.validation_batch_size=100",
    );
    let loss = |device: &str| {
        let result = json(&format!("evaluate {} --device {device}", run.display()));
        result["classification"]["loss"].as_f64().unwrap()
    };
    let expected = loss("flex");
    for device in backends() {
        let actual = loss(device);
        assert!((actual - expected).abs() < 1e-5 * expected, "{device}: {actual}, {expected}");
    }
}

#[test]
fn training_follows_the_same_path_everywhere() {
    let runs = Runs::new();
    let losses = |device: &str| -> Vec<f64> {
        // Initial weights at zero: every backend draws its own random numbers.
        let run = runs.train(&format!(
            "linear --epochs 1 --set model.initialization=zeros --device {device}"
        ));
        let rows = crate::common::rows(&run, "steps.csv");
        rows.iter().map(|row| row[2].parse().unwrap()).collect()
    };
    let expected = losses("flex");
    for device in backends() {
        for (actual, expected) in losses(device).iter().zip(&expected) {
            assert!((actual - expected).abs() < 1e-4 * expected, "{device}: {actual}, {expected}");
        }
    }
}
