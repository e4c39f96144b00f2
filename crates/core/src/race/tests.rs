#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use converge_record::RunDirectory;

use super::*;
use crate::device;
use crate::train::{Session, StopRequest};
use converge_data::LoadOptions;

fn load() -> LoadOptions {
    LoadOptions {
        replaces_path: false,
        directory: None,
        cache: std::env::temp_dir().join("converge-no-cache"),
        mirror: None,
        timeout: std::time::Duration::from_secs(1),
    }
}

fn request(vary: &str, overrides: &[&str]) -> Request {
    let small = ["data.samples=120", "data.features=5", "data.informative=5"];
    Request {
        experiment: "linear".to_owned(),
        overrides: small.iter().chain(overrides).map(|&text| text.to_owned()).collect(),
        varied: vec![Varied::parse(vary).unwrap()],
        rates: 5,
        reach: 30.0,
        seeds: 3,
        epochs: Some(4),
        budget: None,
        metric: None,
    }
}

fn plan(request: &Request) -> Result<Plan, RaceError> {
    Plan::new(request, &mut Session::new(device::default_name(), load()).unwrap())
}

fn crew(directory: &Path, jobs: usize) -> Crew {
    Crew {
        directory: directory.to_owned(),
        device: device::default_name().to_owned(),
        load: load(),
        jobs,
        stop: StopRequest::default(),
    }
}

/// Counts epochs; asks the race to stop after so many.
struct Counting {
    epochs: usize,
    total: usize,
    most: Option<(usize, StopRequest)>,
}

impl Counting {
    fn new(most: Option<(usize, StopRequest)>) -> Self {
        Self { epochs: 0, total: 0, most }
    }
}

impl Watch for Counting {
    fn at(&mut self, done: usize, total: usize, _: &str) {
        assert!(done <= total, "{done} of {total}");
        (self.epochs, self.total) = (done, total);
        if let Some((most, stop)) = &self.most
            && done >= *most
        {
            stop.raise();
        }
    }
}

/// Runs it to its end; what came of it but for times and places, and the epochs trained.
fn run(plan: &Plan, directory: &Path, jobs: usize) -> (Vec<Entrant>, usize) {
    let mut watch = Counting::new(None);
    let entrants = plan.run(&crew(directory, jobs), &mut watch).unwrap();
    (without_places(entrants), watch.epochs)
}

fn without_places(mut entrants: Vec<Entrant>) -> Vec<Entrant> {
    for entrant in &mut entrants {
        entrant.tuning.iter_mut().for_each(|one| one.run.clear());
        for one in &mut entrant.runs {
            one.run.clear();
            one.seconds_per_epoch = 0.0;
        }
    }
    entrants
}

/// The epochs of all runs, and how many runs there are.
fn on_disk(directory: &Path) -> (usize, usize) {
    let runs: Vec<RunDirectory> = RunDirectory::list(directory).into_iter().flatten().collect();
    let names: BTreeSet<String> = runs.iter().map(|run| run.record.experiment.clone()).collect();
    assert_eq!(names.len(), runs.len(), "no trial has two runs");
    (runs.iter().map(|run| run.epochs().unwrap().len()).sum(), runs.len())
}

#[test]
fn a_race_costs_what_it_said_and_tunes_every_contender_alike() {
    let directory = tempfile::tempdir().unwrap();
    let plan = plan(&request("optimizer.name=sgd,adam", &[])).unwrap();
    // Five rates for 2 of 4 epochs, the best two to the end, three seeds: for each of the two.
    assert_eq!(plan.cost(), 2 * (5 * 2 + 2 * 2 + 3 * 4));
    let (entrants, epochs) = run(&plan, directory.path(), 2);
    assert_eq!((epochs, on_disk(directory.path())), (plan.cost(), (plan.cost(), 2 * (5 + 3))));
    for entrant in &entrants {
        let mut trained: Vec<usize> = entrant.tuning.iter().map(|one| one.epochs).collect();
        trained.sort_unstable();
        assert_eq!(trained, [2, 2, 2, 4, 4]);
        let best = entrant.tuning.iter().filter_map(|one| one.score).fold(f64::MAX, f64::min);
        let chosen = entrant.tuning.iter().find(|one| Some(one.rate) == entrant.rate).unwrap();
        assert_eq!(chosen.score, Some(best));
        let seeds: Vec<u64> = entrant.runs.iter().map(|one| one.seed).collect();
        assert_eq!(seeds, [43, 44, 45], "not the one of the tuning");
        assert!(entrant.runs.iter().all(|one| one.curve.len() == 4 && !one.diverged));
    }
    // Of plain numbers on one thread, as any run of the program.
    let record = RunDirectory::list(directory.path()).remove(0).unwrap().record;
    assert_eq!(record.compute.unwrap().threads, 1);
}

#[test]
fn a_race_that_is_stopped_goes_on_to_the_same_result_and_trains_nothing_twice() {
    let [straight, stopped] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let request = request("optimizer.name=sgd,adam", &["schedule.name=cosine"]);
    let plan = plan(&request).unwrap();
    let expected = run(&plan, straight.path(), 2);
    let mut epochs = 0;
    for most in [3, 9, 14] {
        let crew = crew(stopped.path(), 1);
        let mut watch = Counting::new(Some((most, crew.stop.clone())));
        let error = plan.run(&crew, &mut watch).unwrap_err();
        assert!(matches!(error, RaceError::Stopped), "{error}");
        epochs += watch.epochs;
    }
    let (entrants, rest) = run(&plan, stopped.path(), 1);
    // One job and two come to the same bits.
    assert_eq!(entrants, expected.0);
    assert_eq!(epochs + rest, expected.1);
    assert_eq!(on_disk(stopped.path()), on_disk(straight.path()));
    // All is there.
    assert_eq!(run(&plan, stopped.path(), 2), (entrants, 0));
}

#[test]
fn more_seeds_and_contenders_train_only_what_is_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let first = plan(&request("optimizer.name=sgd,adam", &[])).unwrap();
    let (before, _) = run(&first, directory.path(), 2);
    let mut larger = request("optimizer.name=sgd,adam,adamw", &[]);
    larger.seeds = 4;
    let larger = plan(&larger).unwrap();
    let (after, epochs) = run(&larger, directory.path(), 2);
    assert_eq!(epochs, larger.cost() - first.cost());
    assert_eq!(after[0].tuning, before[0].tuning);
    assert_eq!(after[1].runs[..3], before[1].runs[..]);
    // Other data are other trials.
    let other = plan(&request("optimizer.name=sgd,adam", &["data.samples=130"])).unwrap();
    assert_eq!(run(&other, directory.path(), 2).1, other.cost());
}

#[test]
fn the_masks_of_dropout_do_not_depend_on_who_trains_beside() {
    let mut request = request("model.dropout=0.2,0.5", &[]);
    request.experiment = "mnist".to_owned();
    request.overrides = ["data.source=synthetic", "model.hidden=[8]", "training.batch_size=250"]
        .map(str::to_owned)
        .to_vec();
    (request.rates, request.seeds, request.epochs) = (1, 2, Some(2));
    let [one, two] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let plan = plan(&request).unwrap();
    assert_eq!(run(&plan, one.path(), 1).0, run(&plan, two.path(), 3).0);
}

#[test]
fn rates_that_diverge_or_teach_nothing_are_given_up() {
    let directory = tempfile::tempdir().unwrap();
    // 1 is above the limit of stability, as all higher ones.
    let mut request =
        request("optimizer.momentum=0,0.9", &["optimizer.learning_rate=5", "data.noise=0"]);
    request.epochs = Some(12);
    let given_up = plan(&request).unwrap();
    let (entrants, epochs) = run(&given_up, directory.path(), 2);
    assert!(epochs < given_up.cost(), "{epochs}");
    for entrant in &entrants {
        assert_eq!(entrant.tuning.last().unwrap().hopeless, Some("diverged"));
        assert!(entrant.rate.unwrap() < 1.0, "{entrant:?}");
    }
    request.rates = 2;
    request.overrides.push("optimizer.learning_rate=500".to_owned());
    let worse = plan(&request).unwrap();
    let (entrants, _) = run(&worse, directory.path(), 2);
    assert_eq!((entrants[0].rate, entrants[0].runs.len()), (None, 0));
}

#[test]
fn what_cannot_be_trained_is_known_before_anything_is() {
    let said = |vary: &str, change: fn(&mut Request)| {
        let mut request = request(vary, &[]);
        change(&mut request);
        plan(&request).unwrap_err().to_string()
    };
    let names = "optimizer.name=sgd,adam";
    assert!(said(names, |one| one.seeds = 0).contains("(`--seeds`) must be at least 1"));
    assert!(said(names, |one| one.reach = 1.0).contains("`--reach` is above 1"));
    assert!(said(names, |one| one.metric = Some("val_accuracy".into())).contains("val_r2"));
    assert!(said(names, |one| one.budget = Some(10)).contains("takes 16"));
    assert!(
        said(names, |one| one.overrides.push("optimizer.momentum=0.9".into())).contains("momentum")
    );
    let mut within = request(names, &[]);
    within.budget = Some(30);
    let plan = plan(&within).unwrap();
    assert_eq!((plan.epochs, plan.cost()), (2, 26));
}

#[test]
fn a_trial_that_fails_is_named_and_stops_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let plan = plan(&request("optimizer.name=sgd,adam", &[])).unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = plan.run(&crew(&file, 2), &mut Counting::new(None)).unwrap_err().to_string();
    assert!(error.starts_with("the trial `"), "{error}");
    assert!(error.contains("file"), "{error}");
}
