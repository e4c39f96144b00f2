//! The name of a training, how it stands, and what is not there.

use std::time::Duration;

use converge_diagnosis::command::quoted;
use converge_figures::numbers;
use converge_record::{Origin, RunRecord};

use crate::page::{Page, escape, marked, sentences, synthetic_banner};
use crate::training::{State, Training};

/// The name, how it stands, and what is missing.
pub(super) fn section(page: &mut Page, training: &Training) {
    if let Some(record) = training.record.as_ref().filter(|record| record.data.is_synthetic()) {
        page.add(&synthetic_banner(&synthetic(record)));
    }
    page.add(&format!(
        "<h1>{}</h1>\n<p>{}</p>\n",
        escape(&training.name),
        marked(&standing(training))
    ));
    let remarks = training.remarks.to_string();
    if !remarks.is_empty() {
        page.add(&format!("<p><strong>Note:</strong> {}</p>\n", escape(&remarks)));
    }
    if !training.missing.is_empty() {
        let missing = sentences(&training.missing);
        page.add(&format!(
            "<div class=\"missing\"><strong>What is not here</strong>{missing}</div>\n"
        ));
    }
    if !training.notes.is_empty() {
        page.add(&format!("<p>How the log was read:</p>\n{}", sentences(&training.notes)));
    }
}

/// Why the data are synthetic.
fn synthetic(record: &RunRecord) -> String {
    let title = record.data.title.trim_end_matches(" (synthetic)");
    match (record.data.origin, &record.data.stand_in_reason) {
        (Origin::SyntheticStandIn, Some(reason)) => {
            format!("in place of {title}: {reason}. Scores say nothing of the real data.")
        }
        (Origin::SyntheticStandIn, None) => {
            format!("in place of {title}. Scores say nothing of the real data.")
        }
        _ => format!("{title}, drawn by code as the experiment means it to be."),
    }
}

/// How a training stands, in sentences.
fn standing(training: &Training) -> String {
    let path = training.path.display();
    let Some(record) = &training.record else {
        return format!("`{path}`, {}.", training.format);
    };
    let done = format!(
        "{} {} and {} {}",
        numbers::count(record.epochs_done as u64),
        if record.epochs_done == 1 { "epoch" } else { "epochs" },
        numbers::count(record.steps_done.max(training.steps.len()) as u64),
        if record.steps_done == 1 { "step" } else { "steps" },
    );
    let reason = record.stop.as_ref().map(|stop| stop.message.clone());
    let reason = reason.or_else(|| record.error.clone());
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let resume = match training.trained_by() {
        Some(_) => String::new(),
        None => format!("; `converge train --resume {}` goes on with it", quoted(&training.path)),
    };
    let state = match training.state {
        State::Running => format!("Still running when this page was made, after {done}."),
        State::Killed => format!("The process that trained it was killed after {done}{resume}."),
        State::Completed => format!("Completed after {done}{reason}."),
        State::Interrupted => format!("Interrupted after {done}{reason}{resume}."),
        State::Diverged => format!("Diverged after {done}{reason}."),
        State::Failed => format!("Failed after {done}{reason}."),
        State::Log => String::new(),
    };
    let by = training.trained_by().map(|by| format!(", trained by {by},")).unwrap_or_default();
    let seed = record.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
    let time = Duration::try_from_secs_f64(record.seconds).unwrap_or_default();
    format!(
        "`{path}`. {state} Experiment `{}`{by} on {}{seed}, begun {}, {} of training.",
        record.experiment,
        record.data.label(),
        record.started,
        numbers::duration(time)
    )
}
