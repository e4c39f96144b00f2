//! The learning rate of every step of a run: `converge schedule` draws it before there is a run.
//!
//! One plot on a linear scale. Where more than a quarter of the steps run so low that it shows
//! nothing of them, a second one on a logarithmic scale stands below.

use super::error::ReportError;
use super::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};

/// The learning rates of a run, of which [`LearningRates::figure`] makes a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningRates {
    /// The title.
    pub title: String,
    /// The learning rate of every optimizer step.
    pub rates: Vec<f64>,
    /// Optimizer steps in an epoch.
    pub steps_per_epoch: usize,
    /// Steps of warm-up.
    pub warmup_steps: usize,
    /// What else has to be said, one line each.
    pub notes: Vec<String>,
}

const PLOT_HEIGHT: f64 = 330.0;
/// Points drawn at most: more than pixels.
const MOST_POINTS: usize = 2400;
/// Rates below this fraction of the highest show nothing on a linear scale.
const INVISIBLE: f64 = 0.05;
/// Rates below this fraction of the highest are left out on a logarithmic scale.
const LOWEST: f64 = 1e-6;
/// Runs of more steps have no dots.
const MOST_DOTS: usize = 60;
/// The fraction of the highest rate that is left free above it and below 0.
const AIR: f64 = 0.06;

impl LearningRates {
    /// The figure: one plot, or two on different scales.
    ///
    /// # Errors
    ///
    /// [`ReportError::NoEpochs`] where there are no rates.
    pub fn figure(&self) -> Result<Figure, ReportError> {
        let steps = self.rates.len();
        if steps == 0 {
            return Err(ReportError::NoEpochs);
        }
        let highest = self.rates.iter().copied().fold(0.0, f64::max);
        // From 0, so that heights compare.
        let y = Axis::linear("learning rate").between(-AIR * highest, (1.0 + AIR) * highest);
        let mut plots = vec![self.plot(y, 0.0)];
        let invisible = self.rates.iter().filter(|&&rate| rate < INVISIBLE * highest).count();
        if highest > 0.0 && invisible * 4 > steps {
            let lowest = highest * LOWEST;
            let shown = self.rates.iter().copied().filter(|rate| *rate >= lowest);
            plots.push(self.plot(Axis::log_beyond("learning rate", 1.0, shown), lowest));
        }
        if let Some(last) = plots.last_mut() {
            last.notes.clone_from(&self.notes);
        }
        Ok(Figure {
            name: "schedule".to_owned(),
            title: self.title.clone(),
            caption: format!("The learning rate of every one of {steps} optimizer steps."),
            panels: vec![Panel::Stack(plots)],
            columns: 1,
        })
    }

    /// The rates from `lowest` on; others leave gaps.
    fn plot(&self, y: Axis, lowest: f64) -> Plot {
        let steps = self.rates.len();
        let label = format!("optimizer step ({} per epoch)", self.steps_per_epoch);
        let x = Axis::counts(&label).between(1.0, steps as f64);
        let shown = |rate: f64| if rate >= lowest { rate } else { f64::NAN };
        let points: Vec<(f64, f64)> = thinned(&self.rates)
            .into_iter()
            .map(|(step, rate)| (step as f64, shown(rate)))
            .collect();
        let mut plot = Plot { height: Some(PLOT_HEIGHT), ..Plot::new("", x, y) };
        if self.warmup_steps > 0 && self.warmup_steps < steps {
            let end = self.warmup_steps + 1;
            plot = plot.with(Layer::Reference {
                label: format!("warm-up ends: step {end}"),
                at: Place::X(end as f64),
                color: Color::Series(1),
            });
        }
        if steps <= MOST_DOTS {
            plot = plot.with(Layer::points("", 0, points.clone()));
        }
        plot.with(Layer::line("", 0, points))
    }
}

/// Steps, from 1, and their rates: all of them, or the lowest and the highest of each stretch, so
/// that no peak is lost.
fn thinned(rates: &[f64]) -> Vec<(usize, f64)> {
    let stretch =
        if rates.len() <= MOST_POINTS { 1 } else { rates.len().div_ceil(MOST_POINTS / 2) };
    let numbered: Vec<(usize, f64)> = (1..).zip(rates.iter().copied()).collect();
    let extremes = |stretch: &[(usize, f64)]| {
        let by_rate = |one: &&(usize, f64), other: &&(usize, f64)| one.1.total_cmp(&other.1);
        let mut found: Vec<(usize, f64)> = stretch
            .iter()
            .min_by(by_rate)
            .into_iter()
            .chain(stretch.iter().max_by(by_rate))
            .copied()
            .collect();
        found.sort_by_key(|&(step, _)| step);
        found.dedup();
        found
    };
    numbered.chunks(stretch).flat_map(extremes).collect()
}

/// The rates in one line of `width` characters, eight heights from 0 to the highest.
pub fn sparkline(rates: &[f64], width: usize) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let columns = width.min(rates.len());
    (0..columns)
        .map(|column| {
            let first = column * rates.len() / columns;
            let end = ((column + 1) * rates.len() / columns).max(first + 1).min(rates.len());
            let stretch = rates.get(first..end).unwrap_or_default();
            let mean = stretch.iter().sum::<f64>() / stretch.len().max(1) as f64;
            let fraction = if highest > 0.0 { mean / highest } else { 0.0 };
            HEIGHTS[((fraction * 8.0) as usize).min(7)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::figure::{Page, draw_figure};

    fn schedule(rates: Vec<f64>) -> LearningRates {
        let notes = vec!["a note".to_owned()];
        let title = "cifar10: cosine".to_owned();
        LearningRates { title, rates, steps_per_epoch: 1250, warmup_steps: 10, notes }
    }

    fn draw(rates: &LearningRates) -> Result<String, ReportError> {
        draw_figure(&rates.figure()?, Page::Adaptive)
    }

    #[test]
    fn the_figure_names_everything_that_it_shows() {
        let rates = (0..100).map(|step| 0.9_f64.powi(step)).collect();
        let svg = draw(&schedule(rates)).unwrap();
        for text in [
            "cifar10: cosine",
            "learning rate",
            "learning rate, log scale",
            "optimizer step (1250 per epoch)",
            "warm-up ends: step 11",
            "a note",
        ] {
            assert!(svg.contains(&format!(">{text}</text>")), "`{text}` is missing");
        }
        let constant = draw(&schedule(vec![0.1; 50])).unwrap();
        assert!(!constant.contains("log scale"));
        assert!(schedule(vec![]).figure().is_err());
    }

    #[test]
    fn thinning_keeps_every_peak() {
        let mut rates = vec![0.1; 100_000];
        rates[54_321] = 1.0;
        rates[77_777] = 0.0;
        let points = thinned(&rates);
        assert!(points.len() <= MOST_POINTS);
        assert!(points.contains(&(54_322, 1.0)) && points.contains(&(77_778, 0.0)));
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_sparkline_goes_from_low_to_high() {
        let rates: Vec<f64> = (0..80).map(f64::from).collect();
        assert_eq!(sparkline(&rates, 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[0.0], 8), "▁");
        assert_eq!(sparkline(&[], 8), "");
    }

    proptest! {
        #[test]
        fn no_rates_panic(
            rates in prop::collection::vec(0.0..1e100_f64, 0..300),
            width in 0..100_usize,
        ) {
            let _ = sparkline(&rates, width);
            let _ = draw(&schedule(rates));
        }
    }
}
