//! An answer as text for a terminal: the verdict, the picture, the evidence, what to do.

use super::plot::plot;
use super::{Answer, Diagnosis};
use crate::verdict::words::{number, percent};
use crate::verdict::{Evidence, Finding, Severity, Verdict};

/// Characters across and down that the picture has.
const PICTURE: [usize; 2] = [72, 10];

/// The answer as text.
pub fn text(diagnosis: &Diagnosis) -> String {
    let mut text = diagnosis.answers().iter().map(one).collect::<Vec<_>>().join("\n\n");
    if let Diagnosis::Several(several) = diagnosis
        && let Some(spread) = &several.seeds
    {
        text += &format!(
            "\n\nseeds: over {} runs that differ by nothing else the best value is {} ± {} (standard \
             deviation); less than twice that is no difference",
            spread.runs,
            number(spread.mean),
            number(spread.deviation)
        );
    }
    text
}

fn one(answer: &Answer) -> String {
    let verdict = &answer.verdict;
    let run = match &answer.run {
        Some(run) => format!(", `{run}`, the last of {} runs", answer.runs),
        None => String::new(),
    };
    let mut text = format!("{} ({}{run})\n", answer.path, answer.format);
    text += &format!("{} [{} sure]\n", verdict.summary, percent(verdict.confidence));
    let picture = picture(answer);
    if !picture.is_empty() {
        text += &format!("\n{}\n", picture.join("\n"));
    }
    section(&mut text, "evidence", verdict.evidence.iter().map(evidence));
    section(
        &mut text,
        "what could turn it",
        verdict.runner_up.iter().map(|next| {
            format!("{} ({}): {}", next.verdict, percent(next.probability), next.turns)
        }),
    );
    section(&mut text, "forecast", forecast(verdict));
    section(&mut text, "best", best(answer));
    section(&mut text, "noticed", verdict.findings.iter().map(finding));
    section(&mut text, "what to do", verdict.advice.iter().cloned());
    section(&mut text, "how it was read", answer.notes.iter().cloned());
    let skipped = verdict.skipped.iter();
    section(&mut text, "not checked", skipped.map(|one| format!("{}: {}", one.check, one.reason)));
    text.trim_end().to_owned()
}

fn section(text: &mut String, title: &str, lines: impl IntoIterator<Item = String>) {
    for (index, line) in lines.into_iter().enumerate() {
        if index == 0 {
            *text += &format!("\n{title}\n");
        }
        *text += &format!("  {line}\n");
    }
}

/// The judged curve.
fn picture(answer: &Answer) -> Vec<String> {
    let history = &answer.history;
    let Some(judged) = &answer.verdict.judged else { return vec![] };
    let metrics = [&history.metric, &history.train_metric].into_iter().flatten();
    let series = [&history.validation_loss, &history.train_loss]
        .into_iter()
        .flatten()
        .chain(metrics.map(|metric| &metric.series))
        .find(|series| series.name == judged.name);
    let Some(series) = series else { return vec![] };
    let mut lines = vec![format!("`{}`, the {}", series.name, judged.kind)];
    lines.extend(plot(&series.x, &series.y, PICTURE));
    if lines.len() > 1 { lines } else { vec![] }
}

fn evidence(evidence: &Evidence) -> String {
    let value = evidence.value.map_or_else(|| "not finite".to_owned(), number);
    let mut text = format!("{}: {value}", evidence.name);
    if let Some(threshold) = evidence.threshold {
        text += &format!(" (threshold {})", number(threshold));
    }
    if let Some([first, last]) = evidence.window {
        text += &format!(", from {} to {}", number(first), number(last));
    }
    text + &format!(", n = {}", evidence.n)
}

fn forecast(verdict: &Verdict) -> Option<String> {
    let forecast = verdict.forecast.as_ref()?;
    let [low, high] = forecast.interval.map(number);
    Some(format!(
        "{} more points: {} better ({} interval {low} to {high}), {} that it is worth it (more than {})",
        forecast.horizon,
        number(forecast.gain),
        percent(forecast.level),
        percent(forecast.probability),
        number(forecast.worthwhile)
    ))
}

fn best(answer: &Answer) -> Option<String> {
    let best = answer.verdict.best?;
    let checkpoint = match &answer.checkpoint {
        Some(option) => format!("; its weights are there ({option})"),
        None => String::new(),
    };
    Some(format!(
        "{} at {}, {} points before the end{checkpoint}",
        number(best.value),
        number(best.x),
        best.points_since
    ))
}

fn finding(finding: &Finding) -> String {
    let kind = match finding.severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let change = finding.change.as_ref().map(|change| format!(" {change}")).unwrap_or_default();
    format!("{kind}: {}{change}", finding.message)
}
