//! The checks that stand between the settings as written and an experiment that can run: every
//! range, and everything that two sections must agree on.

use super::Settings;
use super::fault::{Fault, Problem};
use crate::models::{InputSpec, ModelSettings};
use crate::schedule::ScheduleSettings;
use converge_data::{DataSettings, Task};
use converge_diagnosis::Mode;
use converge_settings::checks::{Checked, InvalidSetting, ensure};

/// Every setting is in its range, and the settings fit each other.
pub(super) fn check(settings: &Settings) -> Result<(), Problem> {
    check_words(settings).map_err(|error| invalid(&error))?;
    settings.check_sections().map_err(|error| invalid(&error))?;
    settings.wrappers.check_with(&settings.optimizer).map_err(|error| invalid(&error))?;
    check_minimizer(settings)?;
    if settings.regularization.label_smoothing > 0.0 && settings.data.task() == Task::Regression {
        let problem = "spreads classes, and these data have values: leave it out".to_owned();
        let path = ["regularization", "label_smoothing"];
        let problem = Problem::new(path, Fault::Contradiction(problem));
        return Err(problem.because_of("data", "name"));
    }
    if !settings.augmentation.is_off() && settings.data.input_shape().len() != 3 {
        let problem = "varies images, and these data have none: leave the section out".to_owned();
        let problem = Problem::new(["augmentation"], Fault::Contradiction(problem));
        return Err(problem.because_of("data", "name"));
    }
    settings
        .model
        .check_input(&InputSpec::of_shape(&settings.data.input_shape()))
        .map_err(|error| invalid(&error.in_section("model")).because_of("data", "name"))?;
    check_stages(settings)?;
    check_batch(settings)?;
    if let Some(early_stopping) = &settings.early_stopping {
        check_monitor("early_stopping", &early_stopping.monitor, &settings.data)?;
        check_mode("early_stopping", early_stopping.mode, &early_stopping.monitor)?;
    }
    if let ScheduleSettings::ReduceOnPlateau(plateau) = &settings.schedule {
        check_monitor("schedule", &plateau.monitor, &settings.data)?;
        check_mode("schedule", plateau.mode, &plateau.monitor)?;
    }
    check_monitor("checkpoints", &settings.checkpoints.monitor, &settings.data)?;
    check_mode("checkpoints", settings.checkpoints.mode, &settings.checkpoints.monitor)
}

/// An optimizer that asks for losses itself stands alone, and the losses are of the same function.
fn check_minimizer(settings: &Settings) -> Result<(), Problem> {
    if settings.optimizer.minimizer().is_none() {
        return Ok(());
    }
    let sections = [
        ("clipping", !settings.clipping.is_off()),
        ("groups", !settings.groups.is_empty()),
        ("sam", settings.sam.is_some()),
        ("augmentation", !settings.augmentation.is_off()),
        ("gradient_centralization", settings.wrappers.gradient_centralization.is_some()),
        ("cautious", settings.wrappers.cautious.is_some()),
        ("lookahead", settings.wrappers.lookahead.is_some()),
        ("ema", settings.wrappers.ema.is_some()),
        ("swa", settings.wrappers.swa.is_some()),
    ];
    let Some((section, _)) = sections.into_iter().find(|(_, is_set)| *is_set) else {
        return Ok(());
    };
    let reason = format!(
        "does not go with `{}`, which searches along its own directions for less of one loss: leave \
         the section out",
        settings.optimizer.name()
    );
    Err(Problem::new([section], Fault::Contradiction(reason)).because_of("optimizer", "name"))
}

/// A second stage that is asked for comes to pass.
fn check_stages(settings: &Settings) -> Result<(), Problem> {
    let ModelSettings::Transfer(model) = &settings.model else { return Ok(()) };
    let (tuning, epochs) = (&model.fine_tuning, settings.training.epochs);
    if tuning.blocks == 0 || tuning.after_epochs < epochs {
        return Ok(());
    }
    let reason = format!(
        "is {}, but the run ends after {epochs} epochs: train more (`training.epochs`), or begin \
         the second stage earlier",
        tuning.after_epochs
    );
    let path = ["model", "fine_tuning", "after_epochs"];
    Err(Problem::new(path, Fault::Contradiction(reason)).because_of("training", "epochs"))
}

/// Of one row, batch normalisation of a dense layer makes nothing but zeros, as PyTorch says too.
fn check_batch(settings: &Settings) -> Result<(), Problem> {
    let ModelSettings::Mlp(model) = &settings.model else { return Ok(()) };
    if !model.batch_norm || settings.training.batch_size > 1 {
        return Ok(());
    }
    let reason = "is 1, and `batch_norm` normalises over the batch: take at least 2".to_owned();
    let problem = Problem::new(["training", "batch_size"], Fault::Contradiction(reason));
    Err(problem.because_of("model", "batch_norm"))
}

/// The metrics of a task, in the order of the columns of `epochs.csv`.
pub fn metric_names(task: Task) -> &'static [&'static str] {
    match task {
        Task::Classification { .. } | Task::BinaryClassification => &["loss", "accuracy"],
        Task::Regression => &["loss", "mse", "rmse", "mae", "r2"],
    }
}

/// The metrics that are logged for every epoch of a task, in the order of the columns.
pub fn logged_metrics(task: Task, with_validation: bool) -> Vec<String> {
    let training = metric_names(task);
    let validation = training.iter().filter(|_| with_validation).map(|name| format!("val_{name}"));
    training.iter().map(|&name| name.to_owned()).chain(validation).collect()
}

/// The name makes a directory and the purpose a line.
fn check_words(settings: &Settings) -> Checked {
    const LONGEST: usize = 100;
    let name = settings.name.as_str();
    let forbidden = |letter: char| letter.is_control() || r#"/\:*?"<>|"#.contains(letter);
    ensure(
        !name.trim().is_empty()
            && !name.starts_with('.')
            && !name.contains(forbidden)
            && name.len() <= LONGEST,
        "name",
        format!("{name:?}"),
        "fit for a directory: up to 100 bytes, no leading dot, none of / \\ : * ? \" < > |",
    )?;
    let purpose = settings.purpose.as_deref().unwrap_or_default();
    ensure(!purpose.contains(char::is_control), "purpose", format!("{purpose:?}"), "one line")
}

fn check_monitor(section: &str, monitor: &str, data: &DataSettings) -> Result<(), Problem> {
    let with_validation = data.validation_fraction() > 0.0;
    let problem = |fault| Problem::new([section, "monitor"], fault);
    let names = logged_metrics(data.task(), with_validation);
    if names.iter().any(|name| name == monitor) {
        return Ok(());
    }
    if logged_metrics(data.task(), true).iter().any(|name| name == monitor) {
        let reason = format!(
            "is \"{monitor}\", but no samples are set aside for validation: set \
             `data.validation_fraction` above 0, or monitor one of {}",
            names.join(", ")
        );
        return Err(problem(Fault::Contradiction(reason)).because_of("data", "validation_fraction"));
    }
    let fault = Fault::UnknownName { found: monitor.to_owned(), names };
    Err(problem(fault).because_of("data", "name"))
}

/// The mode does not take the worst epoch for the best.
fn check_mode(section: &str, mode: Mode, monitor: &str) -> Result<(), Problem> {
    let higher_is_better = Mode::Auto.higher_is_better(monitor);
    if mode.higher_is_better(monitor) == higher_is_better {
        return Ok(());
    }
    let reason = format!(
        "takes the worst epoch for the best, since {} `{monitor}` is better: leave it \"auto\"",
        if higher_is_better { "higher" } else { "lower" }
    );
    Err(Problem::new([section, "mode"], Fault::Contradiction(reason))
        .because_of(section, "monitor"))
}

fn invalid(error: &InvalidSetting) -> Problem {
    let must = format!("must be {}", error.expected);
    // A key may name an element: `parts[0].gamma`.
    let path = error.key.replace('[', ".[");
    Problem::new(path.split('.'), Fault::Invalid { found: error.value.clone(), must })
}
