//! Sessions stopped again and again within epochs come to the bits of a straight one.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use converge_core::device;
use converge_core::experiment::Experiment;
use converge_core::optim::OptimizerSettings;
use converge_core::train::{Observer, Outcome, Session, Silent, StopRequest, TrainError};
use converge_data::LoadOptions;
use converge_record::StopReason;

/// Dropout, clipping, accumulated batches with a smaller last one, norms, and a moving rate.
const EXPERIMENT: &str = r#"
name = "stopped"
[data]
name = "regression"
samples = 500
[model]
name = "mlp"
hidden = [8]
dropout = 0.3
[training]
epochs = 4
batch_size = 7
gradient_accumulation = 3
[optimizer]
name = "sgd"
learning_rate = 0.001
momentum = 0.9
[schedule]
name = "cosine"
[clipping]
global_norm = 5.0
[records]
norms_every = 2
"#;

/// Asks for a stop once so many samples of the session are trained.
struct StopAfter {
    samples: usize,
    request: StopRequest,
}

impl Observer for StopAfter {
    fn progress(&mut self, samples: usize) {
        if samples >= self.samples {
            self.request.raise();
        }
    }
}

pub(super) fn session(
    cache: &Path,
    observer: Arc<Mutex<dyn Observer>>,
    stop_request: StopRequest,
) -> Session {
    let load = LoadOptions {
        replaces_path: false,
        directory: None,
        cache: cache.to_owned(),
        mirror: None,
        timeout: Duration::from_secs(1),
    };
    let session = Session::new(device::default_name(), load).unwrap();
    Session { observer, stop_request, ..session }
}

fn stopping(cache: &Path, samples: usize) -> Session {
    let request = StopRequest::default();
    let observer = Arc::new(Mutex::new(StopAfter { samples, request: request.clone() }));
    session(cache, observer, request)
}

fn file(outcome: &Outcome, name: &str) -> String {
    std::fs::read_to_string(outcome.run.file(name)).unwrap()
}

#[test]
fn a_run_stopped_in_every_session_ends_like_a_straight_one() {
    stop_again_and_again(&[]);
}

/// The rate is halved after every epoch that does not take 90% off the loss, which none does.
#[test]
fn a_schedule_that_depends_on_the_run_remembers_it_from_session_to_session() {
    let plateau = [
        "schedule.name=reduce_on_plateau",
        "schedule.factor=0.5",
        "schedule.patience=0",
        "schedule.threshold=0.9",
    ];
    let epochs = stop_again_and_again(&plateau.map(str::to_owned));
    let rates: Vec<&str> =
        epochs.lines().skip(1).filter_map(|row| row.rsplit(',').next()).collect();
    assert_eq!(rates, ["0.001", "0.001", "0.0005", "0.00025"]);
}

#[test]
fn every_optimizer_goes_on_where_it_stopped() {
    for name in OptimizerSettings::NAMES.iter().filter(|name| **name != "lbfgs") {
        stop_again_and_again(&[format!("optimizer.name={name}")]);
    }
}

/// L-BFGS takes a step over all samples, here in three batches, and knows no clipping.
#[test]
fn lbfgs_goes_on_where_it_stopped() {
    let whole = EXPERIMENT
        .replace("[clipping]\nglobal_norm = 5.0\n", "")
        .replace("momentum = 0.9\n", "")
        .replace("name = \"sgd\"\nlearning_rate = 0.001", "name = \"lbfgs\"\nmax_iterations = 3")
        .replace("batch_size = 7", "batch_size = 120")
        .replace("epochs = 4", "epochs = 8");
    let epochs = stop_and_compare(&whole, &["regularization.l2=0.01".to_owned()]);
    let losses: Vec<f64> =
        epochs.lines().skip(1).map(|row| row.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert!(losses.last() < losses.first(), "{losses:?}");
}

#[test]
fn wrappers_groups_and_batch_norm_go_on_where_they_stopped() {
    for overrides in [
        &[
            "lookahead.every=3",
            "cautious.least_share=0.1",
            "gradient_centralization.convolutions_only=false",
        ][..],
        &["ema.decay=0.9", "model.batch_norm=true"],
        &["swa.start_step=5", "model.batch_norm=true"],
        &["optimizer.name=schedule_free_adamw", "model.batch_norm=true"],
        &["sam.rho=0.05", "regularization.l1=0.01", "regularization.l2=0.01"],
        &[
            "groups=[{parameters=\"bias\", frozen=true}, {parameters=\"output\", learning_rate=0.01, \
           optimizer={name=\"adamw\"}}]",
        ],
    ] {
        stop_again_and_again(&overrides.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    }
}

fn stop_again_and_again(overrides: &[String]) -> String {
    stop_and_compare(EXPERIMENT, overrides)
}

/// Stops a run again and again and compares it with a straight one; returns its `epochs.csv`.
fn stop_and_compare(text: &str, overrides: &[String]) -> String {
    /// Dropout draws from the one generator that the process has.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let directory = tempfile::tempdir().unwrap();
    let experiment = || Experiment::from_toml(text, "test", overrides).unwrap();
    let silent = session(directory.path(), Arc::new(Mutex::new(Silent)), StopRequest::default());
    let straight = silent.train(experiment(), directory.path()).unwrap();
    assert_eq!(straight.stop.reason, StopReason::MaxEpochs);

    // 360 training samples in steps of 21: every session stops within an epoch or in validation.
    let mut outcome = stopping(directory.path(), 50).train(experiment(), directory.path()).unwrap();
    let path = outcome.run.path().to_owned();
    let mut sessions = 1;
    for samples in [120, 300, 30, 359, 360, 200, 90, 40, 350, 10, 360, 360, 360, 360] {
        if outcome.stop.reason != StopReason::Interrupted {
            break;
        }
        outcome = stopping(directory.path(), samples).resume(&path, None).unwrap();
        sessions += 1;
    }
    let silent = session(directory.path(), Arc::new(Mutex::new(Silent)), StopRequest::default());
    if outcome.stop.reason == StopReason::Interrupted {
        outcome = silent.resume(&path, None).unwrap();
    }
    assert!(sessions >= 4, "only {sessions} sessions");
    assert_eq!(outcome.stop, straight.stop);
    assert_eq!(file(&outcome, "epochs.csv"), file(&straight, "epochs.csv"));
    let without_times = |outcome: &Outcome| -> Vec<Vec<String>> {
        let rows = file(outcome, "steps.csv");
        let cells = rows.lines().map(|row| row.split(',').map(str::to_owned).collect::<Vec<_>>());
        cells
            .map(|mut row| {
                row.remove(7);
                row
            })
            .collect()
    };
    assert_eq!(without_times(&outcome), without_times(&straight));
    let again = stopping(directory.path(), 1).resume(&path, None);
    assert!(matches!(again, Err(TrainError::Complete { .. })));
    file(&outcome, "epochs.csv")
}

#[test]
fn sessions_side_by_side_train_what_each_trains_alone() {
    let train = |directory: &Path, kernels: bool| {
        let observer = Arc::new(Mutex::new(Silent));
        let experiment = Experiment::from_toml(EXPERIMENT, "stopped.toml", &[]).unwrap();
        let experiment = experiment.with(|settings| settings.training.kernels = kernels).unwrap();
        let outcome = session(directory, observer, StopRequest::default())
            .train(experiment, directory)
            .unwrap();
        file(&outcome, "epochs.csv")
    };
    let directories: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let [first, second, third, fourth] = [0, 1, 2, 3].map(|index: usize| directories[index].path());
    let alone = [train(first, true), train(second, false)];
    let beside = std::thread::scope(|scope| {
        let threads = [scope.spawn(|| train(third, true)), scope.spawn(|| train(fourth, false))];
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(alone, beside);
}
