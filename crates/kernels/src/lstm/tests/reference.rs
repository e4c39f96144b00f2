//! The definition of the LSTM and its gradients, sample by sample and number by number, in `f64`.

use super::super::LstmShape;
use super::{Problem, Results};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

fn dot(left: &[f64], right: impl Iterator<Item = f64>) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

/// One sample: its masks, and what the backward pass needs of each step that is not skipped.
struct Sample {
    recurrent_mask: Vec<f64>,
    /// The steps in the order of computation.
    order: Vec<usize>,
    steps: Vec<Step>,
    outputs: Vec<f64>,
    last_hidden: Vec<f64>,
    last_cell: Vec<f64>,
}

struct Step {
    time: usize,
    /// Inputs and the hidden state before, as they enter the gates.
    inputs: Vec<f64>,
    hidden: Vec<f64>,
    cell_before: Vec<f64>,
    cell_after: Vec<f64>,
    /// Four gates of each hidden unit, activated.
    gates: Vec<[f64; 4]>,
}

fn forward(problem: &Problem, sample: usize) -> Sample {
    let LstmShape { time, inputs, hidden, reverse, .. } = problem.shape;
    let row = |values: &Option<Vec<f32>>, width: usize, default: f64| match values {
        Some(values) => wide(&values[sample * width..(sample + 1) * width]),
        None => vec![default; width],
    };
    let column = |weights: &[f32], column: usize| -> Vec<f64> {
        wide(weights).into_iter().skip(column).step_by(4 * hidden).collect()
    };
    let columns = |weights: &[f32]| -> Vec<Vec<f64>> {
        (0..4 * hidden).map(|index| column(weights, index)).collect()
    };
    let weights = columns(&problem.input_weights);
    let recurrent = columns(&problem.recurrent_weights);
    let recurrent_mask = row(&problem.recurrent_mask, hidden, 1.0);
    let mut order: Vec<usize> = (0..time).collect();
    if reverse {
        order.reverse();
    }
    let mut h = row(&problem.initial_hidden, hidden, 0.0);
    let mut c = row(&problem.initial_cell, hidden, 0.0);
    let mut outputs = vec![0.0; time * hidden];
    let mut steps = Vec::new();
    for &step in &order {
        let mask = problem.sequence_mask.as_ref();
        if mask.is_none_or(|mask| mask[sample * time + step] != 0) {
            let row = problem.steps[sample * time + step] as usize;
            let x = wide(&problem.rows[row * inputs..][..inputs]);
            let scaled: Vec<f64> = h.iter().zip(&recurrent_mask).map(|(h, r)| h * r).collect();
            let sum = |gate: usize, unit: usize| {
                let column = gate * hidden + unit;
                dot(&x, weights[column].iter().copied())
                    + dot(&scaled, recurrent[column].iter().copied())
                    + f64::from(problem.bias[column])
            };
            let gates: Vec<[f64; 4]> = (0..hidden)
                .map(|j| {
                    [sigmoid(sum(0, j)), sigmoid(sum(1, j)), sum(2, j).tanh(), sigmoid(sum(3, j))]
                })
                .collect();
            let cell_before = c.clone();
            for (unit, [i, f, g, o]) in gates.iter().enumerate() {
                c[unit] = f * c[unit] + i * g;
                h[unit] = o * c[unit].tanh();
            }
            let cell_after = c.clone();
            steps.push(Step {
                time: step,
                inputs: x,
                hidden: scaled,
                cell_before,
                cell_after,
                gates,
            });
        }
        outputs[step * hidden..][..hidden].copy_from_slice(&h);
    }
    Sample { recurrent_mask, order, steps, outputs, last_hidden: h, last_cell: c }
}

/// The results that `run` must give.
pub(super) fn results(problem: &Problem) -> Results {
    let LstmShape { batch, time, inputs, hidden, .. } = problem.shape;
    let weights = wide(&problem.input_weights);
    let recurrent = wide(&problem.recurrent_weights);
    let (mut outputs, mut last_hidden, mut last_cell) = (Vec::new(), Vec::new(), Vec::new());
    let mut d_input = vec![0.0; problem.rows.len()];
    let mut d_weights = vec![0.0; inputs * 4 * hidden];
    let mut d_recurrent = vec![0.0; hidden * 4 * hidden];
    let mut d_bias = vec![0.0; 4 * hidden];
    let (mut d_hidden, mut d_cell) = (Vec::new(), Vec::new());

    for index in 0..batch {
        let mut sample = forward(problem, index);
        outputs.extend(sample.outputs);
        last_hidden.extend(sample.last_hidden);
        last_cell.extend(sample.last_cell);
        let mut dh = wide(&problem.hidden_gradients[index * hidden..][..hidden]);
        let mut dc = wide(&problem.cell_gradients[index * hidden..][..hidden]);
        for &time_step in sample.order.iter().rev() {
            let place = index * time + time_step;
            let of_output = wide(&problem.output_gradients[place * hidden..][..hidden]);
            dh.iter_mut().zip(of_output).for_each(|(dh, d)| *dh += d);
            let Some(step) = sample.steps.pop_if(|step| step.time == time_step) else { continue };
            let mut d_gates = vec![0.0; 4 * hidden];
            for (unit, [i, f, g, o]) in step.gates.iter().enumerate() {
                let tanh = step.cell_after[unit].tanh();
                dc[unit] += dh[unit] * o * (1.0 - tanh * tanh);
                d_gates[unit] = dc[unit] * g * i * (1.0 - i);
                d_gates[hidden + unit] = dc[unit] * step.cell_before[unit] * f * (1.0 - f);
                d_gates[2 * hidden + unit] = dc[unit] * i * (1.0 - g * g);
                d_gates[3 * hidden + unit] = dh[unit] * tanh * o * (1.0 - o);
                dc[unit] *= f;
            }
            for (column, d) in d_gates.iter().enumerate() {
                d_bias[column] += d;
                for (k, x) in step.inputs.iter().enumerate() {
                    d_weights[k * 4 * hidden + column] += x * d;
                }
                for (k, h) in step.hidden.iter().enumerate() {
                    d_recurrent[k * 4 * hidden + column] += h * d;
                }
            }
            let through = |weights: &[f64], k: usize| {
                dot(&d_gates, weights[k * 4 * hidden..][..4 * hidden].iter().copied())
            };
            let row = problem.steps[place] as usize;
            for k in 0..inputs {
                d_input[row * inputs + k] += through(&weights, k);
            }
            for (k, dh) in dh.iter_mut().enumerate() {
                *dh = through(&recurrent, k) * sample.recurrent_mask[k];
            }
        }
        d_hidden.extend(dh);
        d_cell.extend(dc);
    }
    vec![
        ("outputs", outputs),
        ("last_hidden", last_hidden),
        ("last_cell", last_cell),
        ("input_gradient", d_input),
        ("input_weights_gradient", d_weights),
        ("recurrent_weights_gradient", d_recurrent),
        ("bias_gradient", d_bias),
        ("initial_hidden_gradient", d_hidden),
        ("initial_cell_gradient", d_cell),
    ]
}
