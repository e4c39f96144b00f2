//! Nothing that a file or a `--set` can say makes this module panic, and what it writes it reads.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::optim::OptimizerSettings;
use crate::schedule::ScheduleSettings;

fn any_builtin() -> impl Strategy<Value = Builtin> {
    select(builtins().collect::<Vec<_>>())
}

/// `movielens` holds out nothing for validation, which `early_stopping.monitor` needs.
fn any_builtin_with_validation() -> impl Strategy<Value = Builtin> {
    select(builtins().filter(|builtin| builtin.name != "movielens").collect::<Vec<_>>())
}

/// Pieces that experiments are made of, some of them wrong.
fn any_piece() -> impl Strategy<Value = String> {
    let pieces = [
        "[optimizer]",
        "[data]",
        "[model]",
        "[early_stopping]",
        "[[training]]",
        "name",
        "\"adam\"",
        "\"mlp\"",
        "hidden",
        "learning_rate",
        "monitor",
        "epochs",
        "per",
        "parts",
        "[[schedule.parts]]",
        " = ",
        "=",
        "\n",
        ".",
        "[",
        "]",
        "{",
        "}",
        ",",
        "-1",
        "0",
        "1e400",
        "nan",
        "-inf",
        "99999999999999999999",
        "true",
        "1979-05-27",
        "\"",
        "\"\"\"",
        "'",
        "#",
        "\\u0000",
        "é",
        "\t",
        "\r\n",
        "\u{feff}",
    ];
    prop_oneof![select(pieces.map(str::to_owned).to_vec()), ".{0,4}"]
}

/// The schedules whose defaults are valid; the others have lists to be filled.
fn schedules_without_lists() -> Vec<&'static str> {
    let all = ScheduleSettings::all();
    all.iter().filter(|one| one.check().is_ok()).map(ScheduleSettings::name).collect()
}

/// The optimizers that go with every change below; `rprop` and `lbfgs` have no weight decay.
fn optimizers_with_all_keys() -> Vec<&'static str> {
    let fits = |name: &&str| {
        let changes = [
            format!("optimizer.name={name}"),
            "optimizer.weight_decay=0".to_owned(),
            "clipping.global_norm=1".to_owned(),
        ];
        Experiment::load("linear", &changes).is_ok()
    };
    OptimizerSettings::NAMES.iter().copied().filter(fits).collect()
}

/// Changes that fit any experiment.
fn any_valid_change() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..1000usize).prop_map(|n| format!("training.epochs={n}")),
        (1..5000usize).prop_map(|n| format!("training.batch_size={n}")),
        (0..=i64::MAX).prop_map(|n| format!("training.seed={n}")),
        any::<bool>().prop_map(|flag| format!("training.shuffle={flag}")),
        (1e-12..10.0f64).prop_map(|rate| format!("optimizer.learning_rate={rate:e}")),
        (0.0..1.0f64).prop_map(|decay| format!("optimizer.weight_decay={decay}")),
        select(optimizers_with_all_keys()).prop_map(|name| format!("optimizer.name={name}")),
        (select(schedules_without_lists()), 0..1000usize)
            .prop_map(|(name, w)| format!("schedule={{name=\"{name}\",warmup={w}}}")),
        (1e-6..1e6f64).prop_map(|norm| format!("clipping.global_norm={norm}")),
        (0..100usize).prop_map(|n| format!("early_stopping.patience={n}")),
        any::<f32>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| format!("early_stopping.baseline={value:e}")),
        (0.01..0.9f64).prop_map(|fraction| format!("data.validation_fraction={fraction}")),
        (1..100usize).prop_map(|n| format!("checkpoints.keep_last={n}")),
        "[a-zA-Z0-9_-]{1,40}".prop_map(|name| format!("name=\"{name}\"")),
        "[^\\pC\"\\\\]{0,60}".prop_map(|purpose| format!("purpose=\"{purpose}\"")),
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".*", change in ".*") {
        if let Err(error) = Experiment::from_toml(&text, &change, &[]) {
            let _ = error.to_string();
        }
        if let Err(error) = Experiment::load("mnist", &[change]) {
            let _ = error.to_string();
        }
    }

    #[test]
    fn any_heap_of_pieces_is_read_or_refused(pieces in prop::collection::vec(any_piece(), 0..40)) {
        if let Err(error) = Experiment::from_toml(&pieces.concat(), "pieces.toml", &[]) {
            let _ = error.to_string();
        }
    }

    #[test]
    fn any_mutation_of_a_valid_file_is_read_or_refused(
        builtin in any_builtin(),
        edits in prop::collection::vec((any::<Index>(), 0..8usize, any_piece()), 1..4),
    ) {
        let mut text: Vec<char> = builtin.text.chars().collect();
        for (at, removed, piece) in edits {
            let at = at.index(text.len() + 1);
            text.splice(at..(at + removed).min(text.len()), piece.chars());
        }
        let text: String = text.into_iter().collect();
        match Experiment::from_toml(&text, "mutated.toml", &[]) {
            Ok(experiment) => prop_assert!(experiment.to_toml().is_ok()),
            Err(error) => prop_assert!(error.to_string().contains("mutated.toml")),
        }
    }

    #[test]
    fn any_change_of_a_known_key_is_read_or_refused(
        builtin in any_builtin(),
        key in select(vec![
            "data.name", "data.validation_fraction", "model.name", "model.hidden", "training.epochs",
            "optimizer.name", "optimizer.betas", "schedule.per", "schedule.name", "schedule.parts", "model", "name",
            "early_stopping.monitor", "clipping.value", "checkpoints.mode", "records.norms_every",
        ]),
        value in prop_oneof![any_piece(), ".*", any::<f64>().prop_map(|value| value.to_string())],
    ) {
        let change = format!("{key}={value}");
        match Experiment::load(builtin.name, std::slice::from_ref(&change)) {
            Ok(experiment) => prop_assert!(experiment.to_toml().is_ok()),
            Err(error) => prop_assert!(error.to_string().contains("--set"), "{error}"),
        }
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_experiment(
        builtin in any_builtin_with_validation(),
        changes in prop::collection::vec(any_valid_change(), 0..8),
    ) {
        let experiment = Experiment::load(builtin.name, &changes).unwrap();
        let written = experiment.to_toml().unwrap();
        let again = Experiment::from_toml(&written, "experiment.toml", &[]).unwrap();
        prop_assert_eq!(&again, &experiment);
        prop_assert_eq!(again.to_toml().unwrap(), written);
    }
}

#[test]
fn every_optimizer_is_written_and_read_back() {
    assert!(optimizers_with_all_keys().len() + 2 >= OptimizerSettings::NAMES.len());
    for name in OptimizerSettings::NAMES {
        let change = format!("optimizer.name={name}");
        let experiment = Experiment::load("linear", &[change]).unwrap();
        let written = experiment.to_toml().unwrap();
        assert_eq!(Experiment::from_toml(&written, "experiment.toml", &[]).unwrap(), experiment);
    }
}

#[test]
fn a_deeply_nested_text_does_not_overflow_the_stack() {
    let deep = 100_000;
    for text in [
        format!("a = {}", "[".repeat(deep)),
        format!("a = {}", "{a=".repeat(deep)),
        format!("[{}a]", "a.".repeat(deep)),
        format!("{}a = 1", "a.".repeat(deep)),
        format!("[training]\nepochs.{}a = 1", "a.".repeat(70)),
    ] {
        assert!(Experiment::from_toml(&text, "deep.toml", &[]).is_err());
    }
    let change = format!("training.epochs={}", "[".repeat(deep));
    assert!(Experiment::load("mnist", &[change]).is_err());
}
