//! A curve as a picture of Braille dots, for a terminal.

use crate::verdict::words::number;

/// Dots of a character across and down.
const CELL: [usize; 2] = [2, 4];
/// The bits of the dots of a Braille character, by column and row (Unicode 3.0, U+2800).
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// A line through the points as lines of text, `width` characters wide and `height` high, with the range of both
/// axes; empty where fewer than two are finite. Values may be far apart: above a hundred to one,
/// where all are positive, the axis is logarithmic.
pub(super) fn plot(x: &[f64], y: &[f64], [width, height]: [usize; 2]) -> Vec<String> {
    let points: Vec<(f64, f64)> = x
        .iter()
        .copied()
        .zip(y.iter().copied())
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let range = |of: fn(&(f64, f64)) -> f64| {
        let values = points.iter().map(of);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let ((left, right), (low, high)) = (range(|point| point.0), range(|point| point.1));
    if points.len() < 2 || left >= right {
        return vec![];
    }
    let logarithmic = low > 0.0 && high / low > 100.0;
    let scale = |value: f64| if logarithmic { value.ln() } else { value };
    let labels = [number(high), number(low)];
    let margin = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let columns = width.saturating_sub(margin + 2).max(8);
    let mut cells = vec![vec![0_u8; columns]; height];
    let place = |value: f64, low: f64, high: f64, dots: usize| {
        let part = if high > low { (value - low) / (high - low) } else { 0.5 };
        (part * (dots - 1) as f64).round() as usize
    };
    let mut dot = |across: usize, up: usize| {
        let down = height * CELL[1] - 1 - up;
        let row = cells.get_mut(down / CELL[1]);
        if let Some(cell) = row.and_then(|row| row.get_mut(across / CELL[0])) {
            *cell |= BITS[across % CELL[0]][down % CELL[1]];
        }
    };
    let at = |&(x, y): &(f64, f64)| {
        let up = place(scale(y), scale(low), scale(high), height * CELL[1]);
        (place(x, left, right, columns * CELL[0]), up)
    };
    for (from, to) in points.iter().map(at).zip(points.iter().skip(1).map(at)) {
        // Between points that are far apart a straight line, dot by dot.
        let dots = to.0.saturating_sub(from.0).max(1);
        for step in 0..=dots {
            let part = step as f64 / dots as f64;
            let up = from.1 as f64 + part * (to.1 as f64 - from.1 as f64);
            dot((from.0 + step).min(to.0), up.round() as usize);
        }
    }
    let mut lines: Vec<String> = cells
        .into_iter()
        .enumerate()
        .map(|(row, cells)| {
            let label = match row {
                0 => labels[0].as_str(),
                row if row + 1 == height => labels[1].as_str(),
                _ => "",
            };
            let dots: String = cells
                .into_iter()
                .filter_map(|bits| char::from_u32(0x2800 + u32::from(bits)))
                .collect();
            format!("{label:>margin$} │{}", dots.trim_end_matches('\u{2800}'))
        })
        .collect();
    let (first, last) = (number(left), number(right));
    let gap = columns.saturating_sub(first.len() + last.len()).max(1);
    lines.push(format!("{:margin$} └{}", "", "─".repeat(columns)));
    let kind = if logarithmic { "  (logarithmic)" } else { "" };
    lines.push(format!("{:margin$}  {first}{}{last}{kind}", "", " ".repeat(gap)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_falling_line_goes_from_the_left_above_to_the_right_below() {
        let x: Vec<f64> = (0..40).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 3.0 - x / 20.0).collect();
        let lines = plot(&x, &y, [20, 4]);
        let expected = [
            "   3 │⠙⠢⢄⡀",
            "     │⠀⠀⠀⠈⠓⠦⣀",
            "     │⠀⠀⠀⠀⠀⠀⠀⠉⠲⢤⡀",
            "1.05 │⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠈⠑⠢⣄",
            "     └──────────────",
            "      0           39",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn losses_over_more_than_two_decades_are_drawn_by_their_logarithms() {
        let x: Vec<f64> = (0..40).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 1000.0 * (-x / 5.0).exp()).collect();
        let lines = plot(&x, &y, [20, 4]);
        // A straight line again: as many dots in each row.
        let dots =
            |line: &str| line.chars().filter(|one| ('\u{2801}'..='\u{28ff}').contains(one)).count();
        let counts: Vec<usize> = lines[..4].iter().map(|line| dots(line)).collect();
        assert!(counts.iter().all(|count| (3..=5).contains(count)), "{lines:#?}");
        assert!(lines[5].ends_with("(logarithmic)"), "{lines:#?}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert!(plot(&[1.0], &[1.0], [20, 4]).is_empty());
        assert!(plot(&[1.0, 2.0], &[f64::NAN, f64::INFINITY], [20, 4]).is_empty());
        assert_eq!(plot(&[1.0, 2.0], &[5.0, 5.0], [20, 4]).len(), 6);
    }
}
