//! The LSTM against PyTorch in float64, and against its definition over random shapes.

#![allow(clippy::unwrap_used)]

mod golden;
mod properties;
mod reference;

use super::{LstmInput, LstmOptions, LstmOutputGradients, LstmParameters, LstmShape};

/// A problem with all its tensors.
#[derive(Debug, Clone)]
struct Problem {
    shape: LstmShape,
    /// The input's rows, and the row of each step.
    rows: Vec<f32>,
    steps: Vec<u32>,
    input_weights: Vec<f32>,
    recurrent_weights: Vec<f32>,
    bias: Vec<f32>,
    initial_hidden: Option<Vec<f32>>,
    initial_cell: Option<Vec<f32>>,
    recurrent_mask: Option<Vec<f32>>,
    sequence_mask: Option<Vec<u8>>,
    output_gradients: Vec<f32>,
    hidden_gradients: Vec<f32>,
    cell_gradients: Vec<f32>,
}

impl Problem {
    /// A problem without options, each of whose steps reads a row of its own, and whose tensor number
    /// `k` holds `mixed(i, k) / 2` of the golden files.
    fn new(shape: LstmShape) -> Self {
        let LstmShape { batch, time, inputs, hidden, .. } = shape;
        Self {
            shape,
            rows: mixed(0, batch * time * inputs),
            steps: (0..(batch * time) as u32).collect(),
            input_weights: mixed(1, inputs * 4 * hidden),
            recurrent_weights: mixed(2, hidden * 4 * hidden),
            bias: mixed(3, 4 * hidden),
            initial_hidden: None,
            initial_cell: None,
            recurrent_mask: None,
            sequence_mask: None,
            output_gradients: mixed(6, batch * time * hidden),
            hidden_gradients: mixed(7, batch * hidden),
            cell_gradients: mixed(8, batch * hidden),
        }
    }

    /// Recurrent weights of the size that PyTorch starts from: with larger ones the states of a
    /// large layer are chaotic, and rounding errors grow from step to step.
    fn with_moderate_weights(mut self) -> Self {
        let scale = 1.0 / (self.shape.hidden as f32).sqrt();
        self.recurrent_weights.iter_mut().for_each(|weight| *weight *= scale);
        self
    }

    fn with_initial_state(mut self) -> Self {
        let states = self.shape.batch * self.shape.hidden;
        self.initial_hidden = Some(mixed(4, states));
        self.initial_cell = Some(mixed(5, states));
        self
    }

    fn with_dropout(mut self) -> Self {
        self.recurrent_mask = Some(dropout(21, self.shape.batch * self.shape.hidden));
        self
    }

    /// Only `count` rows, each read by any number of steps.
    fn with_shared_rows(mut self, count: usize) -> Self {
        self.rows.truncate(count * self.shape.inputs);
        let count = self.rows.len() / self.shape.inputs;
        self.steps.iter_mut().for_each(|step| *step = (*step * 7 + *step / 5) % count as u32);
        self
    }

    fn input(&self) -> LstmInput<'_> {
        LstmInput { rows: &self.rows, steps: &self.steps }
    }

    fn parameters(&self) -> LstmParameters<'_> {
        LstmParameters {
            input_weights: &self.input_weights,
            recurrent_weights: &self.recurrent_weights,
            bias: &self.bias,
        }
    }

    fn options(&self) -> LstmOptions<'_> {
        LstmOptions {
            initial_hidden: self.initial_hidden.as_deref(),
            initial_cell: self.initial_cell.as_deref(),
            recurrent_mask: self.recurrent_mask.as_deref(),
            sequence_mask: self.sequence_mask.as_deref(),
        }
    }

    fn gradients(&self) -> LstmOutputGradients<'_> {
        LstmOutputGradients {
            outputs: Some(&self.output_gradients),
            last_hidden: Some(&self.hidden_gradients),
            last_cell: Some(&self.cell_gradients),
        }
    }
}

/// Well mixed numbers in `[-0.5, 0.5]`, as `tests/golden/formulas.py` makes them.
fn mixed(number: i64, count: usize) -> Vec<f32> {
    let value = |i: i64| ((31 * i * i + 17 * i + 101 * number) % 1009 - 504) as f32 / 1008.0;
    (0..).map(value).take(count).collect()
}

/// A mask that is 0 or 1.25.
fn dropout(number: i64, count: usize) -> Vec<f32> {
    let scale = |value| if value < -0.2 { 0.0 } else { 1.25 };
    mixed(number, count).into_iter().map(scale).collect()
}

/// All that forward and backward give, by the names of the golden file.
type Results = Vec<(&'static str, Vec<f64>)>;

/// The results of the kernel.
fn run(problem: &Problem) -> Results {
    let (shape, input, parameters) = (problem.shape, problem.input(), problem.parameters());
    let wanted = super::LstmWanted { outputs: true, backward: true };
    let forward = super::forward(shape, input, &parameters, &problem.options(), wanted).unwrap();
    let saved = forward.saved.unwrap();
    let gradients = super::backward(saved, input, &parameters, &problem.gradients(), true).unwrap();
    let named = [
        ("outputs", forward.outputs.unwrap()),
        ("last_hidden", forward.last_hidden),
        ("last_cell", forward.last_cell),
        ("input_gradient", gradients.input.unwrap()),
        ("input_weights_gradient", gradients.input_weights),
        ("recurrent_weights_gradient", gradients.recurrent_weights),
        ("bias_gradient", gradients.bias),
        ("initial_hidden_gradient", gradients.initial_hidden),
        ("initial_cell_gradient", gradients.initial_cell),
    ];
    named
        .into_iter()
        .map(|(name, values)| (name, values.into_iter().map(f64::from).collect()))
        .collect()
}

/// The largest difference, relative to the largest magnitude expected, or to `least` if that is
/// more.
fn relative_error(found: &[f64], expected: &[f64], least: f64) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(least, |largest, x| largest.max(x.abs()));
    let differences = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
    differences.fold(0.0, f64::max) / largest
}
