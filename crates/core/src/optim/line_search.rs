//! A line search for the strong Wolfe conditions, for L-BFGS.
//!
//! Along the direction d, with φ(t) = f(w + t d), a length t is accepted when
//!
//! ```text
//! φ(t) ≤ φ(0) + c₁ t φ'(0)    and    |φ'(t)| ≤ −c₂ φ'(0)        c₁ = 1e-4, c₂ = 0.9
//! ```
//!
//! First lengths grow until two of them bracket such a t, then the bracket shrinks, by cubic
//! interpolation both times. Step for step as `torch.optim.LBFGS`, so that trajectories agree. Source:
//! Nocedal and Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6.

use burn::tensor::Tensor;

const SUFFICIENT_DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;

/// The loss at one length along the direction.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub length: f64,
    pub loss: f64,
    pub gradient: Tensor<1>,
    /// The derivative along the direction.
    pub slope: f64,
}

/// The best point found from `start` (at length 0), trying `length` first, with at most `budget`
/// evaluations by `probe` after the first, and how many there were.
///
/// `size` is the largest element of the direction; brackets in which no weight moves by
/// `tolerance` are not searched.
pub(super) fn strong_wolfe(
    probe: &mut impl FnMut(f64) -> Point,
    start: &Point,
    length: f64,
    size: f64,
    tolerance: f64,
    budget: usize,
) -> (Point, usize) {
    let too_high =
        |point: &Point| point.loss > start.loss + SUFFICIENT_DECREASE * point.length * start.slope;
    let flat = |point: &Point| point.slope.abs() <= -CURVATURE * start.slope;
    let (mut previous, mut current) = (start.clone(), probe(length));
    let (mut evaluations, mut rounds) = (1, 0);
    let mut bracket = loop {
        if rounds >= budget {
            break [start.clone(), current];
        }
        if too_high(&current) || (rounds > 1 && current.loss >= previous.loss) {
            break [previous, current];
        }
        if flat(&current) {
            return (current, evaluations);
        }
        if current.slope >= 0.0 {
            break [previous, current];
        }
        let least = current.length + 0.01 * (current.length - previous.length);
        let next = interpolated(&previous, &current, (least, current.length * 10.0));
        previous = std::mem::replace(&mut current, probe(next));
        evaluations += 1;
        rounds += 1;
    };
    bracket.sort_by(|left, right| left.loss.total_cmp(&right.loss));
    let [mut low, mut high] = bracket;
    let mut stalled = false;
    while rounds < budget && (high.length - low.length).abs() * size >= tolerance {
        let (left, right) = (low.length.min(high.length), low.length.max(high.length));
        let mut next = interpolated(&low, &high, (left, right));
        // Close to an end of the bracket, twice or beyond it, a tenth inwards is tried.
        let margin = 0.1 * (right - left);
        let close = (right - next).min(next - left) < margin;
        if close && (stalled || next >= right || next <= left) {
            next = if (next - right).abs() < (next - left).abs() {
                right - margin
            } else {
                left + margin
            };
            stalled = false;
        } else {
            stalled = close;
        }
        let found = probe(next);
        evaluations += 1;
        rounds += 1;
        if too_high(&found) || found.loss >= low.loss {
            high = found;
            if high.loss < low.loss {
                std::mem::swap(&mut low, &mut high);
            }
            continue;
        }
        if flat(&found) {
            return (found, evaluations);
        }
        if found.slope * (high.length - low.length) >= 0.0 {
            high = low;
        }
        low = found;
    }
    (low, evaluations)
}

/// The length between `bounds` at which the cubic through both points, with their slopes, is least.
fn interpolated(one: &Point, other: &Point, bounds: (f64, f64)) -> f64 {
    let (left, right) = if one.length <= other.length { (one, other) } else { (other, one) };
    let chord = (left.loss - right.loss) / (left.length - right.length);
    let first = left.slope + right.slope - 3.0 * chord;
    let square = first * first - left.slope * right.slope;
    let (least, largest) = bounds;
    if square >= 0.0 {
        let root = square.sqrt();
        let part = (right.slope + root - first) / (right.slope - left.slope + 2.0 * root);
        let found = right.length - (right.length - left.length) * part;
        // As Python's min and max, which keep the bound where `found` is NaN.
        if found > least { if found < largest { found } else { largest } } else { least }
    } else {
        f64::midpoint(least, largest)
    }
}
