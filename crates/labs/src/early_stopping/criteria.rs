//! Criteria applied to all runs: where they stop, and what that costs.

use super::EarlyStopping;
use super::training::Curves;
use crate::training::mean;
use converge_diagnosis::Criterion;

/// One criterion over all runs.
pub(super) struct Judged {
    pub criterion: Criterion,
    /// The epoch after which each run was stopped: the last where none was.
    pub epochs: Vec<usize>,
    /// How many runs it stopped.
    pub stopped: usize,
    /// The test loss of the weights kept by that of the best epoch of the whole run, less 1.
    pub excess: Vec<f64>,
}

impl Judged {
    pub(super) fn new(criterion: Criterion, curves: &[Curves], strip: usize) -> Self {
        let stops: Vec<Option<usize>> = curves
            .iter()
            .map(|run| criterion.stop(&run.training, &run.validation, strip))
            .collect();
        let epochs: Vec<usize> =
            stops.iter().zip(curves).map(|(stop, run)| stop.unwrap_or(run.epochs())).collect();
        let excess = curves.iter().zip(&epochs);
        let excess = excess.map(|(run, &epochs)| {
            run.test[run.best(epochs)] / run.test[run.best(run.epochs())] - 1.0
        });
        Self {
            criterion,
            excess: excess.collect(),
            stopped: stops.iter().flatten().count(),
            epochs,
        }
    }

    pub(super) fn mean_epoch(&self) -> f64 {
        self.epochs.iter().sum::<usize>() as f64 / self.epochs.len() as f64
    }

    pub(super) fn mean_excess(&self) -> f64 {
        mean(&self.excess)
    }
}

/// Criteria that differ in their threshold alone, the fastest first.
pub(super) struct Family {
    pub name: String,
    pub judged: Vec<Judged>,
}

impl EarlyStopping {
    pub(super) fn families(&self, curves: &[Curves]) -> Vec<Family> {
        let sorted = |thresholds: &[f64]| {
            let mut thresholds = thresholds.to_vec();
            thresholds.sort_by(f64::total_cmp);
            thresholds
        };
        let whole = |thresholds: &[usize]| {
            let mut thresholds = thresholds.to_vec();
            thresholds.sort_unstable();
            thresholds
        };
        let patience = |min_delta: f64| {
            let of = |patience| Criterion::Patience { patience, min_delta };
            whole(&self.patience).into_iter().map(of).collect::<Vec<_>>()
        };
        let families: [(String, Vec<Criterion>); 5] = [
            ("patience".to_owned(), patience(0.0)),
            (format!("patience, min delta {}", self.min_delta), patience(self.min_delta)),
            (
                "GL".to_owned(),
                sorted(&self.generalization_loss)
                    .into_iter()
                    .map(Criterion::GeneralizationLoss)
                    .collect(),
            ),
            (
                "PQ".to_owned(),
                sorted(&self.progress_quotient)
                    .into_iter()
                    .map(Criterion::ProgressQuotient)
                    .collect(),
            ),
            ("UP".to_owned(), whole(&self.up).into_iter().map(Criterion::Up).collect()),
        ];
        families
            .into_iter()
            .map(|(name, criteria)| {
                let judge = |criterion| Judged::new(criterion, curves, self.strip);
                Family { name, judged: criteria.into_iter().map(judge).collect() }
            })
            .collect()
    }
}
