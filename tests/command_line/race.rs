//! Races: the answers that are known come out, and a race that is killed goes on as if nothing had
//! happened.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::common::{Runs, converge, fail, stderr, stdout, succeed, wait_until};

fn race(arguments: &str, directory: &Path) -> Value {
    let output =
        succeed(&format!("race {arguments} --json --output {}", directory.display())).stdout;
    serde_json::from_slice::<Value>(&output).unwrap()["races"][0].take()
}

/// The mean scores of all contenders.
fn scores(race: &Value) -> BTreeMap<String, f64> {
    let standings = race["standings"].as_array().unwrap();
    let one = |one: &Value| (one["label"].as_str().unwrap().to_owned(), one["mean"].as_f64());
    standings.iter().map(one).filter_map(|(label, mean)| Some((label, mean?))).collect()
}

/// The names of the runs in `directory`, without their times, and their epochs as written.
fn runs(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries
        .filter_map(|path| {
            let record = fs::read(path.join("run.json")).ok()?;
            let record: Value = serde_json::from_slice(&record).ok()?;
            let epochs = fs::read_to_string(path.join("epochs.csv")).unwrap_or_default();
            Some((record["experiment"].as_str()?.to_owned(), epochs))
        })
        .collect()
}

#[test]
fn momentum_beats_plain_descent_on_an_ill_conditioned_quadratic() {
    let place = Runs::new();
    // 64 rows of 60 features: λmax / λmin of their Gram matrix is about 4000 (Marchenko and Pastur:
    // ((1 + √γ) / (1 − √γ))² with γ = 60/64). All rows in a step: gradient descent and nothing else.
    let race = race(
        "linear --vary optimizer.momentum=0,0.9 --metric loss --epochs 120 \
         --set data.samples=80 --set data.features=60 --set data.informative=60 \
         --set data.validation_fraction=0 --set checkpoints.monitor=loss --set data.noise=0 \
         --set training.batch_size=64 --set optimizer.learning_rate=0.05",
        place.path(),
    );
    let scores = scores(&race);
    assert!(scores["momentum=0.9"] < 0.1 * scores["momentum=0"], "{scores:?}");
    assert_eq!(race["pairs"][0]["real"], true);
    assert!(race["quote"].as_str().unwrap().contains("better than momentum=0."), "{race}");
    let set: Vec<&str> =
        race["set"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(set.contains(&"optimizer.momentum=0.9"), "{set:?}");
}

#[test]
fn adam_beats_plain_descent_where_features_are_rare() {
    let place = Runs::new();
    // Half of the ratings are of two items, which say nothing and bound the rate of plain descent; the
    // others are of 250 items with four ratings each, on which Adam's steps are as long.
    let mut ratings = "user,item,rating\n".to_owned();
    for user in 0..500 {
        ratings += &format!("u{user},often0,3\nu{user},often1,3\n");
        for item in [2 * user % 250, (2 * user + 1) % 250] {
            let rating = if item * 7919 % 1000 < 500 { 1 } else { 5 };
            ratings += &format!("u{user},rare{item},{rating}\n");
        }
    }
    let file = place.path().join("ratings.csv");
    fs::write(&file, ratings).unwrap();
    let race = race(
        &format!(
            "movielens-small --optimizers sgd,adam --metric loss --epochs 10 --rates 7 --reach 300 \
             --set data.name=ratings --set data.path={} --set data.source=real \
             --set training.batch_size=256 --set model.biases=true --set model.factors=1 \
             --set model.initial_deviation=0.001 --set model.regularization=0",
            file.display()
        ),
        place.path(),
    );
    let scores = scores(&race);
    assert!(scores["adam"] < 0.1 * scores["sgd"], "{scores:?}");
    // Of rates six times apart SGD takes neither the highest nor the lowest: it was tuned.
    assert_eq!(race["contenders"][0]["end_of_range"], Value::Null);
    assert_eq!(race["pairs"][0]["real"], true);
}

#[test]
fn a_race_that_is_killed_goes_on_where_it_was_to_the_same_result() {
    let arguments = "mnist --vary model.dropout=0,0.4 --epochs 3 --rates 2 --seeds 2 --jobs 2 \
        --set data.source=synthetic --set model.hidden=[16]";
    let [straight, killed] = [(); 2].map(|()| Runs::new());
    let expected = race(arguments, straight.path());
    let directory = killed.path().join("mnist");
    let trained = |directory: &Path| -> usize {
        runs(directory).values().map(|epochs| epochs.lines().count().saturating_sub(1)).sum()
    };
    for (epochs, signal) in [(2, "KILL"), (6, "INT")] {
        let mut child = converge()
            .arg("race")
            .args(arguments.split_whitespace())
            .arg("--output")
            .arg(killed.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("some epochs are trained", || trained(&directory) >= epochs);
        let pid = child.id().to_string();
        let signal = format!("-{signal}");
        let kill = std::process::Command::new("kill").args([&signal, &pid]).status().unwrap();
        assert!(kill.success());
        assert!(!child.wait().unwrap().success());
    }
    let found = race(arguments, killed.path());
    for key in ["standings", "pairs", "quote", "set"] {
        let without_times = |race: &Value| {
            let mut part = race[key].clone();
            for one in part.as_array_mut().into_iter().flatten() {
                if let Some(standing) = one.as_object_mut() {
                    standing.remove("seconds_to_target");
                }
            }
            part
        };
        assert_eq!(without_times(&found), without_times(&expected), "{key}");
    }
    assert_eq!(runs(&directory), runs(&straight.path().join("mnist")));
    // Nothing is left to train, whatever is asked anew.
    assert_eq!(race(arguments, killed.path())["trained"], 0);
}

#[test]
fn a_race_over_two_experiments_says_what_it_costs_and_draws_profiles() {
    let place = Runs::new();
    let arguments = "race housing housing-batchnorm --optimizers sgd,adam --epochs 2 --rates 2 \
        --seeds 2 --set data.source=synthetic";
    let output = succeed(&format!("{arguments} --output {}", place.path().display()));
    let costs = "housing: 2 contenders, each tuned over 2 learning rates, then trained for 2 epochs \
        with 2 seeds: at most 16 epochs of training";
    assert!(stderr(&output).contains(costs), "{}", stderr(&output));
    let text = stdout(&output);
    for part in
        ["On housing ", "On housing-batchnorm ", "Over 4 problems", "converge train housing --set "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    for file in ["profile.png", "profile.csv", "housing/curves.png", "housing/race.json"] {
        assert!(place.path().join(file).is_file(), "{file}");
        assert!(text.contains(file), "{file}: {text}");
    }
}

#[test]
fn what_cannot_race_is_said_before_anything_is_trained() {
    let place = Runs::new();
    let said = |arguments: &str| {
        fail(&format!("race {arguments} --epochs 2 --output {}", place.path().display()))
    };
    assert!(said("linear --optimizers sgd,lbfgs").contains("`lbfgs` searches along"));
    assert!(said("linear --optimizers sgd").contains("two contenders or more"));
    assert!(said("linear --optimizers sgd,adamm").contains("adamm"));
    assert!(said("linear --vary model.width=1,2").contains("width"));
    assert!(said("linear linear --optimizers sgd,adam").contains("named twice"));
    assert!(said("linear mnist --optimizers sgd,adam --target 1").contains("one scale"));
    assert!(said("linear --optimizers sgd,adam --set optimizer.momentum=0.9").contains("momentum"));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}
