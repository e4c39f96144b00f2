//! What can be wrong with the arguments of a kernel.

use std::fmt::Debug;

/// Arguments of a kernel that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A slice is too short or too long.
    #[error("`{name}` has {found} elements, but the shape needs {expected}")]
    Length {
        /// The argument.
        name: &'static str,
        /// Its length.
        found: usize,
        /// The length that the shape asks for.
        expected: usize,
    },
    /// A dimension has no meaning with this value.
    #[error("`{name}` is {found}, but must be {expected}")]
    Dimension {
        /// The dimension.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it must be, to follow "must be".
        expected: &'static str,
    },
    /// The number of elements does not fit into memory.
    #[error("a tensor of shape {shape:?} is too large for this machine")]
    TooLarge {
        /// The shape.
        shape: Vec<usize>,
    },
    /// A class that the logits do not have.
    #[error("the class of row {row} is {class}, but the logits have classes 0 to {}", count - 1)]
    Class {
        /// The row of the batch.
        row: usize,
        /// The class found there.
        class: i64,
        /// The number of classes.
        count: usize,
    },
}

/// `slice` has exactly `expected` elements.
pub(super) fn ensure_length<T>(
    name: &'static str,
    slice: &[T],
    expected: usize,
) -> Result<(), ShapeError> {
    let found = slice.len();
    if found == expected { Ok(()) } else { Err(ShapeError::Length { name, found, expected }) }
}

/// `slice`, if there is one, has exactly `expected` elements.
pub(super) fn ensure_optional_length<T>(
    name: &'static str,
    slice: Option<&[T]>,
    expected: usize,
) -> Result<(), ShapeError> {
    slice.map_or(Ok(()), |slice| ensure_length(name, slice, expected))
}

/// `condition` holds; else `found` of `name` must be `expected`.
pub(super) fn ensure(
    condition: bool,
    name: &'static str,
    found: impl Debug,
    expected: &'static str,
) -> Result<(), ShapeError> {
    if condition {
        Ok(())
    } else {
        Err(ShapeError::Dimension { name, found: format!("{found:?}"), expected })
    }
}

/// The number of elements of a tensor of this shape.
pub(super) fn volume(shape: &[usize]) -> Result<usize, ShapeError> {
    // A slice has at most `isize::MAX` bytes, and no dimension is multiplied with a hidden 0.
    let largest = isize::MAX as usize / size_of::<f32>();
    let elements =
        shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size.max(1)));
    match elements {
        Some(elements) if elements <= largest => Ok(shape.iter().product()),
        _ => Err(ShapeError::TooLarge { shape: shape.to_vec() }),
    }
}
