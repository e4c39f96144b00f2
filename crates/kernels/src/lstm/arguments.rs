//! What an LSTM takes, and its checks.

use super::error::{LstmError, check_length, check_optional};

/// The sizes of the operation, each 1 or above, and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LstmShape {
    /// Sequences.
    pub batch: usize,
    /// Steps of every sequence.
    pub time: usize,
    /// Features of a step.
    pub inputs: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Whether the last step is computed first. Outputs stay at the place of their step.
    pub reverse: bool,
}

/// What an LSTM reads.
#[derive(Debug, Clone, Copy)]
pub struct LstmInput<'a> {
    /// `x`, `[rows, inputs]`, as many rows as there are.
    pub rows: &'a [f32],
    /// The row that each step reads, `[batch, time]`.
    pub steps: &'a [u32],
}

/// Weights and bias. Columns are the input gates of all hidden units, then the forget gates, the
/// cell candidates and the output gates: the order of PyTorch and Keras.
#[derive(Debug, Clone, Copy)]
pub struct LstmParameters<'a> {
    /// `W`, `[inputs, 4 * hidden]`: PyTorch's `weight_ih_l0`, transposed.
    pub input_weights: &'a [f32],
    /// `U`, `[hidden, 4 * hidden]`: PyTorch's `weight_hh_l0`, transposed.
    pub recurrent_weights: &'a [f32],
    /// `b`, `[4 * hidden]`: the sum of PyTorch's two biases.
    pub bias: &'a [f32],
}

/// What a call may have besides input and parameters; nothing by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct LstmOptions<'a> {
    /// The hidden state before the first step computed, `[batch, hidden]`; zeros if `None`.
    pub initial_hidden: Option<&'a [f32]>,
    /// The cell state before the first step computed, `[batch, hidden]`; zeros if `None`.
    pub initial_cell: Option<&'a [f32]>,
    /// `r`, the dropout mask of the hidden state, `[batch, hidden]`: 0 or `1 / (1 - p)`.
    pub recurrent_mask: Option<&'a [f32]>,
    /// 0 where a step is skipped, `[batch, time]`; anywhere in a sequence.
    pub sequence_mask: Option<&'a [u8]>,
}

/// The arguments of a forward pass fit together.
pub(super) fn check_forward(
    shape: LstmShape,
    input: LstmInput<'_>,
    parameters: &LstmParameters<'_>,
    options: &LstmOptions<'_>,
) -> Result<(), LstmError> {
    let LstmShape { batch, time, inputs, hidden, .. } = shape;
    let extents = [("batch", batch), ("time", time), ("inputs", inputs), ("hidden", hidden)];
    if let Some((name, _)) = extents.into_iter().find(|(_, extent)| *extent == 0) {
        return Err(LstmError::Empty { name });
    }
    check_length("steps", input.steps.len(), &[batch, time])?;
    let values = input.rows.len();
    if !values.is_multiple_of(inputs) {
        return Err(LstmError::RaggedRows { values, width: inputs });
    }
    let rows = values / inputs;
    if let Some(position) = input.steps.iter().position(|&row| row as usize >= rows) {
        return Err(LstmError::NoSuchRow { position, row: input.steps[position], rows });
    }
    check_length("input weights", parameters.input_weights.len(), &[inputs, 4, hidden])?;
    check_length("recurrent weights", parameters.recurrent_weights.len(), &[hidden, 4, hidden])?;
    check_length("bias", parameters.bias.len(), &[4, hidden])?;
    check_optional("initial hidden state", options.initial_hidden, &[batch, hidden])?;
    check_optional("initial cell state", options.initial_cell, &[batch, hidden])?;
    check_optional("recurrent mask", options.recurrent_mask, &[batch, hidden])?;
    check_optional("sequence mask", options.sequence_mask, &[batch, time])
}
