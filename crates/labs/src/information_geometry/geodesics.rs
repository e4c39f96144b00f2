//! Claims about geodesics: their closed form, Runge and Kutta's method, and shooting.

use std::f64::consts::SQRT_2;

use super::InformationGeometry;
use super::half_plane::{Geodesic, Pair, aim, distance, inner, largest, shoot};
use crate::normal_family::divergence;
use crate::{Claim, Findings, FindingsTable, number};

impl InformationGeometry {
    /// The error of the end of the numerical geodesic by the number of steps, against its order.
    pub(super) fn judge_order(&self, findings: &mut Findings) -> Vec<(f64, f64)> {
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
    pub(super) fn miss(&self, path: &[(Pair, Pair)], steps: usize) -> f64 {
        let last = path.last().filter(|_| path.len() == steps + 1);
        last.map_or(f64::NAN, |(place, _)| distance(*place, self.end()))
    }

    /// The geodesic between the ends, closed and numerical.
    pub(super) fn judge_geodesic(&self, findings: &mut Findings) {
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
}

/// The length of the straight line from `start` to `end` in (μ, σ): ∫ √(Δμ² + 2 Δσ²) / σ.
pub(super) fn straight_length(start: Pair, end: Pair) -> f64 {
    let chord = (end[0] - start[0]).hypot(SQRT_2 * (end[1] - start[1]));
    let growth = (end[1] - start[1]) / start[1];
    // ln(1 + growth) / growth, which is 1 where σ does not change
    let factor = if growth.abs() < 1e-12 { 1.0 } else { growth.ln_1p() / growth };
    chord * factor / start[1]
}
