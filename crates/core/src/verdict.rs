//! The verdict on a run of one's own: stored beside it, with what to change as `--set` text.

use converge_diagnosis::own_run;
pub use converge_diagnosis::own_run::{RunVerdict, VERDICT_FILE};
use converge_diagnosis::verdict::{Change, Label, Severity, Verdict};
use converge_record::{EpochRow, RecordError, RunDirectory};

use crate::experiment::Experiment;
use crate::optim::OptimizerSettings;
use crate::schedule::ScheduleSettings;
use crate::train::{StoredRun as _, TrainError};

/// Whether the verdict on `run`, of which `epochs` are the whole ones, is stored in its directory.
pub fn is_judged(run: &RunDirectory, epochs: &[EpochRow]) -> Result<bool, TrainError> {
    let json = verdict(run, epochs)?
        .to_json()
        .map_err(|error| RecordError::write(&run.file(VERDICT_FILE), error.into()))?;
    Ok(std::fs::read(run.file(VERDICT_FILE)).is_ok_and(|stored| stored == json))
}

/// Judges `run`, of which `epochs` are the whole ones, and stores the verdict in its directory.
pub fn write_verdict(run: &RunDirectory, epochs: &[EpochRow]) -> Result<RunVerdict, TrainError> {
    let verdict = verdict(run, epochs)?;
    verdict.write(run)?;
    Ok(verdict)
}

fn verdict(run: &RunDirectory, epochs: &[EpochRow]) -> Result<RunVerdict, TrainError> {
    let verdict = own_run::verdict(run, epochs)?;
    let changes = changes(&verdict, &run.experiment()?, epochs.len());
    Ok(RunVerdict { changes, verdict })
}

/// What to change after a run of `experiment` over so many epochs with this verdict, the most useful
/// first.
pub fn changes(verdict: &Verdict, experiment: &Experiment, epochs: usize) -> Vec<Change> {
    let warned = |name: &str| {
        let mut findings = verdict.findings.iter();
        findings.any(|one| one.name == name && one.severity >= Severity::Warning)
    };
    let rate = experiment.optimizer.learning_rate();
    let at = |factor: f64, reason: &str| {
        change(format!("--set optimizer.learning_rate={}", rounded(rate * factor)), reason)
    };
    let adam = || {
        let options = "--set optimizer.name=adam --set optimizer.learning_rate=0.001".to_owned();
        change(options, "Adam scales its steps by the gradients, so that it forgives a wrong rate")
    };
    let clip = || change("--set clipping.global_norm=1".into(), "bounds the step that broke it");
    let decay = || {
        let options = "--set schedule.name=cosine".to_owned();
        change(options, "a rate that falls lets the loss settle")
    };
    let decays = !matches!(experiment.schedule, ScheduleSettings::Constant(_));
    let is_adam = matches!(experiment.optimizer, OptimizerSettings::Adam(_));
    let dead = warned("dead_units");
    let mut of_steps = vec![];
    if verdict.verdict == Label::NotLearning {
        if dead || warned("vanishing_gradients") {
            of_steps = better_start(experiment);
        }
        if dead {
            let calmer =
                if is_adam { at(0.1, "steps that are too long kill units") } else { adam() };
            of_steps.insert(usize::from(starts_badly(experiment)).min(of_steps.len()), calmer);
        } else if warned("updates_too_large") {
            of_steps.push(at(0.1, "each step makes the weights anew"));
        } else if warned("updates_too_small") {
            of_steps.push(at(100.0, "the weights stay where they began"));
        }
    }
    if !of_steps.is_empty() {
        return of_steps;
    }
    match verdict.verdict {
        Label::Diverged => vec![at(0.1, "the steps were too long"), clip()],
        Label::NotLearning if is_adam => vec![
            at(0.1, "too high a rate leaves the loss where it began"),
            at(10.0, "and so does one that is too low"),
        ],
        Label::NotLearning => {
            vec![adam(), at(0.1, "too high a rate leaves the loss where it began")]
        }
        Label::Unstable if decays => vec![at(0.3, "shorter steps swing less"), clip()],
        Label::Unstable => vec![decay(), at(0.3, "shorter steps swing less")],
        Label::Overfitting => {
            let mut all = vec![];
            let validates = experiment.data.validation_fraction() > 0.0;
            if experiment.early_stopping.is_none() && validates {
                all.push(change(
                    "--set early_stopping.patience=5".into(),
                    "stops where validation is best, and `evaluate` takes that epoch",
                ));
            }
            if has_key(experiment, "dropout") {
                all.push(change("--set model.dropout=0.5".into(), "holds the model back"));
            }
            all.push(change(
                "--set regularization.l2=0.0001".into(),
                "keeps weights small, which holds the model back too",
            ));
            all
        }
        Label::Improving => {
            vec![change(format!("--epochs {}", 2 * epochs), "more epochs would win more")]
        }
        Label::Converged => vec![],
        Label::Undecidable => {
            vec![change(format!("--epochs {}", (2 * epochs).max(10)), "a longer curve decides it")]
        }
    }
}

/// What brings gradients through a network whose units are dead or whose first layers stand still.
fn better_start(experiment: &Experiment) -> Vec<Change> {
    let mut all = vec![];
    if starts_badly(experiment) {
        // Recurrent networks, whose units are not ReLU, know no other.
        let recurrent = has_key(experiment, "embedding");
        let start = if recurrent { "glorot_uniform" } else { "he_normal" };
        let activation =
            if has_key(experiment, "activation") { "--set model.activation=relu " } else { "" };
        all.push(change(
            format!("{activation}--set model.initialization={start}"),
            "gradients keep their size from layer to layer",
        ));
    }
    if has_key(experiment, "batch_norm") {
        let options = "--set model.batch_norm=true".to_owned();
        all.push(change(options, "holds the size of every layer's outputs"));
    }
    all
}

/// Whether weights start near zero, or behind sigmoids or tanh: gradients fade with every layer.
fn starts_badly(experiment: &Experiment) -> bool {
    let model = serde_json::to_value(&experiment.model).unwrap_or_default();
    let is = |key: &str, values: &[&str]| {
        model.get(key).and_then(|value| value.as_str()).is_some_and(|value| values.contains(&value))
    };
    is("initialization", &["zeros", "tiny"]) || is("activation", &["sigmoid", "tanh"])
}

fn has_key(experiment: &Experiment, name: &str) -> bool {
    experiment.model.keys().iter().any(|key| key.name == name)
}

fn change(options: String, reason: &str) -> Change {
    Change { resumes: options.starts_with("--epochs"), options, reason: reason.to_owned() }
}

/// A rate with two significant digits.
fn rounded(rate: f64) -> String {
    let digits: f64 = format!("{rate:.1e}").parse().unwrap_or(rate);
    if (1e-4..1e4).contains(&digits) { digits.to_string() } else { format!("{digits:e}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use converge_diagnosis::History;
    use converge_diagnosis::verdict::{Finding, Options, judge};

    use super::*;

    /// A verdict with this label and this warning.
    fn verdict(label: Label, warning: &str) -> Verdict {
        let mut verdict = judge(&History::default(), &Options::default());
        verdict.verdict = label;
        verdict.findings.push(Finding {
            name: warning.to_owned(),
            severity: Severity::Warning,
            message: String::new(),
            evidence: vec![],
            change: None,
        });
        verdict
    }

    const OF_STEPS: [&str; 5] =
        ["dead_units", "vanishing_gradients", "updates_too_large", "updates_too_small", ""];

    /// Every option that is advised can be typed.
    #[test]
    fn what_is_advised_is_accepted_by_every_experiment() {
        for builtin in crate::experiment::builtins() {
            let experiment = Experiment::load(builtin.name, &[]).unwrap();
            let verdicts =
                Label::ALL.into_iter().flat_map(|label| OF_STEPS.map(|name| (label, name)));
            for (label, warning) in verdicts {
                let advised = changes(&verdict(label, warning), &experiment, 7);
                assert_eq!(advised.is_empty(), label == Label::Converged, "{label} {warning}");
                for change in advised {
                    let words: Vec<&str> = change.options.split_whitespace().collect();
                    let sets: Vec<String> = words
                        .windows(2)
                        .filter(|pair| pair[0] == "--set")
                        .map(|pair| pair[1].to_owned())
                        .collect();
                    let loaded = Experiment::load(builtin.name, &sets);
                    assert!(
                        loaded.is_ok(),
                        "{}: {change:?}: {}",
                        builtin.name,
                        loaded.unwrap_err()
                    );
                }
            }
        }
    }

    #[test]
    fn layers_that_stand_still_get_another_start_before_another_rate() {
        let experiment =
            Experiment::load("mnist", &["model.activation=sigmoid".to_owned()]).unwrap();
        let options = |warning| -> Vec<String> {
            let changes = changes(&verdict(Label::NotLearning, warning), &experiment, 7);
            changes.into_iter().map(|change| change.options).collect()
        };
        let start = [
            "--set model.activation=relu --set model.initialization=he_normal",
            "--set model.batch_norm=true",
        ];
        assert_eq!(options("vanishing_gradients"), start);
        assert_eq!(options("dead_units")[1], "--set optimizer.learning_rate=0.0001");
        assert_eq!(options("updates_too_small"), ["--set optimizer.learning_rate=0.1"]);
    }

    #[test]
    fn rates_have_two_digits() {
        let shown = [0.001, 0.000_3, 1e-6, 3.333_3e19, 0.05].map(rounded);
        assert_eq!(shown, ["0.001", "0.0003", "1e-6", "3.3e19", "0.05"]);
    }
}
