//! What a lab found: sentences, tables, claims that were checked, figures and data.

use serde::Serialize;

use converge_figures::figure::{Animation, Figure};

/// All that a lab has to tell.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Findings {
    /// What was found, a sentence or two each.
    pub sentences: Vec<String>,
    /// The numbers.
    pub tables: Vec<FindingsTable>,
    /// What theory or an outside source says, compared with what was computed.
    pub claims: Vec<Claim>,
    /// The figures, in order.
    #[serde(skip)]
    pub figures: Vec<Figure>,
    /// Animations.
    #[serde(skip)]
    pub animations: Vec<Animation>,
    /// The numbers behind the figures.
    #[serde(skip)]
    pub data: Vec<DataFile>,
}

/// A table for a person.
#[derive(Debug, Clone, Serialize)]
pub struct FindingsTable {
    /// What it shows.
    pub title: String,
    /// The names of its columns, with units.
    pub header: Vec<String>,
    /// Its rows, as they are printed.
    pub rows: Vec<Vec<String>>,
}

/// Something that theory predicts or an outside source says, checked.
#[derive(Debug, Clone, Serialize)]
pub struct Claim {
    /// What is claimed: `the distance shrinks by 1 - 2η a step`.
    pub says: String,
    /// The numbers that decide it: `0.8000000 computed, 0.8 expected, at most 1e-6 apart`.
    pub evidence: String,
    /// Whether it holds.
    pub holds: bool,
}

/// A CSV file.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// The stem of its name.
    pub name: String,
    /// The names of its columns.
    pub header: Vec<String>,
    /// Its rows; numbers as Rust writes them, so that they read back exactly.
    pub rows: Vec<Vec<String>>,
}

impl FindingsTable {
    /// A table of text.
    pub fn new(title: &str, header: &[&str], rows: Vec<Vec<String>>) -> Self {
        let header = header.iter().map(|name| (*name).to_owned()).collect();
        Self { title: title.to_owned(), header, rows }
    }
}

impl DataFile {
    /// A file of numbers.
    pub fn of_numbers(
        name: &str,
        header: &[&str],
        rows: impl IntoIterator<Item = Vec<f64>>,
    ) -> Self {
        let text = |row: Vec<f64>| row.iter().map(f64::to_string).collect();
        let header = header.iter().map(|name| (*name).to_owned()).collect();
        Self { name: name.to_owned(), header, rows: rows.into_iter().map(text).collect() }
    }
}

impl Claim {
    /// `computed` is within `tolerance` of `expected`.
    pub fn close(says: impl Into<String>, computed: f64, expected: f64, tolerance: f64) -> Self {
        let holds = (computed - expected).abs() <= tolerance;
        let evidence = format!(
            "{} computed, {} expected, at most {} apart",
            number(computed),
            number(expected),
            number(tolerance)
        );
        Self { says: says.into(), evidence, holds }
    }

    /// `computed` is at most `limit`.
    pub fn at_most(says: impl Into<String>, computed: f64, limit: f64) -> Self {
        let evidence = format!("{} computed, at most {} expected", number(computed), number(limit));
        Self { says: says.into(), evidence, holds: computed <= limit }
    }

    /// `computed` is at least `limit`.
    pub fn at_least(says: impl Into<String>, computed: f64, limit: f64) -> Self {
        let evidence =
            format!("{} computed, at least {} expected", number(computed), number(limit));
        Self { says: says.into(), evidence, holds: computed >= limit }
    }

    /// Whatever `evidence` says decides it.
    pub fn that(says: impl Into<String>, evidence: impl Into<String>, holds: bool) -> Self {
        Self { says: says.into(), evidence: evidence.into(), holds }
    }
}

/// `value` with seven significant digits, without trailing zeros.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor();
    if !(-4.0..7.0).contains(&magnitude) {
        let text = format!("{value:.6e}");
        let Some((mantissa, power)) = text.split_once('e') else { return text };
        return format!("{}e{power}", mantissa.trim_end_matches('0').trim_end_matches('.'));
    }
    let text = format!("{value:.*}", (6.0 - magnitude).max(0.0) as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_seven_digits_and_no_trailing_zeros() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.1 + 0.2, "0.3"),
            (-1_234.567_89, "-1234.568"),
            (1e-6, "1e-6"),
            (1.5e10, "1.5e10"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn a_claim_with_nan_fails() {
        assert!(!Claim::close("", f64::NAN, 1.0, 1.0).holds);
        assert!(!Claim::at_most("", f64::NAN, 1.0).holds);
        assert!(!Claim::at_least("", f64::NAN, 1.0).holds);
        assert!(Claim::close("", 1.0, 1.0, 0.0).holds);
    }
}
