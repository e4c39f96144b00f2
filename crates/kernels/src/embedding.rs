//! Looking up rows of a table by id, and the gradient of that.
//!
//! `output[position] = table[ids[position]]`, so the gradient of a row is the sum over the
//! positions that name it, in their order. The columns are divided among the threads, since common
//! ids would make parts by rows unequal.

#![allow(unsafe_code)]

use crate::partition::{parts, run_all, split_columns, split_rows, zeros};
use crate::unset::Unset;

/// What moving or adding a number costs, in multiply-adds: memory is slower than arithmetic.
const MOVE: usize = 4;

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

/// Ids of which none occurs twice in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distinct {
    /// The distinct ids of each run, one run after the other, in the order in which they occur first.
    pub ids: Vec<u32>,
    /// The run of each of them.
    pub runs: Vec<u32>,
    /// Which of them stands at each position.
    pub positions: Vec<u32>,
}

/// What is distinct in `ids`, in each run of `length` by itself; all of them are below `rows`.
pub fn distinct(ids: &[u32], rows: usize, length: usize) -> Result<Distinct, EmbeddingError> {
    check_ids(ids, rows)?;
    let mut found = Distinct::default();
    // The number of distinct ids when an id was last new.
    let mut seen = vec![0; rows];
    for (run, ids) in ids.chunks(length.max(1)).enumerate() {
        let before = found.ids.len() as u32;
        for &id in ids {
            let seen = &mut seen[id as usize];
            if *seen <= before {
                found.ids.push(id);
                found.runs.push(run as u32);
                *seen = found.ids.len() as u32;
            }
            found.positions.push(*seen - 1);
        }
    }
    Ok(found)
}

/// The rows `ids` of `table`, `[rows, width]`: `[ids, width]`.
pub fn gather(table: &[f32], width: usize, ids: &[u32]) -> Result<Vec<f32>, EmbeddingError> {
    check_ids(ids, table_rows(table.len(), width)?)?;
    let mut rows = Unset::new(ids.len() * width);
    let parts = parts(ids.len().saturating_mul(width * MOVE));
    let mut rest = ids;
    let pieces = split_rows(rows.room(), width, parts).into_iter().map(|rows| {
        let ids = rest.split_off(..rows.len() / width).unwrap_or_default();
        (ids, rows)
    });
    run_all(pieces.collect(), |(ids, rows)| {
        for (&id, row) in ids.iter().zip(rows.chunks_exact_mut(width)) {
            row.write_copy_of_slice(&table[id as usize * width..][..width]);
        }
    });
    // SAFETY: each row of each piece was written, and the pieces are all rows.
    Ok(unsafe { rows.assume_set() })
}

/// The gradient of a table of `values` values, from the `gradients`, `[ids, width]`, of the rows looked
/// up.
pub fn table_gradient(
    ids: &[u32],
    gradients: &[f32],
    width: usize,
    values: usize,
) -> Result<Vec<f32>, EmbeddingError> {
    check_ids(ids, table_rows(values, width)?)?;
    if ids.len().checked_mul(width) != Some(gradients.len()) {
        let name = "gradients of the rows looked up";
        let (values, rows) = (gradients.len(), ids.len());
        return Err(EmbeddingError::Length { name, values, rows, width });
    }
    let mut table = zeros(values);
    let parts = parts(gradients.len().saturating_mul(MOVE)).min(width);
    let first = |part: usize| part * width / parts;
    let widths: Vec<usize> = (0..parts).map(|part| first(part + 1) - first(part)).collect();
    let tasks = split_columns(&mut table, &widths).into_iter().enumerate().collect();
    run_all(tasks, |(part, mut rows)| {
        let columns = first(part)..first(part + 1);
        for (&id, gradient) in ids.iter().zip(gradients.chunks_exact(width)) {
            let row = &mut rows[id as usize];
            row.iter_mut().zip(&gradient[columns.clone()]).for_each(|(sum, value)| *sum += value);
        }
    });
    Ok(table)
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
    fn positions_are_added_in_their_order() {
        // 1e8 + 1 is 1e8 in `f32`, so the order shows.
        assert_eq!(table_gradient(&[0; 4], &[1e8, 1.0, -1e8, 1.0], 1, 2).unwrap(), [1.0, 0.0]);
        assert_eq!(table_gradient(&[1; 4], &[1e8, -1e8, 1.0, 1.0], 1, 2).unwrap(), [0.0, 2.0]);
    }

    #[test]
    fn an_id_outside_the_table_is_refused() {
        let expected = EmbeddingError::IdOutOfRange { position: 1, id: 3, rows: 3 };
        assert_eq!(gather(&[0.0; 6], 2, &[0, 3]), Err(expected.clone()));
        assert_eq!(table_gradient(&[0, 3], &[0.0; 4], 2, 6), Err(expected));
        assert!(table_gradient(&[0], &[0.0; 3], 2, 6).is_err());
    }

    #[test]
    fn each_run_has_its_distinct_ids_in_order() {
        let ids = [3, 1, 3, 0, 1, 1, 3, 2];
        let all = distinct(&ids, 4, 8).unwrap();
        assert_eq!(all.ids, [3, 1, 0, 2]);
        assert_eq!(all.positions, [0, 1, 0, 2, 1, 1, 0, 3]);
        assert_eq!(all.runs, [0; 4]);
        let halves = distinct(&ids, 4, 4).unwrap();
        assert_eq!(halves.ids, [3, 1, 0, 1, 3, 2]);
        assert_eq!(halves.positions, [0, 1, 0, 2, 3, 3, 4, 5]);
        assert_eq!(halves.runs, [0, 0, 0, 1, 1, 1]);
        assert_eq!(distinct(&[], 4, 0).unwrap(), Distinct::default());
        let expected = EmbeddingError::IdOutOfRange { position: 1, id: 3, rows: 3 };
        assert_eq!(distinct(&[0, 3], 3, 2), Err(expected));
    }

    #[test]
    fn several_threads_give_the_bits_of_one() {
        let (width, count) = (33, 20_000_u32);
        let ids: Vec<u32> = (0..count).map(|i| i * i % 1009 % 300).collect();
        let values: Vec<f32> = (0..count * 33).map(|i| (i % 1013) as f32 / 7.0).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let gradient = table_gradient(&ids, &values, width, 300 * width).unwrap();
                (gather(&gradient, width, &ids).unwrap(), gradient)
            })
        };
        assert_eq!(on(1), on(3));
    }

    proptest! {
        #[test]
        fn a_lookup_and_its_gradient_are_those_of_plain_loops(
            ids in prop::collection::vec(0..9_u32, 0..60),
            width in 1..5_usize,
        ) {
            // Small whole numbers add up exactly in any order.
            let values: Vec<f32> = (0..ids.len() * width).map(|i| (i * 7 % 23) as f32).collect();
            let mut expected = vec![0.0; 9 * width];
            let mut rows = vec![];
            for (position, &id) in ids.iter().enumerate() {
                for column in 0..width {
                    expected[id as usize * width + column] += values[position * width + column];
                }
            }
            for &id in &ids {
                rows.extend_from_slice(&expected[id as usize * width..][..width]);
            }
            prop_assert_eq!(&table_gradient(&ids, &values, width, 9 * width).unwrap(), &expected);
            prop_assert_eq!(gather(&expected, width, &ids).unwrap(), rows);
        }

        #[test]
        fn slices_of_any_length_are_used_or_refused(
            ids in prop::collection::vec(any::<u32>(), 0..4),
            table in 0..20_usize,
            width in 0..5_usize,
        ) {
            let values = vec![1.0; table];
            let _ = gather(&values, width, &ids);
            let _ = table_gradient(&ids, &values, width, 20);
        }
    }
}
