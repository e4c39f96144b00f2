//! Which series a verdict is about, and the curves beside it.

use super::curve::Curve;
use super::report::{JudgedSeries, Kind, Point};
use crate::history::{History, Metric, Series};

/// Fewer points than this say nothing of a course.
pub(super) const FEWEST_POINTS: usize = 5;

/// Values of a metric that cannot get better: all, as a part or in percent.
pub(super) const PERFECT: [f64; 2] = [1.0, 100.0];

/// The series that is judged, and what the gates want to know of the others.
pub(super) struct Judged {
    /// Its name and kind.
    pub about: JudgedSeries,
    /// As it was logged.
    pub series: Series,
    /// How many rows of exact zeros at the end were left out.
    pub zeros_at_end: usize,
    /// As the gates see it.
    pub curve: Curve,
    /// The same of training, where it is another series and long enough: the training loss beside a
    /// validation loss, the training metric beside a metric of validation.
    pub train: Option<Curve>,
    /// Whether the last training loss is no finite number.
    pub training_ends_not_finite: bool,
    /// The metric, where it is another series and long enough.
    pub metric: Option<Curve>,
    /// Whether the judged loss is one player's of two, so that its level tells nothing.
    pub adversarial: bool,
}

impl Judged {
    /// Chooses: the validation loss, else the training loss, else a metric.
    ///
    /// A validation loss of fewer than four points is left for a longer training loss: what three
    /// evaluations leave open, a training loss of a hundred points may tell.
    pub(super) fn of(history: &History) -> Option<Self> {
        let count = |series: &Option<Series>| series.as_ref().map_or(0, |series| series.y.len());
        let (train, validation) = (count(&history.train_loss), count(&history.validation_loss));
        let validation_first = validation >= 4 || (validation > 0 && validation >= train);
        let losses = [
            (Kind::ValidationLoss, history.validation_loss.as_ref().filter(|_| validation_first)),
            (Kind::TrainLoss, history.train_loss.as_ref()),
        ];
        let losses = losses.into_iter().filter_map(|(kind, series)| Some((kind, series?, false)));
        let metrics = [&history.metric, &history.train_metric].into_iter().flatten();
        let metrics = metrics.map(|metric| (Kind::Metric, &metric.series, metric.higher_is_better));
        let (kind, series, higher_is_better) =
            losses.chain(metrics).find(|(_, series, _)| !series.y.is_empty())?;
        let (series, zeros_at_end) = without_zeros(series, kind);
        let long_enough = |curve: &Curve| curve.len() >= FEWEST_POINTS;
        let train = match kind {
            Kind::ValidationLoss => {
                history.train_loss.as_ref().map(|train| Curve::new(&train.x, &train.y, false))
            }
            Kind::Metric if history.metric.is_some() => {
                history.train_metric.as_ref().map(of_metric)
            }
            Kind::Metric | Kind::TrainLoss => None,
        };
        let metric = history.metric.as_ref().filter(|_| kind != Kind::Metric);
        Some(Self {
            curve: Curve::new(&series.x, &series.y, higher_is_better),
            train: train.filter(long_enough),
            training_ends_not_finite: history
                .train_loss
                .as_ref()
                .and_then(|train| train.y.last())
                .is_some_and(|last| !last.is_finite()),
            metric: metric.map(of_metric).filter(long_enough),
            adversarial: is_adversarial(&series.name),
            about: JudgedSeries { name: series.name.clone(), kind, higher_is_better },
            series,
            zeros_at_end,
        })
    }

    /// The curve that tells whether optimisation itself works: the training loss where there is
    /// one.
    pub(super) fn optimised(&self) -> &Curve {
        self.train.as_ref().unwrap_or(&self.curve)
    }

    /// Whether the judged series is perfect throughout: a metric of all, or a loss of exactly zero.
    pub(super) fn is_perfect(&self) -> bool {
        let perfect: &[f64] = if self.about.kind == Kind::Metric { &PERFECT } else { &[0.0] };
        is_constant(&self.series.y)
            && self.series.y.first().is_some_and(|value| perfect.contains(value))
    }

    /// The best value, as it was logged.
    pub(super) fn best(&self) -> Option<Point> {
        let sign = if self.about.higher_is_better { -1.0 } else { 1.0 };
        let points = self.series.x.iter().zip(&self.series.y).enumerate();
        let finite = points.filter(|(_, (_, y))| y.is_finite());
        let least = finite.min_by(|a, b| (sign * a.1.1).total_cmp(&(sign * b.1.1)));
        let (at, (x, value)) = least?;
        let points_since = self.series.y.len() - 1 - at;
        Some(Point { x: *x, value: *value, point: at + 1, points_since })
    }

    /// How many of the last points are not finite.
    pub(super) fn not_finite_at_end(&self) -> usize {
        self.series.y.iter().rev().take_while(|value| !value.is_finite()).count()
    }
}

fn of_metric(metric: &Metric) -> Curve {
    Curve::new(&metric.series.x, &metric.series.y, metric.higher_is_better)
}

/// Whether all values are the same; what is no number is the same as nothing.
pub(super) fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0].total_cmp(&pair[1]).is_eq())
}

/// A series without the exact zeros at its end that no loss reaches in one step, and how many.
///
/// Keras writes them where the data ran out. A loss that comes down to zero has small values
/// before; one that stood at a thousandth of its highest value or more did not get there in one
/// step.
fn without_zeros(series: &Series, kind: Kind) -> (Series, usize) {
    const IN_ONE_STEP: f64 = 1e-3;
    let zeros = series.y.iter().rev().take_while(|value| **value == 0.0).count();
    let rest = series.y.len() - zeros;
    let highest = series.y.iter().copied().filter(|y| y.is_finite()).fold(0.0, f64::max);
    let last = rest.checked_sub(1).map_or(0.0, |at| series.y[at]);
    let impossible = zeros > 0 && kind != Kind::Metric && last > IN_ONE_STEP * highest;
    let keep = if impossible { rest } else { series.y.len() };
    let series = Series {
        name: series.name.clone(),
        x: series.x.iter().copied().take(keep).collect(),
        y: series.y.iter().copied().take(keep).collect(),
    };
    (series, if impossible { zeros } else { 0 })
}

/// Whether a loss of this name is that of a player in a game, such as the generator of a GAN.
///
/// The level of such a loss measures the other player as much as this one: it may stand still
/// while samples improve (Goodfellow, NIPS 2016 tutorial, section 5).
fn is_adversarial(name: &str) -> bool {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    let whole = ["g", "d", "gan", "gen", "disc", "critic", "adv", "dis"];
    let part = ["generator", "discriminator", "adversarial", "wgan", "gloss", "dloss"];
    words.iter().any(|word| whole.contains(word)) || part.iter().any(|part| name.contains(part))
}
