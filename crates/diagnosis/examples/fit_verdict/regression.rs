//! Linear and logistic regression with a little shrinkage.

use nalgebra::{DMatrix, DVector};

/// Adds a column of ones in front.
fn design(rows: &[Vec<f64>]) -> DMatrix<f64> {
    let width = rows.first().map_or(1, |row| row.len() + 1);
    DMatrix::from_fn(
        rows.len(),
        width,
        |row, column| {
            if column == 0 { 1.0 } else { rows[row][column - 1] }
        },
    )
}

/// The shrinkage, on all but the intercept: half a squared weight of one.
fn shrinkage(width: usize) -> DMatrix<f64> {
    DMatrix::from_fn(width, width, |row, column| f64::from(u8::from(row == column && row > 0)))
}

/// Least squares: intercept and weights.
pub(crate) fn linear(rows: &[Vec<f64>], targets: &[f64]) -> Vec<f64> {
    let x = design(rows);
    let normal = x.transpose() * &x + shrinkage(x.ncols());
    let right = x.transpose() * DVector::from_column_slice(targets);
    normal
        .cholesky()
        .map_or(vec![0.0; x.ncols()], |solver| solver.solve(&right).as_slice().to_vec())
}

/// Logistic regression by Newton's method: intercept and weights.
pub(crate) fn logistic(rows: &[Vec<f64>], targets: &[f64]) -> Vec<f64> {
    let x = design(rows);
    let targets = DVector::from_column_slice(targets);
    let penalty = shrinkage(x.ncols());
    let mut weights = DVector::zeros(x.ncols());
    for _ in 0..50 {
        let p = (&x * &weights).map(|odds: f64| 1.0 / (1.0 + (-odds).exp()));
        let gradient = x.transpose() * (&targets - &p) - &penalty * &weights;
        let spread = p.map(|p| p * (1.0 - p));
        let weighted =
            DMatrix::from_fn(x.nrows(), x.ncols(), |row, column| x[(row, column)] * spread[row]);
        let hessian = x.transpose() * weighted + &penalty;
        let Some(solver) = hessian.cholesky() else { break };
        weights += solver.solve(&gradient);
    }
    weights.as_slice().to_vec()
}

/// Intercept plus weighted sum.
pub(crate) fn predict(weights: &[f64], row: &[f64]) -> f64 {
    weights[0] + weights[1..].iter().zip(row).map(|(weight, x)| weight * x).sum::<f64>()
}
