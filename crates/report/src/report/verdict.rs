//! The verdict, what it rests on, what was noticed, what to do.

use converge_diagnosis::command::change;
use converge_diagnosis::verdict::{Evidence, Finding, Severity, Verdict};
use converge_figures::numbers::significant;

use crate::page::{Page, commands, escape, marked, plain, sentences, share, table};
use crate::training::Training;

/// The verdict with its evidence, what was noticed, and what to do.
pub(super) fn section(page: &mut Page, training: &Training) {
    let verdict = &training.verdict;
    page.add(&format!(
        "<div class=\"verdict {}\"><strong>{}</strong> <span class=\"muted\">{} sure</span>\
         <p>{}</p></div>\n",
        verdict.verdict.name(),
        escape(&verdict.verdict.to_string()),
        share(verdict.confidence),
        marked(&verdict.summary)
    ));
    page.add("<div class=\"columns\">\n");
    let advice = sentences(&verdict.advice);
    let changes: Vec<String> =
        training.changes.iter().map(|one| change(&training.path, one)).collect();
    if !advice.is_empty() || !changes.is_empty() {
        let changes = if changes.is_empty() { String::new() } else { commands(&changes) };
        page.add(&format!("<div><h3>What to do</h3>\n{advice}{changes}</div>\n"));
    }
    if !verdict.findings.is_empty() {
        let findings: String = verdict.findings.iter().map(finding).collect();
        page.add(&format!("<div><h3>Noticed</h3>\n<ul>\n{findings}</ul></div>\n"));
    }
    page.add(&format!("<div><h3>Evidence</h3>\n{}</div>\n", evidence(&verdict.evidence)));
    page.add(&format!("<div><h3>What may come</h3>\n{}</div>\n</div>\n", outlook(verdict)));
}

fn finding(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let change = finding.change.as_deref().unwrap_or_default();
    format!(
        "<li class=\"{severity}\"><span class=\"severity\">{severity}:</span> {} {}</li>\n",
        marked(&finding.message),
        marked(change)
    )
}

fn evidence(all: &[Evidence]) -> String {
    let number = |value: Option<f64>| value.map(plain);
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            let window = one.window.map(|[first, last]| format!("{first}\u{a0}to\u{a0}{last}"));
            vec![
                marked(&one.name),
                number(one.value).unwrap_or_else(|| "not finite".to_owned()),
                number(one.threshold).unwrap_or_default(),
                window.unwrap_or_default(),
                one.n.to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "<p>There is no curve to take any from.</p>\n".to_owned();
    }
    table(&["what", "value", "threshold", "from", "n"], &rows)
}

/// What could turn the verdict, what more training would bring, and what was not checked.
fn outlook(verdict: &Verdict) -> String {
    let mut all = vec![];
    if let Some(next) = &verdict.runner_up {
        let probability = share(next.probability);
        all.push(format!(
            "`{}` ({probability}) would be the verdict: {}",
            next.verdict, next.turns
        ));
    }
    if let Some(forecast) = &verdict.forecast {
        let [low, high] = forecast.interval.map(|end| significant(end, 3));
        all.push(format!(
            "{} more points would win {} ({} interval {low} to {high}); the chance that it is worth it \
             (more than {}) is {}.",
            forecast.horizon,
            significant(forecast.gain, 3),
            share(forecast.level),
            significant(forecast.worthwhile, 3),
            share(forecast.probability)
        ));
    }
    if let Some(best) = verdict.best {
        all.push(format!(
            "The best is {} at {}, {} points before the end.",
            plain(best.value),
            best.x,
            best.points_since
        ));
    }
    let skipped = verdict.skipped.iter();
    all.extend(skipped.map(|one| format!("Not checked: {}. {}", one.check, one.reason)));
    sentences(all)
}
