//! Where a curve has gaps because its values cannot be drawn, in words.

/// The largest magnitude that is drawn: sums and differences must not overflow.
const LARGEST: f64 = 1e100;

/// Whether `value` has a place in a figure.
pub(crate) fn is_drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

/// Which epochs of `values`, the epochs and values of `column`, cannot be drawn, and why; `None`
/// where all can.
pub(crate) fn gap_note(column: &str, values: impl Iterator<Item = (usize, f64)>) -> Option<String> {
    let gaps = values.filter(|(_, value)| !is_drawable(*value));
    let (epochs, values): (Vec<usize>, Vec<f64>) = gaps.unzip();
    let any = |is: fn(f64) -> bool| values.iter().any(|value| is(*value));
    let kinds = [
        ("NaN", any(f64::is_nan)),
        ("infinite", any(f64::is_infinite)),
        ("beyond 1e100", any(f64::is_finite)),
    ];
    let found = kinds.iter().filter(|(_, found)| *found).map(|(kind, _)| *kind);
    let found = found.collect::<Vec<_>>().join(" or ");
    let noun = if epochs.len() == 1 { "epoch" } else { "epochs" };
    let list = ranges(&epochs);
    (!epochs.is_empty()).then(|| format!("Gap: {column} is {found} in {noun} {list}"))
}

/// Epochs in ascending order as `3–5, 9`; after a few ranges, how many more epochs there are.
fn ranges(epochs: &[usize]) -> String {
    const MOST_RANGES: usize = 5;
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &epoch in epochs {
        match ranges.last_mut() {
            Some((_, end)) if epoch.checked_sub(1) == Some(*end) => *end = epoch,
            _ => ranges.push((epoch, epoch)),
        }
    }
    let more = ranges.iter().skip(MOST_RANGES).map(|(start, end)| end - start + 1).sum::<usize>();
    let shown = ranges.iter().take(MOST_RANGES).map(|(start, end)| match end - start {
        0 => start.to_string(),
        1 => format!("{start}, {end}"),
        _ => format!("{start}–{end}"),
    });
    let list = shown.collect::<Vec<_>>().join(", ");
    if more == 0 { list } else { format!("{list} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_names_the_column_the_kinds_of_values_and_the_epochs() {
        let values = [(1, 0.5), (2, f64::NAN), (3, f64::INFINITY), (4, 1.0), (5, -2e100)];
        assert_eq!(
            gap_note("loss", values.into_iter()).as_deref(),
            Some("Gap: loss is NaN or infinite or beyond 1e100 in epochs 2, 3, 5")
        );
        assert_eq!(gap_note("loss", [(1, 0.0), (2, 1e100)].into_iter()), None);
    }

    #[test]
    fn many_gaps_are_summed_up() {
        assert_eq!(ranges(&[1, 2, 4, 6, 7, 8]), "1, 2, 4, 6–8");
        assert_eq!(ranges(&[1, 3, 5, 7, 9, 11, 12]), "1, 3, 5, 7, 9 and 2 more");
    }
}
