//! Looking up rows of a table by id, and the gradient of that, which touches only those rows.
//!
//! `output[position] = table[ids[position]]`, so the gradient of a row is the sum over the
//! positions that name it, in their order. Kept as a list of rows, it costs what the batch costs,
//! however large the table. `models` with an embedding call this; row-sparse optimizer updates read
//! the list.

use std::ops::Range;

/// Ids or slices that do not fit the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmbeddingError {
    /// An id has no row.
    #[error(
        "position {position} has id {id}, but the table has only {rows} rows, from 0: was another \
         vocabulary used?"
    )]
    IdOutOfRange {
        /// The index into the ids.
        position: usize,
        /// The id found.
        id: u32,
        /// The number of rows of the table.
        rows: usize,
    },
    /// A slice does not hold the rows that it must.
    #[error("{name}: {values} values found, but there must be {rows} rows of {width}")]
    Length {
        /// What the slice holds.
        name: &'static str,
        /// The number of values found.
        values: usize,
        /// The number of rows needed.
        rows: usize,
        /// The number of values of a row.
        width: usize,
    },
    /// Rows have no values, or a slice does not divide into rows.
    #[error("{name}: {values} values do not divide into rows of {width}")]
    RaggedRows {
        /// What the slice holds.
        name: &'static str,
        /// The number of values found.
        values: usize,
        /// The number of values of a row.
        width: usize,
    },
}

/// A gradient that is zero outside a few rows of its table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowGradients {
    /// The rows that have a gradient, in ascending order, each once.
    pub ids: Vec<u32>,
    /// The gradient of each of these rows, `[ids, width]`.
    pub rows: Vec<f32>,
}

impl RowGradients {
    /// Adds the gradients to those of the whole table, `[rows, width]`.
    pub fn scatter_into(&self, table: &mut [f32], width: usize) -> Result<(), EmbeddingError> {
        let table_rows = table_rows(table.len(), width)?;
        check_ids(&self.ids, table_rows)?;
        check_rows("row gradients", self.rows.len(), self.ids.len(), width)?;
        for (&id, row) in self.ids.iter().zip(self.rows.chunks_exact(width)) {
            let target = &mut table[row_range(id, width)];
            target.iter_mut().zip(row).for_each(|(target, gradient)| *target += gradient);
        }
        Ok(())
    }
}

/// The rows `ids` of `table`, `[rows, width]`: `[ids, width]`.
pub fn gather(table: &[f32], width: usize, ids: &[u32]) -> Result<Vec<f32>, EmbeddingError> {
    check_ids(ids, table_rows(table.len(), width)?)?;
    let mut rows = Vec::with_capacity(ids.len() * width);
    for &id in ids {
        rows.extend_from_slice(&table[row_range(id, width)]);
    }
    Ok(rows)
}

/// The gradient of a table of `table_rows` rows, from the `gradients`, `[ids, width]`, of the rows
/// looked up.
///
/// Positions are added in their order, so the result has the same bits on every run.
pub fn row_gradients(
    ids: &[u32],
    gradients: &[f32],
    width: usize,
    table_rows: usize,
) -> Result<RowGradients, EmbeddingError> {
    check_ids(ids, table_rows)?;
    check_rows("gradients of the rows looked up", gradients.len(), ids.len(), width)?;
    // Sorting positions along with their ids keeps equal ids in order of position.
    let mut order: Vec<(u32, usize)> = ids.iter().copied().zip(0..).collect();
    order.sort_unstable();
    let mut sums = RowGradients::default();
    for same in order.chunk_by(|left, right| left.0 == right.0) {
        let start = sums.rows.len();
        for (count, &(id, position)) in same.iter().enumerate() {
            let gradient = &gradients[position * width..(position + 1) * width];
            if count == 0 {
                sums.ids.push(id);
                sums.rows.extend_from_slice(gradient);
            } else {
                let sum = &mut sums.rows[start..];
                sum.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += gradient);
            }
        }
    }
    Ok(sums)
}

fn row_range(id: u32, width: usize) -> Range<usize> {
    let start = id as usize * width;
    start..start + width
}

/// The number of rows of a table with `values` values.
fn table_rows(values: usize, width: usize) -> Result<usize, EmbeddingError> {
    match values.checked_rem(width) {
        Some(0) => Ok(values / width),
        _ => Err(EmbeddingError::RaggedRows { name: "embedding table", values, width }),
    }
}

fn check_ids(ids: &[u32], rows: usize) -> Result<(), EmbeddingError> {
    match ids.iter().position(|&id| id as usize >= rows) {
        Some(position) => Err(EmbeddingError::IdOutOfRange { position, id: ids[position], rows }),
        None => Ok(()),
    }
}

fn check_rows(
    name: &'static str,
    values: usize,
    rows: usize,
    width: usize,
) -> Result<(), EmbeddingError> {
    if rows.checked_mul(width) == Some(values) {
        return Ok(());
    }
    Err(EmbeddingError::Length { name, values, rows, width })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_gathered_by_id() {
        let table = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5];
        assert_eq!(gather(&table, 2, &[2, 0, 2]).unwrap(), [2.0, 2.5, 0.0, 0.5, 2.0, 2.5]);
        assert_eq!(gather(&table, 2, &[]).unwrap(), [] as [f32; 0]);
    }

    #[test]
    fn gradients_of_one_row_add_up() {
        let gradients = [1.0, 2.0, 10.0, 20.0, 100.0, 200.0];
        let found = row_gradients(&[3, 1, 3], &gradients, 2, 4).unwrap();
        let expected = RowGradients { ids: vec![1, 3], rows: vec![10.0, 20.0, 101.0, 202.0] };
        assert_eq!(found, expected);
        let mut table = [0.5; 8];
        found.scatter_into(&mut table, 2).unwrap();
        assert_eq!(table.to_vec(), [0.5, 0.5, 10.5, 20.5, 0.5, 0.5, 101.5, 202.5]);
    }

    #[test]
    fn positions_are_added_in_their_order() {
        // 1e8 + 1 is 1e8 in `f32`, so the order shows.
        let gradients = [1e8, 1.0, -1e8, 1.0];
        assert_eq!(row_gradients(&[0; 4], &gradients, 1, 1).unwrap().rows, [1.0]);
        let gradients = [1e8, -1e8, 1.0, 1.0];
        assert_eq!(row_gradients(&[0; 4], &gradients, 1, 1).unwrap().rows, [2.0]);
    }

    #[test]
    fn an_id_outside_the_table_is_refused() {
        let expected = EmbeddingError::IdOutOfRange { position: 1, id: 3, rows: 3 };
        assert_eq!(gather(&[0.0; 6], 2, &[0, 3]), Err(expected.clone()));
        assert_eq!(row_gradients(&[0, 3], &[0.0; 4], 2, 3), Err(expected));
        let gradients = RowGradients { ids: vec![2], rows: vec![0.0; 2] };
        assert!(gradients.scatter_into(&mut [0.0; 4], 2).is_err());
    }

    proptest! {
        #[test]
        fn a_sparse_gradient_scattered_is_the_dense_one(
            ids in prop::collection::vec(0..9_u32, 0..60),
            width in 1..5_usize,
        ) {
            // Small whole numbers add up exactly in any order.
            let gradients: Vec<f32> = (0..ids.len() * width).map(|i| (i * 7 % 23) as f32).collect();
            let mut expected = vec![0.0; 9 * width];
            for (position, &id) in ids.iter().enumerate() {
                for column in 0..width {
                    expected[id as usize * width + column] += gradients[position * width + column];
                }
            }
            let sparse = row_gradients(&ids, &gradients, width, 9).unwrap();
            prop_assert!(sparse.ids.is_sorted_by(|left, right| left < right));
            let mut dense = vec![0.0; 9 * width];
            sparse.scatter_into(&mut dense, width).unwrap();
            prop_assert_eq!(dense, expected);
        }

        #[test]
        fn slices_of_any_length_are_used_or_refused(
            ids in prop::collection::vec(any::<u32>(), 0..4),
            table in 0..20_usize,
            width in 0..5_usize,
        ) {
            let mut values = vec![1.0; table];
            let _ = gather(&values, width, &ids);
            if let Ok(gradients) = row_gradients(&ids, &values, width, usize::MAX) {
                let _ = gradients.scatter_into(&mut values, width);
            }
        }
    }
}
