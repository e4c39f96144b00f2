//! Claims about parallel transport along a geodesic and around a rectangle.

use std::f64::consts::SQRT_2;

use super::InformationGeometry;
use super::half_plane::{Geodesic, Pair, distance, inner, largest, transport};
use crate::{Claim, Findings};

impl InformationGeometry {
    /// Vectors carried along the geodesic.
    pub(super) fn judge_transport(&self, findings: &mut Findings) {
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
    pub(super) fn judge_holonomy(findings: &mut Findings) {
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
    pub(super) fn frame(&self) -> [Pair; 2] {
        let deviation = self.start_deviation;
        [[deviation, 0.0], [0.0, deviation / SQRT_2]]
    }
}
