//! What is checked, and said, before a run is taken up again.
//!
//! A run goes on as it began. What would break it (other batches, another seed, split, optimizer or
//! model) is refused; what only changes its course (more epochs, another rate) is announced.

use std::collections::BTreeMap;
use std::fmt::Display;

use converge_record::{Compute, RecordError, RunDirectory, RunRecord, Versions, Which};
use toml::{Table, Value};

use super::checkpoint::{Checkpoint, CheckpointState};
use super::error::{ChangedKey, TrainError};
use super::stored_run::StoredRun as _;
use crate::experiment::Experiment;
use crate::fused;
use crate::schedule::{RunLength, Schedule};
use converge_data::Samples;

/// Keys that only name things, say where they are, or change no number.
const FREE: &[&str] = &[
    "name",
    "purpose",
    "data.path",
    "data.source",
    "training.validation_batch_size",
    "records.logs",
];

/// Keys and sections that change the course of a run, and leave whole what it has come to.
const COURSE: &[&str] = &[
    "training.epochs",
    "training.kernels",
    "optimizer.learning_rate",
    "schedule",
    "early_stopping",
    "checkpoints",
    "records",
    "clipping",
    "regularization",
    "augmentation",
];

/// The newest checkpoint of `run`; an error where it has trained epochs and has none.
pub(super) fn newest(run: &RunDirectory) -> Result<Option<Checkpoint>, TrainError> {
    let newest = run.newest_checkpoint()?;
    let epochs = run.record.epochs_done;
    if newest.is_none() && epochs > 0 {
        let run = run.path().to_owned();
        return Err(RecordError::CheckpointsGone { run, epochs }.into());
    }
    Ok(newest)
}

/// The experiment that `run` was trained by up to `newest`; `None` where nothing says so.
pub(super) fn trained(
    run: &RunDirectory,
    newest: Option<&Checkpoint>,
) -> Result<Option<Experiment>, TrainError> {
    let text = newest.and_then(|checkpoint| checkpoint.state.experiment.as_deref());
    let origin = run.file("experiment.toml").display().to_string();
    Ok(text.map(|text| Experiment::from_toml(text, &origin, &[])).transpose()?)
}

/// What is to be said of the checkpoints of `run` that are damaged: the best one may be wanted later,
/// whichever one a session goes on from.
pub(super) fn damaged(run: &RunDirectory) -> Result<Vec<String>, TrainError> {
    let epochs = run.checkpoints().epochs()?;
    let verified = epochs.into_iter().map(|epoch| run.checkpoint(Which::Epoch(epoch))?.verify());
    Ok(verified.filter_map(Result::err).map(|error| error.to_string()).collect())
}

/// What is to be said of what has changed in the experiment of `run` since `before`; an error for
/// what it cannot take.
pub(super) fn changes(
    run: &RunDirectory,
    before: &Experiment,
    now: &Experiment,
) -> Result<Vec<String>, TrainError> {
    let (before, now) = (keys(before)?, keys(now)?);
    let shown = |value: Option<&Value>| value.map_or("absent".to_owned(), |v| format!("`{v}`"));
    let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
    // What something is called before what it is like.
    names.sort_by_key(|name| (name.rsplit('.').next() != Some("name"), *name));
    names.dedup();
    let mut said = vec![];
    for name in names {
        let values = (before.get(name), now.get(name));
        if values.0 == values.1 || is_in(FREE, name) {
            continue;
        }
        let (before, now) = (shown(values.0), shown(values.1));
        if !is_in(COURSE, name) {
            let (key, file) = (name.clone(), run.file("experiment.toml"));
            return Err(ChangedKey { file, key, now, before }.into());
        }
        said.push(format!("`{name}` is {now} from here on; the run was trained with {before}"));
    }
    Ok(said)
}

/// Whether `name` is one of `keys`, or in a section of theirs.
fn is_in(keys: &[&str], name: &str) -> bool {
    let within = |key: &&str| {
        name.strip_prefix(*key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    keys.iter().any(within)
}

/// Every key of `experiment` with its section, and its value.
fn keys(experiment: &Experiment) -> Result<BTreeMap<String, Value>, TrainError> {
    fn add(table: Table, section: &str, keys: &mut BTreeMap<String, Value>) {
        for (name, value) in table {
            let name = format!("{section}{name}");
            match value {
                Value::Table(table) => add(table, &format!("{name}."), keys),
                value => drop(keys.insert(name, value)),
            }
        }
    }
    let (mut keys, text) = (BTreeMap::new(), experiment.to_toml()?);
    // It was written a moment ago.
    add(toml::from_str(&text).unwrap_or_default(), "", &mut keys);
    Ok(keys)
}

/// Where no checkpoint tells what the run began with, its record knows the seed.
pub(super) fn check_seed(run: &RunDirectory, experiment: &Experiment) -> Result<(), TrainError> {
    let (before, now) = (run.record.seed, experiment.training.seed);
    let Some(before) = before.filter(|&before| before != now) else { return Ok(()) };
    let (key, file) = ("training.seed".to_owned(), run.file("experiment.toml"));
    let (now, before) = (format!("`{now}`"), format!("`{before}`"));
    Err(ChangedKey { file, key, now, before }.into())
}

/// The samples are as many as when the run began.
pub(super) fn check_split(
    run: &RunDirectory,
    training: &Samples,
    validation: &Samples,
) -> Result<(), TrainError> {
    let record = &run.record;
    let counts = [
        ("training", training.len(), record.training_samples),
        ("validation", validation.len(), record.validation_samples),
    ];
    match counts.into_iter().find(|(_, now, before)| now != before) {
        Some((what, now, before)) => Err(TrainError::OtherSplit { what, now, before }),
        None => Ok(()),
    }
}

/// What is to be said where `now` trains another number of epochs than `before`, and its schedule
/// therefore gives other rates after `steps` steps on `samples` samples.
pub(super) fn other_rates(
    before: &Experiment,
    now: &Experiment,
    samples: usize,
    steps: usize,
) -> Option<String> {
    if before.training.epochs == now.training.epochs || now.schedule.depends_on_run() {
        return None;
    }
    let training = &now.training;
    let steps_per_epoch =
        samples.div_ceil(training.batch_size).div_ceil(training.gradient_accumulation);
    let rates = |epochs| -> Schedule {
        let length = RunLength { steps_per_epoch, epochs };
        now.schedule.build(now.optimizer.learning_rate(), length)
    };
    let (old, new) = (rates(before.training.epochs), rates(training.epochs));
    let last = steps.checked_sub(1)?;
    // Past its end, the old schedule has nothing to say.
    let end = before.training.epochs * steps_per_epoch;
    let differs = |step| {
        let (old, new) = (old.learning_rate(step), new.learning_rate(step));
        (old - new).abs() > 1e-9 * old.abs()
    };
    let mut planned = (steps..end).step_by(((end.saturating_sub(steps)) / 16).max(1));
    if !differs(last) && !planned.any(differs) {
        return None;
    }
    Some(format!(
        "over {} epochs instead of {}, the schedule `{}` gives other learning rates: {:.3e} in the \
         next step, after {:.3e} in the last one",
        training.epochs,
        before.training.epochs,
        now.schedule.name(),
        new.learning_rate(steps),
        old.learning_rate(last),
    ))
}

/// What this session computes by, where `kernels` says what the experiment wants.
pub(super) fn compute(kernels: bool) -> Compute {
    Compute {
        threads: converge_kernels::threads(),
        kernels: kernels && fused::allowed(),
        instructions: converge_kernels::instructions().to_owned(),
    }
}

/// What is to be said where something else computes from here on than in the run of `record` so
/// far: it goes on, but not to the last bits of one that was never stopped.
pub(super) fn other_compute(
    record: &RunRecord,
    device: &str,
    versions: &Versions,
    compute: &Compute,
) -> Option<String> {
    let mut changes = vec![];
    let mut compare = |what: &str, now: &dyn Display, before: &dyn Display| {
        let (now, before) = (now.to_string(), before.to_string());
        if now != before {
            changes.push(format!("{what}{now} instead of {before}"));
        }
    };
    compare("the device ", &device, &record.device);
    compare("converge ", &versions.converge, &record.versions.converge);
    compare("Burn ", &versions.burn, &record.versions.burn);
    if let Some(before) = &record.compute {
        let kernels = |on| if on { "on" } else { "off" };
        compare("threads: ", &compute.threads, &before.threads);
        compare("", &compute.instructions, &before.instructions);
        compare("kernels ", &kernels(compute.kernels), &kernels(before.kernels));
    }
    if changes.is_empty() {
        return None;
    }
    Some(format!(
        "from here on, sums are rounded otherwise than in the run so far ({}): it goes on, but not \
         to the same bits as without a stop",
        changes.join(", ")
    ))
}

/// What is to be said where the rows of `steps.csv` before `state` are gone, which `run` notes; an
/// error where they are others.
pub(super) fn lost_steps(
    run: &mut RunDirectory,
    state: &CheckpointState,
) -> Result<Option<String>, TrainError> {
    if run.has_steps(&state.kept_steps(run.record.steps_lost))? {
        return Ok(None);
    }
    let lost = state.steps_done;
    run.record.steps_lost = lost;
    Ok(Some(format!(
        "`{}` is gone, and with it the rows of the steps up to {lost}; it begins anew",
        run.steps_file().display()
    )))
}

#[cfg(test)]
mod tests;
