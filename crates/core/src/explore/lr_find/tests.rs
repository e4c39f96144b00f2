#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use serde_json::Value;

use super::suggestion::suggest;
use super::sweep::rate_at;
use super::*;
use crate::device;
use crate::experiment::Experiment;
use crate::train::{Session, Stepper};
use converge_data::LoadOptions;

fn session() -> Session {
    let load = LoadOptions {
        replaces_path: false,
        directory: None,
        cache: std::env::temp_dir().join("converge-no-cache"),
        mirror: None,
        timeout: std::time::Duration::from_secs(1),
    };
    Session::new(device::default_name(), load).unwrap()
}

fn prepared(changes: &str) -> Prepared {
    let text = format!(
        "name = \"line\"\n[data]\nname = \"regression\"\nsamples = 250\nvalidation_fraction = 0.2\n\
         [model]\nname = \"linear\"\n[training]\nepochs = 3\nbatch_size = 16\n\
         gradient_accumulation = 2\n[optimizer]\n{changes}"
    );
    session().prepare(Experiment::from_toml(&text, "line.toml", &[]).unwrap()).unwrap()
}

fn options() -> Options {
    Options { from: 1e-5, to: 10.0, steps: 60, seeds: vec![1, 2], trial_steps: 40 }
}

/// Keeps nothing; stops after so many sweeps and trials.
struct Until(usize, StopRequest);

impl Watcher for Until {
    fn at(&mut self, done: usize, total: usize, _: &str) {
        assert!(done <= total);
    }
    fn keep(&mut self, measured: &Measured) -> std::io::Result<()> {
        if measured.sweeps.len() + measured.trials.len() == self.0 {
            self.1.raise();
        }
        Ok(())
    }
}

#[test]
fn rules_suggest_what_fastai_suggests() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../../../tests/golden/lr_find.json")).unwrap();
    let numbers =
        |value: &Value| value.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect();
    let rates: Vec<f64> = numbers(&golden["rates"]);
    let rules = [
        (Rule::Valley, "valley"),
        (Rule::Slide, "slide"),
        (Rule::Steepest, "steepest"),
        (Rule::MinimumTenth, "minimum_tenth"),
    ];
    for case in golden["cases"].as_array().unwrap() {
        let losses: Vec<f64> = numbers(&case["losses"]);
        for (rule, name) in rules {
            let (found, known) = (rule.of(&rates, &losses).unwrap(), case[name].as_f64().unwrap());
            assert!((found / known - 1.0).abs() < 1e-9, "{}, {name}: {found}", case["name"]);
        }
    }
}

#[test]
fn a_suggestion_hardly_depends_on_the_number_of_steps() {
    // The loss is a function of the rate alone.
    let sweep = |steps: usize| {
        let options = Options { from: 1e-6, to: 1.0, steps, ..options() };
        let points = (0..steps).map(|step| {
            let learning_rate = rate_at(&options, step);
            let x = learning_rate.log10();
            let smoothed = 2.3 - 1.6 / (1.0 + (-2.5 * (x + 2.8)).exp()) + (4.0 * (x + 0.6)).exp();
            Point { learning_rate, loss: smoothed, smoothed }
        });
        Sweep { seed: 1, points: points.collect(), diverged_at: None }
    };
    let (few, many) = (suggest(&[sweep(100)]), suggest(&[sweep(400)]));
    assert_eq!(few.len(), 4);
    for (few, many) in few.iter().zip(&many) {
        let ratio = few.learning_rate / many.learning_rate;
        assert!((0.85..1.18).contains(&ratio), "{:?}: {ratio}", few.rule);
    }
}

#[test]
fn steps_without_a_run_are_those_of_a_run() {
    let output = tempfile::tempdir().unwrap();
    let prepared = prepared("name = \"adam\"\nlearning_rate = 0.05\n");
    let run = session().train(prepared.experiment.clone(), output.path()).unwrap().run;
    let mut reader = csv::Reader::from_path(run.file("steps.csv")).unwrap();
    let column = reader.headers().unwrap().iter().position(|name| name == "loss").unwrap();
    let recorded: Vec<f64> =
        reader.records().map(|row| row.unwrap()[column].parse().unwrap()).collect();
    let mut losses = vec![];
    let seed = prepared.experiment.training.seed;
    let mut stepper = Stepper::new(&prepared, seed).unwrap();
    let keep = |_, loss| {
        losses.push(loss);
        ControlFlow::Continue(())
    };
    stepper.train(recorded.len(), |_| 0.05, keep).unwrap();
    assert!(recorded.len() > 10 && losses.len() == recorded.len());
    for (found, recorded) in losses.iter().zip(&recorded) {
        assert!((found - recorded).abs() < 1e-6 * recorded.abs(), "{found}, {recorded}");
    }
}

#[test]
fn plain_descent_on_a_line_breaks_where_theory_says_and_learns_below() {
    // Inputs are standardised and the targets are drawn from a line: λmax of the Hessian 2 XᵀX / n is
    // about 2, so that a rate beyond 2 / λmax ≈ 1 leads away.
    let prepared = prepared("name = \"sgd\"\n");
    let stop = StopRequest::default();
    let (found, _) =
        find(&prepared, &options(), Measured::default(), &stop, &mut Until(0, stop.clone()))
            .unwrap();
    let [low, high] = found.diverges.unwrap();
    assert!(low > 0.5 && high < 6.0, "{low} to {high}");
    let best = found.learning_rate.unwrap();
    assert!((0.03..=0.6).contains(&best), "{best}");
    assert!(found.trials.len() >= 3, "the best stands between others");
}

/// Keeps what was measured last.
struct Keeping(Measured, Until);
impl Watcher for Keeping {
    fn at(&mut self, done: usize, total: usize, part: &str) {
        self.1.at(done, total, part);
    }
    fn keep(&mut self, measured: &Measured) -> std::io::Result<()> {
        self.0 = measured.clone();
        self.1.keep(measured)
    }
}

#[test]
fn a_search_that_was_stopped_goes_on_to_the_same_end() {
    let prepared = prepared("name = \"adam\"\n");
    let straight = StopRequest::default();
    let whole = find(
        &prepared,
        &options(),
        Measured::default(),
        &straight,
        &mut Until(0, straight.clone()),
    )
    .unwrap();
    let mut measured = Measured::default();
    for stops_after in 1..whole.1.sweeps.len() + whole.1.trials.len() {
        let stop = StopRequest::default();
        let mut keeping = Keeping(measured.clone(), Until(stops_after, stop.clone()));
        let result = find(&prepared, &options(), measured, &stop, &mut keeping);
        assert!(matches!(result, Err(LearningRateError::Stopped)), "{stops_after}");
        measured = keeping.0;
    }
    let stop = StopRequest::default();
    let end = find(&prepared, &options(), measured, &stop, &mut Until(0, stop.clone())).unwrap();
    assert_eq!(end, whole);
}

#[test]
fn what_searches_its_own_steps_has_no_rate_to_be_found() {
    let prepared = prepared("name = \"lbfgs\"\n");
    let error = Stepper::new(&prepared, 1).map(drop).unwrap_err().to_string();
    assert!(error.contains("`lbfgs`") && error.contains("no learning rate"), "{error}");
    for (wrong, key) in [
        (Options { from: 0.0, ..options() }, "from"),
        (Options { to: 1e-6, ..options() }, "to"),
        (Options { steps: 5, ..options() }, "steps"),
        (Options { seeds: vec![], ..options() }, "seeds"),
    ] {
        let error = wrong.check().unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}
