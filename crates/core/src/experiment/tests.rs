#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::models::ModelSettings;
use crate::optim::OptimizerSettings;
use crate::schedule::ScheduleSettings;

pub(super) const TINY: &str = r#"purpose = "A line through noise"

[data]
name = "regression"

[model]
name = "linear"

[training]
epochs = 3

[optimizer]
name = "sgd"
learning_rate = 0.1
momentum = 0.9
"#;

pub(super) fn read(text: &str, overrides: &[&str]) -> Result<Experiment, ExperimentError> {
    let overrides: Vec<_> = overrides.iter().map(|&text| text.to_owned()).collect();
    Experiment::from_toml(text, "dir/tiny.toml", &overrides)
}

pub(super) fn error(text: &str, overrides: &[&str]) -> String {
    read(text, overrides).expect_err("an experiment that cannot run").to_string()
}

/// The error for the tiny experiment with `old` replaced by `new`.
fn error_with(old: &str, new: &str) -> String {
    assert!(TINY.contains(old), "{old}");
    error(&TINY.replace(old, new), &[])
}

#[test]
fn an_unwritten_setting_has_its_default() {
    let experiment = read(TINY, &[]).unwrap();
    assert_eq!(experiment.name, "tiny");
    assert_eq!(experiment.purpose.as_deref(), Some("A line through noise"));
    assert_eq!(experiment.training, TrainingSettings { epochs: 3, ..TrainingSettings::default() });
    assert_eq!(experiment.training.batch_size, 32);
    assert_eq!(experiment.schedule, ScheduleSettings::default());
    assert!(experiment.clipping.is_off());
    assert_eq!(experiment.early_stopping, None);
    assert_eq!(experiment.checkpoints.monitor, "val_loss");
    assert_eq!(experiment.records.norms_every, 1);
}

#[test]
fn every_built_in_experiment_is_valid_and_has_a_purpose() {
    for builtin in builtins() {
        let experiment = Experiment::load(builtin.name, &[]).unwrap();
        assert_eq!(experiment.name, builtin.name);
        assert_eq!(experiment.purpose, Some(builtin.purpose.clone()));
        assert!(builtin.text.starts_with("purpose = \""), "{}", builtin.name);
        let written = experiment.to_toml().unwrap();
        assert_eq!(Experiment::from_toml(&written, "other.toml", &[]).unwrap(), experiment);
    }
}

#[test]
fn every_file_in_configs_is_built_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(builtin::find(path.file_stem().unwrap().to_str().unwrap()).is_some(), "{path:?}");
    }
}

#[test]
fn a_path_is_read_and_its_stem_is_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my line.toml");
    std::fs::write(&path, TINY).unwrap();
    let experiment = Experiment::load(path.to_str().unwrap(), &["training.epochs=7".to_owned()]);
    let experiment = experiment.unwrap();
    assert_eq!((experiment.name.as_str(), experiment.training.epochs), ("my line", 7));
}

#[test]
fn an_unknown_experiment_suggests_the_nearest_built_in() {
    let error = Experiment::load("cifra10", &[]).unwrap_err().to_string();
    let names: Vec<_> = builtins().map(|builtin| builtin.name).collect();
    let expected = format!(
        "there is no built-in experiment `cifra10`, did you mean `cifar10`?\n   = built in: {}\n   \
         = an experiment of your own is given by its path, such as `./cifra10.toml`",
        names.join(", ")
    );
    assert_eq!(error, expected);
    let error = Experiment::load("nowhere/cifar10.toml", &[]).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the experiment file `nowhere/cifar10.toml`: "));
    assert!(error.ends_with("= the built-in experiment is called `cifar10`, without a path"));
}

#[test]
fn an_unknown_key_names_its_path_line_and_the_nearest_key() {
    assert_eq!(
        error_with("learning_rate", "learning_rat"),
        "unknown key `optimizer.learning_rat`, did you mean `learning_rate`?\n  \
         --> dir/tiny.toml:14\n   \
         | learning_rat = 0.1\n   \
         | ^^^^^^^^^^^^\n   \
         = `sgd` has: learning_rate, momentum, dampening, nesterov, weight_decay"
    );
    assert_eq!(
        error(TINY, &["optimizer.learning_rat=0.1"]),
        "unknown key `optimizer.learning_rat`, did you mean `learning_rate`?\n  \
         --> --set optimizer.learning_rat=0.1\n   \
         = `sgd` has: learning_rate, momentum, dampening, nesterov, weight_decay"
    );
    let section = error_with("[optimizer]", "[optimiser]");
    assert!(section.starts_with("unknown key `optimiser`, did you mean `optimizer`?\n"));
    assert!(section.contains("dir/tiny.toml:12\n   | [optimiser]\n   |  ^^^^^^^^^\n"), "{section}");
}

#[test]
fn a_key_in_the_wrong_place_is_told_its_home() {
    let home = |old, new| error_with(old, new).lines().last().unwrap().to_owned();
    assert_eq!(home("epochs = 3", "learning_rate = 1"), "   = there is `optimizer.learning_rate`");
    assert_eq!(home("momentum", "amsgrad"), "   = `amsgrad` is a key of `adam`, `adamw`");
    assert_eq!(home("epochs = 3", "model = 1"), "   = `[model]` is a section of its own");
    assert_eq!(home("epochs = 3", "purpose = 1"), "   = `purpose` stands above all sections");
}

#[test]
fn an_unknown_name_lists_the_names_there_are() {
    let names = OptimizerSettings::NAMES.join(", ");
    assert_eq!(
        error_with("\"sgd\"", "\"sdg\""),
        format!(
            "`optimizer.name` cannot be \"sdg\", did you mean \"sgd\"?\n  \
             --> dir/tiny.toml:13\n   \
             | name = \"sdg\"\n   \
             | ^^^^\n   \
             = one of: {names}"
        )
    );
}

#[test]
fn a_value_of_the_wrong_type_is_told_the_right_one() {
    let cases = [
        ("training.epochs=2.5", "`training.epochs` is 2.5, but must be a whole number, 0 or above"),
        (
            "training.epochs=ten",
            "`training.epochs` is \"ten\", but must be a whole number, 0 or above",
        ),
        ("training.shuffle=1", "`training.shuffle` is 1, but must be true or false"),
        ("training=1", "`training` is 1, but must be a section"),
        (
            "optimizer.name=2001-01-01",
            "`optimizer.name` is 2001-01-01, but must be a string in quotes",
        ),
        ("checkpoints.mode=3", "`checkpoints.mode` is 3, but must be a string in quotes"),
        ("optimizer.name=1", "`optimizer.name` is 1, but must be a string in quotes"),
        ("optimizer.momentum=[1]", "`optimizer.momentum` is [1], but must be a number"),
        (
            "optimizer.momentum=2001-01-01",
            "`optimizer.momentum` is 2001-01-01, but must be a number",
        ),
        ("model={name=\"mlp\",hidden=8}", "`model.hidden` is 8, but must be a list in brackets"),
        (
            "model={name=\"mlp\",hidden=[8,-8]}",
            "`model.hidden` is [8, -8], but each element must be a whole number, 0 or above",
        ),
        (
            "optimizer={name=\"adam\",betas=[0.9]}",
            "`optimizer.betas` is [0.9], but must be a list of 2 values",
        ),
        (
            "optimizer={name=\"adam\",betas=[0.9,0.99,0.999]}",
            "`optimizer.betas` is [0.9, 0.99, 0.999], but must be a list of 2 values",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(error(TINY, &[change]), format!("{expected}\n  --> --set {change}"));
    }
}

#[test]
fn a_value_outside_its_range_is_told_the_range() {
    let at = |number, line: &str, width| {
        format!("\n  --> dir/tiny.toml:{number}\n   | {line}\n   | {}", "^".repeat(width))
    };
    assert_eq!(
        error_with("epochs = 3", "epochs = 0"),
        "`training.epochs` is 0, but must be a whole number from 1 to 1000000000".to_owned()
            + &at(10, "epochs = 0", 6)
    );
    assert_eq!(
        error_with("epochs = 3", "batch_size = 0"),
        "`training.batch_size` is 0, but must be a whole number from 1 to 1000000000".to_owned()
            + &at(10, "batch_size = 0", 10)
    );
    assert_eq!(
        error_with("\n[model]", "validation_fraction = 1.0\n[model]"),
        "`data.validation_fraction` is 1, but must be at least 0 and below 1".to_owned()
            + &at(5, "validation_fraction = 1.0", 19)
    );
    assert_eq!(
        error_with("learning_rate = 0.1", "learning_rate = nan"),
        "`optimizer.learning_rate` is NaN, but must be a finite number above 0".to_owned()
            + &at(14, "learning_rate = nan", 13)
    );
    assert_eq!(
        error_with("[optimizer]", "[early_stopping]\npatience = -1\n[optimizer]"),
        "`early_stopping.patience` is -1, but must be a whole number, 0 or above".to_owned()
            + &at(13, "patience = -1", 8)
    );
}

const SEQUENCE: &str = r#"
[schedule]
name = "sequence"
per = "epoch"
milestones = [2]
[[schedule.parts]]
name = "linear"
[[schedule.parts]]
name = "step"
gamma = 0.5
"#;

#[test]
fn the_parts_of_a_schedule_are_read_checked_and_placed_like_any_section() {
    let text = |old: &str, new: &str| {
        assert!(SEQUENCE.contains(old), "{old}");
        format!("{TINY}{}", SEQUENCE.replace(old, new))
    };
    let experiment = read(&text("", ""), &[]).unwrap();
    assert_eq!(
        Experiment::from_toml(&experiment.to_toml().unwrap(), "a", &[]).unwrap().schedule,
        experiment.schedule
    );
    assert_eq!(
        error(&text("gamma = 0.5", "gamma = 3"), &[]),
        "`schedule.parts[1].gamma` is 3, but must be above 0, at most 1\n  \
         --> dir/tiny.toml:25\n   | gamma = 3\n   | ^^^^^"
    );
    assert_eq!(
        error(&text("gamma", "gama"), &[]),
        "unknown key `schedule.parts[1].gama`, did you mean `gamma`?\n  \
         --> dir/tiny.toml:25\n   | gama = 0.5\n   | ^^^^\n   \
         = `step` has: step_size, gamma, warmup, warmup_start_factor, per"
    );
    let unknown = error(&text("\"linear\"", "\"linaer\""), &[]);
    assert!(
        unknown.starts_with(
            "`schedule.parts[0].name` cannot be \"linaer\", did you mean \"linear\"?\n  \
             --> dir/tiny.toml:22\n"
        ),
        "{unknown}"
    );
    let missing = error(&text("name = \"linear\"", ""), &[]);
    assert!(missing.starts_with("`schedule.parts[0].name` is missing\n"), "{missing}");
    let typed = error(&text("gamma = 0.5", "gamma = \"a\""), &[]);
    assert!(
        typed.starts_with("`schedule.parts[1].gamma` is \"a\", but must be a number\n"),
        "{typed}"
    );
    let nested = error(&text("\"linear\"", "\"reduce_on_plateau\""), &[]);
    assert!(
        nested.starts_with("`schedule.parts[0].name` is \"reduce_on_plateau\", but"),
        "{nested}"
    );
    let steps = error(&text("per = \"epoch\"", "per = \"step\""), &[]);
    assert!(
        steps.starts_with("`schedule.parts[1].per` is \"epoch\", but must be \"step\""),
        "{steps}"
    );
    let change = "schedule.parts=[{name=\"linear\"},{name=\"step\",gamma=7}]";
    let by_override = error(&text("", ""), &[change]);
    assert!(by_override.starts_with("`schedule.parts[1].gamma` is 7, but"), "{by_override}");
    assert!(by_override.ends_with(&format!("--> --set {change}")), "{by_override}");
}

#[test]
fn a_plateau_watches_a_metric_that_is_logged_and_not_the_wrong_way() {
    let plateau = "schedule.name=reduce_on_plateau";
    assert!(
        error(TINY, &[plateau, "schedule.monitor=val_accuracy"])
            .starts_with("`schedule.monitor` cannot be \"val_accuracy\"\n")
    );
    assert!(
        error(TINY, &[plateau, "schedule.mode=max"])
            .starts_with("`schedule.mode` takes the worst epoch for the best")
    );
    assert!(error(TINY, &[plateau, "schedule.per=step"]).contains("must be \"epoch\""));
    read(TINY, &[plateau, "schedule.monitor=r2", "schedule.patience=3"]).unwrap();
}

#[test]
fn a_missing_section_or_name_says_what_to_add() {
    let without_optimizer = TINY.split("[optimizer]").next().unwrap();
    assert_eq!(
        error(without_optimizer, &[]),
        "`optimizer` is missing\n  --> dir/tiny.toml\n   \
         = add `[optimizer]` with a `name`, one of: "
            .to_owned()
            + &OptimizerSettings::NAMES.join(", ")
    );
    assert_eq!(
        error_with("name = \"linear\"\n", ""),
        "`model.name` is missing\n  --> dir/tiny.toml:6\n   | [model]\n   |  ^^^^^\n   = one of: "
            .to_owned()
            + &ModelSettings::NAMES.join(", ")
    );
}

#[test]
fn broken_toml_shows_the_line_and_the_spot() {
    assert_eq!(
        error_with("[optimizer]", "[optimizer"),
        "invalid TOML: unclosed table, expected `]`\n  --> dir/tiny.toml:12\n   \
         | [optimizer\n   |           ^"
    );
    let twice = error_with("epochs = 3", "epochs = 3\nepochs = 4");
    assert!(twice.starts_with("invalid TOML: duplicate key\n  --> dir/tiny.toml:11\n"), "{twice}");
    for number in ["9223372036854775808", &"9".repeat(50)] {
        let error = error_with("epochs = 3", &format!("seed = {number}"));
        assert!(error.contains("out of range"), "{error}");
        assert!(error.contains("dir/tiny.toml:10"), "{error}");
    }
}

#[test]
fn a_monitor_must_be_logged_for_the_task() {
    assert_eq!(
        error(TINY, &["early_stopping.monitor=val_accuracy"]),
        "`early_stopping.monitor` cannot be \"val_accuracy\"\n  \
         --> --set early_stopping.monitor=val_accuracy\n   \
         = one of: loss, mse, rmse, mae, r2, val_loss, val_mse, val_rmse, val_mae, val_r2"
    );
    let mnist = ["data.name=mnist", "checkpoints.monitor=val_acc"];
    assert!(error(TINY, &mnist).starts_with(
        "`checkpoints.monitor` cannot be \"val_acc\", did you mean \"val_accuracy\"?"
    ));
    assert!(error(TINY, &mnist).ends_with("= one of: loss, accuracy, val_loss, val_accuracy"));
}

#[test]
fn validation_metrics_need_validation_samples() {
    assert_eq!(
        error(TINY, &["early_stopping.patience=2", "data.validation_fraction=0"]),
        "`early_stopping.monitor` is \"val_loss\", but no samples are set aside for validation: \
         set `data.validation_fraction` above 0, or monitor one of loss, mse, rmse, mae, r2\n  \
         --> --set data.validation_fraction=0"
    );
    // Nobody asked for the default.
    let experiment = read(TINY, &["data.validation_fraction=0"]).unwrap();
    assert_eq!(experiment.checkpoints.monitor, "loss");
}

#[test]
fn a_mode_that_takes_the_worst_for_the_best_is_an_error() {
    assert!(error(TINY, &["checkpoints.mode=max"]).starts_with(
        "`checkpoints.mode` takes the worst epoch for the best, since lower `val_loss` is better"
    ));
    let maximum = read(TINY, &["early_stopping.mode=max", "early_stopping.monitor=val_r2"]);
    assert_eq!(maximum.unwrap().early_stopping.clone().unwrap().mode, Mode::Max);
}

#[test]
fn the_model_must_fit_the_data() {
    let error = error(TINY, &["model.name=cnn"]);
    assert!(error.starts_with("`model.name` is "), "{error}");
    assert!(error.ends_with("\n  --> --set model.name=cnn"), "{error}");
    let cifar10 = |channels| read(TINY, &["data.name=cifar10", "model.name=cnn", channels]);
    cifar10("model.channels=[8, 8, 8]").unwrap();
    // 32 -> 30 -> 15 -> 13 -> 6 -> 4 -> 2: too small for a fourth kernel of 3x3.
    let error = cifar10("model.channels=[8, 8, 8, 8]").unwrap_err().to_string();
    assert!(error.starts_with("`model.channels` is "), "{error}");
}

#[test]
fn an_edited_experiment_is_checked_again() {
    let experiment = read(TINY, &[]).unwrap();
    let longer = experiment.clone().with(|settings| settings.training.epochs = 9).unwrap();
    assert_eq!(longer.training.epochs, 9);
    let error = experiment.clone().with(|settings| settings.training.epochs = 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`training.epochs` is 0, but must be a whole number from 1 to 1000000000"
    );
    let error = experiment.with(|settings| settings.training.seed = u64::MAX).unwrap_err();
    assert!(error.to_string().starts_with("`training.seed` is 18446744073709551615, but must be"));
}

#[test]
fn a_name_must_be_fit_for_a_directory() {
    for name in ["a/b", "..", " ", "tab\\tthere", "C:"] {
        let text = format!("name = \"{name}\"\n{TINY}");
        assert!(error(&text, &[]).starts_with("`name` is \""), "{name}");
    }
}
