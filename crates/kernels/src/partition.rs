//! How an operation's work is divided among threads.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

/// Multiply-adds below which waking a second thread costs more than it saves: it takes about 40 µs
/// where the thread sleeps, in which one thread does about two million of them (Zen 4, 2026-11-22).
const WORTH_A_THREAD: usize = 1 << 20;

/// How many threads compute. Operations sum over a batch in as many parts, so that with another
/// number results are rounded otherwise.
pub fn threads() -> usize {
    rayon::current_num_threads()
}

/// Into how many parts to divide `multiply_adds` of work: one per thread, or a single one if it is
/// little.
pub(super) fn parts(multiply_adds: usize) -> usize {
    (multiply_adds / WORTH_A_THREAD).clamp(1, threads())
}

/// `parts` consecutive pieces of `slice`, each of whole rows of `row` elements, of equal size but
/// for one row. Some are empty when there are fewer rows than parts.
pub(super) fn split_rows<T>(mut slice: &mut [T], row: usize, parts: usize) -> Vec<&mut [T]> {
    let rows = slice.len() / row.max(1);
    (0..parts)
        .map(|part| {
            let length = row * ((part + 1) * rows / parts - part * rows / parts);
            slice.split_off_mut(..length).unwrap_or_default()
        })
        .collect()
}

/// `split_rows` of a slice that may be absent.
pub(super) fn split_optional_rows<T>(
    slice: Option<&mut [T]>,
    row: usize,
    parts: usize,
) -> Vec<Option<&mut [T]>> {
    match slice {
        Some(slice) => split_rows(slice, row, parts).into_iter().map(Some).collect(),
        None => (0..parts).map(|_| None).collect(),
    }
}

/// For each of `widths` its columns of every row, rows being as long as all widths together.
pub(super) fn split_columns<'a, T>(slice: &'a mut [T], widths: &[usize]) -> Vec<Vec<&'a mut [T]>> {
    let row = widths.iter().sum::<usize>().max(1);
    let rows = slice.len() / row;
    let mut columns: Vec<Vec<_>> = widths.iter().map(|_| Vec::with_capacity(rows)).collect();
    for mut row in slice.chunks_exact_mut(row) {
        for (&width, column) in widths.iter().zip(&mut columns) {
            column.push(row.split_off_mut(..width).unwrap_or_default());
        }
    }
    columns
}

/// Zeros for a large result, as `filled`.
pub fn zeros(length: usize) -> Vec<f32> {
    const BLOCK: usize = 16;
    let mut zeros = filled(length.div_ceil(BLOCK), [0.0; BLOCK]).into_flattened();
    zeros.truncate(length);
    zeros
}

/// `count` times a block of 64 bytes; a large result from all threads: they are limited by memory, which no
/// single thread uses to the full.
pub(super) fn filled<T: Copy + Send + Sync>(count: usize, block: T) -> Vec<T> {
    const WORTH_IT: usize = 1 << 14;
    const SHARE: usize = 1 << 10;
    if count < WORTH_IT {
        return vec![block; count];
    }
    (0..count).into_par_iter().with_min_len(SHARE).map(|_| block).collect()
}

/// Runs every task, in parallel if there are several, and returns the results in order.
pub(super) fn run_all<Task: Send, Output: Send>(
    tasks: Vec<Task>,
    work: impl Fn(Task) -> Output + Sync + Send,
) -> Vec<Output> {
    if tasks.len() > 1 {
        tasks.into_par_iter().with_max_len(1).map(work).collect()
    } else {
        tasks.into_iter().map(work).collect()
    }
}
