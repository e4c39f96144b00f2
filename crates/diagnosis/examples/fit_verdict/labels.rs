//! Probabilities of labels: how steep each gate is, and how much no gate sees.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use crate::scores;

/// Labels in the order of the gates; `converged` is what passes all.
const LABELS: [&str; 7] = [
    "diverged",
    "not_learning",
    "unstable",
    "overfitting",
    "improving",
    "undecidable",
    "converged",
];
const GATES: usize = LABELS.len() - 1;
/// Steepness before anything is seen, and how firmly it is believed: in units of ln(steepness).
const PRIOR: [f64; GATES] = [4.0, 4.0, 4.0, 4.0, 1.0, 4.0];
const PRIOR_DEVIATION: f64 = 0.4;
/// How often two experts disagree: what doubt is left where no miss was seen.
const EXPERTS_DISAGREE: f64 = 0.05;

/// A labelled log.
pub(crate) struct Labelled {
    group: String,
    label: usize,
    second: Vec<usize>,
    margins: Vec<f64>,
}

/// Reads `GROUP,LABEL,SECOND,MARGIN…` lines; second labels are separated by `+`.
pub(crate) fn read(path: &Path) -> Result<Vec<Labelled>, Box<dyn Error>> {
    let place = |name: &str| LABELS.iter().position(|label| *label == name);
    std::fs::read_to_string(path)?
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [group, label, second, margins @ ..] = cells.as_slice() else {
                return Err(format!("{line:?} has too few cells").into());
            };
            Ok(Labelled {
                group: (*group).to_owned(),
                label: place(label).ok_or_else(|| format!("{label:?} is no label"))?,
                second: second.split('+').filter_map(place).collect(),
                margins: margins.iter().map(|cell| cell.parse()).collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

fn probabilities(constants: &[f64], margins: &[f64]) -> Vec<f64> {
    let mut left = 1.0;
    let mut shares: Vec<f64> = margins
        .iter()
        .zip(constants)
        .map(|(margin, steepness)| {
            let taken = left / (1.0 + (-steepness * margin).exp());
            left -= taken;
            taken
        })
        .collect();
    shares.push(left);
    let even = constants[GATES];
    shares.iter().map(|share| share * (1.0 - even) + even / LABELS.len() as f64).collect()
}

/// Minus the logarithm of the posterior.
fn cost(constants: &[f64], logs: &[&Labelled]) -> f64 {
    let fit: f64 =
        logs.iter().map(|log| -probabilities(constants, &log.margins)[log.label].ln()).sum();
    let prior: f64 = constants
        .iter()
        .zip(PRIOR)
        .map(|(steepness, prior)| ((steepness / prior).ln() / PRIOR_DEVIATION).powi(2) / 2.0)
        .sum();
    fit + prior
}

/// Coordinate descent by factors that shrink: seven numbers, no derivatives needed.
fn minimise(logs: &[&Labelled]) -> Vec<f64> {
    let mut constants: Vec<f64> = PRIOR.into_iter().chain([0.05]).collect();
    let mut least = cost(&constants, logs);
    let mut factor = 1.6;
    while factor > 1.005 {
        let mut moved = false;
        for at in 0..constants.len() {
            for scale in [factor, 1.0 / factor] {
                let mut tried = constants.clone();
                tried[at] *= scale;
                if at == GATES {
                    tried[at] = tried[at].clamp(0.01, 0.3);
                }
                let found = cost(&tried, logs);
                if found < least - 1e-9 {
                    (constants, least, moved) = (tried, found, true);
                }
            }
        }
        if !moved {
            factor = factor.sqrt();
        }
    }
    constants
}

/// Steepness of the gates, the shared part, and the part of the doubt that remains when an expert's
/// second label counts too: fitted on all logs, having shown how fits without each group do on it.
pub(crate) fn fit(logs: &[Labelled]) -> (Vec<f64>, f64) {
    let mut groups: BTreeMap<&String, Vec<&Labelled>> = BTreeMap::new();
    for log in logs {
        groups.entry(&log.group).or_default().push(log);
    }
    let (mut said, mut every, mut brier, mut right) = (Vec::new(), Vec::new(), 0.0, 0u32);
    for (group, held) in &groups {
        let rest: Vec<&Labelled> = logs.iter().filter(|log| log.group != **group).collect();
        let constants = minimise(&rest);
        for log in held {
            let p = probabilities(&constants, &log.margins);
            let first = (0..p.len()).max_by(|a, b| p[*a].total_cmp(&p[*b])).unwrap_or(0);
            let accepted = first == log.label || log.second.contains(&first);
            right += u32::from(first == log.label);
            said.push((p[first], accepted));
            for (at, share) in p.iter().enumerate() {
                every.push((*share, at == log.label));
                brier += (share - f64::from(u8::from(at == log.label))).powi(2);
            }
        }
    }
    let n = logs.len() as f64;
    let doubted: f64 = said.iter().map(|(p, _)| 1.0 - p).sum();
    let missed = said.iter().filter(|(_, accepted)| !accepted).count() as f64;
    let doubt = ((missed + EXPERTS_DISAGREE * n) / doubted).min(1.0);
    let confident: Vec<(f64, bool)> =
        said.iter().map(|(p, accepted)| (1.0 - doubt * (1.0 - p), *accepted)).collect();
    eprintln!("labels, one group left out: {} logs in {} groups", logs.len(), groups.len());
    eprintln!(
        "  the label {:.3}, a label that an expert could give {:.3}, Brier over all labels {:.3}",
        f64::from(right) / n,
        1.0 - missed / n,
        brier / n
    );
    eprintln!(
        "  calibration error of all probabilities {:.3}, of the confidence {:.3}",
        scores::calibration_error(&every),
        scores::calibration_error(&confident)
    );
    scores::print_reliability(&every);
    eprintln!("  the confidence:");
    scores::print_reliability(&confident);
    (minimise(&logs.iter().collect::<Vec<_>>()), doubt)
}
