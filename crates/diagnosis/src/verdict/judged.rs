//! Which series a verdict is about, and the curves beside it.

use super::curve::Curve;
use super::report::{JudgedSeries, Kind};
use crate::history::{History, Metric, Series};

/// Fewer points than this say nothing of a course.
pub(super) const FEWEST_POINTS: usize = 5;

/// Values of a metric that cannot get better: all, as a part or in percent.
pub(super) const PERFECT: [f64; 2] = [1.0, 100.0];

/// The series that is judged, and what the gates want to know of the others.
pub(super) struct Judged<'a> {
    /// Its name and kind.
    pub about: JudgedSeries,
    /// As it was logged.
    pub series: &'a Series,
    /// As the gates see it.
    pub curve: Curve,
    /// The training loss, where it is another series and long enough.
    pub train: Option<Curve>,
    /// The metric, where it is another series and long enough.
    pub metric: Option<Curve>,
    /// Whether the judged loss is one player's of two, so that its level tells nothing.
    pub adversarial: bool,
}

impl<'a> Judged<'a> {
    /// Chooses: the validation loss, else the training loss, else a metric.
    ///
    /// A validation loss of fewer than four points is left for a longer training loss: what three
    /// evaluations leave open, a training loss of a hundred points may tell.
    pub fn of(history: &'a History) -> Option<Self> {
        let count = |series: &Option<Series>| series.as_ref().map_or(0, |series| series.y.len());
        let (train, validation) = (count(&history.train_loss), count(&history.validation_loss));
        let loss = |kind, series: &'a Series| (kind, series, false);
        let (kind, series, higher_is_better) = match history {
            History { validation_loss: Some(series), .. }
                if validation >= 4 || (validation > 0 && validation >= train) =>
            {
                loss(Kind::ValidationLoss, series)
            }
            History { train_loss: Some(series), .. } if train > 0 => loss(Kind::TrainLoss, series),
            History { metric: Some(metric), .. } if !metric.series.y.is_empty() => {
                (Kind::Metric, &metric.series, metric.higher_is_better)
            }
            History { train_metric: Some(metric), .. } if !metric.series.y.is_empty() => {
                (Kind::Metric, &metric.series, metric.higher_is_better)
            }
            _ => return None,
        };
        let long_enough = |curve: &Curve| curve.len() >= FEWEST_POINTS;
        let train = history.train_loss.as_ref().filter(|_| kind == Kind::ValidationLoss);
        let metric: Option<&Metric> = history.metric.as_ref().filter(|_| kind != Kind::Metric);
        Some(Self {
            curve: Curve::new(&series.x, &series.y, higher_is_better),
            train: train.map(|train| Curve::new(&train.x, &train.y, false)).filter(long_enough),
            metric: metric
                .map(|metric| {
                    Curve::new(&metric.series.x, &metric.series.y, metric.higher_is_better)
                })
                .filter(long_enough),
            adversarial: is_adversarial(&series.name),
            about: JudgedSeries { name: series.name.clone(), kind, higher_is_better },
            series,
        })
    }

    /// The curve that tells whether optimisation itself works: the training loss where there is one.
    pub fn optimised(&self) -> &Curve {
        self.train.as_ref().unwrap_or(&self.curve)
    }

    /// Whether a metric is judged that is perfect throughout.
    pub fn is_perfect(&self) -> bool {
        self.about.kind == Kind::Metric
            && PERFECT.iter().any(|best| self.series.y.iter().all(|value| value == best))
    }

    /// How many of the last points are not finite.
    pub fn not_finite_at_end(&self) -> usize {
        self.series.y.iter().rev().take_while(|value| !value.is_finite()).count()
    }
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
