//! The few steps that tell the shape of a schedule, for a table on the terminal.

use serde::Serialize;

use super::learning_rates::LearningRates;
use super::numbers::significant;

/// A step worth a line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Milestone {
    /// The step, from 1, as in `steps.csv`.
    pub step: usize,
    /// Its epoch, from 1.
    pub epoch: usize,
    /// Its learning rate.
    pub learning_rate: f64,
    /// Why it is worth a line: `first`, `× 0.100`.
    pub what: String,
}

/// Ends and quarters, extremes, the end of the warm-up, and jumps.
pub fn milestones(schedule: &LearningRates) -> Vec<Milestone> {
    let LearningRates { rates, steps_per_epoch, warmup_steps, .. } = schedule;
    let Some(last) = rates.len().checked_sub(1) else { return vec![] };
    let mut found = vec![(0, "first".to_owned())];
    if (1..=last).contains(warmup_steps) {
        found.push((*warmup_steps, "warm-up ends".to_owned()));
    }
    found.extend([1, 2, 3].map(|quarter| (last * quarter / 4, format!("{}%", 25 * quarter))));
    let highest = rates.iter().copied().fold(f64::MIN, f64::max);
    let lowest = rates.iter().copied().fold(f64::MAX, f64::min);
    if lowest < highest {
        for (extreme, what) in [(highest, "highest"), (lowest, "lowest")] {
            let first = rates.iter().position(|rate| rate.total_cmp(&extreme).is_eq());
            found.extend(first.map(|index| (index, what.to_owned())));
        }
    }
    found.extend(jumps(rates, highest));
    found.push((last, "last".to_owned()));
    found.sort_by_key(|&(index, _)| index);
    let mut milestones: Vec<Milestone> = vec![];
    for (index, what) in found {
        match milestones.last_mut() {
            Some(same) if same.step == index + 1 => same.what += &format!(", {what}"),
            _ => milestones.push(Milestone {
                step: index + 1,
                epoch: index / (*steps_per_epoch).max(1) + 1,
                learning_rate: rates.get(index).copied().unwrap_or_default(),
                what,
            }),
        }
    }
    milestones
}

/// Where the rate changes by more than a fifth from one step to the next, but not in the steps
/// around: the largest of these changes, in order.
fn jumps(rates: &[f64], highest: f64) -> Vec<(usize, String)> {
    /// More would be a list, not a summary.
    const MOST: usize = 12;
    // Near 0 any change is a large one.
    let negligible = 1e-6 * highest;
    let jump = |pair: &[f64]| match *pair {
        [before, after] if (after - before).abs() > negligible => {
            let factor = after / before;
            (!(1.0 / 1.2..=1.2).contains(&factor)).then_some(factor)
        }
        _ => None,
    };
    let factors: Vec<Option<f64>> = rates.windows(2).map(jump).collect();
    let jumps_at = |index: Option<usize>| index.and_then(|index| *factors.get(index)?).is_some();
    let mut jumps: Vec<(usize, f64)> = factors
        .iter()
        .enumerate()
        .filter(|(index, _)| !jumps_at(index.checked_sub(1)) && !jumps_at(Some(index + 1)))
        .filter_map(|(index, factor)| Some((index + 1, (*factor)?)))
        .collect();
    let more = jumps.len().saturating_sub(MOST);
    jumps.sort_by(|(_, one), (_, other)| other.ln().abs().total_cmp(&one.ln().abs()));
    jumps.truncate(MOST);
    jumps.sort_by_key(|&(index, _)| index);
    let mut named: Vec<(usize, String)> = jumps
        .into_iter()
        .map(|(index, factor)| match factor {
            factor if factor.is_finite() => (index, format!("× {}", significant(factor, 3))),
            _ => (index, "rises from 0".to_owned()),
        })
        .collect();
    if let Some((_, what)) = named.last_mut().filter(|_| more > 0) {
        *what += &format!(", and {more} smaller jumps");
    }
    named
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(rates: Vec<f64>, warmup_steps: usize) -> Vec<(usize, usize, String)> {
        let (title, notes) = (String::new(), vec![]);
        let schedule = LearningRates { title, rates, steps_per_epoch: 4, warmup_steps, notes };
        milestones(&schedule).into_iter().map(|one| (one.step, one.epoch, one.what)).collect()
    }

    fn row(step: usize, epoch: usize, what: &str) -> (usize, usize, String) {
        (step, epoch, what.to_owned())
    }

    #[test]
    fn steps_down_and_the_warmup_have_a_line() {
        let rates = [vec![0.2, 0.6], vec![1.0; 6], vec![0.1; 9]].concat();
        let expected = [
            row(1, 1, "first"),
            row(3, 1, "warm-up ends, highest"),
            row(5, 2, "25%"),
            row(9, 3, "50%, lowest, × 0.100"),
            row(13, 4, "75%"),
            row(17, 5, "last"),
        ];
        assert_eq!(of(rates, 2), expected);
    }

    #[test]
    fn a_rate_that_changes_all_the_time_has_no_jumps() {
        let halving: Vec<f64> = (0..9).map(|step| 0.5_f64.powi(step)).collect();
        assert!(of(halving, 0).iter().all(|(_, _, what)| !what.contains('×')));
        assert_eq!(of(vec![0.1], 0), [row(1, 1, "first, 25%, 50%, 75%, last")]);
    }

    proptest! {
        #[test]
        fn no_rates_panic(rates in prop::collection::vec(any::<f64>(), 0..100), warmup: usize) {
            let _ = of(rates, warmup);
        }
    }
}
