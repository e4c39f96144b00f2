//! Where the time of a run went.

use converge_record::StepRow;

use super::Chart;

/// Where the seconds of a run went.
///
/// A row of `steps.csv` has the time since the step before, so that the first step of every epoch but
/// the first holds what was done between epochs: validation, checkpoints, figures. Of it, a usual step
/// (the median) is counted as a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spent {
    /// In optimizer steps, with the fetching of their batches.
    pub steps: f64,
    /// Between epochs.
    pub between: f64,
    /// What is left of the whole: before the first step and after the last.
    pub rest: f64,
    /// The median step.
    pub median: f64,
    /// Of 100 steps, 99 are not longer.
    pub percentile_99: f64,
}

impl Spent {
    /// Where the time of `rows` went, of `seconds` in all; none without steps.
    pub(crate) fn of(rows: &[StepRow], seconds: f64) -> Option<Self> {
        let mut sorted: Vec<f64> = rows.iter().map(|row| row.step_seconds).collect();
        sorted.sort_by(f64::total_cmp);
        let quantile = |share: f64| {
            let place = (share * sorted.len() as f64).ceil() as usize;
            sorted.get(place.max(1) - 1).copied()
        };
        let median = quantile(0.5)?;
        let total: f64 = sorted.iter().sum();
        let firsts = rows.windows(2).filter(|two| two[0].epoch != two[1].epoch);
        let between: f64 = firsts.map(|two| (two[1].step_seconds - median).max(0.0)).sum();
        Some(Self {
            steps: total - between,
            between,
            rest: (seconds - total).max(0.0),
            median,
            percentile_99: quantile(0.99)?,
        })
    }
}

/// Milliseconds of every step.
pub(crate) fn step_times(rows: &[StepRow]) -> Option<Chart> {
    if rows.is_empty() {
        return None;
    }
    let (x, y): (Vec<f64>, Vec<f64>) =
        rows.iter().map(|row| (row.step as f64, 1000.0 * row.step_seconds)).unzip();
    let mut chart = Chart::curves("time of every step", "optimizer step", "milliseconds");
    chart.say("Since the step before: the first step of an epoch holds the validation before it.");
    chart.add("milliseconds", 0, &x, &y);
    chart.log_y = Some(y.iter().all(|&y| y > 0.0));
    Some(chart)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_the_first_step_of_an_epoch_took_beyond_a_usual_one_was_between_epochs() {
        let row = |epoch, step, step_seconds| StepRow {
            epoch,
            step,
            loss: 1.0,
            learning_rate: 0.1,
            gradient_norm: None,
            parameter_norm: None,
            update_ratio: None,
            gradient_cosine: None,
            step_seconds,
            parts: vec![],
        };
        let rows = [row(1, 1, 0.5), row(1, 2, 0.5), row(2, 3, 2.5), row(2, 4, 0.5)];
        let spent = Spent::of(&rows, 5.0).unwrap();
        let expected =
            Spent { steps: 2.0, between: 2.0, rest: 1.0, median: 0.5, percentile_99: 2.5 };
        assert_eq!(spent, expected);
        assert_eq!(Spent::of(&[], 5.0), None);
    }
}
