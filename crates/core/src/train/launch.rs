//! A run, from its first stage to its closed record: Burn's training loop with everything plugged in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use burn::data::dataloader::DataLoader as _;
use burn::train::{ExecutionStrategy, Learner, SupervisedTraining, TrainingStrategy};
use converge_record::{EpochRow, RunDirectory, Status, Stop, StopReason, timestamp};

use super::assembly::Assembled;
use super::checkpoint::Checkpoint;
use super::epoch_end::EpochEnd;
use super::renderer::{NoFiles, Relay};
use super::resume;
use super::score_metric::ScoreMetric;
use super::state::{Shared, lock};
use super::step::Trainee;
use super::trainer::{Start, Trainer};
use super::{TrainError, new_model};
use crate::experiment::metric_names;
use crate::fused::with_kernels;
use converge_data::caught;

/// What a session came to.
#[derive(Debug)]
pub struct Outcome {
    /// The run, its record closed.
    pub run: RunDirectory,
    /// Every whole epoch of the run.
    pub history: Vec<EpochRow>,
    /// Why it stopped.
    pub stop: Stop,
}

impl Outcome {
    /// What the sessions before came to of a `run` that has stopped.
    pub fn of(run: RunDirectory) -> Result<Self, TrainError> {
        let history = run.epochs()?;
        let stop =
            run.record.stop.clone().unwrap_or_else(|| {
                Stop::new(StopReason::Interrupted, "it has not come to its end")
            });
        Ok(Self { run, history, stop })
    }
}

impl Trainer {
    /// Trains, and closes the record of the run whatever happens.
    pub(super) fn run(self, start: Start) -> Result<Outcome, TrainError> {
        let path = self.run.path().to_owned();
        let logs = Arc::clone(&self.logs);
        let result = with_kernels(self.experiment.training.kernels, || self.stages(start));
        match &result {
            Ok(outcome) => lock(&logs).finish(&outcome.run.record)?,
            // The error counts, not that the directory may have gone with it.
            Err(error) => {
                if let Ok(mut run) = RunDirectory::open(&path) {
                    if run.record.status == Status::Running {
                        run.record.status = Status::Failed;
                        run.record.error = Some(error.to_string());
                        run.record.finished = Some(timestamp());
                        let _ = run.write();
                    }
                    let _ = lock(&logs).finish(&run.record);
                }
            }
        }
        result
    }

    /// Trains stage after stage.
    fn stages(mut self, mut start: Start) -> Result<Outcome, TrainError> {
        loop {
            let device = self.session.device.clone().autodiff();
            let outcome = self.assemble(start)?.launch(ExecutionStrategy::SingleDevice(device))?;
            let stage_is_over = outcome.stop.reason == StopReason::MaxEpochs
                && outcome.history.len() < self.experiment.training.epochs;
            if !stage_is_over {
                return Ok(outcome);
            }
            let checkpoint = resume::newest(&outcome.run)?;
            let Some(checkpoint) = checkpoint else { return Ok(outcome) };
            self.run = outcome.run;
            self.run.record.status = Status::Running;
            self.run.write()?;
            let device = self.session.device.clone().autodiff();
            let model = new_model(&self.experiment, &self.preprocessing, &device)?;
            start = Start::at(checkpoint, model)?;
        }
    }
}

impl Assembled {
    /// Trains it on the devices of `strategy`.
    ///
    /// Gradients, devices and copies are real, so Burn's multi-device strategy with the optimizer on
    /// the main device computes what one device computes (there is a test). What stands in the way of
    /// more: Burn's `OptimSharded` calls `optimize_multi`, whose provided body leaves out penalties,
    /// clipping and records; its DDP gives every worker a learner of its own and only the main one an
    /// epoch's end, and sums gradients inside `backward`, before they can be weighed by the samples of
    /// each device; embeddings that follow their rows have gradients that only their own copy knows.
    fn launch(self, strategy: ExecutionStrategy) -> Result<Outcome, TrainError> {
        let Self { shared, learner, training, validation, epochs, full_screen } = self;
        let directory = shared.state().run.path().to_owned();
        let has_validation = validation.num_items() > 0;
        // Its own checkpointers are left out: `epoch_end` saves, and the start epoch is all that
        // `.checkpoint` then does.
        let mut burns =
            SupervisedTraining::new(directory, Arc::new(training), Arc::new(validation))
                .num_epochs(epochs.end)
                .with_interrupter(shared.interrupter.clone())
                .early_stopping(EpochEnd { shared: Arc::clone(&shared), has_validation })
                .with_metric_logger(NoFiles)
                .with_application_logger(None)
                .with_training_strategy(TrainingStrategy::Default(strategy));
        if epochs.start > 0 {
            burns = burns.checkpoint(epochs.start);
        }
        let accumulation = shared.experiment.training.gradient_accumulation;
        if accumulation > 1 {
            burns = burns.grads_accumulation(accumulation);
        }
        let burns = show(burns, &shared, full_screen);
        shared.state().recorder.start_clock();
        let launched = launch_caught(burns, learner);
        close(launched, &shared)
    }
}

/// Plugs in who shows the progress.
fn show(
    mut burns: SupervisedTraining<Trainee>,
    shared: &Arc<Shared>,
    full_screen: bool,
) -> SupervisedTraining<Trainee> {
    if !full_screen {
        return burns.renderer(Box::new(Relay(Arc::clone(&shared.observer))));
    }
    for name in metric_names(shared.experiment.data.task()) {
        burns = burns
            .metric_train_numeric(ScoreMetric::new(shared, name, false))
            .metric_valid_numeric(ScoreMetric::new(shared, name, true));
    }
    // Its `q` asks for a stop as Ctrl-C does elsewhere, so that the step is saved.
    #[cfg(feature = "tui")]
    let burns =
        burns.renderer(Box::new(burn::train::renderer::tui::TuiMetricsRendererWrapper::new(
            shared.stop_request.interrupter(),
            None,
        )));
    burns
}

/// Closes the record of the run after Burn's loop has ended, for whatever reason.
fn close(launched: Result<(), TrainError>, shared: &Shared) -> Result<Outcome, TrainError> {
    let mut state = shared.state();
    shared.digest(state.recorder.flush());
    let mut ending = shared.ending();
    let mut result = match ending.error.take() {
        Some(error) => Err(error),
        None => launched,
    };
    let stop = ending.stop.take().unwrap_or_else(|| {
        if shared.interrupter.should_stop() {
            Stop::new(StopReason::Interrupted, "stopped on request")
        } else {
            let epochs = state.history.len();
            Stop::max_epochs(epochs)
        }
    });
    if stop.reason == StopReason::Interrupted
        && result.is_ok()
        && let Some(snapshot) = state.snapshot.take()
    {
        let scores = shared.scores().training;
        let logged = shared.logs().flush().map_err(TrainError::from);
        result = logged.and_then(|()| state.save_interrupted(snapshot, scores, &shared.experiment));
    }
    let seconds = state.seconds();
    let record = &mut state.run.record;
    record.seconds = seconds;
    record.finished = Some(timestamp());
    record.status = if result.is_ok() { stop.reason.status() } else { Status::Failed };
    record.error = result.as_ref().err().map(ToString::to_string);
    record.stop = result.is_ok().then(|| stop.clone());
    let written = state.run.write();
    result?;
    written?;
    let path = state.run.path().to_owned();
    Ok(Outcome { run: RunDirectory::open(&path)?, history: state.history.clone(), stop })
}

/// Closes the record of a run that has nothing left to train, if a process was killed before it
/// could; an error if the record is closed already.
pub(super) fn close_complete(
    mut run: RunDirectory,
    checkpoint: &Checkpoint,
    stop: Stop,
) -> Result<Outcome, TrainError> {
    let state = &checkpoint.state;
    let run_path = run.path().to_owned();
    if run.record.status == stop.reason.status() && run.record.epochs_done == state.epochs_done {
        let epochs = state.epochs_done;
        return Err(TrainError::Complete { run: run_path, reason: stop.message, epochs });
    }
    let record = &mut run.record;
    record.status = stop.reason.status();
    record.stop = Some(stop.clone());
    record.error = None;
    record.finished = Some(timestamp());
    (record.epochs_done, record.steps_done) = (state.epochs_done, state.steps_done);
    record.best.clone_from(&state.best);
    run.write()?;
    Ok(Outcome { run, history: state.history.clone(), stop })
}

/// Runs Burn's loop; a panic within it is an error like any other.
fn launch_caught(
    training: SupervisedTraining<Trainee>,
    learner: Learner<Trainee>,
) -> Result<(), TrainError> {
    match catch_unwind(AssertUnwindSafe(|| training.launch(learner).error)) {
        Ok(None) => Ok(()),
        Ok(Some(error)) => Err(TrainError::Learner(error.to_string())),
        Err(panic) => {
            let text = caught::message(panic.as_ref());
            Err(TrainError::Learner(format!("Burn panicked: {text}")))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;
    use std::time::Duration;

    use burn::train::MultiDeviceOptim;

    use super::super::Session;
    use super::*;
    use crate::device;
    use crate::experiment::Experiment;
    use converge_data::LoadOptions;

    /// 64 samples in the order in which they are stored, in `batch_size` a device.
    fn trainer(directory: &Path, batch_size: usize) -> (Trainer, Start) {
        let text = format!(
            "name = \"devices\"\n[data]\nname = \"regression\"\nsamples = 80\n\
             validation_fraction = 0.2\n[model]\nname = \"linear\"\n[training]\nepochs = 3\n\
             batch_size = {batch_size}\nshuffle = false\n[optimizer]\nname = \"sgd\"\n\
             learning_rate = 0.05\nmomentum = 0.9\n"
        );
        let load = LoadOptions {
            replaces_path: false,
            directory: None,
            cache: directory.join("cache"),
            mirror: None,
            timeout: Duration::from_secs(1),
        };
        let experiment = Experiment::from_toml(&text, "devices.toml", &[]).unwrap();
        Session::new(device::default_name(), load).unwrap().new_run(experiment, directory).unwrap()
    }

    #[test]
    fn burns_multi_device_strategy_sums_the_gradients_of_all_devices() {
        let directory = tempfile::tempdir().unwrap();
        let device = device::open(device::default_name()).unwrap().autodiff();
        // All samples in each step: 64 on one device, 32 on each of two.
        let (mut one, start) = trainer(directory.path(), 64);
        let one =
            one.assemble(start).unwrap().launch(ExecutionStrategy::SingleDevice(device.clone()));
        let (mut two, start) = trainer(directory.path(), 32);
        let strategy = ExecutionStrategy::MultiDevice(
            vec![device.clone(), device],
            MultiDeviceOptim::OptimMainDevice,
        );
        let two = two.assemble(start).unwrap().launch(strategy);
        let (one, two) = (one.unwrap().history, two.unwrap().history);
        assert_eq!((one.len(), two.len()), (3, 3));
        for (one, two) in one.iter().zip(&two) {
            let loss = |row: &EpochRow| row.metric("val_loss").unwrap();
            let (one, two) = (loss(one), loss(two));
            assert!((one - two).abs() < 1e-5 * one.abs(), "{one} and {two}");
        }
        let loss = |row: &EpochRow| row.metric("val_loss").unwrap();
        assert!(loss(&two[2]) < 0.9 * loss(&two[0]), "it learns");
    }
}
