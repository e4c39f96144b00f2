//! The definition of the LSTM and its gradients, sample by sample and number by number, in `f64`.

use super::super::LstmShape;
use super::{Problem, Results};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// A step of one sample, as the backward pass needs it.
struct Step {
    time: usize,
    inputs: Vec<f64>,
    hidden_before: Vec<f64>,
    cell_before: Vec<f64>,
    cell_after: Vec<f64>,
    /// Four gates of each hidden unit, activated.
    gates: Vec<[f64; 4]>,
}

/// The results that `run` must give.
pub(super) fn results(problem: &Problem) -> Results {
    let LstmShape { batch, time, inputs, hidden, reverse } = problem.shape;
    let weights = wide(&problem.input_weights);
    let recurrent = wide(&problem.recurrent_weights);
    let column = |gate: usize, unit: usize| gate * hidden + unit;
    let row = |values: &Option<Vec<f32>>, sample: usize, width: usize, default: f64| match values {
        Some(values) => wide(&values[sample * width..(sample + 1) * width]),
        None => vec![default; width],
    };
    let mut outputs = vec![0.0; batch * time * hidden];
    let (mut last_hidden, mut last_cell) = (Vec::new(), Vec::new());
    let mut d_input = vec![0.0; batch * time * inputs];
    let mut d_weights = vec![0.0; inputs * 4 * hidden];
    let mut d_recurrent = vec![0.0; hidden * 4 * hidden];
    let mut d_bias = vec![0.0; 4 * hidden];
    let (mut d_hidden, mut d_cell) = (Vec::new(), Vec::new());

    for sample in 0..batch {
        let input_mask = row(&problem.input_mask, sample, inputs, 1.0);
        let recurrent_mask = row(&problem.recurrent_mask, sample, hidden, 1.0);
        let active = |step: usize| {
            problem.sequence_mask.as_ref().is_none_or(|mask| mask[sample * time + step] != 0)
        };
        let mut order: Vec<usize> = (0..time).collect();
        if reverse {
            order.reverse();
        }

        let mut h = row(&problem.initial_hidden, sample, hidden, 0.0);
        let mut c = row(&problem.initial_cell, sample, hidden, 0.0);
        let mut steps = Vec::new();
        for &step in &order {
            let start = (sample * time + step) * inputs;
            let mut x = wide(&problem.input[start..start + inputs]);
            x.iter_mut().zip(&input_mask).for_each(|(x, scale)| *x *= scale);
            if active(step) {
                let scaled: Vec<f64> = h.iter().zip(&recurrent_mask).map(|(h, r)| h * r).collect();
                let gates: Vec<[f64; 4]> = (0..hidden)
                    .map(|unit| {
                        let sum = |gate| {
                            let column = column(gate, unit);
                            let of = |values: &[f64], weights: &[f64]| -> f64 {
                                let terms = values.iter().enumerate();
                                terms.map(|(k, x)| x * weights[k * 4 * hidden + column]).sum()
                            };
                            of(&x, &weights)
                                + of(&scaled, &recurrent)
                                + f64::from(problem.bias[column])
                        };
                        [sigmoid(sum(0)), sigmoid(sum(1)), sum(2).tanh(), sigmoid(sum(3))]
                    })
                    .collect();
                let before = c.clone();
                for (unit, [i, f, g, o]) in gates.iter().enumerate() {
                    c[unit] = f * c[unit] + i * g;
                    h[unit] = o * c[unit].tanh();
                }
                steps.push(Step {
                    time: step,
                    inputs: x,
                    hidden_before: scaled,
                    cell_before: before,
                    cell_after: c.clone(),
                    gates,
                });
            }
            outputs[(sample * time + step) * hidden..][..hidden].copy_from_slice(&h);
        }
        last_hidden.extend(h);
        last_cell.extend(c);

        let mut dh = wide(&problem.hidden_gradients[sample * hidden..(sample + 1) * hidden]);
        let mut dc = wide(&problem.cell_gradients[sample * hidden..(sample + 1) * hidden]);
        for &step in order.iter().rev() {
            let start = (sample * time + step) * hidden;
            let of_output = &problem.output_gradients[start..start + hidden];
            dh.iter_mut().zip(of_output).for_each(|(dh, d)| *dh += f64::from(*d));
            let Some(saved) = steps.pop_if(|saved| saved.time == step) else { continue };
            let mut d_gates = vec![0.0; 4 * hidden];
            for (unit, [i, f, g, o]) in saved.gates.iter().enumerate() {
                let tanh = saved.cell_after[unit].tanh();
                dc[unit] += dh[unit] * o * (1.0 - tanh * tanh);
                d_gates[column(0, unit)] = dc[unit] * g * i * (1.0 - i);
                d_gates[column(1, unit)] = dc[unit] * saved.cell_before[unit] * f * (1.0 - f);
                d_gates[column(2, unit)] = dc[unit] * i * (1.0 - g * g);
                d_gates[column(3, unit)] = dh[unit] * tanh * o * (1.0 - o);
                dc[unit] *= f;
            }
            for (column, d) in d_gates.iter().enumerate() {
                d_bias[column] += d;
                for k in 0..inputs {
                    d_weights[k * 4 * hidden + column] += saved.inputs[k] * d;
                    d_input[(sample * time + step) * inputs + k] +=
                        d * weights[k * 4 * hidden + column] * input_mask[k];
                }
                for k in 0..hidden {
                    d_recurrent[k * 4 * hidden + column] += saved.hidden_before[k] * d;
                }
            }
            for (k, dh) in dh.iter_mut().enumerate() {
                let row = &recurrent[k * 4 * hidden..(k + 1) * 4 * hidden];
                let product: f64 = d_gates.iter().zip(row).map(|(d, weight)| d * weight).sum();
                *dh = product * recurrent_mask[k];
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
