//! Steps between the cells of a map.

pub(super) type Step = (isize, isize);
pub(super) const LEFT: Step = (0, -1);
pub(super) const DOWN: Step = (1, 0);
pub(super) const RIGHT: Step = (0, 1);
pub(super) const UP: Step = (-1, 0);

/// A step on a map of `rows` by `columns`; its border holds back.
pub(super) fn moved(
    (row, column): (usize, usize),
    step: Step,
    rows: usize,
    columns: usize,
) -> (usize, usize) {
    (
        row.saturating_add_signed(step.0).min(rows - 1),
        column.saturating_add_signed(step.1).min(columns - 1),
    )
}

/// The action itself, or on ice also the two beside it, all equally likely.
pub(super) fn slips(action: usize, slippery: bool) -> Vec<usize> {
    if slippery { vec![(action + 3) % 4, action, (action + 1) % 4] } else { vec![action] }
}
