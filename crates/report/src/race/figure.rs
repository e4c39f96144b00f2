//! The curves of all contenders with their spread.

use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};

use super::{Judgement, Standing};

/// Beyond this ratio of values that are all above zero, an axis is logarithmic.
const WIDE: f64 = 20.0;

impl Judgement {
    /// The mean over seeds of the metric after every epoch, in a band of a standard deviation to
    /// each side.
    pub fn figure(&self) -> Figure {
        let title = format!("{}: mean and standard deviation over seeds", self.experiment);
        let curves: Vec<Vec<Point>> = self.standings.iter().map(curve).collect();
        let means = || curves.iter().flatten().map(|point| point.mean);
        let (low, high) = means()
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let y = if low > 0.0 && high > WIDE * low {
            Axis::log(&self.metric)
        } else {
            Axis::linear(&self.metric)
        };
        let mut plot = Plot::new(&title, Axis::counts("epoch"), y);
        for (series, points) in curves.iter().enumerate() {
            let band = points.iter().map(|one| {
                // On a logarithmic axis a band cannot reach zero.
                let below = one.mean - one.deviation;
                let floor = if low > 0.0 { below.max(0.2 * low) } else { below };
                (one.epoch, floor, one.mean + one.deviation)
            });
            plot = plot.with(Layer::Band {
                name: String::new(),
                points: band.collect(),
                color: Color::Series(series),
            });
        }
        for (series, (standing, points)) in self.standings.iter().zip(&curves).enumerate() {
            let line = points.iter().map(|one| (one.epoch, one.mean)).collect();
            plot = plot.with(Layer::line(&standing.label, series, line));
        }
        if let Some(target) = self.target {
            let (label, color) = ("target".to_owned(), Color::Neutral);
            plot = plot.with(Layer::Reference { label, at: Place::Y(target), color });
        }
        Figure {
            name: "curves".to_owned(),
            title: format!("{} by epoch", self.metric),
            caption: "Each at the rate that served it best, over all seeds.".to_owned(),
            columns: 1,
            panels: vec![Panel::Plot(plot)],
        }
    }
}

/// The seeds of one epoch.
struct Point {
    epoch: f64,
    mean: f64,
    deviation: f64,
}

fn curve(standing: &Standing) -> Vec<Point> {
    let epochs = standing.runs.iter().map(|run| run.curve.len()).max().unwrap_or(0);
    let point = |epoch: usize| {
        let values = standing.runs.iter().filter_map(|run| run.curve.get(epoch));
        let values: Vec<f64> = values.copied().filter(|value| value.is_finite()).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (squares / (count - 1.0).max(1.0)).sqrt();
        (count > 0.0).then_some(Point { epoch: epoch as f64 + 1.0, mean, deviation })
    };
    (0..epochs).filter_map(point).collect()
}
