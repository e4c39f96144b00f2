//! The forecast: fitted on runs cut short, since the rest of the run is the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use converge_diagnosis::verdict::{forecast_features, noise_of};

use crate::regression::{linear, logistic, predict};
use crate::scores;

/// The probability of the interval.
pub(crate) const LEVEL: f64 = 0.9;
/// The part of the residuals beyond each end: less than the twentieth of exchangeable runs, since
/// runs of a new problem differ more than those of problems that were seen; so the worst problem
/// keeps 80 %.
const TAIL: f64 = 0.04;
/// Where runs are cut; as many epochs again must follow.
const CUTS: [usize; 4] = [10, 25, 50, 100];
/// The least relative gain worth having.
const WORTHWHILE: f64 = 0.02;

/// A run cut short, and what came of it.
pub(crate) struct Cut {
    problem: String,
    features: Vec<f64>,
    noise: f64,
    worthwhile: f64,
    gain: f64,
}

/// The fitted constants.
pub(crate) struct Constants {
    pub(crate) probability: Vec<f64>,
    pub(crate) gain: Vec<f64>,
    pub(crate) interval: [f64; 2],
}

struct Run {
    problem: String,
    optimizer: String,
    rate: String,
    validation: Vec<f64>,
}

/// All cuts of the runs in a folder.
pub(crate) fn cuts(folder: &Path) -> Result<Vec<Cut>, Box<dyn Error>> {
    let mut runs = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    paths.sort_by_key(std::fs::DirEntry::path);
    for path in paths {
        let name = path.file_name().to_string_lossy().into_owned();
        let parts: Vec<&str> = name.split("__").collect();
        let [problem, optimizer, rate, _] = parts.as_slice() else { continue };
        let text = std::fs::read_to_string(path.path())?;
        let header: Vec<&str> = text.lines().next().unwrap_or_default().split(',').collect();
        let column = header.iter().position(|name| *name == "val_loss").ok_or("no val_loss")?;
        let cell = |line: &str| line.split(',').nth(column).and_then(|cell| cell.parse().ok());
        let validation = text.lines().skip(2).map(|line| cell(line).unwrap_or(f64::NAN)).collect();
        let [problem, optimizer, rate] = [problem, optimizer, rate].map(|part| (*part).to_owned());
        runs.push(Run { problem, optimizer, rate, validation });
    }
    let deviations = seed_deviations(&runs);
    let mut cuts = Vec::new();
    for run in runs.iter().filter(|run| run.validation.iter().all(|loss| loss.is_finite())) {
        for n in CUTS.into_iter().filter(|n| 2 * n <= run.validation.len()) {
            let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
            let seen = &run.validation[..n];
            let best = least(seen);
            let over_seeds = deviations.get(&(&run.problem, &run.optimizer)).copied();
            let worthwhile = (WORTHWHILE * best.abs()).max(2.0 * over_seeds.unwrap_or(0.0));
            cuts.push(Cut {
                problem: run.problem.clone(),
                features: forecast_features(seen, n, worthwhile).to_vec(),
                noise: noise_of(seen),
                worthwhile,
                gain: best - best.min(least(&run.validation[..2 * n])),
            });
        }
    }
    Ok(cuts)
}

/// For each problem and optimizer the spread of the validation loss over the seeds of the rate that
/// was run with ten of them: the median over the last third of training.
fn seed_deviations(runs: &[Run]) -> BTreeMap<(&String, &String), f64> {
    let mut rates: BTreeMap<(&String, &String, &String), Vec<&Run>> = BTreeMap::new();
    for run in runs {
        rates.entry((&run.problem, &run.optimizer, &run.rate)).or_default().push(run);
    }
    let mut deviations = BTreeMap::new();
    for ((problem, optimizer, _), seeds) in rates.into_iter().filter(|rate| rate.1.len() >= 10) {
        let finite: Vec<&Vec<f64>> = seeds
            .iter()
            .map(|r| &r.validation)
            .filter(|v| v.iter().all(|y| y.is_finite()))
            .collect();
        let length = finite.iter().map(|losses| losses.len()).min().unwrap_or(0);
        let mut spreads: Vec<f64> = (length - length / 3..length)
            .map(|at| {
                let n = finite.len() as f64;
                let mean = finite.iter().map(|losses| losses[at] / n).sum::<f64>();
                let square = finite.iter().map(|losses| (losses[at] - mean).powi(2)).sum::<f64>();
                (square / (n - 1.0)).sqrt()
            })
            .collect();
        spreads.sort_by(f64::total_cmp);
        let half = spreads.len() / 2;
        let middle = if spreads.len() % 2 == 1 {
            spreads[half]
        } else {
            f64::midpoint(spreads[half - 1], spreads[half])
        };
        deviations.insert((problem, optimizer), middle);
    }
    deviations
}

/// Fits on all cuts, having shown how a fit without each problem does on it.
pub(crate) fn fit(cuts: &[Cut]) -> Constants {
    let problems: BTreeSet<&String> = cuts.iter().map(|cut| &cut.problem).collect();
    let (mut pairs, mut covered) = (Vec::new(), Vec::new());
    eprintln!("forecast, one problem left out: AUC, Brier, cover of {LEVEL} intervals, cuts");
    for problem in problems {
        let (held, rest): (Vec<&Cut>, Vec<&Cut>) =
            cuts.iter().partition(|cut| cut.problem == *problem);
        let constants = constants(&rest);
        let of_problem: Vec<(f64, bool)> =
            held.iter().map(|cut| probability(&constants, cut)).collect();
        let inside: Vec<bool> = held.iter().map(|cut| covers(&constants, cut)).collect();
        report(problem, &of_problem, &inside);
        pairs.extend(of_problem);
        covered.extend(inside);
    }
    report("all", &pairs, &covered);
    eprintln!("  calibration error {:.3}", scores::calibration_error(&pairs));
    scores::print_reliability(&pairs);
    constants(&cuts.iter().collect::<Vec<_>>())
}

fn report(name: &str, pairs: &[(f64, bool)], covered: &[bool]) {
    let cover = covered.iter().filter(|inside| **inside).count() as f64 / covered.len() as f64;
    let (area, brier) = (scores::area(pairs), scores::brier(pairs));
    eprintln!("  {name:20} {area:.3}  {brier:.3}  {cover:.3}  {}", pairs.len());
}

fn probability(constants: &Constants, cut: &Cut) -> (f64, bool) {
    let odds = predict(&constants.probability, &cut.features);
    (1.0 / (1.0 + (-odds).exp()), cut.gain > cut.worthwhile)
}

/// The expected gain and the unit of its residual, as the judge computes them.
fn expected(weights: &[f64], cut: &Cut) -> (f64, f64) {
    let gain = (predict(weights, &cut.features).min(12.0).sinh() * cut.worthwhile).max(0.0);
    (gain, cut.worthwhile + gain + cut.noise)
}

fn covers(constants: &Constants, cut: &Cut) -> bool {
    let (gain, unit) = expected(&constants.gain, cut);
    let bound = |residual: f64| (gain + residual * unit).max(0.0);
    bound(constants.interval[0]) <= cut.gain && cut.gain <= bound(constants.interval[1])
}

fn constants(cuts: &[&Cut]) -> Constants {
    let rows: Vec<Vec<f64>> = cuts.iter().map(|cut| cut.features.clone()).collect();
    let won: Vec<f64> =
        cuts.iter().map(|cut| f64::from(u8::from(cut.gain > cut.worthwhile))).collect();
    let gains: Vec<f64> = cuts.iter().map(|cut| (cut.gain / cut.worthwhile).asinh()).collect();
    let gain = linear(&rows, &gains);
    let mut residuals: Vec<f64> = cuts
        .iter()
        .map(|cut| {
            let (expected, unit) = expected(&gain, cut);
            (cut.gain - expected) / unit
        })
        .collect();
    residuals.sort_by(f64::total_cmp);
    // The quantiles of split-conformal prediction: ranks among n + 1, outwards.
    let n = residuals.len() as f64;
    let low = ((n + 1.0) * TAIL).floor().max(1.0) as usize - 1;
    let high = (((n + 1.0) * (1.0 - TAIL)).ceil() as usize - 1).min(residuals.len() - 1);
    let interval = [residuals[low], residuals[high]];
    Constants { probability: logistic(&rows, &won), gain, interval }
}
