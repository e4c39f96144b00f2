//! The white SVG canvas that every figure is drawn on, and text placed on it.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::prelude::SVGBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{RGBColor, WHITE};

use super::ReportError;
use super::style::{px, px_size, text};

/// The area that figures draw on; its units are [`super::style::UNITS`] to the pixel.
pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

type DrawingError = DrawingAreaErrorKind<std::io::Error>;

impl From<DrawingError> for ReportError {
    fn from(error: DrawingError) -> Self {
        Self::Drawing(error.to_string())
    }
}

/// The SVG, `width` by `height` pixels, of what `draw` draws.
pub(super) fn svg(
    width: f64,
    height: f64,
    draw: impl FnOnce(&Canvas<'_>) -> Result<(), ReportError>,
) -> Result<String, ReportError> {
    let (units_wide, units_high) = (px_size(width), px_size(height));
    let mut svg = String::new();
    {
        let backend = SVGBackend::with_string(&mut svg, (units_wide, units_high));
        let canvas = backend.into_drawing_area();
        canvas.fill(&WHITE)?;
        draw(&canvas)?;
        canvas.present()?;
    }
    // The view box stays in units; the picture is shown in pixels. Round joins keep the corners of
    // noisy curves from growing spikes.
    Ok(svg.replacen(
        &format!("width=\"{units_wide}\" height=\"{units_high}\""),
        &format!("width=\"{width:.0}\" height=\"{height:.0}\" stroke-linejoin=\"round\""),
        1,
    ))
}

/// Where text stands horizontally, relative to its position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
}

/// Writes `label`, vertically centred on `y`; positions and `size` are in pixels.
pub(super) fn write(
    canvas: &Canvas<'_>,
    label: &str,
    (x, y): (f64, f64),
    anchor: Anchor,
    size: f64,
    color: RGBColor,
) -> Result<(), ReportError> {
    let horizontal = match anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
    };
    let style = text(size, color).pos(Pos::new(horizontal, VPos::Center));
    Ok(canvas.draw_text(label, &style, (px(x), px(y)))?)
}
