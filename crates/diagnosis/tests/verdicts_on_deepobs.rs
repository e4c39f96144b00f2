//! Verdicts on runs of a public benchmark, where the later half tells the truth on the earlier.

use std::collections::BTreeMap;

use converge_diagnosis::verdict::{Label, Options, Severity, judge};
use converge_diagnosis::{History, Series};

/// Name → truth, training and test losses.
fn runs() -> BTreeMap<String, (String, Vec<f64>, Vec<f64>)> {
    let numbers = |cell: &str| cell.split(' ').map(|y| y.parse().unwrap_or(f64::NAN)).collect();
    include_str!("data/deepobs.csv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [name, truth, train, validation] = cells.as_slice() else { return None };
            let run = ((*truth).to_owned(), numbers(train), numbers(validation));
            Some(((*name).to_owned(), run))
        })
        .collect()
}

fn history(train: &[f64], validation: &[f64]) -> History {
    let series = |name: &str, y: &[f64]| {
        let x = (1..=y.len()).map(|epoch| epoch as f64).collect();
        Some(Series { name: name.to_owned(), x, y: y.to_vec() })
    };
    History {
        x: Some("epoch".to_owned()),
        train_loss: series("loss", train),
        validation_loss: series("val_loss", validation),
        ..History::default()
    }
}

#[test]
fn ten_of_twelve_earlier_halves_are_judged_as_the_later_half_turns_out() {
    let runs = runs();
    assert_eq!(runs.len(), 12);
    let misses: Vec<String> = runs
        .iter()
        .filter_map(|(name, (truth, train, validation))| {
            // A run of losses that are no numbers is over: there is no later half.
            let half = if truth == "diverged" { train.len() } else { train.len() / 2 };
            let history = history(&train[..half], &validation[..half]);
            let verdict = judge(&history, &Options::default());
            let said = verdict.verdict.name();
            (said != truth).then(|| format!("{name}: {truth}, said {said}: {}", verdict.summary))
        })
        .collect();
    assert!(misses.len() <= 2, "{misses:#?}");
}

#[test]
fn the_gain_of_the_later_half_lies_within_most_intervals() {
    let (mut held, mut all) = (0, 0);
    for (train, validation) in runs().values().map(|run| (&run.1, &run.2)) {
        let half = train.len() / 2;
        let verdict = judge(&history(&train[..half], &validation[..half]), &Options::default());
        let Some(forecast) = verdict.forecast else { continue };
        let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
        let gain = (least(&validation[..half]) - least(&validation[half..])).max(0.0);
        held += u32::from(forecast.interval[0] <= gain && gain <= forecast.interval[1]);
        all += 1;
    }
    assert!(all == 10 && held >= 8, "{held} of {all}");
}

#[test]
fn dropping_the_last_points_keeps_the_verdict() {
    let verdict_of = |train: &[f64], validation: &[f64], n: usize| {
        judge(&history(&train[..n], &validation[..n]), &Options::default()).verdict
    };
    let runs = runs();
    let flips = runs.values().filter(|(_, train, validation)| {
        let n = train.len();
        let whole = verdict_of(train, validation, n);
        (1..4.min(n)).any(|dropped| verdict_of(train, validation, n - dropped) != whole)
    });
    assert!(flips.count() <= 1);
}

#[test]
fn runs_that_improve_or_converge_are_not_warned_about() {
    for (name, (_, train, validation)) in runs() {
        let verdict = judge(&history(&train, &validation), &Options::default());
        if matches!(verdict.verdict, Label::Improving | Label::Converged) {
            let warned = verdict.findings.iter().find(|found| found.severity > Severity::Info);
            assert_eq!(warned, None, "{name}");
        }
    }
}
