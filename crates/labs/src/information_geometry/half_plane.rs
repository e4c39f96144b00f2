//! The plane of normal distributions with the Fisher metric ds² = dμ²/σ² + 2 dσ²/σ².
//!
//! With x = μ/√2 and y = σ it is √2 times the hyperbolic half-plane, ds² = 2 (dx² + dy²)/y², which
//! gives geodesics, distances and velocities in closed form. The numerical side knows only the
//! Christoffel symbols.

use std::f64::consts::SQRT_2;

/// (μ, σ), or a tangent vector in these coordinates.
pub(super) type Pair = [f64; 2];
/// `Γ^k_ij` at `[k][i][j]`; coordinate 0 is μ, 1 is σ.
pub(super) type Christoffel = [[Pair; 2]; 2];

/// The diagonal of the metric at `point`; it has nothing else.
pub(super) fn metric([_, deviation]: Pair) -> Pair {
    [deviation.powi(-2), 2.0 * deviation.powi(-2)]
}

/// The inner product of two vectors at `point`.
pub(super) fn inner(point: Pair, left: Pair, right: Pair) -> f64 {
    let [mean, deviation] = metric(point);
    mean * left[0] * right[0] + deviation * left[1] * right[1]
}

/// `Γ^μ_μσ = Γ^μ_σμ = −1/σ`, `Γ^σ_μμ = 1/(2σ)`, `Γ^σ_σσ = −1/σ`, and all others 0.
pub(super) fn christoffel([_, deviation]: Pair) -> Christoffel {
    let inverse = 1.0 / deviation;
    [[[0.0, -inverse], [-inverse, 0.0]], [[0.5 * inverse, 0.0], [0.0, -inverse]]]
}

/// The same from central differences of a metric: `Γ^k_ij = ½ g^kl (∂_i g_jl + ∂_j g_il − ∂_l g_ij)`.
/// Steps are `step` times σ.
pub(super) fn christoffel_by_differences<E>(
    metric: impl Fn(Pair) -> Result<[Pair; 2], E>,
    point: Pair,
    step: f64,
) -> Result<Christoffel, E> {
    let step = step * point[1];
    let mut derivatives = [[[0.0; 2]; 2]; 2];
    for (along, derivative) in derivatives.iter_mut().enumerate() {
        let mut beside = [point, point];
        beside[0][along] -= step;
        beside[1][along] += step;
        let [before, after] = [metric(beside[0])?, metric(beside[1])?];
        for (row, (before, after)) in derivative.iter_mut().zip(before.iter().zip(&after)) {
            for (entry, (before, after)) in row.iter_mut().zip(before.iter().zip(after)) {
                *entry = (after - before) / (2.0 * step);
            }
        }
    }
    let [[a, b], [c, d]] = metric(point)?;
    let determinant = a * d - b * c;
    let inverse = [[d / determinant, -b / determinant], [-c / determinant, a / determinant]];
    let mut symbols = [[[0.0; 2]; 2]; 2];
    for k in 0..2 {
        for i in 0..2 {
            for j in 0..2 {
                symbols[k][i][j] = (0..2)
                    .map(|l| {
                        let sum =
                            derivatives[i][j][l] + derivatives[j][i][l] - derivatives[l][i][j];
                        0.5 * inverse[k][l] * sum
                    })
                    .sum();
            }
        }
    }
    Ok(symbols)
}

/// The Gaussian curvature at `point`, `g_μμ R^μ_σμσ / det g`, with the derivatives of the Christoffel
/// symbols by central differences of `step` times σ.
pub(super) fn curvature(point: Pair, step: f64) -> f64 {
    let [mean, deviation] = point;
    let step = step * deviation;
    let along_mean = |sign: f64| christoffel([mean + sign * step, deviation]);
    let along_deviation = |sign: f64| christoffel([mean, deviation + sign * step]);
    let here = christoffel(point);
    // ∂_μ Γ^μ_σσ − ∂_σ Γ^μ_μσ + Γ^μ_μm Γ^m_σσ − Γ^μ_σm Γ^m_μσ
    let by_mean = (along_mean(1.0)[0][1][1] - along_mean(-1.0)[0][1][1]) / (2.0 * step);
    let by_deviation =
        (along_deviation(1.0)[0][0][1] - along_deviation(-1.0)[0][0][1]) / (2.0 * step);
    let products: f64 =
        (0..2).map(|m| here[0][0][m] * here[m][1][1] - here[0][1][m] * here[m][0][1]).sum();
    (by_mean - by_deviation + products) / metric(point)[1]
}

/// The distance: √2 arcosh(1 + (Δμ²/2 + Δσ²) / (2 σ₁ σ₂)), in a form exact for near points too.
pub(super) fn distance(from: Pair, to: Pair) -> f64 {
    SQRT_2 * hyperbolic_distance(from, to)
}

fn hyperbolic_distance(from: Pair, to: Pair) -> f64 {
    let chord = ((to[0] - from[0]) / SQRT_2).hypot(to[1] - from[1]);
    2.0 * (0.5 * chord / from[1].sqrt() / to[1].sqrt()).asinh()
}

/// The geodesic that starts at a point with a velocity, in closed form: an ellipse around a point of
/// the line σ = 0, or a vertical line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geodesic {
    start: Pair,
    /// Hyperbolic length that is run in a unit of time.
    speed: f64,
    /// The direction at the start as a unit vector of the (x, y) plane.
    direction: Pair,
}

impl Geodesic {
    /// From `start` with `velocity`.
    pub(super) fn new(start: Pair, velocity: Pair) -> Self {
        let tangent = [velocity[0] / SQRT_2, velocity[1]];
        let length = tangent[0].hypot(tangent[1]);
        let direction = if length > 0.0 { tangent.map(|part| part / length) } else { [0.0, 1.0] };
        Self { start, speed: length / start[1], direction }
    }

    /// From one point to the other in a unit of time.
    pub(super) fn between(start: Pair, end: Pair) -> Self {
        let speed = hyperbolic_distance(start, end);
        let direction = if speed > 0.0 {
            let sideways = (end[0] - start[0]) / (SQRT_2 * end[1] * speed.sinh());
            [sideways, (speed.cosh() - start[1] / end[1]) / speed.sinh()]
        } else {
            [0.0, 1.0]
        };
        Self { start, speed, direction }
    }

    /// Place and velocity at `time`.
    pub(super) fn at(&self, time: f64) -> (Pair, Pair) {
        let run = self.speed * time;
        let [sideways, up] = self.direction;
        // cosh − up · sinh and minus its derivative, without cancellation for an `up` near ±1
        let (falling, rising) = (0.5 * (1.0 + up) * (-run).exp(), 0.5 * (1.0 - up) * run.exp());
        let (depth, slope) = (rising + falling, falling - rising);
        let [mean, deviation] = self.start;
        let place = [mean + SQRT_2 * deviation * sideways * run.sinh() / depth, deviation / depth];
        let scale = deviation * self.speed / (depth * depth);
        (place, [SQRT_2 * scale * sideways, scale * slope])
    }
}

/// `steps` steps of Runge and Kutta's method of order 4 on the geodesic equation
/// `γ̈^k = −Γ^k_ij γ̇^i γ̇^j` from time 0 to 1: all places and velocities, as far as they are finite.
pub(super) fn shoot(start: Pair, velocity: Pair, steps: usize) -> Vec<(Pair, Pair)> {
    let slope = |_: f64, [place, velocity]: [Pair; 2]| {
        [velocity, contraction(&christoffel(place), velocity, velocity)]
    };
    let path = runge_kutta(slope, [start, velocity], steps);
    path.into_iter().map(|[place, velocity]| (place, velocity)).collect()
}

/// `vector`, carried along `curve` (place and velocity by time from 0 to 1) without turning:
/// `v̇^k = −Γ^k_ij γ̇^i v^j`; at every step.
pub(super) fn transport(
    curve: impl Fn(f64) -> (Pair, Pair),
    vector: Pair,
    steps: usize,
) -> Vec<Pair> {
    let slope = |time: f64, [vector]: [Pair; 1]| {
        let (place, velocity) = curve(time);
        [contraction(&christoffel(place), velocity, vector)]
    };
    runge_kutta(slope, [vector], steps).into_iter().map(|[vector]| vector).collect()
}

/// `−Γ^k_ij left^i right^j`
fn contraction(symbols: &Christoffel, left: Pair, right: Pair) -> Pair {
    [0, 1].map(|k| {
        let terms = (0..2).flat_map(|i| (0..2).map(move |j| (i, j)));
        -terms.map(|(i, j)| symbols[k][i][j] * left[i] * right[j]).sum::<f64>()
    })
}

fn runge_kutta<const N: usize>(
    slope: impl Fn(f64, [Pair; N]) -> [Pair; N],
    start: [Pair; N],
    steps: usize,
) -> Vec<[Pair; N]> {
    let step = 1.0 / steps as f64;
    let moved = |state: &[Pair; N], slope: &[Pair; N], by: f64| {
        let mut state = *state;
        for (state, slope) in state.iter_mut().flatten().zip(slope.iter().flatten()) {
            *state += by * slope;
        }
        state
    };
    let mut states = vec![start];
    let mut state = start;
    for index in 0..steps {
        let time = index as f64 * step;
        let first = slope(time, state);
        let second = slope(time + 0.5 * step, moved(&state, &first, 0.5 * step));
        let third = slope(time + 0.5 * step, moved(&state, &second, 0.5 * step));
        let fourth = slope(time + step, moved(&state, &third, step));
        for (slope, weight) in [(first, 1.0), (second, 2.0), (third, 2.0), (fourth, 1.0)] {
            state = moved(&state, &slope, weight * step / 6.0);
        }
        if state.iter().flatten().any(|number| !number.is_finite()) {
            break;
        }
        states.push(state);
    }
    states
}

/// The velocity at `start` of the geodesic that is at `end` at time 1, by shooting: Newton's method
/// on the end of [`shoot`], for ends that move from `start` to `end` in 16 stages. None if it fails.
pub(super) fn aim(start: Pair, end: Pair, steps: usize) -> Option<Pair> {
    let miss = |velocity: Pair, aim: Pair| -> Option<Pair> {
        let path = shoot(start, velocity, steps);
        let (place, _) = path.last().filter(|_| path.len() == steps + 1)?;
        (place[1] > 0.0).then_some([place[0] - aim[0], place[1] - aim[1]])
    };
    let stages = 16;
    let mut velocity = [0.0; 2];
    for stage in 1..=stages {
        let fraction = f64::from(stage) / f64::from(stages);
        let aim = [0, 1].map(|index| start[index] + fraction * (end[index] - start[index]));
        for _ in 0..20 {
            let error = miss(velocity, aim)?;
            if error[0].hypot(error[1]) <= 1e-12 * aim[1] {
                break;
            }
            let nudge = 1e-6 * start[1];
            let [by_first, by_second] = [[nudge, 0.0], [0.0, nudge]].map(|by| {
                let [ahead, behind] = [1.0, -1.0].map(|sign| {
                    miss([velocity[0] + sign * by[0], velocity[1] + sign * by[1]], aim)
                });
                ahead.zip(behind).map(|(ahead, behind)| {
                    [0, 1].map(|index| (ahead[index] - behind[index]) / (2.0 * nudge))
                })
            });
            let ([a, c], [b, d]) = (by_first?, by_second?);
            let determinant = a * d - b * c;
            velocity[0] -= (d * error[0] - b * error[1]) / determinant;
            velocity[1] -= (a * error[1] - c * error[0]) / determinant;
        }
    }
    velocity.iter().all(|part| part.is_finite()).then_some(velocity)
}

/// The largest absolute value; NaN if there is one.
pub(super) fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, |largest, value| {
        if value.is_nan() || largest.is_nan() { f64::NAN } else { value.abs().max(largest) }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_distance_is_that_of_scipy_s_integration() {
        // The least length over arcs, from tests/golden/make_lab_information_geometry.py.
        let json = include_str!("../../../../tests/golden/lab_information_geometry.json");
        let golden: serde_json::Value = serde_json::from_str(json).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let pair = |key: &str| -> Pair { serde_json::from_value(case[key].clone()).unwrap() };
            let (from, to) = (pair("from"), pair("to"));
            let length = case["length"].as_f64().unwrap();
            assert!((distance(from, to) / length - 1.0).abs() < 1e-7, "{case}");
            let middle = Geodesic::between(from, to).at(0.5).0;
            for (found, expected) in middle.iter().zip(pair("middle")) {
                assert!((found - expected).abs() < 1e-6, "{case} {middle:?}");
            }
        }
    }

    #[test]
    fn the_closed_geodesic_has_its_ends_and_its_velocity() {
        let (start, end) = ([0.3, 1.2], [-2.0, 0.4]);
        let geodesic = Geodesic::between(start, end);
        let (place, velocity) = geodesic.at(1.0);
        assert!((place[0] - end[0]).abs() < 1e-12 && (place[1] - end[1]).abs() < 1e-12);
        let ([before, after], step) = ([-1e-5, 1e-5].map(|step| geodesic.at(1.0 + step).0), 2e-5);
        for index in 0..2 {
            assert!(((after[index] - before[index]) / step - velocity[index]).abs() < 1e-7);
        }
        let again = Geodesic::new(start, geodesic.at(0.0).1).at(1.0).0;
        assert!((again[0] - end[0]).abs() < 1e-12 && (again[1] - end[1]).abs() < 1e-12);
    }
}
