//! Claims about the metric: scores by autodiff, Christoffel symbols, curvature.

use super::InformationGeometry;
use super::half_plane::{
    christoffel, christoffel_by_differences, curvature, inner, largest, metric,
};
use crate::normal_family::{Coordinates, divergence};
use crate::{Claim, Findings, LabError};

impl InformationGeometry {
    /// The metric and what follows from it at the start, against closed forms. Returns the error of
    /// the Christoffel symbols (in units of 1/σ) by the step of differences (in units of σ).
    pub(super) fn judge_metric(
        &self,
        findings: &mut Findings,
    ) -> Result<Vec<(f64, f64)>, LabError> {
        let point = self.start();
        let deviation = point[1];
        let fisher = |point| Coordinates::Deviation.fisher(point);
        let (found, closed) = (fisher(point)?, metric(point));
        let differences =
            [found[0][0] - closed[0], found[1][1] - closed[1], found[0][1], found[1][0]];
        findings.claims.push(Claim::at_most(
            "the Fisher matrix of scores by autodiff is diag(1/σ², 2/σ²) (largest error, in units of 1/σ²)",
            largest(differences) * deviation.powi(2),
            1e-12,
        ));

        let near = 1e-4;
        let direction = [0.6 * deviation * near, 0.8 * deviation * near];
        let other = [point[0] + direction[0], point[1] + direction[1]];
        findings.claims.push(Claim::close(
            "KL(p, p + dp) over ds²/2 at a distance of 1e-4 (it differs from 1 in proportion to the distance)",
            divergence(point, other) / (0.5 * inner(point, direction, direction)),
            1.0,
            1e-3,
        ));

        let error = |step: f64| -> Result<f64, LabError> {
            let found = christoffel_by_differences(fisher, point, step)?;
            let closed = christoffel(point);
            let pairs = found.as_flattened().iter().zip(closed.as_flattened());
            let pairs = pairs.flat_map(|(found, closed)| found.iter().zip(closed));
            Ok(largest(pairs.map(|(found, closed)| found - closed)) * deviation)
        };
        findings.claims.push(Claim::at_most(
            "Christoffel symbols from differences of that matrix, against their closed form (largest error, in units \
             of 1/σ)",
            error(1e-5)?,
            1e-8,
        ));
        findings.claims.push(Claim::close(
            "half the step of the differences leaves a quarter of their error (order 2)",
            error(0.02)? / error(0.01)?,
            4.0,
            0.05,
        ));
        findings.claims.push(Claim::close(
            "the curvature from derivatives of the Christoffel symbols",
            curvature(point, 1e-5),
            -0.5,
            1e-8,
        ));
        (0..=40)
            .map(|index| {
                let step = 10_f64.powf(-0.3 * f64::from(index));
                Ok((0.3 * step, error(0.3 * step)?))
            })
            .collect()
    }
}
