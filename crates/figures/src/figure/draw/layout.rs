//! Sizes of text, lines of text, and which numbers an axis spans.

use super::ticks::{TickedAxis, padded};
use crate::figure::plot::{Axis, Scale};
use crate::text::{LABEL_SIZE, SMALL_SIZE, text_width};

/// Sizes of letters, smaller in figures of many columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Of names of axes, panels and series.
    pub label: f64,
    /// Of ticks and notes.
    pub small: f64,
}

impl Sizes {
    pub(super) fn of(columns: usize) -> Self {
        if columns < 3 {
            Self { label: LABEL_SIZE, small: SMALL_SIZE }
        } else {
            Self { label: SMALL_SIZE, small: SMALL_SIZE - 2.0 }
        }
    }

    /// The height of a line of labels.
    pub(super) fn line(&self) -> f64 {
        1.35 * self.label
    }
}

/// `text` in lines of `width` pixels, broken between words; no more than `most`, of which the last
/// holds all the rest.
pub(super) fn wrap(text: &str, size: f64, width: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in text.split_whitespace() {
        let breaks = lines.len() < most;
        match lines.last_mut() {
            Some(line) if !breaks || text_width(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The least and the greatest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub low: f64,
    pub high: f64,
}

impl Span {
    pub(super) const EMPTY: Self = Self { low: f64::INFINITY, high: f64::NEG_INFINITY };

    /// The same with `value`, which is finite.
    pub(super) fn with(self, value: f64) -> Self {
        Self { low: self.low.min(value), high: self.high.max(value) }
    }

    pub(super) fn ends(self) -> Option<(f64, f64)> {
        (self.low <= self.high).then_some((self.low, self.high))
    }
}

/// The largest magnitude that is drawn: sums and differences must not overflow.
const LARGEST: f64 = 1e100;

/// Whether `value` has a place on an axis of `scale`.
pub(super) fn is_drawable(value: f64, scale: &Scale) -> bool {
    let positive = !matches!(scale, Scale::Log) || value > 0.0;
    value.is_finite() && value.abs() <= LARGEST && positive
}

/// The axis that `axis` asks for, where `drawn` are its values, with at most `most` ticks. `air` is
/// left free at both ends; `exact` ends are kept as they are.
pub(super) fn axis(axis: &Axis, drawn: Span, exact: bool, air: f64, most: usize) -> TickedAxis {
    let ascending = ascending(axis, drawn, exact, air, most);
    let (low, high) = ascending.ends();
    match axis.range {
        Some((first, last)) if first > last => ascending.between((high, low)),
        _ => ascending,
    }
}

/// The ends that `axis` gives, ascending, where they can be ends.
pub(super) fn given(axis: &Axis) -> Option<(f64, f64)> {
    let (first, last) = axis.range?;
    let drawable = |end| is_drawable(end, &Scale::Linear);
    let (low, high) = (first.min(last), first.max(last));
    // One epoch alone has a place on its axis, which reaches beyond it.
    let spans = low < high || (low <= high && axis.scale == Scale::Counts);
    (drawable(first) && drawable(last) && spans).then_some((low, high))
}

fn ascending(axis: &Axis, drawn: Span, exact: bool, air: f64, most: usize) -> TickedAxis {
    let given = given(axis);
    match &axis.scale {
        Scale::Categories(names) => {
            let whole = TickedAxis::named(names);
            match given {
                Some(ends) => whole.between(ends),
                None => whole,
            }
        }
        Scale::Linear => {
            let (low, high) = drawn.ends().unwrap_or((0.0, 1.0));
            let around = if exact && low < high { (low, high) } else { padded(low, high, air) };
            TickedAxis::linear(given.unwrap_or(around), most)
        }
        Scale::Counts => TickedAxis::counts(given.or(drawn.ends()).unwrap_or((0.0, 1.0)), most),
        Scale::Log => {
            let (low, high) = drawn.ends().unwrap_or((1.0, 10.0));
            let (least, most_) = padded(low.log10(), high.log10(), air);
            let around = if exact && low < high {
                (low, high)
            } else {
                (10_f64.powf(least).max(f64::MIN_POSITIVE), 10_f64.powf(most_))
            };
            let ends = match given {
                Some((low, high)) if low > 0.0 => (low, high),
                // What is not positive has no place: the values decide that end.
                Some((_, high)) if high > around.0 => (around.0, high),
                _ => around,
            };
            TickedAxis::log(ends, most)
        }
    }
}

/// The axis with the most ticks, up to one every 40 pixels, whose labels stay apart along `length`
/// pixels; `make` makes it with about so many.
pub(super) fn roomy(length: f64, size: f64, make: impl Fn(usize) -> TickedAxis) -> TickedAxis {
    let most = (length / 40.0).clamp(2.0, 14.0) as usize;
    let fits = |axis: &TickedAxis| {
        let ends: Vec<(f64, f64)> = axis
            .places()
            .map(|(place, label)| {
                let half = text_width(label, size) / 2.0;
                (place * length - half, place * length + half)
            })
            .collect();
        let apart =
            |pair: &[(f64, f64)]| (pair[1].0 - pair[0].1).max(pair[0].0 - pair[1].1) >= 12.0;
        ends.windows(2).all(apart)
    };
    let mut axis = make(most);
    for most in (1..most).rev() {
        if fits(&axis) {
            break;
        }
        axis = make(most);
    }
    axis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_broken_between_words() {
        let lines = wrap("one two three four five six", 10.0, 60.0, 3);
        assert!(lines.len() == 3 && lines[..2].iter().all(|line| text_width(line, 10.0) <= 60.0));
        assert_eq!(lines.join(" "), "one two three four five six");
        assert!(wrap("  ", 10.0, 60.0, 2).is_empty());
    }

    #[test]
    fn given_ends_are_kept_and_impossible_ones_follow_the_values() {
        let drawn = Span { low: 0.01, high: 10.0 };
        let ends = |asked: Axis| axis(&asked, drawn, false, 0.0, 5).ends();
        assert_eq!(ends(Axis::linear("").between(-1.0, 2.0)), (-1.0, 2.0));
        assert_eq!(ends(Axis::linear("").between(2.0, -1.0)), (2.0, -1.0));
        assert_eq!(ends(Axis::linear("").between(f64::NAN, 2.0)), (0.01, 10.0));
        assert_eq!(ends(Axis::log("").between(0.0, 100.0)), (-2.0, 2.0));
        assert_eq!(ends(Axis::log("").between(-3.0, -1.0)), (-2.0, 1.0));
        assert_eq!(ends(Axis::counts("").between(1.0, 1.0)), (0.75, 1.25));
    }
}
