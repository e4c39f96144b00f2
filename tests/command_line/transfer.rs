//! Transfer learning through the command line: stages, weights of files and runs, resuming.
//!
//! Everything runs on drawn images and a narrow base; the last test wants `CONVERGE_DATA`.

#![allow(clippy::print_stderr)]

use std::fs;
use std::path::Path;

use crate::common::{Runs, converge, fail, record, rows, run, stderr, succeed};

/// A base so narrow that a test is fast.
const NARROW: &str = "--data synthetic --set data.size=32 --set data.resize=32 --set \
                      model.base.width=0.05 --set model.hidden=[16]";

/// The weights of a checkpoint by name, as bits.
fn tensors(run: &Path, checkpoint: &str) -> Vec<(String, Vec<u8>)> {
    let file = run.join(format!("{checkpoint}.safetensors"));
    succeed(&format!("export {} {} --checkpoint {checkpoint}", run.display(), file.display()));
    let bytes = fs::read(&file).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let tensors = header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__");
    tensors
        .map(|(name, tensor)| {
            let at = |index: usize| tensor["data_offsets"][index].as_u64().unwrap() as usize;
            (name.clone(), bytes[8 + length..][at(0)..at(1)].to_vec())
        })
        .collect()
}

#[test]
fn without_weights_and_with_drawn_data_the_base_is_random_and_says_so() {
    let runs = Runs::new();
    let output =
        succeed(&format!("train transfer {NARROW} --epochs 2 --output {}", runs.path().display()));
    let said = stderr(&output);
    assert!(said.contains("THESE ARE RANDOM WEIGHTS"), "{said}");
    assert!(said.contains("is not in the cache"), "{said}");
    let run = runs.only();
    assert_eq!(record(&run)["pretrained"]["weights"], "random");
    // Features of the same images are computed once: training sees no image twice.
    assert_eq!(rows(&run, "epochs.csv").len(), 2);
    let frozen = |name: &str| name.starts_with("base.");
    let (first, last) = (tensors(&run, "best"), tensors(&run, "last"));
    for ((name, before), (_, after)) in first.iter().zip(&last) {
        assert!(!frozen(name) || before == after, "{name} moved");
    }
    succeed(&format!("evaluate {}", run.display()));
    let evaluated = succeed(&format!("evaluate {} --json", run.display()));
    assert!(String::from_utf8_lossy(&evaluated.stdout).contains("accuracy"));
    succeed(&format!("train --resume {} --epochs 3", run.display()));
    assert_eq!(rows(&run, "epochs.csv").len(), 3);
}

#[test]
fn a_second_stage_trains_the_last_blocks_and_nothing_before_them() {
    let runs = Runs::new();
    let run = runs.train(&format!(
        "transfer {NARROW} --epochs 3 --set model.fine_tuning.blocks=2 --set \
         model.fine_tuning.after_epochs=2 --set model.fine_tuning.learning_rate=0.01 --set \
         checkpoints.keep_last=3"
    ));
    assert_eq!(rows(&run, "epochs.csv").len(), 3);
    let steps = rows(&run, "steps.csv");
    assert!(steps.iter().all(|row| row.len() == steps[0].len()));
    assert!(steps[0].iter().any(String::is_empty), "columns of later parameters are blank");
    let (second, third) = (tensors(&run, "2"), tensors(&run, "3"));
    assert_eq!(tensors(&run, "1").len(), second.len());
    let mut moved = vec![];
    for ((name, before), (_, after)) in second.iter().zip(&third) {
        if before != after {
            moved.push(name.as_str());
        }
    }
    for name in &moved {
        let trained = ["head.", "base.last.", "base.blocks.15.", "base.blocks.16."];
        assert!(trained.iter().any(|prefix| name.starts_with(prefix)), "{name} moved");
        assert!(!name.contains("running_"), "{name} moved");
    }
    for prefix in ["head.", "base.last.weight", "base.blocks.15.expand.weight"] {
        assert!(moved.iter().any(|name| name.starts_with(prefix)), "{prefix} stayed: {moved:?}");
    }
}

#[test]
fn a_run_that_trained_the_network_is_a_base() {
    let runs = Runs::new();
    let base = runs.train(
        "mobilenet-cifar10 --set data.name=hymenoptera --data synthetic --set data.size=32 --set \
         data.resize=32 --set data.normalization=unit --set model.base.width=0.05 --epochs 1",
    );
    let run = runs.train(&format!(
        "transfer --data synthetic --set data.size=32 --set data.resize=32 --set model.hidden=[] \
         --epochs 1 --set model.weights={}",
        base.display()
    ));
    let record = record(&run);
    assert_eq!(record["pretrained"]["weights"], base.display().to_string().as_str());
    assert!(record["pretrained"]["sha256"].as_str().is_some_and(|sum| sum.len() == 64));
    let experiment = fs::read_to_string(run.join("experiment.toml")).unwrap();
    for line in ["width = 0.05", "strides = \"cifar\"", "normalization = \"unit\""] {
        assert!(experiment.contains(line), "{line} is not in\n{experiment}");
    }
    let theirs = tensors(&base, "best");
    for (name, values) in tensors(&run, "best") {
        if let Some(name) = name.strip_prefix("base.") {
            let (_, expected) =
                theirs.iter().find(|(other, _)| *other == format!("features.{name}")).unwrap();
            assert_eq!(&values, expected, "{name}");
        }
    }
    // The run needs its base no more.
    fs::remove_dir_all(&base).unwrap();
    succeed(&format!("evaluate {}", run.display()));
    let other = runs.train("linear --epochs 1");
    let said = fail(&format!("train transfer {NARROW} --set model.weights={}", other.display()));
    assert!(said.contains("trained the model `linear`"), "{said}");
}

#[test]
fn weights_that_cannot_be_used_are_explained() {
    let layer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/layer.pth");
    let said = fail(&format!("train transfer {NARROW} --set model.weights={}", layer.display()));
    assert!(said.contains("are of another network: `features.0.0.weight` is"), "{said}");
    let said = fail(&format!("train transfer {NARROW} --set model.weights=resnet"));
    assert!(said.contains("nor published: imagenet, imagenet-v1"), "{said}");
    let said = fail("classify image.png --weights imagenet-tensorflow");
    assert!(said.contains("mobilenet_v2_same_padding.safetensors, and pass `--data-dir"), "{said}");
    let output = converge()
        .args(["classify", "image.png"])
        .env("CONVERGE_MIRROR", "http://127.0.0.1:9")
        .output()
        .unwrap();
    let said = stderr(&output);
    assert!(
        said.contains("download https://download.pytorch.org/models/mobilenet_v2-b0353104.pth")
    );
    assert_eq!(output.status.code(), Some(1), "{said}");
}

#[test]
fn ants_and_bees_are_told_apart_by_a_head_on_a_frozen_base() {
    let Some(data) = std::env::var_os("CONVERGE_DATA") else {
        eprintln!("skipped: CONVERGE_DATA is not set");
        return;
    };
    let data = Path::new(&data);
    if !data.join("hymenoptera_data").is_dir() || !data.join("mobilenet_v2").is_dir() {
        eprintln!("skipped: CONVERGE_DATA holds no hymenoptera_data or no mobilenet_v2");
        return;
    }
    let runs = Runs::new();
    let train = format!(
        "train transfer --data real --data-dir {} --output {}",
        data.display(),
        runs.path().display()
    );
    let output = run(&train);
    assert!(output.status.success(), "{}", stderr(&output));
    let path = runs.only();
    let evaluated =
        succeed(&format!("evaluate {} --json --data-dir {}", path.display(), data.display()));
    let scores: serde_json::Value = serde_json::from_slice(&evaluated.stdout).unwrap();
    let accuracy = scores["classification"]["accuracy"].as_f64().unwrap();
    assert!(accuracy >= 0.93, "{accuracy}");
    let image = fs::read_dir(data.join("hymenoptera_data/val/bees")).unwrap().next().unwrap();
    let image = image.unwrap().path();
    let said = succeed(&format!("predict {} {} --json", path.display(), image.display()));
    assert!(crate::common::stdout(&said).contains("bees"));
}
