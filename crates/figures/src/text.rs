//! The text of figures: its font, its sizes, and about how wide it is.

/// The font, with what stands in for it where it is not installed.
pub(crate) const FONT_FAMILIES: &str = "Ubuntu, Noto Sans, sans-serif";

/// Font size of the title, in pixels.
pub(crate) const TITLE_SIZE: f64 = 30.0;
/// Font size of the names of axes, curves and marks, in pixels.
pub(crate) const LABEL_SIZE: f64 = 22.0;
/// Font size of tick labels and notes, in pixels.
pub(crate) const SMALL_SIZE: f64 = 18.0;

/// About how wide `text` is at `size` pixels, in pixels; errs on the wide side.
///
/// Real widths need the font's tables; labels only need to stay clear of each other.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    let em = |character: char| match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.28,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' | '/' => 0.4,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.9,
        'A'..='Z' => 0.68,
        'α'..='ω' => 0.6,
        '²' | '³' | '¹' | 'ᴬ'..='ᶿ' | '⁰'..='ₜ' => 0.42,
        character if character.is_ascii() => 0.56,
        _ => 0.8,
    };
    size * text.chars().map(em).sum::<f64>()
}

/// `text` cut to `width` pixels at `size` pixels, with an ellipsis where something is missing.
///
/// Control characters, which XML does not allow, become spaces.
pub(crate) fn fit(text: &str, size: f64, width: f64) -> String {
    let clean = |letter| if is_printable(letter) { letter } else { ' ' };
    let text: String = text.chars().map(clean).collect();
    if text_width(&text, size) <= width {
        return text;
    }
    let mut used = text_width("…", size);
    let fits = |letter: &char| {
        used += text_width(letter.encode_utf8(&mut [0; 4]), size);
        used <= width
    };
    let beginning: String = text.chars().take_while(fits).collect();
    format!("{}…", beginning.trim_end())
}

fn is_printable(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_does_not_fit_is_cut_with_an_ellipsis() {
        assert_eq!(fit("short", 20.0, 100.0), "short");
        let cut = fit(&"long ".repeat(100_000), 20.0, 200.0);
        assert!(cut.starts_with("long long") && cut.ends_with('…'), "{cut}");
        assert!(text_width(&cut, 20.0) <= 200.0);
        assert_eq!(fit("a\u{0}b\n", 20.0, 100.0), "a b ");
        assert_eq!(fit("none", 20.0, 0.0), "…");
    }
}
