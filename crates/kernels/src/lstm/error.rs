//! Why the LSTM cannot run, and the checks that say so.

/// Shapes and slices that do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LstmError {
    /// An extent is 0.
    #[error("the LSTM's `{name}` is 0, but must be 1 or more")]
    Empty {
        /// The field of `LstmShape`.
        name: &'static str,
    },
    /// A shape has more elements than can be counted.
    #[error("the LSTM's {name} of shape {shape:?} has too many values")]
    TooLarge {
        /// What has the shape.
        name: &'static str,
        /// The shape.
        shape: Vec<usize>,
    },
    /// A slice is not as long as its shape says.
    #[error("the LSTM's {name} has {found} values, but the shape {shape:?} needs {expected}")]
    Length {
        /// What the slice holds.
        name: &'static str,
        /// The length found.
        found: usize,
        /// The length that the shape needs.
        expected: usize,
        /// The shape.
        shape: Vec<usize>,
    },
    /// The rows of the input are ragged.
    #[error("the LSTM's input has {values} values, which do not divide into rows of {width}")]
    RaggedRows {
        /// The number of values found.
        values: usize,
        /// The number of values of a row.
        width: usize,
    },
    /// A step reads a row that the input does not have.
    #[error("step {position} of the LSTM reads row {row}, but its input has {rows}")]
    NoSuchRow {
        /// The index into the steps of all sequences.
        position: usize,
        /// The row, counted from 0.
        row: u32,
        /// The number of rows.
        rows: usize,
    },
}

/// `found` values fill `shape`.
pub(super) fn check_length(
    name: &'static str,
    found: usize,
    shape: &[usize],
) -> Result<(), LstmError> {
    let shape_of = || shape.to_vec();
    let product = shape.iter().try_fold(1_usize, |product, &extent| product.checked_mul(extent));
    let expected = product.ok_or_else(|| LstmError::TooLarge { name, shape: shape_of() })?;
    if found == expected {
        return Ok(());
    }
    Err(LstmError::Length { name, found, expected, shape: shape_of() })
}

/// As [`check_length`], where there is a slice.
pub(super) fn check_optional<T>(
    name: &'static str,
    values: Option<&[T]>,
    shape: &[usize],
) -> Result<(), LstmError> {
    values.map_or(Ok(()), |values| check_length(name, values.len(), shape))
}
