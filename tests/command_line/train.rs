//! `train`, `evaluate`, `predict` and `export` as a user runs them.

use std::fs;

use crate::common::{Runs, converge, fail, record, rows, run, stderr, stdout, succeed};
use serde_json::Value;

fn json(arguments: &str) -> Value {
    serde_json::from_slice(&succeed(&format!("{arguments} --json")).stdout).unwrap()
}

#[test]
fn linear_regression_reaches_the_closed_form_optimum() {
    let runs = Runs::new();
    let directory = runs.train("linear");
    let result = json(&format!("evaluate {}", directory.display()));
    let distance = result["regression"]["least_squares"]["relative_distance"].as_f64().unwrap();
    assert!(distance < 1e-3, "{distance}");
    assert_eq!(result["origin"], "synthetic");
}

#[test]
fn a_run_directory_holds_what_the_design_says() {
    let runs = Runs::new();
    let directory = runs.train("linear --epochs 2");
    for file in
        ["experiment.toml", "run.json", "epochs.csv", "steps.csv", "curves.svg", "curves.png"]
    {
        assert!(directory.join(file).is_file(), "{file}");
    }
    let header = |file| {
        let text = fs::read_to_string(directory.join(file)).unwrap();
        text.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        header("epochs.csv"),
        "epoch,loss,mse,rmse,mae,r2,val_loss,val_mse,val_rmse,val_mae,val_r2,learning_rate"
    );
    assert_eq!(
        header("steps.csv"),
        "epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,step_seconds,\
         gradient_cosine,gradient_norm.output.weight,gradient_norm.output.bias,\
         parameter_norm.output.weight,parameter_norm.output.bias,\
         update_ratio.output.weight,update_ratio.output.bias"
    );
    // 720 training samples in batches of 32: 23 steps an epoch.
    assert_eq!(rows(&directory, "steps.csv").len(), 46);
    let record = record(&directory);
    assert_eq!(record["status"], "completed");
    assert_eq!(record["stop"]["reason"], "max_epochs");
    assert_eq!(record["training_samples"], 720);
    assert_eq!(record["parameters"], 21);
    // The run can be repeated from its own experiment file.
    let again = runs.train(&format!("{}/experiment.toml", directory.display()));
    assert_eq!(rows(&directory, "epochs.csv"), rows(&again, "epochs.csv"));
}

#[test]
fn a_run_without_kernels_says_so_in_its_experiment() {
    let runs = Runs::new();
    let output = runs.path().to_str().unwrap();
    let arguments = ["train", "linear", "--epochs", "1", "--json", "--output", output];
    let trained = converge().args(arguments).env("CONVERGE_KERNELS", "off").output().unwrap();
    let result: Value = serde_json::from_slice(&trained.stdout).unwrap();
    let directory = std::path::Path::new(result["run"].as_str().unwrap());
    let experiment = fs::read_to_string(directory.join("experiment.toml")).unwrap();
    assert!(experiment.contains("kernels = false"), "{experiment}");
}

#[test]
fn early_stopping_says_why_it_stopped() {
    let runs = Runs::new();
    let result = runs.train_json(
        "linear --epochs 200 --set early_stopping.patience=2 --set early_stopping.min_delta=0.01 \
         --set early_stopping.monitor=val_mse",
    );
    assert_eq!(result["stop"]["reason"], "patience_exhausted");
    let message = result["stop"]["message"].as_str().unwrap();
    assert!(message.starts_with("val_mse has not improved for 2 epochs (best "), "{message}");
    assert!(result["epochs_done"].as_u64().unwrap() < 100);
}

#[test]
fn accumulated_batches_average_to_the_large_batch() {
    let runs = Runs::new();
    let whole = runs.train("linear --epochs 3 --set training.batch_size=32");
    let parts = runs.train(
        "linear --epochs 3 --set training.batch_size=8 --set training.gradient_accumulation=4",
    );
    let losses = |run| -> Vec<f64> {
        rows(run, "steps.csv").iter().map(|row| row[2].parse().unwrap()).collect()
    };
    let (whole, parts) = (losses(&whole), losses(&parts));
    assert_eq!(whole.len(), parts.len());
    for (whole, parts) in whole.iter().zip(&parts) {
        assert!((whole - parts).abs() < 1e-4 * whole, "{whole} and {parts}");
    }
}

#[test]
fn a_loss_that_explodes_ends_the_run_and_keeps_the_best_checkpoint() {
    let runs = Runs::new();
    // The rate grows from 0.005 to 20 over the run: it learns first, then explodes.
    let output = run(&format!(
        "train linear --epochs 20 --set optimizer.learning_rate=0.01 --set schedule.name=linear \
         --set schedule.start_factor=0.5 --set schedule.end_factor=2000 --output {}",
        runs.path().display()
    ));
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("the training diverged: the training loss became"), "{said}");
    assert!(said.contains("--set optimizer.learning_rate=0.001"), "{said}");
    let directory = runs.only();
    let record = record(&directory);
    assert_eq!(record["status"], "diverged");
    assert_eq!(record["stop"]["reason"], "non_finite_loss");
    let steps = rows(&directory, "steps.csv");
    let finite = steps.iter().take_while(|row| row[2].parse::<f64>().unwrap().is_finite()).count();
    assert!(steps.len() - finite <= 16, "it went on for {} steps", steps.len() - finite);
    succeed(&format!("evaluate {}", directory.display()));
}

#[test]
fn a_classifier_is_evaluated_and_predicts_images() {
    let runs = Runs::new();
    let directory = runs.train("mnist --data synthetic --epochs 2 --set training.batch_size=128");
    assert_eq!(record(&directory)["data"]["origin"], "synthetic_stand_in");
    let text = stdout(&succeed(&format!("evaluate {}", directory.display())));
    for expected in ["precision", "recall", "SYNTHETIC", "accuracy"] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    let result = json(&format!("evaluate {}", directory.display()));
    let matrix = &result["classification"]["confusion_matrix"];
    let total: u64 = matrix
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(total, 2000);

    let image = runs.path().join("digit.png");
    image::GrayImage::from_fn(40, 40, |x, _| image::Luma([if x / 8 == 2 { 255 } else { 0 }]))
        .save(&image)
        .unwrap();
    let arguments = format!("predict {} {} --top 10", directory.display(), image.display());
    let result = json(&arguments);
    let classes = result[0]["classes"].as_array().unwrap();
    let total: f64 = classes.iter().map(|class| class["probability"].as_f64().unwrap()).sum();
    assert_eq!(classes.len(), 10);
    assert!((total - 1.0).abs() < 1e-6);

    let text = runs.path().join("text.png");
    fs::write(&text, "no image").unwrap();
    let said = fail(&format!("predict {} {}", directory.display(), text.display()));
    assert!(said.contains("text.png` is no image"), "{said}");
}

#[test]
fn a_regression_predicts_rows_and_names_a_row_of_the_wrong_length() {
    let runs = Runs::new();
    let directory = runs.train("linear --epochs 2 --set data.features=3 --set data.informative=3");
    let result = json(&format!("predict {} 0.1,-0.2,0.3", directory.display()));
    assert!(result[0]["value"].as_f64().unwrap().is_finite());
    succeed(&format!("predict {} -- -0.1,0.2,0.3", directory.display()));
    let said = fail(&format!("predict {} 1,2", directory.display()));
    assert!(said.contains('2') && said.contains('3'), "{said}");
    let table = runs.path().join("rows.csv");
    fs::write(&table, "x3,x1,x2\n1,2,3\n4,,6\n").unwrap();
    let result = json(&format!("predict {} {}", directory.display(), table.display()));
    assert_eq!(result.as_array().unwrap().len(), 2);
}

#[test]
fn exported_weights_are_safetensors_under_readable_names() {
    let runs = Runs::new();
    let directory = runs.train("linear --epochs 1");
    let file = runs.path().join("weights.safetensors");
    succeed(&format!("export {} {}", directory.display(), file.display()));
    let bytes = fs::read(&file).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    assert_eq!(header["output.weight"]["shape"], serde_json::json!([20, 1]));
    assert_eq!(header["output.bias"]["shape"], serde_json::json!([1]));
    let said = fail(&format!("export {} {}", directory.display(), file.display()));
    assert!(said.contains("--overwrite"), "{said}");
    for _ in 0..4 {
        succeed(&format!("export {} {} --overwrite", directory.display(), file.display()));
        assert!(fs::read(&file).unwrap() == bytes, "the same to the byte");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&file), mode(&directory.join("run.json")), "as the user's other files");
        // A pipe in place of a device, which a mistake would replace for the whole machine.
        let pipe = runs.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let said = fail(&format!("export {} {} --overwrite", directory.display(), pipe.display()));
        assert!(said.contains("pipe` is a device or a pipe, not a plain file"), "{said}");
    }
}

#[test]
fn the_stand_in_is_announced_where_nobody_can_miss_it() {
    let runs = Runs::new();
    let output = run(&format!(
        "train mnist --data synthetic --epochs 1 --set model.hidden=[4] --output {}",
        runs.path().display()
    ));
    let said = stderr(&output);
    assert!(said.contains("THIS IS SYNTHETIC DATA"), "{said}");
    assert!(stdout(&output).contains("synthetic"), "{}", stdout(&output));
    assert!(fs::read_to_string(runs.only().join("curves.svg")).unwrap().contains("synthetic"));
}
