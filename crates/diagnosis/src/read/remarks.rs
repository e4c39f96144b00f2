//! What a person should know of how a log was read, as sentences.

use super::axis::Axis;
use super::choose::Picks;
use crate::history::{History, Log, Series};

/// Says which columns were taken as what, by the last run of a table.
pub(super) fn on_columns(
    picks: &Picks,
    axis: &Axis,
    run: Option<&History>,
    notes: &mut Vec<String>,
) {
    let Some(run) = run else { return };
    let named = |series: Option<&Series>, role: &str| {
        series.map(|series| format!("`{}` as {role}", series.name))
    };
    let roles = [
        named(run.train_loss.as_ref(), "training loss"),
        named(run.validation_loss.as_ref(), "validation loss"),
        named(run.metric.as_ref().map(|metric| &metric.series), "metric"),
        named(run.learning_rate.as_ref(), "learning rate"),
        run.x.as_ref().map(|x| format!("`{x}` as x axis")),
    ];
    let mut taken: Vec<String> = roles.into_iter().flatten().collect();
    if run.x.is_none() {
        taken.push("the number of the row as x axis".to_owned());
    }
    let sentence = format!("Read {}.", taken.join(", "));
    if !notes.contains(&sentence) {
        notes.push(sentence);
    }
    for note in &picks.notes {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    if axis.interleaved {
        notes
            .push("Rows of several runs alternate; they were told apart by their counters.".into());
    }
}

/// Leaves out starts that broke off at once, where another run is much longer.
pub(super) fn without_stubs(
    runs: Vec<History>,
    axis: &Axis,
    notes: &mut Vec<String>,
) -> Vec<History> {
    let longest = runs.iter().map(points).max().unwrap_or(0);
    let stub = |run: &History| {
        axis.interleaved && points(run) * 20 < longest || points(run) <= 2 && longest >= 10
    };
    let (stubs, kept): (Vec<History>, Vec<History>) = runs.into_iter().partition(stub);
    match stubs.len() {
        0 => {}
        1 => notes.push("A start that broke off after a few points was left out.".to_owned()),
        many => {
            notes.push(format!("{many} starts that broke off after a few points were left out."));
        }
    }
    kept
}

/// The number of points of a run.
fn points(run: &History) -> usize {
    let series = [run.train_loss.as_ref(), run.validation_loss.as_ref()];
    let metric = run.metric.as_ref().map(|metric| &metric.series);
    series.into_iter().chain([metric]).flatten().map(|series| series.y.len()).max().unwrap_or(0)
}

/// Says what is odd of the runs read.
pub(super) fn on_the_whole(log: &mut Log) {
    let count = log.runs.len();
    if count == 0 {
        log.notes.push("Nothing in it is called a loss or a metric and has numbers: there is no curve to judge.".to_owned());
        return;
    }
    if count > 1 {
        log.notes
            .push(format!("It holds {count} runs; the last is judged unless another is named."));
    }
    let Some(run) = log.runs.last() else { return };
    let mut odd = vec![];
    let judged = [run.train_loss.as_ref(), run.validation_loss.as_ref()];
    for series in judged.into_iter().flatten() {
        let zeros = series.y.iter().rev().take_while(|y| **y == 0.0).count();
        if zeros > 0 && zeros < series.y.len() {
            odd.push(format!(
                "The last {} of `{}` {} exactly zero, as where data ran out.",
                if zeros == 1 { "value".to_owned() } else { format!("{zeros} values") },
                series.name,
                if zeros == 1 { "is" } else { "are" }
            ));
        }
        let broken = series.y.iter().filter(|y| !y.is_finite()).count();
        if broken > 0 {
            odd.push(format!(
                "{broken} of {} values of `{}` {} not finite.",
                series.y.len(),
                series.name,
                if broken == 1 { "is" } else { "are" }
            ));
        }
    }
    let metrics = [run.metric.as_ref(), run.train_metric.as_ref()];
    let side = metrics.into_iter().flatten().map(|metric| &metric.series).chain(&run.others);
    let broken: Vec<String> = side
        .filter(|series| series.y.iter().any(|y| !y.is_finite()))
        .map(|series| format!("`{}`", series.name))
        .collect();
    if !broken.is_empty() {
        let some = broken.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        odd.push(format!("Not finite in places, beside what is judged: {some}."));
    }
    if points(run) < 3 {
        odd.push(format!(
            "It has only {}.",
            if points(run) == 1 {
                "one point".to_owned()
            } else {
                format!("{} points", points(run))
            }
        ));
    }
    log.notes.extend(odd);
}
