//! Learning curves: loss, the main metric and the learning rate over epochs, in one figure.
//!
//! `train` draws it when a run ends, into `curves.svg` and `curves.png`. Its plots share the epoch
//! axis; vertical lines show the best epoch and where training stopped. What cannot be drawn (NaN,
//! infinity) leaves a gap and a note, never a silent hole.

use super::error::ReportError;
use super::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};
use super::gaps::{gap_note, is_drawable};
use super::text::{TITLE_SIZE, fit};

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

/// The curves of a run, of which [`LearningCurves::figure`] makes a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningCurves {
    /// The name of the experiment: `cifar10`.
    pub experiment: String,
    /// The title of the data set: `CIFAR-10`, `MNIST (synthetic)`.
    pub data_set: String,
    /// The name and unit of the loss: `cross-entropy loss (nats)`.
    pub loss_label: String,
    /// The column of the main metric: `accuracy`. Without such a column it has no plot.
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

const TRAINING: Color = Color::Series(0);
const VALIDATION: Color = Color::Series(1);
const BEST: Color = Color::Series(2);
/// The heights of the plots of scores and of the learning rate, in pixels.
const SCORE_HEIGHT: f64 = 310.0;
const SETTING_HEIGHT: f64 = 150.0;
/// The radius of a dot, and that of the ring around the dot of the best epoch, in pixels.
const DOT_RADIUS: f64 = 4.0;
const RING_RADIUS: f64 = 7.5;
/// Curves with more points than this have no dots.
const MOST_DOTS: usize = 60;
/// The longest name of an experiment, in pixels, before it is cut.
const LONGEST_NAME: f64 = 700.0;

impl LearningCurves {
    /// Curves with the labels `loss` and `metric` and no marks.
    pub fn new(experiment: &str, data_set: &str, metric: &str, epochs: Vec<EpochPoint>) -> Self {
        Self {
            experiment: experiment.to_owned(),
            data_set: data_set.to_owned(),
            loss_label: "loss".to_owned(),
            metric: metric.to_owned(),
            metric_label: metric.replace('_', " "),
            epochs,
            best_epoch: None,
            stop: None,
        }
    }

    /// The figure: a plot of the loss, one of the main metric and one of the learning rate, as far
    /// as there are such columns.
    ///
    /// Axes are logarithmic where values are positive and span more than two powers of ten (one,
    /// for the learning rate). Marks at epochs that are not drawn are left out.
    ///
    /// # Errors
    ///
    /// [`ReportError::NoEpochs`] where there are no epochs.
    pub fn figure(&self) -> Result<Figure, ReportError> {
        let numbers = || self.epochs.iter().map(|point| point.epoch);
        let first = numbers().min().ok_or(ReportError::NoEpochs)? as f64;
        let last = numbers().max().ok_or(ReportError::NoEpochs)? as f64;
        let epochs = Axis::counts("epoch").between(first, last);
        let marks = self.marks(first, last);
        let plot = |y: Axis, height: f64, layers: Vec<Layer>, columns: &[&str]| Plot {
            height: Some(height),
            labels_at_ends: true,
            layers: marks.iter().cloned().chain(layers).collect(),
            notes: columns.iter().filter_map(|column| self.gap_note(column)).collect(),
            ..Plot::new("", epochs.clone(), y)
        };
        let score = |label: &str, column: &str, factor: f64| {
            let validation_column = format!("val_{column}");
            let training = self.points(column, factor);
            let validation = self.points(&validation_column, factor);
            let values = training.iter().chain(&validation).map(|(_, value)| *value);
            let y = Axis::log_beyond(label, 2.0, values);
            let layers = self.score_layers(training, validation);
            plot(y, SCORE_HEIGHT, layers, &[column, &validation_column])
        };

        let mut plots = vec![score(&self.loss_label, "loss", 1.0)];
        if self.metric != "loss" && self.metric_values().next().is_some() {
            let (factor, unit) = self.percent();
            plots.push(score(&format!("{}{unit}", self.metric_label), &self.metric, factor));
        }
        let rates = self.points("learning_rate", 1.0);
        if !rates.is_empty() {
            let y = Axis::log_beyond("learning rate", 1.0, rates.iter().map(|(_, rate)| *rate));
            let layers = line("", Color::Ink, 2.0, true, rates);
            plots.push(plot(y, SETTING_HEIGHT, layers, &["learning_rate"]));
        }
        Ok(Figure {
            name: "curves".to_owned(),
            title: self.title(),
            caption: self.caption(),
            panels: vec![Panel::Stack(plots)],
            columns: 1,
        })
    }

    /// The experiment and the data set, of which the latter, which says whether it is synthetic, is
    /// never cut.
    fn title(&self) -> String {
        format!("{} on {}", fit(&self.experiment, TITLE_SIZE, LONGEST_NAME), self.data_set)
    }

    fn caption(&self) -> String {
        let mut caption =
            format!("{} on {}, training and validation by epoch.", self.experiment, self.data_set);
        if let Some(epoch) = self.best_epoch {
            caption += &format!(" The best epoch is {epoch}.");
        }
        if let Some(StopMark { epoch, reason }) = &self.stop {
            caption += &format!(" Training stopped after epoch {epoch}: {reason}.");
        }
        caption
    }

    /// Vertical lines at the epoch where training stopped and at the best one, which is on top.
    fn marks(&self, first: f64, last: f64) -> Vec<Layer> {
        let mark = |epoch: usize, label: String, color: Color| {
            let at = epoch as f64;
            let drawn = (first..=last).contains(&at);
            drawn.then_some(Layer::Reference { label, at: Place::X(at), color })
        };
        let stop = self.stop.as_ref().and_then(|StopMark { epoch, reason }| {
            mark(*epoch, format!("stopped: {reason}"), Color::Neutral)
        });
        let best = self.best_epoch;
        let best = best.and_then(|epoch| mark(epoch, format!("best: epoch {epoch}"), BEST));
        stop.into_iter().chain(best).collect()
    }

    /// The curves of a score; the line below is the wider one, so that equal curves both show.
    fn score_layers(&self, training: Vec<(f64, f64)>, validation: Vec<(f64, f64)>) -> Vec<Layer> {
        let (judged, color) =
            if validation.is_empty() { (&training, TRAINING) } else { (&validation, VALIDATION) };
        let best = self.best_epoch.map(|epoch| epoch as f64);
        let best: Vec<_> =
            judged.iter().copied().filter(|(epoch, _)| Some(*epoch) == best).collect();
        let dot = |color: Color, radius: f64| {
            let (name, points) = (String::new(), best.clone());
            Layer::Points { name, points, color, radius }
        };
        let (ring, inside) = (dot(BEST, RING_RADIUS), dot(color, DOT_RADIUS));
        std::iter::once(ring)
            .chain(line("training", TRAINING, 3.4, false, training))
            .chain(line("validation", VALIDATION, 2.0, true, validation))
            .chain([inside])
            .collect()
    }

    /// The values of the main metric on both splits.
    fn metric_values(&self) -> impl Iterator<Item = f64> {
        let metric = self.metric.as_str();
        let is_metric =
            move |column: &str| column == metric || column.strip_prefix("val_") == Some(metric);
        let values = self.epochs.iter().flat_map(|point| &point.values);
        values.filter(move |(column, _)| is_metric(column)).map(|(_, value)| *value)
    }

    /// The factor and unit of the main metric: fractions become percent where it is an accuracy.
    fn percent(&self) -> (f64, &'static str) {
        if !self.metric.ends_with("accuracy") {
            return (1.0, "");
        }
        let above_one = self.metric_values().any(|value| value > 1.0);
        (if above_one { 1.0 } else { 100.0 }, " (%)")
    }

    /// Which epochs have a value in `column` that cannot be drawn.
    fn gap_note(&self, column: &str) -> Option<String> {
        let value = |point: &EpochPoint| Some((point.epoch, point.value(column)?));
        gap_note(column, self.epochs.iter().filter_map(value))
    }

    /// The values of `column` times `factor`, by epoch; NaN for values that cannot be drawn. Epochs
    /// without the column are passed over.
    fn points(&self, column: &str, factor: f64) -> Vec<(f64, f64)> {
        let point = |point: &EpochPoint| {
            let value = point.value(column)?;
            let value = if is_drawable(value) { value * factor } else { f64::NAN };
            Some((point.epoch as f64, value))
        };
        self.epochs.iter().filter_map(point).collect()
    }
}

impl EpochPoint {
    fn value(&self, column: &str) -> Option<f64> {
        self.values.iter().find(|(name, _)| name == column).map(|(_, value)| *value)
    }
}

/// A line, with a dot at every point where there are few enough.
fn line(name: &str, color: Color, width: f64, dots: bool, points: Vec<(f64, f64)>) -> Vec<Layer> {
    let name = name.to_owned();
    let dots = (dots && points.len() <= MOST_DOTS).then(|| Layer::Points {
        name: name.clone(),
        points: points.clone(),
        color,
        radius: DOT_RADIUS,
    });
    let line = Layer::Line { name, points, color, width, dashed: false };
    std::iter::once(line).chain(dots).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::figure::{Page, draw_figure};

    const COLUMNS: [&str; 5] = ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"];

    fn point(epoch: usize, values: [f64; 5]) -> EpochPoint {
        let values = COLUMNS.iter().map(|name| (*name).to_owned()).zip(values).collect();
        EpochPoint { epoch, values }
    }

    fn curves(epochs: usize) -> LearningCurves {
        let decay = |epoch: usize| 1.0 / epoch as f64;
        let points = (1..=epochs)
            .map(|epoch| {
                let decay = decay(epoch);
                point(epoch, [decay, 1.0 - decay, decay + 0.1, 0.9 - decay, 0.001])
            })
            .collect();
        LearningCurves::new("cifar10", "CIFAR-10", "accuracy", points)
    }

    fn draw(curves: &LearningCurves) -> String {
        draw_figure(&curves.figure().unwrap(), Page::Adaptive).unwrap()
    }

    /// Whether `text` is a whole text element of `svg`.
    fn shows(svg: &str, text: &str) -> bool {
        svg.contains(&format!(">{text}</text>"))
    }

    #[test]
    fn the_figure_names_everything_that_it_shows() {
        let mut curves = curves(12);
        curves.loss_label = "cross-entropy (nats)".to_owned();
        curves.best_epoch = Some(7);
        curves.stop = Some(StopMark { epoch: 12, reason: "no improvement".to_owned() });
        let svg = draw(&curves);
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
        assert!(svg.contains("fill=\"#ffffff\"/>"), "the background is white");
    }

    #[test]
    fn the_data_set_is_named_in_the_title_however_long_the_name_of_the_experiment_is() {
        let mut curves = curves(2);
        curves.data_set = "CIFAR-10 (synthetic)".to_owned();
        assert!(shows(&draw(&curves), "cifar10 on CIFAR-10 (synthetic)"));
        curves.experiment = "long ".repeat(100);
        assert!(curves.title().ends_with("… on CIFAR-10 (synthetic)"));
        assert!(draw(&curves).contains("CIFAR-10 (synthetic)</text>"));
    }

    #[test]
    fn the_same_curves_give_the_same_bytes() {
        assert_eq!(draw(&curves(5)), draw(&curves(5)));
    }

    #[test]
    fn markup_in_titles_is_escaped_and_control_characters_are_dropped() {
        let mut curves = curves(2);
        curves.experiment = "<b>&\"x\"\u{0}\u{1b}".to_owned();
        let svg = draw(&curves);
        assert!(svg.contains("&lt;b&gt;&amp;&quot;x&quot;"), "escaped");
        assert!(!svg.contains("<b>") && !svg.contains('\u{1b}') && !svg.contains('\u{0}'));
    }

    #[test]
    fn values_that_are_not_finite_leave_a_gap_and_a_note() {
        let mut curves = curves(9);
        for epoch in [3, 4, 5, 8] {
            curves.epochs[epoch - 1].values[2].1 = f64::NAN;
        }
        curves.epochs[1].values[0].1 = f64::INFINITY;
        let svg = draw(&curves);
        assert!(shows(&svg, "Gap: val_loss is NaN in epochs 3–5, 8"));
        assert!(shows(&svg, "Gap: loss is infinite in epoch 2"));
    }

    #[test]
    fn missing_columns_leave_out_their_curves_and_panels() {
        let epochs = (1..4)
            .map(|epoch| EpochPoint { epoch, values: vec![("loss".to_owned(), 0.5)] })
            .collect();
        let svg = draw(&LearningCurves::new("mlp", "MNIST", "accuracy", epochs));
        assert!(shows(&svg, "training"));
        for text in ["validation", "accuracy (%)", "learning rate"] {
            assert!(!shows(&svg, text), "{text}");
        }
    }

    #[test]
    fn an_accuracy_already_in_percent_is_not_multiplied() {
        let mut curves = curves(3);
        curves.epochs[2].values[1].1 = 71.0;
        assert_eq!(curves.percent(), (1.0, " (%)"));
        curves.metric = "mae".to_owned();
        assert_eq!(curves.percent(), (1.0, ""));
    }

    #[test]
    fn a_run_whose_loss_is_never_a_number_has_its_epochs_and_says_so() {
        let values = vec![("loss".to_owned(), f64::NAN)];
        let epochs = (1..=3).map(|epoch| EpochPoint { epoch, values: values.clone() }).collect();
        let svg = draw(&LearningCurves::new("mlp", "MNIST", "accuracy", epochs));
        for text in ["no values to draw", "2", "3", "Gap: loss is NaN in epochs 1–3"] {
            assert!(shows(&svg, text), "`{text}` is missing");
        }
    }

    #[test]
    fn the_best_epoch_and_the_stop_are_labelled_once_above_all_plots() {
        let mut curves = curves(9);
        curves.best_epoch = Some(9);
        curves.stop = Some(StopMark { epoch: 9, reason: "target reached".to_owned() });
        let svg = draw(&curves);
        for text in [">best: epoch 9</text>", ">stopped: target reached</text>", ">epoch</text>"] {
            assert_eq!(svg.matches(text).count(), 1, "{text}");
        }
        curves.best_epoch = Some(10);
        assert!(!draw(&curves).contains("best: epoch 10"), "there is no such epoch");
    }

    #[test]
    fn a_run_without_epochs_is_an_error() {
        assert!(matches!(curves(0).figure(), Err(ReportError::NoEpochs)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_input_panics_and_every_figure_can_be_rendered(
            rows in prop::collection::vec((any::<usize>(), any::<[f64; 5]>()), 1..8),
            special in prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::MAX, 5e-324, 0.0]),
            title: String,
            best in prop::option::of(any::<usize>()),
            stop in prop::option::of((any::<usize>(), any::<String>())),
        ) {
            let mut epochs: Vec<EpochPoint> =
                rows.into_iter().map(|(epoch, values)| point(epoch, values)).collect();
            epochs[0].values[0].1 = special;
            let mut curves = LearningCurves::new(&title, &title, "accuracy", epochs);
            curves.best_epoch = best;
            curves.stop = stop.map(|(epoch, reason)| StopMark { epoch, reason });
            let svg = draw(&curves);
            crate::render_png(&svg, 0.1).unwrap();
        }
    }
}
