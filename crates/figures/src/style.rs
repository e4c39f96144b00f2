//! The look of every figure: colours, font, sizes.
//!
//! Colours are those of Okabe and Ito (2008), "Color Universal Design", which stay apart for all
//! common kinds of colour vision. Figures always have a white background, so that they look the
//! same in a dark terminal, a paper and a browser.

use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, TextStyle};

/// Curves over the training split: blue.
pub const TRAINING: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// Curves over the validation split: vermilion.
pub const VALIDATION: RGBColor = RGBColor(0xD5, 0x5E, 0x00);
/// The best epoch: bluish green.
pub const BEST: RGBColor = RGBColor(0x00, 0x9E, 0x73);
/// Settings and events that are not scores: dark grey.
pub const NEUTRAL: RGBColor = RGBColor(0x55, 0x55, 0x55);
/// Text and axes.
pub const INK: RGBColor = RGBColor(0x1A, 0x1A, 0x1A);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(0xE3, 0xE3, 0xE3);

/// The font, with what stands in for it where it is not installed.
pub const FONT_FAMILIES: &str = "Ubuntu, Noto Sans, sans-serif";

/// Font size of the title, in pixels.
pub const TITLE_SIZE: f64 = 30.0;
/// Font size of the names of axes, curves and marks, in pixels.
pub const LABEL_SIZE: f64 = 22.0;
/// Font size of tick labels and notes, in pixels.
pub const SMALL_SIZE: f64 = 18.0;

/// Units of the canvas per pixel.
///
/// `plotters` places everything on whole units; a tenth of a pixel keeps slopes smooth when a
/// picture is enlarged.
pub(super) const UNITS: f64 = 10.0;

/// A length in pixels, in units of the canvas.
pub(super) fn px(pixels: f64) -> i32 {
    (pixels * UNITS).round() as i32
}

/// The same length for arguments that cannot be negative.
pub(super) fn px_size(pixels: f64) -> u32 {
    px(pixels).unsigned_abs()
}

/// A text style of `size` pixels.
pub(super) fn text(size: f64, color: RGBColor) -> TextStyle<'static> {
    /// The SVG backend of `plotters` divides font sizes by this.
    const BACKEND_DIVISOR: f64 = 1.24;
    let family = FontFamily::Name(FONT_FAMILIES);
    let font = FontDesc::new(family, size * UNITS * BACKEND_DIVISOR, FontStyle::Normal);
    TextStyle { color: color.to_backend_color(), ..TextStyle::from(font) }
}

/// About how wide `text` is at `size` pixels, in pixels; errs on the wide side.
///
/// Real widths need the font's tables; labels only need to stay clear of each other.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
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
pub(super) fn fit(text: &str, size: f64, width: f64) -> String {
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
