//! `schedule` and `schedules`: what is printed and drawn before a run is what the run then does.

use crate::common::{Runs, fail, rows, stdout, succeed};
use serde_json::Value;

fn planned(runs: &Runs, arguments: &str) -> Value {
    let output =
        succeed(&format!("schedule {arguments} --json --output {}", runs.path().display()));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_rates_printed_are_those_of_the_run_that_follows() {
    let changes = "linear --epochs 3 --set schedule.name=one_cycle --set schedule.warmup=5 \
        --set training.batch_size=7 --set training.gradient_accumulation=4";
    let runs = Runs::new();
    let plan = planned(&runs, changes);
    let run = runs.train(changes);
    let of_run: Vec<f64> =
        rows(&run, "steps.csv").iter().map(|row| row[3].parse().unwrap()).collect();
    let of_plan: Vec<f64> = serde_json::from_value(plan["learning_rates"].clone()).unwrap();
    assert_eq!(of_plan, of_run);
    assert_eq!(plan["steps"], 3 * plan["steps_per_epoch"].as_u64().unwrap());
    for file in ["schedule.svg", "schedule.png"] {
        assert!(runs.path().join(file).is_file(), "{file}");
    }
}

#[test]
fn steps_per_epoch_follow_from_published_sizes_or_are_given() {
    let runs = Runs::new();
    let cifar10 = planned(&runs, "cifar10");
    // 50,000 images, a fifth held out, in batches of 32.
    assert_eq!(
        (cifar10["steps_per_epoch"].as_u64(), cifar10["epochs"].as_u64()),
        (Some(1250), Some(10))
    );
    assert!(cifar10["steps_per_epoch_from"].as_str().unwrap().contains("published"));
    let synthetic = planned(&runs, "mnist --set data.source=synthetic");
    assert!(synthetic["steps_per_epoch_from"].as_str().unwrap().contains("counted"));
    let given = planned(&runs, "housing --epochs 4 --steps-per-epoch 9");
    assert_eq!(given["steps"], 36);
    let said = fail("schedule cifar10 --epochs 1000000");
    assert!(said.contains("too many to draw"), "{said}");
}

#[test]
fn a_plateau_says_that_it_depends_on_the_run() {
    let runs = Runs::new();
    let shown = stdout(&succeed(&format!(
        "schedule mnist --set schedule.name=reduce_on_plateau --output {}",
        runs.path().display()
    )));
    assert!(shown.contains("Depends on the run"), "{shown}");
    let svg = std::fs::read_to_string(runs.path().join("schedule.svg")).unwrap();
    assert!(svg.contains("Depends on the run"));
}

#[test]
fn an_unknown_schedule_names_the_nearest() {
    let said = fail("schedules one_cycel");
    assert!(said.contains("did you mean `one_cycle`?"), "{said}");
    let said = fail("schedule mnist --set schedule.name=cosin");
    assert!(said.contains("did you mean \"cosine\"?"), "{said}");
    let said = fail("schedule mnist --set schedule.name=sgdr");
    assert!(said.contains("did you mean \"cosine_restarts\"?"), "{said}");
    let cosine = stdout(&succeed("schedules cosine"));
    assert!(cosine.contains("final_factor") && cosine.contains("CosineAnnealingLR"), "{cosine}");
}
