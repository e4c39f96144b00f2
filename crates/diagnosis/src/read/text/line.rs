//! Finds the numbers of a line, and what stands before each.

use super::super::number::plain;

/// A number on a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair<'a> {
    /// What stands between the number before and this one.
    pub(super) gap: &'a str,
    /// Its name; empty if nothing names it.
    pub(super) label: &'a str,
    /// The number.
    pub(super) value: f64,
    /// What it is out of: 40 in `Epoch 1/40`.
    pub(super) total: Option<f64>,
    /// The average in brackets behind it: 2.11 in `2.08 (2.11)`.
    pub(super) average: Option<f64>,
    /// The last character before it that is no blank.
    pub(super) before: u8,
}

/// Finds the numbers of `line`; whether there is a progress bar (`99%|███`).
pub(super) fn pairs<'a>(line: &'a str, found: &mut Vec<Pair<'a>>) -> bool {
    found.clear();
    let bytes = line.as_bytes();
    let at = |place: usize| bytes.get(place).copied().unwrap_or(b'\n');
    let (mut place, mut gap, mut bar) = (0, 0, false);
    while place < bytes.len() {
        let byte = at(place);
        if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 {
            let end = word_end(bytes, place);
            let word = line.get(place..end).unwrap_or("");
            if let Some(value) = not_finite(word) {
                let end = if line.get(end..end + 2) == Some(".0") { end + 2 } else { end };
                add(line, found, (gap, place, end), value, None);
                gap = end;
                place = end;
            } else {
                place = end;
            }
            continue;
        }
        let before = if place == 0 { b' ' } else { at(place - 1) };
        let signed =
            matches!(byte, b'-' | b'+') && !before.is_ascii_alphanumeric() && before != b'-';
        let start = if signed || byte == b'.' { at(place + 1) } else { byte };
        if !(start.is_ascii_digit() || signed && start == b'.' && at(place + 2).is_ascii_digit()) {
            place += 1;
            continue;
        }
        let end = number_end(bytes, place);
        let next = at(end);
        if matches!(next, b':' | b'-') && at(end + 1).is_ascii_digit()
            || next == b'.' && at(end + 1).is_ascii_digit()
        {
            // A date, a time, a version.
            place = run_end(bytes, end, |byte| {
                byte.is_ascii_digit() || matches!(byte, b':' | b'-' | b'.' | b',' | b'T')
            });
            gap = place;
            continue;
        }
        if next.is_ascii_alphabetic() || next == b'_' || next >= 0xc0 {
            // A unit: `3s`, `2.31it/s`.
            place = run_end(bytes, end, |byte| {
                !byte.is_ascii_whitespace() && !matches!(byte, b',' | b'|' | b']' | b')')
            });
            gap = place;
            continue;
        }
        let part_of_name = before == b':' && place >= 2 && at(place - 2).is_ascii_digit();
        if part_of_name {
            place = end;
            continue;
        }
        let Some(value) = line.get(place..end).and_then(plain) else {
            place = end.max(place + 1);
            continue;
        };
        if next == b'%' {
            if at(end + 1) == b'|' {
                // What stands before the bar may say which data it is about.
                bar = true;
                place = end + 2;
                continue;
            }
            add(line, found, (gap, place, end), value, None);
            place = end + 1;
            gap = place;
            average(line, found, &mut place, &mut gap);
            continue;
        }
        let slash = run_end(bytes, end, |byte| byte == b' ');
        if at(slash) == b'/' && slash <= end + 1 {
            let total = run_end(bytes, slash + 1, |byte| byte == b' ');
            let total_end = number_end(bytes, total);
            if at(total).is_ascii_digit() && at(total_end) != b'/' {
                let total = line.get(total..total_end).and_then(plain);
                add(line, found, (gap, place, end), value, total);
                place = total_end;
                gap = place;
                continue;
            }
            if at(total_end) == b'/' && total_end > total {
                place = run_end(bytes, end, |byte| byte.is_ascii_digit() || byte == b'/');
                gap = place;
                continue;
            }
        }
        add(line, found, (gap, place, end), value, None);
        place = end;
        gap = end;
        average(line, found, &mut place, &mut gap);
    }
    bar
}

/// Reads an average in brackets behind the last number.
fn average(line: &str, found: &mut [Pair<'_>], place: &mut usize, gap: &mut usize) {
    let Some(rest) = line.get(*place..) else { return };
    let Some(inner) = rest.trim_start_matches(' ').strip_prefix('(') else { return };
    let Some(end) = inner.find(')') else { return };
    let Some(value) = inner.get(..end).and_then(|text| plain(text.trim().trim_end_matches('%')))
    else {
        return;
    };
    if let Some(last) = found.last_mut() {
        last.average = Some(value);
    }
    *place += rest.len() - inner.len() + end + 1;
    *gap = *place;
}

fn add<'a>(
    line: &'a str,
    found: &mut Vec<Pair<'a>>,
    at: (usize, usize, usize),
    value: f64,
    total: Option<f64>,
) {
    let gap = line.get(at.0..at.1).unwrap_or("");
    let value = if gap.ends_with('-') && value.is_nan() {
        f64::NAN
    } else if gap.ends_with('-') && value.is_infinite() {
        -value
    } else {
        value
    };
    let before =
        gap.trim_end().as_bytes().last().copied().unwrap_or(if at.0 == 0 { b'\n' } else { b' ' });
    found.push(Pair { gap, label: label(gap), value, total, average: None, before });
}

fn run_end(bytes: &[u8], from: usize, within: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or(&[]);
    from + rest.iter().position(|byte| !within(*byte)).unwrap_or(rest.len())
}

/// Words go on over signs within them: `top-1`, `val/loss`, `training's`, `mAP_0.5`.
fn word_end(bytes: &[u8], from: usize) -> usize {
    let at = |place: usize| bytes.get(place).copied().unwrap_or(b'\n');
    let mut place = from;
    loop {
        let byte = at(place);
        let inner = matches!(byte, b'-' | b'.' | b'/' | b'\'' | b'@')
            && (at(place + 1).is_ascii_alphanumeric() || at(place + 1) >= 0x80);
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 || inner && place > from {
            place += 1;
        } else {
            return place;
        }
    }
}

fn number_end(bytes: &[u8], from: usize) -> usize {
    let at = |place: usize| bytes.get(place).copied().unwrap_or(b'\n');
    let digits = |from| run_end(bytes, from, |byte| byte.is_ascii_digit());
    let mut place = if matches!(at(from), b'-' | b'+') { from + 1 } else { from };
    place = digits(place);
    if at(place) == b'.' {
        place = digits(place + 1);
    }
    if matches!(at(place), b'e' | b'E') {
        let sign = usize::from(matches!(at(place + 1), b'-' | b'+'));
        if at(place + 1 + sign).is_ascii_digit() {
            place = digits(place + 1 + sign);
        }
    }
    place
}

fn not_finite(word: &str) -> Option<f64> {
    // `nan/ignored` is a word of its own.
    matches!(word.len(), 3 | 8 | 5).then(|| word.strip_suffix(".0").unwrap_or(word)).and_then(
        |word| {
            let known = word.eq_ignore_ascii_case("nan")
                || word.eq_ignore_ascii_case("inf")
                || word.eq_ignore_ascii_case("infinity");
            known.then(|| plain(word))?
        },
    )
}

/// The name at the end of what stands before a number.
fn label(gap: &str) -> &str {
    const ENDS: &[char] =
        &[':', '=', '(', '[', '{', '\'', '"', ',', '|', ' ', '\t', '-', '~', '\u{2248}', '>', '#'];
    let mut text = gap.trim_end_matches(ENDS);
    for wrapper in ["tensor", "array", "np.float32", "np.float64", "float"] {
        let opened = gap.get(text.len()..).is_some_and(|end| end.starts_with('('));
        if let Some(rest) = text.strip_suffix(wrapper).filter(|_| opened) {
            text = rest.trim_end_matches(ENDS);
        }
    }
    if gap.get(text.len()..).is_some_and(|end| end.contains([',', '|'])) {
        // `D: 0.065, 0.041`: the second has no name.
        return "";
    }
    // `Time (mins)`, `Loss (train)`: the brackets belong to the name.
    let closed = text.strip_suffix(')').and_then(|inner| inner.rfind('('));
    let body = closed.unwrap_or(text.len());
    let head = text.get(..body).unwrap_or("");
    let start = name_start(head);
    let rest = head.get(start..).unwrap_or("");
    let dash = if rest.contains('-') { rest.rfind(" - ") } else { None };
    let start = dash.map_or(start, |dash| start + dash + 3);
    let name = text.get(start..).unwrap_or("").trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '\'' | '"' | '-' | '.' | '#' | '\u{2502}' | '/' | '%')
    });
    last_words(name, 5)
}

/// Where the name at the end of `head` begins.
fn name_start(head: &str) -> usize {
    let bytes = head.as_bytes();
    let digit = |place: Option<usize>| {
        place.and_then(|place| bytes.get(place)).is_some_and(u8::is_ascii_digit)
    };
    let ends = |place: usize, byte: u8| match byte {
        // `mAP_0.5:0.95` is one name.
        b':' => !(digit(place.checked_sub(1)) && digit(Some(place + 1))),
        other => b",;|{}[]()=\t>*\"".contains(&other),
    };
    let end = bytes.iter().enumerate().rev().find(|(place, byte)| ends(*place, **byte));
    end.map_or(0, |(place, _)| place + 1)
}

/// The last `count` words of `text`.
fn last_words(text: &str, count: usize) -> &str {
    let mut spaces = text.rmatch_indices(' ').map(|(place, _)| place);
    match spaces.nth(count - 1) {
        Some(place) => text.get(place + 1..).unwrap_or(text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<(String, f64)> {
        let mut found = vec![];
        pairs(line, &mut found);
        found.iter().map(|pair| (pair.label.to_owned(), pair.value)).collect()
    }

    #[test]
    fn numbers_are_found_with_their_names() {
        let cases: &[(&str, &[(&str, f64)])] = &[
            (
                "iter 3: loss 10.5, time 26.1ms, mfu 1.5%",
                &[("iter", 3.0), ("loss", 10.5), ("mfu", 1.5)],
            ),
            ("Test set: Average loss: 0.04", &[("Average loss", 0.04)]),
            ("{'eval_loss': 1.5, 'epoch': 2.0}", &[("eval_loss", 1.5), ("epoch", 2.0)]),
            (
                "[3]\ttrain-rmse:0.5\teval-rmse:0.6",
                &[("", 3.0), ("train-rmse", 0.5), ("eval-rmse", 0.6)],
            ),
            ("top-1 accuracy 0.47", &[("top-1 accuracy", 0.47)]),
            ("loss: tensor(1.69, grad_fn=<NllLossBackward>)", &[("loss", 1.69)]),
            ("Time (mins): 0.5", &[("Time (mins)", 0.5)]),
            ("2021-08-12 19:06:36,123 - mmdet - INFO - lr: 1e-3", &[("lr", 1e-3)]),
            ("mAP_0.5:0.95: 0.3", &[("mAP_0.5:0.95", 0.3)]),
        ];
        for (line, pairs) in cases {
            let pairs: Vec<(String, f64)> =
                pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            assert_eq!(read(line), pairs, "{line}");
        }
        assert!(
            read("loss: nan - acc: 0.1")
                .first()
                .is_some_and(|(name, value)| name == "loss" && value.is_nan())
        );
        assert!(read("the nano editor, info 3s").is_empty());
    }

    #[test]
    fn totals_and_averages_are_kept_apart() {
        let mut found = vec![];
        pairs("Epoch: [2/10] Loss 2.08 (2.11) Acc@1 50.0 (48.5)", &mut found);
        let totals: Vec<_> = found.iter().map(|pair| (pair.total, pair.average)).collect();
        assert_eq!(totals, [(Some(10.0), None), (None, Some(2.11)), (None, Some(48.5))]);
        assert!(pairs("Epoch 1:  99%|███| 352/356 [02:32<00:01, loss=0.5]", &mut found));
        assert_eq!(found.iter().map(|pair| pair.value).collect::<Vec<_>>(), [1.0, 352.0, 0.5]);
    }
}
