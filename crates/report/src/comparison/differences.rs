//! Which differences are real: an interval for each, and plain words.

use converge_figures::numbers::significant;
use serde::Serialize;

use super::welch::welch;
use super::{Comparison, Group};

/// The probability that all intervals hold together.
const LEVEL: f64 = 0.95;

/// What a difference comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Better than the reference, beyond what seeds do.
    Better,
    /// Worse, beyond what seeds do.
    Worse,
    /// The interval holds zero, or there is none.
    CannotTell,
}

/// A group against the reference: the best one that has a spread, or the best one.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// The group, from 0.
    pub group: usize,
    /// The reference, from 0.
    pub reference: usize,
    /// Its mean less that of the reference.
    pub difference: f64,
    /// An interval for it (Welch's t): see `level`.
    pub interval: Option<[f64; 2]>,
    /// The level of that interval alone, so that those of all pairs hold together in 95 of 100
    /// comparisons (Bonferroni): 1 − 0.05 / pairs.
    pub level: f64,
    /// What it comes to.
    pub outcome: Outcome,
    /// The same in a sentence.
    pub sentence: String,
}

impl Comparison {
    /// Compares every group with the reference.
    pub(super) fn tell_differences(&mut self) {
        let with_spread = |group: &&Group| group.deviation.is_some();
        let spread = self.groups.iter().filter(with_spread).count();
        let place = self.groups.iter().position(|group| group.deviation.is_some());
        // The groups are in order, the best first.
        let Some(reference) = place.or(self.groups.iter().position(|group| group.mean.is_some()))
        else {
            return;
        };
        let pairs = (spread * spread.saturating_sub(1) / 2).max(1);
        let level = 1.0 - (1.0 - LEVEL) / pairs as f64;
        let groups = (0..self.groups.len()).filter(|&group| group != reference);
        self.differences =
            groups.filter_map(|group| self.difference(group, reference, level)).collect();
        let all = if spread == 0 { "Cannot tell which differences are real. " } else { "" };
        if self.differences.iter().any(|one| one.interval.is_none()) {
            self.notes.push(format!(
                "{all}Of one seed nothing is known of the spread: train three or more (`--seed 2`) \
                 before believing a difference."
            ));
        }
        if !self.differences.is_empty() && spread > 1 {
            let adjusted = if pairs > 1 {
                format!(", each of {pairs} pairs at {:.2} % (Bonferroni)", 100.0 * level)
            } else {
                String::new()
            };
            self.notes.push(format!(
                "Differences are to the best group with a spread. Intervals are of Welch's t for two means, \
                 and hold together with 95 %{adjusted}; they take scores of seeds to be about normal."
            ));
        }
    }

    fn difference(&self, group: usize, reference: usize, level: f64) -> Option<Difference> {
        let (one, other) = (&self.groups[group], &self.groups[reference]);
        let (a, b) = (one.sample?, other.sample?);
        let higher = self.score.as_ref().is_some_and(|score| score.higher_is_better);
        let interval = welch(a, b, level).map(|interval| interval.ends);
        let difference = a.mean - b.mean;
        let outcome = match interval {
            Some([low, _]) if low > 0.0 && higher => Outcome::Better,
            Some([low, _]) if low > 0.0 => Outcome::Worse,
            Some([_, high]) if high < 0.0 && higher => Outcome::Worse,
            Some([_, high]) if high < 0.0 => Outcome::Better,
            _ => Outcome::CannotTell,
        };
        let told = match interval {
            Some([low, high]) => {
                format!("{}, interval {} to {}", signed(difference), signed(low), signed(high))
            }
            None if a.count > 1 && b.count > 1 => {
                format!("{}, and no spread at all in either", signed(difference))
            }
            None => format!("{}, but one seed says nothing of the spread", signed(difference)),
        };
        let sentence = match outcome {
            Outcome::Better => format!("`{}` is better than `{}`: {told}.", one.name, other.name),
            Outcome::Worse => format!("`{}` is worse than `{}`: {told}.", one.name, other.name),
            Outcome::CannotTell => {
                format!("Cannot tell `{}` from `{}`: {told}.", one.name, other.name)
            }
        };
        Some(Difference { group, reference, difference, interval, level, outcome, sentence })
    }
}

impl Difference {
    /// What it comes to, in a word or two.
    pub(super) fn words(&self) -> &'static str {
        match self.outcome {
            Outcome::Better => "better",
            Outcome::Worse => "worse",
            Outcome::CannotTell if self.interval.is_none() => "cannot tell: no spread known",
            Outcome::CannotTell => "cannot tell",
        }
    }
}

/// A difference with its sign.
pub(super) fn signed(value: f64) -> String {
    let text = significant(value.abs(), 3);
    if value < 0.0 { format!("−{text}") } else { format!("+{text}") }
}
