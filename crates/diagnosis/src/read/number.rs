//! Numbers as people and tools write them into logs.

/// The number that `cell` holds, if it holds one: `0.5`, `nan.0`, `81.07%`, `2.08 (2.11)`,
/// `tensor(1.69, device='cuda:0')`. Text and blank cells hold none.
pub(super) fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'');
    if cell.is_empty() {
        return None;
    }
    if let Some(value) = plain(cell) {
        return Some(value);
    }
    for wrapper in ["tensor(", "array(", "np.float32(", "np.float64(", "["] {
        if let Some(inner) = cell.strip_prefix(wrapper) {
            let end = inner.find([',', ')', ']']);
            // `[1, 2000] loss: 2.2`, cut at its comma, begins no list of one.
            let end = if wrapper == "[" { end? } else { end.unwrap_or(inner.len()) };
            return plain(inner.get(..end)?.trim());
        }
    }
    if let Some(percent) = cell.strip_suffix('%') {
        return plain(percent.trim_end());
    }
    // A value, then its average in brackets.
    let (value, rest) = cell.split_once(' ')?;
    (rest.starts_with('(') && rest.ends_with(')')).then(|| plain(value))?
}

/// A number without anything around it.
pub(super) fn plain(text: &str) -> Option<f64> {
    let first = *text.as_bytes().first()?;
    if (first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.'))
        && let Ok(value) = text.parse::<f64>()
    {
        return Some(value);
    }
    let (negative, rest) = match first {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let rest = rest.strip_suffix(".0").unwrap_or(rest);
    let value = if rest.eq_ignore_ascii_case("nan") || rest.eq_ignore_ascii_case("nan(ind)") {
        f64::NAN
    } else if rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity") {
        f64::INFINITY
    } else {
        return None;
    };
    Some(if negative { -value } else { value })
}

/// The number in `cell` where a comma stands before the decimals.
pub(super) fn with_decimal_comma(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    if cell.matches(',').count() == 1 && !cell.contains('.') {
        return number(&cell.replace(',', "."));
    }
    number(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_dress_and_words_are_none() {
        let cases = [
            ("0.5", 0.5),
            (" 1e-05 ", 1e-5),
            ("81.07%", 81.07),
            ("2.08 (2.11)", 2.08),
            ("tensor(1.69, device='cuda:0')", 1.69),
            ("\"3\"", 3.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ];
        for (cell, value) in cases {
            assert_eq!(number(cell), Some(value), "{cell}");
        }
        for cell in ["nan", "-nan", "NaN", "nan.0"] {
            assert!(number(cell).is_some_and(f64::is_nan), "{cell}");
        }
        for cell in ["", " ", "nano", "None", "0:17:00", "2022-04-30", "infinite", "Adam"] {
            assert_eq!(number(cell), None, "{cell}");
        }
        assert_eq!(with_decimal_comma("0,25"), Some(0.25));
    }
}
