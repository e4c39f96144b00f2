//! An answer as text for a terminal: the verdict, the picture, the evidence, what to do.

use std::borrow::Cow;
use std::path::Path;

use super::plot::plot;
use super::{Answer, Diagnosis};
use crate::verdict::words::{number, percent};
use crate::verdict::{Change, Evidence, Finding, Severity, Verdict};

/// The most characters across that the picture has, and how many down.
const PICTURE: [usize; 2] = [72, 10];

/// The answer as text, in lines of at most so many `columns`.
pub fn text(diagnosis: &Diagnosis, columns: Option<usize>) -> String {
    let one = |answer| one(answer, columns);
    let mut text = diagnosis.answers().iter().map(one).collect::<Vec<_>>().join("\n\n");
    if let Diagnosis::Several(several) = diagnosis
        && let Some(spread) = &several.seeds
    {
        let seeds = format!(
            "seeds: over {} runs that differ by nothing else the best value is {} ± {} (standard \
             deviation); less than twice that is no difference",
            spread.runs,
            number(spread.mean),
            number(spread.deviation)
        );
        text += &format!("\n\n{}", wrapped(&seeds, columns));
    }
    text
}

/// `text` in lines of at most so many `columns`, those after the first indented; longer words stay
/// whole.
fn wrapped(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let indent = " ".repeat(text.len() - text.trim_start().len() + 2);
    let options = textwrap::Options::new(columns)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(text, options)
}

fn one(answer: &Answer, columns: Option<usize>) -> String {
    let verdict = &answer.verdict;
    let run = match &answer.run {
        Some(run) => format!(", `{run}`, the last of {} runs", answer.runs),
        None => String::new(),
    };
    let mut text = format!("{} ({}{run})\n", answer.path, answer.format);
    let sure = percent(verdict.confidence);
    text += &format!("{}\n", wrapped(&format!("{} [{sure} sure]", verdict.summary), columns));
    let picture = picture(answer, columns.map_or(PICTURE[0], |columns| columns.min(PICTURE[0])));
    if !picture.is_empty() {
        text += &format!("\n{}\n", picture.join("\n"));
    }
    let section = |text: &mut String, title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            *text += &format!("\n{title}\n");
        }
        for line in lines {
            *text += &format!("{}\n", wrapped(&format!("  {line}"), columns));
        }
    };
    section(&mut text, "evidence", verdict.evidence.iter().map(evidence).collect());
    let turns = verdict
        .runner_up
        .iter()
        .map(|next| format!("{} ({}): {}", next.verdict, percent(next.probability), next.turns));
    section(&mut text, "what could turn it", turns.collect());
    section(&mut text, "forecast", forecast(verdict).into_iter().collect());
    section(&mut text, "best", best(answer).into_iter().collect());
    section(&mut text, "noticed", verdict.findings.iter().map(finding).collect());
    section(&mut text, "what to do", verdict.advice.clone());
    let commands = answer.changes.iter().map(|one| change(Path::new(&answer.path), one));
    section(&mut text, "as commands", commands.collect());
    section(&mut text, "how it was read", answer.notes.clone());
    let skipped = verdict.skipped.iter();
    let skipped = skipped.map(|one| format!("{}: {}", one.check, one.reason));
    section(&mut text, "not checked", skipped.collect());
    text.trim_end().to_owned()
}

/// The command that makes a change to the run at `path`, and why, which a shell takes for a comment.
pub fn change(path: &Path, change: &Change) -> String {
    let what = if change.resumes {
        format!("--resume {}", quoted(path))
    } else {
        quoted(&path.join("experiment.toml"))
    };
    format!("converge train {what} {}  # {}", change.options, change.reason)
}

/// A path as a shell takes it.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    // Only a zero byte cannot be quoted, and no path has one.
    shlex::try_quote(&text).map(Cow::into_owned).unwrap_or(text.clone())
}

/// The judged curve.
fn picture(answer: &Answer, width: usize) -> Vec<String> {
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
    lines.extend(plot(&series.x, &series.y, [width, PICTURE[1]]));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_a_command_that_can_be_typed() {
        let run = Path::new("my runs/mnist-1");
        let told = |options: &str, resumes| {
            let options = options.to_owned();
            change(run, &Change { options, resumes, reason: "it helps".to_owned() })
        };
        assert_eq!(
            told("--set optimizer.learning_rate=0.1", false),
            "converge train 'my runs/mnist-1/experiment.toml' --set optimizer.learning_rate=0.1  # it \
             helps"
        );
        assert_eq!(
            told("--epochs 9", true),
            "converge train --resume 'my runs/mnist-1' --epochs 9  # it helps"
        );
    }

    #[test]
    fn a_path_is_quoted_where_a_shell_would_split_it() {
        for (path, expected) in [
            ("artifacts/mnist-20261122", "artifacts/mnist-20261122"),
            ("my runs/mnist", "'my runs/mnist'"),
            ("it's", "\"it's\""),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }

    #[test]
    fn lines_fit_a_terminal_and_what_goes_on_is_indented() {
        let text = "  best: 0.31 at epoch 12, three points before the end";
        let lines = wrapped(text, Some(30));
        assert_eq!(lines, "  best: 0.31 at epoch 12,\n    three points before the\n    end");
        assert_eq!(wrapped(text, None), text);
        assert_eq!(
            wrapped("a/long/path/that/stays/whole", Some(10)),
            "a/long/path/that/stays/whole"
        );
    }
}
