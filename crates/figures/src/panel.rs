//! One panel of a figure: curves over epochs, with their own vertical axis.

use plotters::chart::{ChartBuilder, LabelAreaPosition};
use plotters::coord::ranged1d::Ranged;
use plotters::element::{Circle, PathElement};
use plotters::series::{DashedLineSeries, LineSeries};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::ReportError;
use super::axis::Axis;
use super::canvas::{Anchor, Canvas, write};
use super::style::{
    GRID, INK, LABEL_SIZE, NEUTRAL, SMALL_SIZE, UNITS, fit, px, px_size, text, text_width,
};

/// A curve: a name and colour, and values by epoch.
pub(super) struct Curve {
    /// The name written at the end of the curve; empty for none.
    pub name: &'static str,
    /// The colour of the curve and its name.
    pub color: RGBColor,
    /// The width of the line, in pixels: wider below, so that equal curves both show.
    pub width: f64,
    /// Whether every value gets a dot, where there are few enough.
    pub dots: bool,
    /// The epochs and their values; `None` where the curve has a gap.
    pub points: Vec<(f64, Option<f64>)>,
}

impl Curve {
    /// The values there are.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.points.iter().filter_map(|(_, value)| *value)
    }
}

/// A vertical line through all panels.
pub(super) struct Mark {
    /// The epoch it stands at.
    pub epoch: f64,
    /// What it marks.
    pub label: String,
    /// Its colour.
    pub color: RGBColor,
    /// Whether it is dashed.
    pub dashed: bool,
}

/// Where a panel stands, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// The left end of the epoch axis.
    pub left: f64,
    /// The right end of the epoch axis.
    pub right: f64,
    /// The top of the vertical axis.
    pub top: f64,
    /// The bottom of the vertical axis.
    pub bottom: f64,
}

/// A panel to draw.
pub(super) struct Panel {
    /// The name of the vertical axis, with its unit.
    pub name: String,
    /// The curves, later ones on top.
    pub curves: Vec<Curve>,
    /// The vertical axis, which spans all values.
    pub axis: Axis,
    /// The height of the vertical axis, in pixels.
    pub height: f64,
}

/// How far the middle of a panel's name is above the panel, in pixels.
const NAME_ABOVE: f64 = 18.0;
/// The height of one lane of mark labels, in pixels.
pub(super) const LANE: f64 = 28.0;
/// Space for tick labels left of the axis, in pixels.
const TICK_LABELS: f64 = 90.0;
/// The least distance between ticks of the vertical axis, in pixels.
const TICKS_APART: f64 = 42.0;
/// The longest name of a panel, in pixels, before it is cut.
const LONGEST_NAME: f64 = 800.0;
/// The radius of a dot, in pixels.
const DOT_RADIUS: f64 = 4.0;
/// Curves with more points than this have no dots.
const MOST_DOTS: usize = 60;

impl Panel {
    /// A panel of `height` pixels, with an axis that spans the values of `curves`, logarithmic
    /// where positive values span more than `log_decades` powers of ten.
    pub(super) fn new(name: &str, curves: Vec<Curve>, log_decades: f64, height: f64) -> Self {
        let values: Vec<f64> = curves.iter().flat_map(Curve::values).collect();
        let axis = Axis::new(&values, log_decades, (height / TICKS_APART) as usize);
        let scale = if axis.is_log() { ", log scale" } else { "" };
        let name = fit(name, LABEL_SIZE, LONGEST_NAME) + scale;
        Self { name, curves, axis, height }
    }

    /// Draws the panel into `frame`; `labelled` says whether the epochs are labelled below it.
    pub(super) fn draw(
        &self,
        canvas: &Canvas<'_>,
        frame: Frame,
        epochs: &Axis,
        marks: &[Mark],
        labelled: bool,
    ) -> Result<(), ReportError> {
        let axis = &self.axis;
        let above = (frame.left, frame.top - NAME_ABOVE);
        write(canvas, &self.name, above, Anchor::Start, LABEL_SIZE, INK)?;

        let below = if labelled { 40.0 } else { 0.0 };
        let area = canvas.clone().shrink(
            (px(frame.left - TICK_LABELS), px(frame.top)),
            (px(frame.right - frame.left + TICK_LABELS), px(frame.bottom - frame.top + below)),
        );
        let mut chart = ChartBuilder::on(&area)
            .set_label_area_size(LabelAreaPosition::Left, px(TICK_LABELS))
            .set_label_area_size(LabelAreaPosition::Bottom, px(below))
            .build_cartesian_2d(epochs.clone(), axis.clone())?;
        chart
            .configure_mesh()
            .bold_line_style(stroke(GRID, 1.0))
            .axis_style(stroke(NEUTRAL, 1.2))
            .label_style(text(SMALL_SIZE, INK))
            .set_all_tick_mark_size(px(5.0))
            .draw()?;
        let (epochs_shown, values_shown) = (epochs.range(), axis.range());
        let baseline =
            vec![(epochs_shown.start, values_shown.start), (epochs_shown.end, values_shown.start)];
        chart.plotting_area().draw(&PathElement::new(baseline, stroke(NEUTRAL, 1.2)))?;

        for mark in marks {
            let line = [(mark.epoch, values_shown.start), (mark.epoch, values_shown.end)];
            let style = stroke(mark.color, 1.8);
            if mark.dashed {
                chart.draw_series(DashedLineSeries::new(line, px(7.0), px(5.0), style))?;
            } else {
                chart.draw_series(LineSeries::new(line, style))?;
            }
        }

        let mut ends = Vec::new();
        for curve in &self.curves {
            let runs = curve.points.split(|(_, value)| value.is_none());
            for run in runs.filter(|run| !run.is_empty()) {
                let points: Vec<(f64, f64)> =
                    run.iter().filter_map(|&(epoch, value)| Some((epoch, value?))).collect();
                if (curve.dots && curve.points.len() <= MOST_DOTS) || points.len() == 1 {
                    let dot = |&point: &(f64, f64)| {
                        Circle::new(point, px_size(DOT_RADIUS), curve.color.filled())
                    };
                    chart.draw_series(points.iter().map(dot))?;
                }
                if points.len() > 1 {
                    chart.draw_series(LineSeries::new(points, stroke(curve.color, curve.width)))?;
                }
            }
            if let Some(last) = curve.values().last() {
                let (_, y) = chart.backend_coord(&(epochs_shown.end, last));
                ends.push((f64::from(y) / UNITS, curve));
            }
        }
        if ends.is_empty() {
            let middle =
                (f64::midpoint(frame.left, frame.right), f64::midpoint(frame.top, frame.bottom));
            write(canvas, "no values to draw", middle, Anchor::Middle, LABEL_SIZE, NEUTRAL)?;
        }
        name_curves(canvas, frame, ends)
    }
}

/// Writes the names of curves right of where they end, apart from each other.
fn name_curves(
    canvas: &Canvas<'_>,
    frame: Frame,
    mut ends: Vec<(f64, &Curve)>,
) -> Result<(), ReportError> {
    const APART: f64 = 24.0;
    ends.sort_by(|(first, _), (second, _)| first.total_cmp(second));
    let mut lowest = f64::NEG_INFINITY;
    for (y, _) in &mut ends {
        *y = y.max(lowest + APART);
        lowest = *y;
    }
    // What was pushed below the panel moves up again, together.
    let excess = (lowest - frame.bottom).max(0.0);
    for (y, curve) in ends {
        let at = (frame.right + 10.0, y - excess);
        write(canvas, curve.name, at, Anchor::Start, LABEL_SIZE, curve.color)?;
    }
    Ok(())
}

/// Writes the labels of `marks` above the first panel, whose top is that of `frame`.
pub(super) fn name_marks(
    canvas: &Canvas<'_>,
    frame: Frame,
    marks: &[Mark],
    places: &[(f64, usize)],
) -> Result<(), ReportError> {
    for (mark, (middle, lane)) in marks.iter().zip(places) {
        let at = (*middle, frame.top - NAME_ABOVE - LANE * *lane as f64);
        write(canvas, &mark.label, at, Anchor::Middle, LABEL_SIZE, mark.color)?;
    }
    Ok(())
}

/// Where the labels of `marks` stand: the middle of each, in pixels, and its lane.
///
/// Each label is centred on its line, as far as it fits, in the lowest lane where it is clear of
/// the others. The lowest lane, 0, begins with the name of the panel.
pub(super) fn place_marks(
    frame: Frame,
    epochs: &Axis,
    marks: &[Mark],
    panel: &str,
) -> Vec<(f64, usize)> {
    let name = text_width(panel, LABEL_SIZE) + 8.0;
    let labels = marks.iter().map(|mark| {
        let x = frame.left + epochs.share(mark.epoch) * (frame.right - frame.left);
        (x, text_width(&mark.label, LABEL_SIZE))
    });
    place_labels((frame.left, frame.right), name, labels)
}

/// The same for labels by the place of their line and their width, in pixels, between `left` and
/// `right`; a name of `name` pixels begins lane 0.
pub(super) fn place_labels(
    (left, right): (f64, f64),
    name: f64,
    labels: impl Iterator<Item = (f64, f64)>,
) -> Vec<(f64, usize)> {
    let mut taken = vec![(left + name / 2.0, name / 2.0, 0)];
    for (line, width) in labels {
        let half = width / 2.0 + 8.0;
        let middle = line.min(right - half).max(left + half);
        let clear = |lane: &usize| {
            taken.iter().all(|(other, other_half, other_lane)| {
                other_lane != lane || (other - middle).abs() >= half + other_half
            })
        };
        let lane = (0..=taken.len()).find(clear).unwrap_or_default();
        taken.push((middle, half, lane));
    }
    taken.into_iter().skip(1).map(|(middle, _, lane)| (middle, lane)).collect()
}

fn stroke(color: RGBColor, width: f64) -> ShapeStyle {
    color.stroke_width(px_size(width))
}
