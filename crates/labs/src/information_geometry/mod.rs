//! The normal distributions as a curved plane: Fisher metric, geodesics, parallel transport.

mod figures;
mod geodesics;
mod half_plane;
mod metric;
mod transport;

use std::f64::consts::SQRT_2;

use self::half_plane::{Pair, distance};
use super::options::between;
use super::{About, Findings, Lab, LabError, Progress, Theme};
use converge_settings::ranges::{FINITE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Fisher metric, geodesics and parallel transport on the plane of normal distributions.
    pub struct InformationGeometry {
        /// The mean of the distribution to start at
        start_mean: f64 = 0.0 => FINITE,
        /// Its standard deviation
        start_deviation: f64 = 1.0 => POSITIVE,
        /// The mean of the distribution to end at
        end_mean: f64 = 4.0 => FINITE,
        /// Its standard deviation
        end_deviation: f64 = 0.5 => POSITIVE,
        /// Runge-Kutta steps along a path, at most 100000
        steps: usize = 400 => between!(1, 100_000),
    }
}

impl Lab for InformationGeometry {
    const ABOUT: About = About {
        theme: Theme::BeyondSupervisedLearning,
        title: "The geometry of normal distributions",
        question: "How far apart are two distributions, and what is the straight way from one to the other?",
        method: "The Fisher information measures how well near distributions are told apart by a draw; as a metric \
it makes the normal distributions N(μ, σ²) a curved plane,

    ds² = dμ²/σ² + 2 dσ²/σ²,   KL(p, p + dp) ≈ ds²/2

A straight way, a geodesic γ, does not turn. With the Christoffel symbols of the metric,

    γ̈^k = −Γ^k_ij γ̇^i γ̇^j,   Γ^μ_μσ = −1/σ,   Γ^σ_μμ = 1/(2σ),   Γ^σ_σσ = −1/σ

With μ/√2 as the abscissa this is √2 times the hyperbolic half-plane: geodesics are half ellipses around points of \
σ = 0 and vertical lines, the curvature is −1/2 everywhere, and the distance is

    √2 arcosh(1 + (Δμ²/2 + Δσ²) / (2 σ₁ σ₂))

A vector v that is carried along a path without turning, v̇^k = −Γ^k_ij γ̇^i v^j, keeps its length and its angles; \
around a closed path it comes back turned by the curvature times the area inside.

The metric is computed from scores by automatic differentiation; geodesics by Runge and Kutta's method of order 4, to \
a given end by shooting with Newton's method.",
        sources: &[
            "Rao, Information and the accuracy attainable in the estimation of statistical parameters, Bulletin of the \
             Calcutta Mathematical Society 37, 1945",
            "Amari and Nagaoka, Methods of Information Geometry, 2000",
            "Costa, Santos and Strapasson, Fisher information distance: a geometrical reading, Discrete Applied \
             Mathematics 197, 2015, https://arxiv.org/abs/1210.2354",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let mut findings = Findings::default();
        progress.at(0, 4, "metric, Christoffel symbols, curvature");
        let by_step = self.judge_metric(&mut findings)?;
        progress.at(1, 4, "geodesics");
        let by_steps = self.judge_order(&mut findings);
        self.judge_geodesic(&mut findings);
        progress.at(2, 4, "parallel transport");
        self.judge_transport(&mut findings);
        Self::judge_holonomy(&mut findings);
        progress.at(3, 4, "figures");
        figures::add(&mut findings, self, by_steps, by_step);
        Ok(findings)
    }
}

impl InformationGeometry {
    fn start(&self) -> Pair {
        [self.start_mean, self.start_deviation]
    }

    fn end(&self) -> Pair {
        [self.end_mean, self.end_deviation]
    }

    /// The error that Runge and Kutta's method may have after a path with this many steps: of order 4,
    /// and spread by the curvature −1/2, by which near geodesics part as cosh(length/√2). None where
    /// there are so few steps that it would be no demand.
    fn tolerance(&self) -> Option<f64> {
        let length = distance(self.start(), self.end());
        let order = (length.max(1.0) / self.steps as f64).powi(4);
        let error = (10.0 * order * (length / SQRT_2).cosh()).max(1e-9);
        (error <= 0.01).then_some(error)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab(start: [f64; 2], end: [f64; 2]) -> InformationGeometry {
        let ([start_mean, start_deviation], [end_mean, end_deviation]) = (start, end);
        InformationGeometry {
            start_mean,
            start_deviation,
            end_mean,
            end_deviation,
            ..Default::default()
        }
    }

    #[test]
    fn all_claims_hold_for_several_ends() {
        for lab in [
            InformationGeometry::default(),
            lab([0.0, 1.0], [0.0, 3.0]),
            lab([5.0, 1.0], [-2.0, 2.0]),
            lab([0.0, 1.0], [0.0, 1.0]),
            lab([0.0, 1.0], [0.001, 1.0]),
            lab([0.0, 0.01], [0.03, 0.01]),
            InformationGeometry { steps: 2000, ..lab([0.0, 1.0], [50.0, 0.1]) },
        ] {
            let claims = lab.run(&mut Silent).unwrap().claims;
            assert!(claims.len() >= 12);
            assert!(claims.iter().all(|claim| claim.holds), "{lab:?} {claims:#?}");
        }
    }

    #[test]
    fn the_length_is_that_of_scipy() {
        let findings = InformationGeometry::default().run(&mut Silent).unwrap();
        // √2 arccosh(1 + (16 / 2 + 0.25) / (2 · 0.5)), NumPy 2.4.6
        assert_eq!(findings.tables[0].rows[0][1], "4.122201");
        // ∫ √(16 + 2 · 0.25) / (1 − t/2) dt, scipy.integrate.quad, SciPy 1.17.1
        assert_eq!(findings.tables[0].rows[2][1], "5.631154");
    }

    #[test]
    fn extreme_options_do_not_panic() {
        for lab in [
            lab([0.0, 1.0], [1e300, 0.5]),
            lab([0.0, 1e-300], [4.0, 0.5]),
            InformationGeometry { steps: 1, ..lab([0.0, 1.0], [4.0, 1e300]) },
            lab([-1e308, 1.0], [1e308, 0.5]),
        ] {
            assert!(!lab.run(&mut Silent).unwrap().claims.is_empty(), "{lab:?}");
        }
    }
}
