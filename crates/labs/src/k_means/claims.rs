//! What `k-means` claims: no step raises the inertia, runs end in means, the best finds the groups.

use burn::tensor::{DType, Int, Tensor, TensorData};

use super::KMeans;
use super::lloyd::{Clustering, Point, counts, means, nearest, relocate, squared_distance};
use crate::{Claim, Findings, LabError, value_and_gradient};

/// scikit-learn's inertia on the points of the default options, from
/// `tests/golden/make_lab_k_means.py`.
pub(super) const SCIKIT_LEARN_INERTIA: f64 = 558.336_431_683_475_4;

impl KMeans {
    pub(super) fn compare(
        &self,
        points: &[Point],
        groups: &[usize],
        runs: &[Vec<Clustering>],
        from_far: &Clustering,
        best: &Clustering,
        findings: &mut Findings,
    ) -> Result<(), LabError> {
        let rise = runs
            .iter()
            .flatten()
            .chain([from_far])
            .flat_map(|run| {
                run.inertia
                    .windows(2)
                    .map(|pair| (pair[1] - pair[0]) / pair[0].max(f64::MIN_POSITIVE))
            })
            .fold(f64::NEG_INFINITY, f64::max);
        // Sums of many squares round off at about 1e-14 of their size.
        findings.claims.push(Claim::at_most(
            "no step raises the inertia (greatest relative rise)",
            rise,
            1e-12,
        ));
        let unsettled = runs
            .iter()
            .flatten()
            .flat_map(|run| {
                let means = means(points, &run.labels, run.centers());
                run.centers()
                    .iter()
                    .zip(means)
                    .map(|(&center, mean)| squared_distance(center, mean).sqrt())
                    .collect::<Vec<_>>()
            })
            .fold(0.0, f64::max);
        findings.claims.push(Claim::at_most(
            "every run ends with centres in the means of their points (greatest distance)",
            unsettled,
            1e-9 * (self.distance + self.spread),
        ));
        let smallest = counts(&from_far.labels, self.clusters).into_iter().min().unwrap_or(0);
        findings.claims.push(Claim::that(
            "a start with a centre far from all points ends without an empty cluster",
            format!(
                "{} clusters were refilled, and the smallest ends with {smallest} points",
                from_far.relocated
            ),
            smallest > 0,
        ));
        let mean_start = |kind: usize| {
            runs[kind].iter().map(|run| run.inertia[0]).sum::<f64>() / self.starts as f64
        };
        if self.starts >= 10 && best.end() > 0.0 {
            findings.claims.push(Claim::at_most(
                "k-means++ starts have on average at most 8 (ln k + 2) times the best inertia (ratio)",
                mean_start(1) / best.end(),
                8.0 * ((self.clusters as f64).ln() + 2.0),
            ));
        }
        findings.claims.push(Claim::at_most(
            "the mean of a cluster is Newton's step on the inertia, with the gradient by autodiff (greatest difference)",
            newton_error(points, best)?,
            1e-10 * (self.distance + self.spread),
        ));
        if self.clusters == self.groups && self.distance >= 6.0 * self.spread {
            let pure = agreement(groups, &best.labels, self.groups);
            // A point is on the wrong side of the middle, at least three deviations away, with a
            // probability of 0.13 % for each of two neighbours.
            findings.claims.push(Claim::at_least(
                "the best run finds the groups (fraction of points in the cluster of most of their group)",
                pure,
                0.99,
            ));
        }
        if *self == Self::default() {
            findings.claims.push(Claim::close(
                "scikit-learn finds the same inertia on the same points",
                best.end(),
                SCIKIT_LEARN_INERTIA,
                1e-9 * SCIKIT_LEARN_INERTIA,
            ));
        }
        Ok(())
    }
}

/// How far Newton's step from the start of the best run, with the gradient of the inertia by
/// autodiff, is from the means.
pub(super) fn newton_error(points: &[Point], best: &Clustering) -> Result<f64, LabError> {
    let start = &best.paths[0];
    let mut labels: Vec<usize> = points.iter().map(|&point| nearest(point, start)).collect();
    relocate(points, &mut labels, start);
    let flat: Vec<f64> = points.iter().flatten().copied().collect();
    let chosen: Vec<i64> = labels.iter().map(|&label| i64::try_from(label).unwrap_or(0)).collect();
    let inertia = |centers: Tensor<1>| {
        let device = centers.device();
        let data = TensorData::new(flat.clone(), [points.len(), 2]);
        let points = Tensor::<2>::from_data(data, (&device, DType::F64));
        let chosen = Tensor::<1, Int>::from_data(TensorData::from(&chosen[..]), &device);
        (points - centers.reshape([-1, 2]).select(0, chosen)).powi_scalar(2).sum()
    };
    let place: Vec<f64> = start.iter().flatten().copied().collect();
    let (_, gradient) = value_and_gradient(inertia, &place)?;
    let counts = counts(&labels, start.len());
    let means = means(points, &labels, start);
    let error = (0..place.len())
        .filter(|at| counts[at / 2] > 0)
        .map(|at| {
            (place[at] - gradient[at] / (2.0 * counts[at / 2] as f64) - means[at / 2][at % 2]).abs()
        })
        .fold(0.0, f64::max);
    Ok(error)
}

/// The fraction of points that are in the cluster where most of their group are.
pub(super) fn agreement(groups: &[usize], labels: &[usize], count: usize) -> f64 {
    let together: usize = (0..count)
        .map(|group| {
            let members = groups.iter().zip(labels).filter(|(of, _)| **of == group);
            let labels: Vec<usize> = members.map(|(_, &label)| label).collect();
            counts(&labels, count).into_iter().max().unwrap_or(0)
        })
        .sum();
    together as f64 / groups.len() as f64
}
