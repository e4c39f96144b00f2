//! Rules that estimate an integral from values of the integrand at chosen places.

use std::f64::consts::PI;

/// An interval of the adaptive rule with its part of the integral.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// The left end.
    pub from: f64,
    /// The right end.
    pub to: f64,
    value: f64,
    error: f64,
}

/// What the adaptive rule found.
#[derive(Debug, Clone)]
pub(super) struct Adaptive {
    /// The integral.
    pub value: f64,
    /// Its own estimate of its error.
    pub error: f64,
    /// How often the integrand was evaluated.
    pub evaluations: usize,
    /// The intervals that it ended with.
    pub pieces: Vec<Piece>,
}

/// The trapezoid rule with `intervals` intervals of equal width h: error of order h² where the
/// integrand is smooth.
pub(super) fn trapezoid(
    values: &impl Fn(&[f64]) -> Vec<f64>,
    from: f64,
    to: f64,
    intervals: usize,
) -> f64 {
    let values = values(&even(from, to, intervals));
    let ends =
        values.first().copied().unwrap_or_default() + values.last().copied().unwrap_or_default();
    (values.iter().sum::<f64>() - 0.5 * ends) * (to - from) / intervals as f64
}

/// Simpson's rule with an even number of `intervals`: error of order h⁴.
pub(super) fn simpson(
    values: &impl Fn(&[f64]) -> Vec<f64>,
    from: f64,
    to: f64,
    intervals: usize,
) -> f64 {
    let weight = |index: usize| match index {
        _ if index == 0 || index == intervals => 1.0,
        _ if index % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let values = values(&even(from, to, intervals));
    let sum: f64 = values.iter().enumerate().map(|(index, value)| weight(index) * value).sum();
    sum * (to - from) / (3.0 * intervals as f64)
}

fn even(from: f64, to: f64, intervals: usize) -> Vec<f64> {
    let place = |index: usize| from + (to - from) * (index as f64 / intervals as f64);
    (0..=intervals).map(place).collect()
}

/// The Gauss-Legendre rule with `nodes` nodes: exact for polynomials of degree 2 `nodes` − 1.
pub(super) fn gauss_legendre(
    values: &impl Fn(&[f64]) -> Vec<f64>,
    from: f64,
    to: f64,
    nodes: usize,
) -> f64 {
    let (nodes, weights) = legendre(nodes);
    let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
    let places: Vec<f64> = nodes.iter().map(|node| middle + half * node).collect();
    half * values(&places).iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>()
}

/// The roots of the Legendre polynomial of degree `count`, ascending, and the weights
/// `2 / ((1 − x²) P′(x)²)`; by Newton's method from Tricomi's approximation.
pub(super) fn legendre(count: usize) -> (Vec<f64>, Vec<f64>) {
    let root = |index: usize| {
        let mut x = -(PI * (index as f64 + 0.75) / (count as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut before, mut here) = (1.0, x);
            for degree in 2..=count {
                let degree = degree as f64;
                (before, here) =
                    (here, ((2.0 * degree - 1.0) * x * here - (degree - 1.0) * before) / degree);
            }
            slope = count as f64 * (x * here - before) / (x * x - 1.0);
            let step = here / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(root).unzip()
}

/// Nodes of the Kronrod rule of 15 nodes from the outermost to 0; every other one, from the
/// second, is of the Gauss rule of 7 nodes inside it (QUADPACK, `qk15`).
const KRONROD_NODES: [f64; 8] = [
    0.991_455_371_120_812_6,
    0.949_107_912_342_758_5,
    0.864_864_423_359_769_1,
    0.741_531_185_599_394_4,
    0.586_087_235_467_691_1,
    0.405_845_151_377_397_2,
    0.207_784_955_007_898_47,
    0.0,
];
const KRONROD_WEIGHTS: [f64; 8] = [
    0.022_935_322_010_529_224,
    0.063_092_092_629_978_55,
    0.104_790_010_322_250_18,
    0.140_653_259_715_525_92,
    0.169_004_726_639_267_9,
    0.190_350_578_064_785_4,
    0.204_432_940_075_298_9,
    0.209_482_141_084_727_82,
];
const GAUSS_WEIGHTS: [f64; 4] = [
    0.129_484_966_168_869_7,
    0.279_705_391_489_276_64,
    0.381_830_050_505_118_9,
    0.417_959_183_673_469_4,
];

/// The nodes of the Kronrod rule in an interval, ascending.
pub(super) fn kronrod_nodes(from: f64, to: f64) -> Vec<f64> {
    let (middle, half) = (f64::midpoint(from, to), 0.5 * (to - from));
    let left = KRONROD_NODES.iter().map(|node| middle - half * node);
    let right = KRONROD_NODES[..7].iter().rev().map(|node| middle + half * node);
    left.chain(right).collect()
}

/// The integral over one interval with an estimate of its error, as QUADPACK's `qk15` gives it.
fn kronrod(values: &impl Fn(&[f64]) -> Vec<f64>, from: f64, to: f64) -> Piece {
    let half = 0.5 * (to - from);
    let values = values(&kronrod_nodes(from, to));
    let ring = |index: usize| index.min(14 - index);
    let sum = |weigh: &dyn Fn(f64) -> f64| -> f64 {
        let terms = values.iter().enumerate();
        terms.map(|(index, &value)| KRONROD_WEIGHTS[ring(index)] * weigh(value)).sum()
    };
    let fine = sum(&|value| value);
    let coarse: f64 =
        (1..15).step_by(2).map(|index| GAUSS_WEIGHTS[ring(index) / 2] * values[index]).sum();
    let width = half.abs();
    let difference = (fine - coarse).abs() * width;
    let variation = sum(&|value| (value - 0.5 * fine).abs()) * width;
    let rounding = 50.0 * f64::EPSILON * sum(&f64::abs) * width;
    let error = if variation > 0.0 {
        variation * (200.0 * difference / variation).powf(1.5).min(1.0)
    } else {
        difference
    };
    Piece { from, to, value: fine * half, error: error.max(rounding) }
}

/// Gauss-Kronrod on the whole, then on halves of the piece of the greatest error, until the sum of
/// the errors is at most `tolerance` or there are `most` pieces (QUADPACK's `qag`).
pub(super) fn adaptive(
    values: &impl Fn(&[f64]) -> Vec<f64>,
    from: f64,
    to: f64,
    tolerance: f64,
    most: usize,
) -> Adaptive {
    let mut pieces = vec![kronrod(values, from, to)];
    let mut evaluations = 15;
    loop {
        let error: f64 = pieces.iter().map(|piece| piece.error).sum();
        let worst = (0..pieces.len()).max_by(|&a, &b| pieces[a].error.total_cmp(&pieces[b].error));
        let split = worst.map(|worst| (worst, f64::midpoint(pieces[worst].from, pieces[worst].to)));
        let split = split.filter(|&(worst, middle)| {
            let piece = pieces[worst];
            (middle - piece.from).abs() > 0.0 && (piece.to - middle).abs() > 0.0
        });
        let (Some((worst, middle)), true) = (split, error > tolerance && pieces.len() < most)
        else {
            pieces.sort_by(|a, b| a.from.total_cmp(&b.from));
            let value = pieces.iter().map(|piece| piece.value).sum();
            return Adaptive { value, error, evaluations, pieces };
        };
        let piece = pieces.swap_remove(worst);
        pieces.push(kronrod(values, piece.from, middle));
        pieces.push(kronrod(values, middle, piece.to));
        evaluations += 30;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::type_complexity)]

    use super::*;

    fn of(function: impl Fn(f64) -> f64) -> impl Fn(&[f64]) -> Vec<f64> {
        move |places| places.iter().map(|&x| function(x)).collect()
    }

    #[test]
    fn rules_are_exact_up_to_their_degree() {
        // ∫ from -1 to 2 of x^d = (2^(d+1) - (-1)^(d+1)) / (d + 1)
        let exact = |d: i32| (2_f64.powi(d + 1) - (-1_f64).powi(d + 1)) / f64::from(d + 1);
        let error = |d: i32, rule: &dyn Fn(&dyn Fn(&[f64]) -> Vec<f64>) -> f64| {
            (rule(&of(|x| x.powi(d))) / exact(d) - 1.0).abs()
        };
        assert!(error(1, &|f| trapezoid(&f, -1.0, 2.0, 7)) < 1e-14);
        assert!(
            error(3, &|f| simpson(&f, -1.0, 2.0, 6)) < 1e-14
                && error(4, &|f| simpson(&f, -1.0, 2.0, 6)) > 1e-5
        );
        for (nodes, degree) in (1..=40).zip((1..).step_by(2)) {
            assert!(error(degree, &|f| gauss_legendre(&f, -1.0, 2.0, nodes)) < 1e-13, "{nodes}");
        }
        assert!(error(12, &|f| gauss_legendre(&f, -1.0, 2.0, 6)) > 1e-6);
        // Kronrod's 15 nodes are exact to degree 22.
        assert!(error(22, &|f| adaptive(&f, -1.0, 2.0, f64::MAX, 1).value) < 1e-14);
    }

    #[test]
    fn nodes_of_three_are_those_of_the_closed_form() {
        let (nodes, weights) = legendre(3);
        for (computed, expected) in nodes.iter().chain(&weights).zip([
            -(0.6_f64.sqrt()),
            0.0,
            0.6_f64.sqrt(),
            5.0 / 9.0,
            8.0 / 9.0,
            5.0 / 9.0,
        ]) {
            assert!((computed - expected).abs() < 4e-15, "{computed} {expected}");
        }
    }

    #[test]
    fn the_adaptive_rule_finds_a_kink_and_goes_backwards() {
        let found = adaptive(&of(|x: f64| (x - 0.3).abs()), 0.0, 1.0, 1e-10, 1000);
        assert!((found.value - (0.045 + 0.245)).abs() <= found.error && found.error <= 1e-10);
        assert!(found.pieces.iter().map(|piece| piece.to - piece.from).fold(1.0, f64::min) < 1e-3);
        let backwards = adaptive(&of(f64::exp), 1.0, 0.0, 1e-12, 10);
        assert!((backwards.value + 1_f64.exp() - 1.0).abs() < 1e-14);
    }
}
