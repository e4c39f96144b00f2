//! Writes the elements of an SVG: short numbers, escaped text.

use crate::text::{FONT_FAMILIES, fit};

/// An SVG under way.
#[derive(Debug, Default)]
pub(super) struct Svg {
    elements: String,
}

/// Where text begins, relative to its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type<'a> {
    pub size: f64,
    pub color: &'a str,
    pub anchor: Anchor,
    /// The colour around the letters, where they stand on something.
    pub halo: Option<&'a str>,
    /// Degrees, clockwise.
    pub turned: f64,
}

impl<'a> Type<'a> {
    pub(super) fn new(size: f64, color: &'a str, anchor: Anchor) -> Self {
        Self { size, color, anchor, halo: None, turned: 0.0 }
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke<'a> {
    pub color: &'a str,
    pub width: f64,
    /// Lengths of dashes and gaps; empty for none.
    pub dashes: &'a str,
    /// The colour beside the line, where it crosses colours.
    pub halo: Option<&'a str>,
}

impl<'a> Stroke<'a> {
    pub(super) fn new(color: &'a str, width: f64) -> Self {
        Self { color, width, dashes: "", halo: None }
    }
}

impl Svg {
    /// Adds elements as they are.
    pub(super) fn raw(&mut self, elements: &str) {
        self.elements += elements;
        self.elements.push('\n');
    }

    /// The whole document; `css` is its style sheet, empty for none.
    pub(super) fn finish(
        self,
        (width, height): (f64, f64),
        title: &str,
        css: &str,
        background: &str,
    ) -> String {
        let style = if css.is_empty() { String::new() } else { format!("<style>{css}</style>\n") };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"{FONT_FAMILIES}\" \
             stroke-linejoin=\"round\">\n<title>{}</title>\n{style}\
             <rect width=\"100%\" height=\"100%\" fill=\"{background}\"/>\n{}</svg>\n",
            escape(&fit(title, 1.0, 1e4)),
            self.elements
        )
    }

    /// A line along the path `d`.
    pub(super) fn line(&mut self, d: &str, stroke: Stroke<'_>) {
        if d.is_empty() {
            return;
        }
        if let Some(halo) = stroke.halo {
            self.line(d, Stroke::new(halo, stroke.width + 2.4));
        }
        let dashes = match stroke.dashes {
            "" => String::new(),
            dashes => format!(" stroke-dasharray=\"{dashes}\""),
        };
        let (color, width) = (stroke.color, short(stroke.width));
        self.raw(&format!(
            "<path d=\"{d}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"{dashes}/>"
        ));
    }

    /// The area within the path `d`.
    pub(super) fn area(&mut self, d: &str, color: &str, opacity: f64) {
        if !d.is_empty() {
            self.raw(&format!("<path d=\"{d}\" fill=\"{color}\" fill-opacity=\"{opacity}\"/>"));
        }
    }

    /// Dots of one colour.
    pub(super) fn dots(&mut self, at: &[(f64, f64)], radius: f64, color: &str, halo: Option<&str>) {
        // A round cap at both ends of almost nothing is a disc, in far fewer bytes than a circle.
        let d: String =
            at.iter().map(|&(x, y)| format!("M{} {}h.01", short(x), short(y))).collect();
        let mut disc = |color: &str, radius: f64| {
            let width = short(2.0 * radius);
            self.raw(&format!(
                "<path d=\"{d}\" stroke=\"{color}\" stroke-width=\"{width}\" stroke-linecap=\"round\"/>"
            ));
        };
        if !at.is_empty() {
            if let Some(halo) = halo {
                disc(halo, radius + 1.2);
            }
            disc(color, radius);
        }
    }

    /// `text`, vertically centred on `y`, cut to `room` pixels.
    pub(super) fn text(&mut self, text: &str, (x, y): (f64, f64), style: Type<'_>, room: f64) {
        let text = fit(&in_font(text), style.size, room);
        if text.trim().is_empty() {
            return;
        }
        let anchor = match style.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let halo = style.halo.map_or_else(String::new, |color| {
            format!(" stroke=\"{color}\" stroke-width=\"4\" paint-order=\"stroke\"")
        });
        let turned = if style.turned == 0.0 {
            String::new()
        } else {
            format!(" transform=\"rotate({} {} {})\"", style.turned, short(x), short(y))
        };
        // Half the height of letters below the middle is their base line.
        let base = short(y + 0.35 * style.size);
        self.raw(&format!(
            "<text x=\"{}\" y=\"{base}\" font-size=\"{}\" fill=\"{}\"{anchor}{halo}{turned}>{}</text>",
            short(x),
            short(style.size),
            style.color,
            set(&escape(&text))
        ));
    }
}

/// `value` to a tenth, without trailing zeros.
pub(super) fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The path through `points`.
pub(super) fn polyline(points: &[(f64, f64)]) -> String {
    let mut d = String::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        d.push(if index == 0 { 'M' } else { ' ' });
        d += &short(x);
        d.push(' ');
        d += &short(y);
    }
    d
}

/// `text` as it stands in XML and HTML.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            other => escaped.push(other),
        }
    }
    escaped
}

/// `text` with signs that the embedded fonts lack as the nearest that they have.
fn in_font(text: &str) -> String {
    let mut known = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            'ℒ' => known.push('L'),
            'ℝ' => known.push('R'),
            'ℕ' | '𝒩' => known.push('N'),
            '∥' => known.push('‖'),
            '≪' => known += "<<",
            '≫' => known += ">>",
            '✓' => known += "yes",
            '✗' => known += "no",
            '★' => known.push('*'),
            // Accents that combine; `ŷ` and its like are letters of their own.
            '\u{300}'..='\u{36f}' => {}
            other => known.push(other),
        }
    }
    known
}

/// Letters that the embedded text font lacks: raised and lowered ones set from smaller ones, arrows
/// and signs of mathematics in the other font, which alone must not decide the look of the rest.
fn set(text: &str) -> String {
    const UP: &str = "0.35";
    const DOWN: &str = "-0.2";
    let mut set = String::with_capacity(text.len());
    for character in text.chars() {
        let (letter, shift) = match character {
            'ⁿ' => ('n', UP),
            'ᵗ' => ('t', UP),
            'ⁱ' => ('i', UP),
            'ᵀ' => ('T', UP),
            'ᵏ' => ('k', UP),
            'ᵢ' => ('i', DOWN),
            'ⱼ' => ('j', DOWN),
            'ₖ' => ('k', DOWN),
            'ₙ' => ('n', DOWN),
            'ₜ' => ('t', DOWN),
            '⁺'
            | '⁻'
            | '₊'
            | '₋'
            | '′'
            | '″'
            | '←'..='⇿'
            | '∀'..='⋿'
            | '⌈'..='⌋'
            | '■'..='◿'
            | '⟨'
            | '⟩'
            | '‖'
                if !IN_UBUNTU.contains(&character) =>
            {
                set += &format!("<tspan font-family=\"{SIGN_FAMILIES}\">{character}</tspan>");
                continue;
            }
            other => {
                set.push(other);
                continue;
            }
        };
        set += &format!("<tspan baseline-shift=\"{shift}em\" font-size=\"70%\">{letter}</tspan>");
    }
    set
}

/// Of the signs of mathematics, those that Ubuntu has.
const IN_UBUNTU: [char; 12] = ['∂', '∆', '∏', '∑', '−', '∕', '∙', '√', '∞', '∫', '≈', '≠'];

/// The other embedded font, and what stands in for it where it is not installed.
const SIGN_FAMILIES: &str = "Hack, DejaVu Sans, Noto Sans Math, sans-serif";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, -0.01, 1.0, 12.34, -7.99].map(short), ["0", "0", "1", "12.3", "-8"]);
    }

    #[test]
    fn text_is_escaped_and_letters_that_fonts_lack_are_set_from_others() {
        let mut svg = Svg::default();
        svg.text("a<b & xₜ ≪ 1\u{0}", (1.0, 2.0), Type::new(10.0, "red", Anchor::End), 500.0);
        let expected = ">a&lt;b &amp; x<tspan baseline-shift=\"-0.2em\" font-size=\"70%\">t</tspan> \
                        &lt;&lt; 1 <";
        assert!(svg.elements.contains(expected), "{}", svg.elements);
    }
}
