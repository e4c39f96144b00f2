//! The steps of the fit: the best floor and amplitude for a rate, and all three refined.

use nalgebra::{Matrix3, Vector3};

use super::CurveModel;

/// The best floor and amplitude for a rate, by linear regression, and the sum of squares.
pub(super) fn project(model: CurveModel, points: &[(f64, f64)], rate: f64) -> ([f64; 3], f64) {
    let count = points.len() as f64;
    let shapes: Vec<f64> = points.iter().map(|&(time, _)| model.shape(rate, time).0).collect();
    let mean_shape = shapes.iter().sum::<f64>() / count;
    let mean_loss = points.iter().map(|(_, loss)| loss).sum::<f64>() / count;
    let (mut square, mut product) = (0.0, 0.0);
    for (shape, (_, loss)) in shapes.iter().zip(points) {
        square += (shape - mean_shape).powi(2);
        product += (shape - mean_shape) * (loss - mean_loss);
    }
    let amplitude = product / square;
    let parameters = [mean_loss - amplitude * mean_shape, amplitude, rate];
    (parameters, sum_of_squares(model, points, parameters))
}

fn sum_of_squares(model: CurveModel, points: &[(f64, f64)], parameters: [f64; 3]) -> f64 {
    points.iter().map(|&(time, loss)| (loss - model.value(parameters, time)).powi(2)).sum()
}

/// Jᵀ J and Jᵀ r. A fixed floor takes no part: its row and column are those of the identity.
pub(super) fn normal_matrix(
    model: CurveModel,
    points: &[(f64, f64)],
    parameters: [f64; 3],
    fixed: Option<f64>,
) -> (Matrix3<f64>, Vector3<f64>) {
    let mut matrix = Matrix3::zeros();
    let mut right = Vector3::zeros();
    let of_floor = if fixed.is_some() { 0.0 } else { 1.0 };
    for &(time, loss) in points {
        let (shape, slope) = model.shape(parameters[2], time);
        let row = Vector3::new(of_floor, shape, parameters[1] * slope);
        matrix += row * row.transpose();
        right += row * (loss - model.value(parameters, time));
    }
    matrix[(0, 0)] += 1.0 - of_floor;
    (matrix, right)
}

/// Levenberg and Marquardt's method from `start`, with the floor free or fixed; the parameters and the
/// sum of squares.
pub(super) fn refine(
    model: CurveModel,
    points: &[(f64, f64)],
    start: [f64; 3],
    fixed: Option<f64>,
) -> ([f64; 3], f64) {
    let mut parameters = [fixed.unwrap_or(start[0]), start[1], start[2]];
    let mut sum = sum_of_squares(model, points, parameters);
    let mut damping = 1e-3;
    for _ in 0..100 {
        let (matrix, right) = normal_matrix(model, points, parameters, fixed);
        let damped = matrix + Matrix3::from_diagonal(&matrix.diagonal()) * damping;
        let step = damped.cholesky().map(|factor| factor.solve(&right));
        let moved = step.map(|step| std::array::from_fn(|index| parameters[index] + step[index]));
        let better = moved
            .filter(|moved: &[f64; 3]| moved[2] > 0.0)
            .map(|moved| (moved, sum_of_squares(model, points, moved)))
            .filter(|(_, moved_sum)| *moved_sum <= sum);
        if let Some((moved, moved_sum)) = better {
            let gain = sum - moved_sum;
            (parameters, sum) = (moved, moved_sum);
            damping *= 0.1;
            if gain <= 1e-15 * sum {
                break;
            }
        } else {
            damping *= 10.0;
            if damping > 1e12 {
                break;
            }
        }
    }
    (parameters, sum)
}
