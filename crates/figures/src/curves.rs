//! Learning curves: loss, the main metric and the learning rate over epochs, in one figure.
//!
//! `train` draws it when a run ends, into `curves.svg` and `curves.png`. Panels share the epoch
//! axis; vertical lines show the best epoch and where training stopped. What cannot be drawn (NaN,
//! infinity) leaves a gap and a note, never a silent hole.

use super::ReportError;
use super::axis::Axis;
use super::canvas::{Anchor, Canvas, svg, write};
use super::panel::{Curve, Frame, LANE, Mark, Panel, name_marks, place_marks};
use super::style::{
    BEST, INK, LABEL_SIZE, NEUTRAL, SMALL_SIZE, TITLE_SIZE, TRAINING, VALIDATION, fit,
};

/// One epoch of a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EpochPoint {
    /// The number of the epoch, from 1.
    pub epoch: usize,
    /// Values by column name, as in `epochs.csv`: `loss`, `val_loss`, `accuracy`,
    /// `val_accuracy`, `learning_rate`, … Columns that are not drawn may be there too.
    pub values: Vec<(String, f64)>,
}

/// Where training stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopMark {
    /// The last epoch trained.
    pub epoch: usize,
    /// Why, in a few words: `no improvement for 5 epochs`.
    pub reason: String,
}

/// What [`draw_curves`] draws.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvesFigure {
    /// The name of the experiment: `cifar10`.
    pub experiment: String,
    /// The title of the data set: `CIFAR-10`.
    pub data_set: String,
    /// Whether the data were drawn by code; the title then says so.
    pub synthetic: bool,
    /// The name and unit of the loss: `cross-entropy loss (nats)`.
    pub loss_label: String,
    /// The column of the main metric: `accuracy`. Without such a column there is no such panel.
    pub metric: String,
    /// The name and unit of the main metric; where the column is an accuracy in `[0, 1]`, the
    /// axis is in percent and says so itself.
    pub metric_label: String,
    /// The epochs, in order.
    pub epochs: Vec<EpochPoint>,
    /// The best epoch, if one is known.
    pub best_epoch: Option<usize>,
    /// Where and why training stopped, if that is worth a mark.
    pub stop: Option<StopMark>,
}

impl CurvesFigure {
    /// A figure with the labels `loss` and `metric`, real data and no marks.
    pub fn new(experiment: &str, data_set: &str, metric: &str, epochs: Vec<EpochPoint>) -> Self {
        Self {
            experiment: experiment.to_owned(),
            data_set: data_set.to_owned(),
            synthetic: false,
            loss_label: "loss".to_owned(),
            metric: metric.to_owned(),
            metric_label: metric.replace('_', " "),
            epochs,
            best_epoch: None,
            stop: None,
        }
    }

    fn title(&self) -> String {
        let title = format!("{} on {}", self.experiment, self.data_set);
        let synthetic = if self.synthetic { " (synthetic data)" } else { "" };
        let room = RIGHT - MARGIN - super::style::text_width(synthetic, TITLE_SIZE);
        fit(&title, TITLE_SIZE, room) + synthetic
    }
}

const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 24.0;
/// The ends of the epoch axis, in pixels: tick labels stand left of it, names of curves right.
const LEFT: f64 = 110.0;
const RIGHT: f64 = WIDTH - 130.0;
/// The height of the title and its margins, in pixels.
const TITLE_HEIGHT: f64 = 64.0;
/// The heights of the panels of scores and of the learning rate, in pixels.
const SCORE_HEIGHT: f64 = 310.0;
const SETTING_HEIGHT: f64 = 150.0;
/// Space above each panel, for the name of its axis, in pixels.
const PANEL_GAP: f64 = 52.0;
/// The height of one line of notes, in pixels.
const NOTE_LINE: f64 = 25.0;

/// The largest magnitude that is drawn: sums and differences must not overflow.
const LARGEST: f64 = 1e100;

/// Draws the learning curves as an SVG of 1200 pixels width with a white background.
///
/// Axes are logarithmic where values are positive and span more than two powers of ten (one, for
/// the learning rate). Marks at epochs that are not drawn are left out. The same figure always
/// gives the same bytes.
pub fn draw_curves(figure: &CurvesFigure) -> Result<String, ReportError> {
    let first = figure.epochs.iter().map(|point| point.epoch).min().ok_or(ReportError::NoEpochs)?;
    let last = figure.epochs.iter().map(|point| point.epoch).max().unwrap_or(first);
    let axis = Axis::epochs(first, last, 12);
    let panels = panels(figure);
    let marks = marks(figure, first..=last);
    let notes = notes(&figure.epochs, &panels);
    let panels: Vec<Panel> = panels.into_iter().map(|(panel, _)| panel).collect();

    let mut frame = Frame { left: LEFT, right: RIGHT, top: 0.0, bottom: TITLE_HEIGHT };
    let name = panels.first().map_or("", |panel| panel.name.as_str());
    let places = place_marks(frame, &axis, &marks, name);
    let highest_lane = places.iter().map(|(_, lane)| *lane).max().unwrap_or_default();
    frame.bottom += LANE * highest_lane as f64;
    let panels_height: f64 = panels.iter().map(|panel| PANEL_GAP + panel.height).sum();
    let epoch_label = frame.bottom + panels_height + 56.0;
    let height = epoch_label + 30.0 + NOTE_LINE * notes.len() as f64;

    svg(WIDTH, height, |canvas| {
        let title = figure.title();
        write(canvas, &title, (MARGIN, MARGIN + 18.0), Anchor::Start, TITLE_SIZE, INK)?;
        for (index, panel) in panels.iter().enumerate() {
            frame.top = frame.bottom + PANEL_GAP;
            frame.bottom = frame.top + panel.height;
            panel.draw(canvas, frame, &axis, &marks, index + 1 == panels.len())?;
            if index == 0 {
                name_marks(canvas, frame, &marks, &places)?;
            }
        }
        let middle = (f64::midpoint(LEFT, RIGHT), epoch_label);
        write(canvas, "epoch", middle, Anchor::Middle, LABEL_SIZE, INK)?;
        draw_notes(canvas, &notes, epoch_label + 34.0)
    })
}

fn draw_notes(canvas: &Canvas<'_>, notes: &[String], top: f64) -> Result<(), ReportError> {
    for (line, note) in notes.iter().enumerate() {
        let note = fit(note, SMALL_SIZE, WIDTH - 2.0 * MARGIN);
        let at = (MARGIN, top + NOTE_LINE * line as f64);
        write(canvas, &note, at, Anchor::Start, SMALL_SIZE, NEUTRAL)?;
    }
    Ok(())
}

/// The panels, each with the columns of its curves.
fn panels(figure: &CurvesFigure) -> Vec<(Panel, Vec<String>)> {
    let mut panels = Vec::new();
    let (curves, columns) = both_splits(&figure.epochs, "loss", 1.0);
    panels.push((Panel::new(&figure.loss_label, curves, 2.0, SCORE_HEIGHT), columns));

    let (factor, unit) = percent(figure);
    let (curves, columns) = both_splits(&figure.epochs, &figure.metric, factor);
    if figure.metric != "loss" && !curves.is_empty() {
        let name = format!("{}{unit}", figure.metric_label);
        panels.push((Panel::new(&name, curves, 2.0, SCORE_HEIGHT), columns));
    }

    let points = points(&figure.epochs, "learning_rate", 1.0);
    if !points.is_empty() {
        let curve = Curve { name: "", color: INK, width: 2.0, dots: true, points };
        let panel = Panel::new("learning rate", vec![curve], 1.0, SETTING_HEIGHT);
        panels.push((panel, vec!["learning_rate".to_owned()]));
    }
    panels
}

/// The curves of `column` over the training and the validation split, and their columns.
fn both_splits(epochs: &[EpochPoint], column: &str, factor: f64) -> (Vec<Curve>, Vec<String>) {
    let training = (column.to_owned(), "training", TRAINING, 3.4, false);
    let validation = (format!("val_{column}"), "validation", VALIDATION, 2.0, true);
    [training, validation]
        .into_iter()
        .filter_map(|(column, name, color, width, dots)| {
            let points = points(epochs, &column, factor);
            let found = !points.is_empty();
            found.then_some((Curve { name, color, width, dots, points }, column))
        })
        .unzip()
}

/// The factor and unit of the main metric: shares become percent where it is an accuracy.
fn percent(figure: &CurvesFigure) -> (f64, &'static str) {
    if !figure.metric.ends_with("accuracy") {
        return (1.0, "");
    }
    let validation = format!("val_{}", figure.metric);
    let drawn = |column: &str| *column == figure.metric || *column == validation;
    let values = figure.epochs.iter().flat_map(|point| &point.values);
    let above_one = values.filter(|(column, _)| drawn(column)).any(|(_, value)| *value > 1.0);
    (if above_one { 1.0 } else { 100.0 }, " (%)")
}

/// The values of `column` times `factor`, by epoch; `None` for values that cannot be drawn.
/// Epochs without the column are passed over.
fn points(epochs: &[EpochPoint], column: &str, factor: f64) -> Vec<(f64, Option<f64>)> {
    let point = |point: &EpochPoint| {
        let (_, value) = point.values.iter().find(|(name, _)| name == column)?;
        Some((point.epoch as f64, is_drawable(*value).then_some(value * factor)))
    };
    epochs.iter().filter_map(point).collect()
}

fn is_drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

fn marks(figure: &CurvesFigure, drawn: std::ops::RangeInclusive<usize>) -> Vec<Mark> {
    let best = figure.best_epoch.map(|epoch| Mark {
        epoch: epoch as f64,
        label: format!("best: epoch {epoch}"),
        color: BEST,
        dashed: false,
    });
    let stop = figure.stop.as_ref().map(|stop| Mark {
        epoch: stop.epoch as f64,
        label: fit(&format!("stopped: {}", stop.reason), LABEL_SIZE, RIGHT - LEFT - 20.0),
        color: NEUTRAL,
        dashed: true,
    });
    let drawn = *drawn.start() as f64..=*drawn.end() as f64;
    best.into_iter().chain(stop).filter(|mark| drawn.contains(&mark.epoch)).collect()
}

/// One line for each column with values that cannot be drawn.
fn notes(epochs: &[EpochPoint], panels: &[(Panel, Vec<String>)]) -> Vec<String> {
    let columns = panels.iter().flat_map(|(_, columns)| columns);
    columns.filter_map(|column| note(epochs, column)).collect()
}

fn note(epochs: &[EpochPoint], column: &str) -> Option<String> {
    let gap = |point: &EpochPoint| {
        let (_, value) = point.values.iter().find(|(name, _)| name == column)?;
        (!is_drawable(*value)).then_some((point.epoch, *value))
    };
    let (missing, values): (Vec<usize>, Vec<f64>) = epochs.iter().filter_map(gap).unzip();
    let any = |is: fn(f64) -> bool| values.iter().any(|value| is(*value));
    let kinds = [
        ("NaN", any(f64::is_nan)),
        ("infinite", any(f64::is_infinite)),
        ("beyond 1e100", any(f64::is_finite)),
    ];
    let found = kinds.iter().filter(|(_, found)| *found).map(|(kind, _)| *kind);
    let found = found.collect::<Vec<_>>().join(" or ");
    let noun = if missing.len() == 1 { "epoch" } else { "epochs" };
    let list = ranges(&missing);
    (!missing.is_empty()).then(|| format!("Gap: {column} is {found} in {noun} {list}"))
}

/// Epochs in ascending order as `3–5, 9`; after a few ranges, how many more epochs there are.
fn ranges(epochs: &[usize]) -> String {
    const MOST_RANGES: usize = 5;
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &epoch in epochs {
        match ranges.last_mut() {
            Some((_, end)) if epoch.checked_sub(1) == Some(*end) => *end = epoch,
            _ => ranges.push((epoch, epoch)),
        }
    }
    let more = ranges.iter().skip(MOST_RANGES).map(|(start, end)| end - start + 1).sum::<usize>();
    let shown = ranges.iter().take(MOST_RANGES).map(|(start, end)| match end - start {
        0 => start.to_string(),
        1 => format!("{start}, {end}"),
        _ => format!("{start}–{end}"),
    });
    let list = shown.collect::<Vec<_>>().join(", ");
    if more == 0 { list } else { format!("{list} and {more} more") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const COLUMNS: [&str; 5] = ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"];

    fn point(epoch: usize, values: [f64; 5]) -> EpochPoint {
        let values = COLUMNS.iter().map(|name| (*name).to_owned()).zip(values).collect();
        EpochPoint { epoch, values }
    }

    fn figure(epochs: usize) -> CurvesFigure {
        let decay = |epoch: usize| 1.0 / epoch as f64;
        let points = (1..=epochs)
            .map(|epoch| {
                let decay = decay(epoch);
                point(epoch, [decay, 1.0 - decay, decay + 0.1, 0.9 - decay, 0.001])
            })
            .collect();
        CurvesFigure::new("cifar10", "CIFAR-10", "accuracy", points)
    }

    /// Whether `text` is a whole text element of `svg`.
    fn shows(svg: &str, text: &str) -> bool {
        svg.lines().any(|line| line == text)
    }

    #[test]
    fn the_figure_names_everything_that_it_shows() {
        let mut figure = figure(12);
        figure.loss_label = "cross-entropy (nats)".to_owned();
        figure.best_epoch = Some(7);
        figure.stop = Some(StopMark { epoch: 12, reason: "no improvement".to_owned() });
        let svg = draw_curves(&figure).unwrap();
        for text in [
            "cifar10 on CIFAR-10",
            "cross-entropy (nats)",
            "accuracy (%)",
            "learning rate",
            "epoch",
            "training",
            "validation",
            "best: epoch 7",
            "stopped: no improvement",
            "12",
        ] {
            assert!(shows(&svg, text), "`{text}` is missing");
        }
        assert!(svg.contains("fill=\"#FFFFFF\""), "the background is white");
    }

    #[test]
    fn synthetic_data_is_named_in_the_title_however_long_it_is() {
        let mut figure = figure(2);
        figure.synthetic = true;
        assert!(shows(&draw_curves(&figure).unwrap(), "cifar10 on CIFAR-10 (synthetic data)"));
        figure.experiment = "long ".repeat(100);
        assert!(draw_curves(&figure).unwrap().contains("… (synthetic data)"));
    }

    #[test]
    fn the_same_figure_gives_the_same_bytes() {
        assert_eq!(draw_curves(&figure(5)).unwrap(), draw_curves(&figure(5)).unwrap());
    }

    #[test]
    fn markup_in_titles_is_escaped_and_control_characters_are_dropped() {
        let mut figure = figure(2);
        figure.experiment = "<b>&\"x\"\u{0}\u{1b}".to_owned();
        let svg = draw_curves(&figure).unwrap();
        assert!(svg.contains("&lt;b&gt;&amp;&quot;x&quot;"), "escaped");
        assert!(!svg.contains("<b>") && !svg.contains('\u{1b}') && !svg.contains('\u{0}'));
    }

    #[test]
    fn values_that_are_not_finite_leave_a_gap_and_a_note() {
        let mut figure = figure(9);
        for epoch in [3, 4, 5, 8] {
            figure.epochs[epoch - 1].values[2].1 = f64::NAN;
        }
        figure.epochs[1].values[0].1 = f64::INFINITY;
        let svg = draw_curves(&figure).unwrap();
        assert!(shows(&svg, "Gap: val_loss is NaN in epochs 3–5, 8"));
        assert!(shows(&svg, "Gap: loss is infinite in epoch 2"));
    }

    #[test]
    fn missing_columns_leave_out_their_curves_and_panels() {
        let epochs = (1..4)
            .map(|epoch| EpochPoint { epoch, values: vec![("loss".to_owned(), 0.5)] })
            .collect();
        let svg = draw_curves(&CurvesFigure::new("mlp", "MNIST", "accuracy", epochs)).unwrap();
        assert!(shows(&svg, "training"));
        for text in ["validation", "accuracy (%)", "learning rate"] {
            assert!(!shows(&svg, text), "{text}");
        }
    }

    #[test]
    fn an_accuracy_already_in_percent_is_not_multiplied() {
        let mut figure = figure(3);
        figure.epochs[2].values[1].1 = 71.0;
        assert_eq!(percent(&figure), (1.0, " (%)"));
        figure.metric = "mae".to_owned();
        assert_eq!(percent(&figure), (1.0, ""));
    }

    #[test]
    fn a_run_without_epochs_is_an_error() {
        assert!(matches!(draw_curves(&figure(0)), Err(ReportError::NoEpochs)));
    }

    #[test]
    fn many_gaps_are_summed_up() {
        assert_eq!(ranges(&[1, 2, 4, 6, 7, 8]), "1, 2, 4, 6–8");
        assert_eq!(ranges(&[1, 3, 5, 7, 9, 11, 12]), "1, 3, 5, 7, 9 and 2 more");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_input_panics_and_every_figure_is_a_picture(
            rows in prop::collection::vec((any::<usize>(), any::<[f64; 5]>()), 1..8),
            special in prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::MAX, 5e-324, 0.0]),
            title: String,
            best in prop::option::of(any::<usize>()),
            stop in prop::option::of((any::<usize>(), any::<String>())),
        ) {
            let mut epochs: Vec<EpochPoint> =
                rows.into_iter().map(|(epoch, values)| point(epoch, values)).collect();
            epochs[0].values[0].1 = special;
            let mut figure = CurvesFigure::new(&title, &title, "accuracy", epochs);
            figure.best_epoch = best;
            figure.stop = stop.map(|(epoch, reason)| StopMark { epoch, reason });
            let svg = draw_curves(&figure).unwrap();
            crate::render_png(&svg, 0.1).unwrap();
        }
    }
}
