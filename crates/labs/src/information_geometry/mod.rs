//! The normal distributions as a curved plane: Fisher metric, geodesics, parallel transport.

mod figures;
mod half_plane;

use std::f64::consts::SQRT_2;

use super::normal_family::{Coordinates, divergence};
use super::options::between;
use super::{About, Claim, Findings, FindingsTable, Lab, LabError, Progress, Theme, number};
use converge_settings::ranges::{FINITE, POSITIVE};
use converge_settings::settings;
use half_plane::{
    Geodesic, Pair, aim, christoffel, christoffel_by_differences, curvature, distance, inner,
    metric, shoot, transport,
};

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

    /// The metric and what follows from it at the start, against closed forms. Returns the error of
    /// the Christoffel symbols (in units of 1/σ) by the step of differences (in units of σ).
    fn judge_metric(&self, findings: &mut Findings) -> Result<Vec<(f64, f64)>, LabError> {
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

    /// The error of the end of the numerical geodesic by the number of steps, against its order.
    fn judge_order(&self, findings: &mut Findings) -> Vec<(f64, f64)> {
        let velocity = Geodesic::between(self.start(), self.end()).at(0.0).1;
        let length = distance(self.start(), self.end());
        let error = |steps: usize| self.miss(&shoot(self.start(), velocity, steps), steps);
        let by_steps: Vec<(f64, f64)> =
            (2..=13).map(|power| 1 << power).map(|steps| (steps as f64, error(steps))).collect();
        // The last halving that is above rounding.
        let halving = by_steps
            .windows(2)
            .rfind(|pair| pair[1].1 > 1e-10 * length.max(1.0) && pair[0].1 < 0.1);
        if let Some([before, after]) = halving {
            findings.claims.push(Claim::close(
                format!(
                    "half the step of Runge and Kutta's method leaves a sixteenth of the error (order 4), at {} steps",
                    after.0
                ),
                before.1 / after.1,
                16.0,
                2.0,
            ));
        }
        by_steps
    }

    /// How far from the end a path ends; NaN if it does not have all its steps.
    fn miss(&self, path: &[(Pair, Pair)], steps: usize) -> f64 {
        let last = path.last().filter(|_| path.len() == steps + 1);
        last.map_or(f64::NAN, |(place, _)| distance(*place, self.end()))
    }

    /// The geodesic between the ends, closed and numerical.
    fn judge_geodesic(&self, findings: &mut Findings) {
        let (start, end) = (self.start(), self.end());
        let closed = Geodesic::between(start, end);
        let length = distance(start, end);
        let aimed =
            aim(start, end, self.steps).map(|found| (found, inner(start, found, found).sqrt()));
        if let Some(tolerance) = self.tolerance() {
            let path = shoot(start, closed.at(0.0).1, self.steps);
            findings.claims.push(Claim::at_most(
                format!(
                    "{} steps from the start end at the end of the closed form (distance)",
                    self.steps
                ),
                self.miss(&path, self.steps),
                tolerance,
            ));
            let speeds =
                path.iter().map(|&(place, velocity)| inner(place, velocity, velocity).sqrt());
            findings.claims.push(Claim::at_most(
                "the speed stays what it was on the way (largest change)",
                largest(speeds.map(|speed| speed - length)),
                tolerance,
            ));
            findings.claims.push(Claim::that(
                format!(
                    "shooting finds the geodesic without its closed form, and the length {} of the hyperbolic formula",
                    number(length)
                ),
                match aimed {
                    Some((found, length)) => format!(
                        "initial velocity ({}, {}), length {}",
                        number(found[0]),
                        number(found[1]),
                        number(length)
                    ),
                    None => "Newton's method does not converge".to_owned(),
                },
                aimed.is_some_and(|(_, found)| (found - length).abs() <= tolerance),
            ));
        } else {
            findings.sentences.push(format!(
                "{} steps are too few for a path of length {}: give more `--steps`.",
                self.steps,
                number(length)
            ));
        }

        let straight = straight_length(start, end);
        findings.claims.push(Claim::at_least(
            "the straight line in (μ, σ) is no shorter than the geodesic (length over length)",
            if length > 0.0 { straight / length } else { 1.0 },
            1.0 - 1e-9,
        ));
        let middle = closed.at(0.5).0;
        findings.sentences.push(format!(
            "From N({}, {}²) to N({}, {}²) it is {}, along the geodesic; along the straight line in (μ, σ) it is {}.",
            number(start[0]),
            number(start[1]),
            number(end[0]),
            number(end[1]),
            number(length),
            number(straight),
        ));
        if middle[1] > start[1].max(end[1]) {
            findings.sentences.push(format!(
                "Half-way the geodesic is at N({:.3}, {:.3}²): the way to another mean leads over wider distributions, \
                 which are harder to tell apart.",
                middle[0], middle[1]
            ));
        }
        let wider = [distance([0.0, 2.0], [1.0, 2.0]), distance([0.0, 1.0], [1.0, 1.0])];
        findings.sentences.push(format!(
            "Means 1 apart are {:.4} apart at σ = 1 and {:.4} at σ = 2.",
            wider[1], wider[0]
        ));
        let jeffreys = divergence(start, end) + divergence(end, start);
        findings.tables.push(FindingsTable::new(
            "From the start to the end",
            &["way", "length"],
            vec![
                vec!["hyperbolic formula".to_owned(), number(length)],
                vec![
                    format!("geodesic by shooting, {} steps", self.steps),
                    aimed.map_or("-".to_owned(), |(_, length)| number(length)),
                ],
                vec!["straight line in (μ, σ)".to_owned(), number(straight)],
                vec![
                    "√(KL there + KL back), which is the length for near ends".to_owned(),
                    number(jeffreys.sqrt()),
                ],
            ],
        ));
    }

    /// Vectors carried along the geodesic.
    fn judge_transport(&self, findings: &mut Findings) {
        let closed = Geodesic::between(self.start(), self.end());
        let frame = self.frame();
        let carried = frame.map(|vector| transport(|time| closed.at(time), vector, self.steps));
        let length = distance(self.start(), self.end());
        let Some(tolerance) = self.tolerance() else { return };
        let mut worst = [0.0_f64; 3];
        for (step, (&first, &second)) in carried[0].iter().zip(&carried[1]).enumerate() {
            let (place, velocity) = closed.at(step as f64 / self.steps as f64);
            let products = [
                inner(place, first, first),
                inner(place, second, second),
                inner(place, first, second),
            ];
            worst[0] = worst[0].max(largest([products[0] - 1.0, products[1] - 1.0]));
            worst[1] = worst[1].max(products[2].abs());
            if length > 0.0 {
                let along = inner(place, first, velocity) / length;
                let at_start = inner(self.start(), frame[0], closed.at(0.0).1) / length;
                worst[2] = worst[2].max((along - at_start).abs());
            }
        }
        let whole = carried.iter().all(|vectors| vectors.len() == self.steps + 1);
        let [lengths, angles, tangent] = worst.map(|error| if whole { error } else { f64::NAN });
        for (says, error) in [
            (
                "two unit vectors carried along the geodesic keep their lengths (largest change of the square)",
                lengths,
            ),
            ("they stay orthogonal to each other (largest inner product)", angles),
            ("they keep their angle with the geodesic (largest change of its cosine)", tangent),
        ] {
            findings.claims.push(Claim::at_most(says, error, tolerance));
        }
    }

    /// A vector carried around a rectangle.
    fn judge_holonomy(findings: &mut Findings) {
        let corners = [[0.0, 1.0], [1.0, 1.0], [1.0, 2.0], [0.0, 2.0], [0.0, 1.0]];
        let angle = |vector: Pair| (SQRT_2 * vector[1]).atan2(vector[0]);
        let vector = corners.windows(2).fold([1.0, 0.0], |vector, ends| {
            let side = [ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]];
            let at = |time: f64| [0, 1].map(|index| ends[0][index] + time * side[index]);
            transport(|time| (at(time), side), vector, 1000)
                .last()
                .copied()
                .unwrap_or([f64::NAN; 2])
        });
        // The area is ∫∫ √2/σ² dμ dσ.
        let area = SQRT_2 * (1.0 - 0.5);
        findings.claims.push(Claim::close(
            "around the rectangle of μ from 0 to 1 and σ from 1 to 2, a vector is turned by the curvature times the \
             area, −√2/4 (angle)",
            angle(vector),
            -0.5 * area,
            1e-9,
        ));
        findings.sentences.push(format!(
            "A vector carried once around the rectangle of μ from 0 to 1 and σ from 1 to 2 comes back turned by {:.2}°: \
             the plane is curved, by −1/2 everywhere.",
            angle(vector).to_degrees()
        ));
    }

    /// Two unit vectors at the start, at right angles to each other.
    fn frame(&self) -> [Pair; 2] {
        let deviation = self.start_deviation;
        [[deviation, 0.0], [0.0, deviation / SQRT_2]]
    }
}

/// The length of the straight line from `start` to `end` in (μ, σ): ∫ √(Δμ² + 2 Δσ²) / σ.
fn straight_length(start: Pair, end: Pair) -> f64 {
    let chord = (end[0] - start[0]).hypot(SQRT_2 * (end[1] - start[1]));
    let growth = (end[1] - start[1]) / start[1];
    // ln(1 + growth) / growth, which is 1 where σ does not change
    let factor = if growth.abs() < 1e-12 { 1.0 } else { growth.ln_1p() / growth };
    chord * factor / start[1]
}

/// The largest absolute value; NaN if there is one.
fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |largest, value| {
        if value.is_nan() || largest.is_nan() { f64::NAN } else { value.abs().max(largest) }
    })
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
