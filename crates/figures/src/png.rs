//! PNG images from SVG, for places that do not show SVG.
//!
//! The font travels inside the program, so that text shows on a machine without any fonts.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{FontResolver, Options, Tree, fontdb};

use super::error::ReportError;

/// The name that the embedded font gives itself, first in [`super::text::FONT_FAMILIES`].
const EMBEDDED_FAMILY: &str = "Ubuntu";
/// The longest side of an image, in pixels: at four bytes a pixel, 1 GiB at most.
const LONGEST_SIDE: f32 = 16384.0;

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    // For arrows and signs of mathematics, which Ubuntu lacks.
    fonts.load_font_data(epaint_default_fonts::HACK_REGULAR.to_vec());
    fonts.set_sans_serif_family(EMBEDDED_FAMILY);
    Arc::new(fonts)
});

/// Renders `svg` at `scale` pixels per SVG pixel, on white, as the bytes of a PNG file.
///
/// Text is set in the embedded Ubuntu Light, or in Hack, which has arrows and signs of mathematics,
/// where it asks for that; characters that the font lacks are left out.
pub fn render_png(svg: &str, scale: f32) -> Result<Vec<u8>, ReportError> {
    render(svg, scale)?.encode_png().map_err(|error| ReportError::Encoding(error.to_string()))
}

/// The same as pixels.
pub(super) fn render(svg: &str, scale: f32) -> Result<Pixmap, ReportError> {
    let options = Options {
        font_family: EMBEDDED_FAMILY.to_owned(),
        fontdb: Arc::clone(&FONTS),
        // One letter that Ubuntu lacks would otherwise set the whole text in Hack.
        font_resolver: FontResolver {
            select_fallback: Box::new(|_, _, _| None),
            ..FontResolver::default()
        },
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options)
        .map_err(|error| ReportError::InvalidSvg(error.to_string()))?;
    let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
    let too_large = || ReportError::ImageSize { width, height };
    if !(1.0..=LONGEST_SIDE).contains(&width) || !(1.0..=LONGEST_SIDE).contains(&height) {
        return Err(too_large());
    }
    let mut pixels =
        Pixmap::new(width.round() as u32, height.round() as u32).ok_or_else(too_large)?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::text::FONT_FAMILIES;

    fn svg(text: &str) -> String {
        format!(
            "<svg width=\"200\" height=\"50\" xmlns=\"http://www.w3.org/2000/svg\">\
             <text x=\"10\" y=\"30\" font-size=\"20\" font-family=\"{FONT_FAMILIES}\">{text}</text>\
             </svg>"
        )
    }

    /// The size of a PNG, and how many of its pixels are not white.
    fn inked(png: &[u8]) -> ((u32, u32), usize) {
        let image = image::load_from_memory(png).unwrap().to_rgb8();
        (image.dimensions(), image.pixels().filter(|pixel| pixel.0 != [255; 3]).count())
    }

    #[test]
    fn text_shows_without_any_font_installed() {
        let (size, ink) = inked(&render_png(&svg("epoch"), 1.0).unwrap());
        assert_eq!(size, (200, 50));
        assert!(ink > 100, "{ink} pixels are not white");
        assert_eq!(inked(&render_png(&svg(""), 1.0).unwrap()).1, 0);
    }

    #[test]
    fn the_embedded_font_is_found_by_the_name_that_figures_ask_for_first() {
        let first = FONT_FAMILIES.split(',').next().unwrap();
        assert_eq!(first, EMBEDDED_FAMILY);
        assert!(FONTS.faces().any(|face| face.families.iter().any(|(name, _)| name == first)));
    }

    #[test]
    fn letters_outside_ascii_that_figures_use_are_in_the_font() {
        for text in ["²", "−", "–", "…", "µ", "é", "λ", "Ж", "₀", "η", "≤"] {
            assert!(inked(&render_png(&svg(text), 1.0).unwrap()).1 > 0, "{text} is missing");
        }
    }

    #[test]
    fn the_scale_multiplies_the_size() {
        let (size, _) = inked(&render_png(&svg("epoch"), 2.5).unwrap());
        assert_eq!(size, (500, 125));
    }

    #[test]
    fn what_cannot_be_rendered_is_an_error() {
        assert!(matches!(render_png("no image", 1.0), Err(ReportError::InvalidSvg(_))));
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e6] {
            let error = render_png(&svg("epoch"), scale).unwrap_err();
            assert!(matches!(error, ReportError::ImageSize { .. }), "{scale}");
        }
    }
}
