//! What `converge train` says at the end.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use super::printer::{Printer, for_people, message};
use super::signals::Stopped;
use super::train::draw;
use converge_core::train::{Outcome, StoredRun as _};
use converge_core::verdict::{RunVerdict, write_verdict};
use converge_diagnosis::command::{change, quoted};
use converge_diagnosis::verdict::Severity;
use converge_figures::{Look, numbers, table};
use converge_record::{EpochRow, RunRecord, Status, StopReason};

/// What `train --json` prints.
#[derive(Serialize)]
struct TrainResult<'a> {
    run: String,
    #[serde(flatten)]
    record: &'a RunRecord,
    epochs: &'a [EpochRow],
    verdict: &'a RunVerdict,
}

/// Draws the curves and prints the result.
pub(super) fn finish(outcome: &Outcome, printer: &mut Printer) -> Result<()> {
    draw(outcome)?;
    let run = outcome.run.path().display().to_string();
    let quoted = quoted(outcome.run.path());
    let look = Look::detect();
    let verdict = write_verdict(&outcome.run, &outcome.history)
        .context("the run is saved, but its verdict is not")?;
    let result = TrainResult {
        run,
        record: &outcome.run.record,
        epochs: &outcome.history,
        verdict: &verdict,
    };
    let shown = printer.result(&result, || summary(outcome, look) + "\n\n" + &told(&verdict));
    if outcome.run.record.status != Status::Interrupted {
        // A terminal that closes takes away where to print to: that is no error of its own.
        shown?;
    }
    match outcome.run.record.status {
        Status::Interrupted => {
            message(&format!("go on with: converge train --resume {quoted}"));
            return Err(Stopped.into());
        }
        Status::Diverged => {
            let kept = match &outcome.run.record.best {
                Some(best) => format!("; the best checkpoint, of epoch {}, is kept", best.epoch),
                None => String::new(),
            };
            bail!(
                "the training diverged: {}{kept}. Try a lower learning rate, such as `--set \
                 optimizer.learning_rate={:?}`, or `--set clipping.global_norm=1`",
                outcome.stop.message,
                outcome.run.experiment()?.optimizer.learning_rate() / 10.0
            );
        }
        _ => {}
    }
    for one in &verdict.changes {
        message(&format!("try: {}", change(outcome.run.path(), one)));
    }
    message(&format!("why: converge diagnose {quoted}"));
    message(&format!("score it on the test split: converge evaluate {quoted}"));
    Ok(())
}

/// The verdict in a few lines.
fn told(RunVerdict { verdict, .. }: &RunVerdict) -> String {
    let sure = format!("{:.0} %", 100.0 * verdict.confidence);
    let mut text = for_people(&format!("verdict: {} [{sure} sure]", verdict.summary));
    for finding in verdict.findings.iter().filter(|finding| finding.severity >= Severity::Warning) {
        text += &format!("\n{}", for_people(&finding.message));
    }
    text
}

fn summary(outcome: &Outcome, look: Look) -> String {
    let record = &outcome.run.record;
    let best_epoch = record.best.as_ref().map(|best| best.epoch);
    let best = best_epoch.and_then(|epoch| outcome.history.get(epoch - 1));
    let mut text = String::new();
    if let Some(last) = outcome.history.last() {
        let mut header = vec!["metric".to_owned(), format!("last (epoch {})", last.epoch)];
        header.extend(best_epoch.map(|epoch| format!("best (epoch {epoch})")));
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> = last
            .metrics
            .iter()
            .map(|(name, value)| {
                let at_best = best.and_then(|row| row.metric(name));
                let values = std::iter::once(value.0).chain(at_best);
                let shown = values.map(|value| numbers::significant(value, 4));
                std::iter::once(name.clone()).chain(shown).collect()
            })
            .collect();
        text += &table(look, &header, &rows);
        text += "\n";
    }
    text += &format!(
        "{}: {}. {} in {}.",
        match record.status {
            Status::Completed if outcome.stop.reason != StopReason::MaxEpochs => "stopped early",
            Status::Completed => "completed",
            Status::Interrupted => "interrupted",
            Status::Diverged => "diverged",
            Status::Running | Status::Failed => "failed",
        },
        outcome.stop.message,
        plural(record.steps_done, "step"),
        numbers::duration(Duration::try_from_secs_f64(record.seconds).unwrap_or_default())
    );
    if record.data.is_synthetic() {
        text += "\nThe data are synthetic.";
    }
    text
}

pub(super) fn plural(count: usize, unit: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {unit}{ending}", numbers::count(count as u64))
}
