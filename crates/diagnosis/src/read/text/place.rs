//! Where a line stands in its log: which epoch, batch or bar its numbers belong to, and which data.

use super::super::names::{Role, meaning};
use super::super::table::Level;
use super::super::words::{Split, split_of};
use super::line::Pair;

/// How the values of a line came about.
pub(super) fn level(
    line: &str,
    found: &[Pair<'_>],
    roles: &[Role],
    bar: bool,
    progress: Option<(f64, f64)>,
) -> Level {
    if let Some((done, total)) = progress {
        return if done >= total { Level::Outer } else { Level::Bar };
    }
    let fraction = found.iter().find(|pair| pair.label.is_empty() && pair.total.is_some());
    if bar {
        let complete =
            fraction.is_some_and(|pair| pair.total.is_some_and(|total| pair.value >= total));
        return if complete { Level::Outer } else { Level::Bar };
    }
    let epoch = roles.contains(&Role::Epoch);
    let step = roles.iter().any(|role| matches!(role, Role::Step | Role::Batch));
    let unnamed = found.iter().enumerate().skip(1).any(|(place, pair)| {
        pair.label.is_empty() && unnamed_counter(line, pair, place, 1).is_some()
    });
    if (epoch && step) || unnamed { Level::Inner } else { Level::Outer }
}

/// `313/313 [====] - 3s` at the beginning of a line: a bar of Keras.
pub(super) fn progress(line: &str, found: &[Pair<'_>]) -> Option<(f64, f64)> {
    let first = found.first()?;
    let starts = first.label.is_empty() && first.gap.trim().is_empty();
    let rest =
        line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit() || c == '/').trim_start();
    let bar = rest.starts_with(['[', '-', '\u{2501}', '\u{1b}']) || rest.is_empty();
    (starts && bar && line.contains('/')).then_some((first.value, first.total?))
}

/// The name of a counter that has none, and what it counts: `[1, 2000] loss: 2.2`,
/// `Epoch: [398][0]`, `3000:`, `Train Epoch: 1 [0/60000 (0%)]`.
pub(super) fn unnamed_counter(
    line: &str,
    pair: &Pair<'_>,
    place: usize,
    counted: usize,
) -> Option<(&'static str, &'static str)> {
    let gap = pair.gap.trim();
    let whole = pair.value >= 0.0 && pair.value.fract() == 0.0;
    if !whole {
        return None;
    }
    if place == 0 {
        let start = line.trim_start();
        let after = start.trim_start_matches('[').trim_start_matches(|c: char| c.is_ascii_digit());
        let bracket = gap == "[" && after.starts_with([']', ',']);
        let colon = gap.is_empty() && pair.total.is_none() && after.starts_with(':');
        let of = gap == "["
            && pair.total.is_some()
            && start.get(1..).is_some_and(|rest| {
                rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '/').starts_with(']')
            });
        let pair_of_two = bracket && after.starts_with(',');
        return if pair_of_two {
            Some(("(epoch)", "epoch"))
        } else {
            (bracket || colon || of).then_some(("(iteration)", "iteration"))
        };
    }
    let inner = matches!(gap, "][" | "] [" | "[" | "(" | "|")
        && (pair.total.is_some() || gap.starts_with(']'))
        || gap == "," && counted == 1 && place == 1 && line.trim_start().starts_with('[')
        || gap.ends_with('|') && pair.total.is_some();
    (inner && counted > 0).then_some(("(batch)", "batch"))
}

/// The data that a text before a value speaks of: `Test set:`, `[valid]`, `Val Epoch`.
pub(super) fn split_in_text(gap: &str) -> Option<Split> {
    let words = gap.split(|c: char| c.is_whitespace() || "()[]{}:|,'\"=-<>*#".contains(c));
    words.filter(|word| word.len() > 2).filter_map(split_in_words).next_back()
}

pub(super) fn split_in_words(word: &str) -> Option<Split> {
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    // Short forms are found in too many texts.
    (word.len() > 2 && !matches!(word.as_str(), "learn" | "fit" | "trn"))
        .then(|| split_of(&word))?
}

/// The name of a number that only its split names, as in `loss: train 0.5, val 0.6`: the quantity
/// stands before the split, or is that of the number before.
pub(super) fn quantity(pair: &Pair<'_>, before: Option<&Pair<'_>>) -> Option<String> {
    let said = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        words
            .rfind(|word| matches!(meaning(word).role, Role::Loss { .. } | Role::Metric { .. }))
            .map(str::to_owned)
    };
    let quantity = said(pair.gap).or_else(|| said(before?.gap))?;
    Some(format!("{quantity} {}", pair.label))
}
