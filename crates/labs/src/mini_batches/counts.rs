//! How often a sample comes in an epoch of draws with replacement.

use crate::regression_problem::SAMPLES;
use crate::{Claim, DataFile};
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Plot};

/// How often samples come in an epoch of draws with replacement.
pub(super) struct Counts {
    /// The fraction of samples, over all epochs, that come 0, 1, 2, … times.
    pub(super) fractions: Vec<f64>,
    epochs: usize,
}

impl Counts {
    pub(super) fn of(epochs: &[Vec<usize>]) -> Self {
        let mut found = vec![];
        for epoch in epochs {
            let mut times = vec![0_usize; SAMPLES];
            for &sample in epoch {
                times[sample] += 1;
            }
            for times in times {
                if found.len() <= times {
                    found.resize(times + 1, 0.0);
                }
                found[times] += 1.0 / (SAMPLES * epochs.len()) as f64;
            }
        }
        Self { fractions: found, epochs: epochs.len() }
    }

    /// The fraction of samples that do not come.
    pub(super) fn missed(&self) -> f64 {
        self.fractions.first().copied().unwrap_or_default()
    }

    /// The probability that a sample comes `times` times in n draws of n samples.
    fn binomial(times: usize) -> f64 {
        let samples = SAMPLES as f64;
        let choices = (0..times).map(|k| (samples - k as f64) / (k + 1) as f64).product::<f64>();
        choices
            * (1.0 / samples).powf(times as f64)
            * (1.0 - 1.0 / samples).powf(samples - times as f64)
    }

    pub(super) fn claims(&self) -> Vec<Claim> {
        // The count of one sample hardly depends on that of another: four deviations of a fraction.
        let draws = (SAMPLES * self.epochs) as f64;
        let tolerance = |p: f64| 4.0 * (p * (1.0 - p) / draws).sqrt();
        (0..4)
            .map(|times| {
                let expected = Self::binomial(times);
                Claim::close(
                    format!(
                        "with replacement: the fraction of samples that come {times} times an epoch \
                         (4 deviations)"
                    ),
                    self.fractions.get(times).copied().unwrap_or_default(),
                    expected,
                    tolerance(expected),
                )
            })
            .collect()
    }

    pub(super) fn figure(&self) -> Figure {
        let bars = self.fractions.iter().enumerate();
        let bars =
            bars.map(|(times, &fraction)| (times as f64 - 0.4, times as f64 + 0.4, fraction));
        let theory = (0..self.fractions.len()).map(|times| (times as f64, Self::binomial(times)));
        let plot = Plot::new(
            "",
            Axis::linear("times that a sample comes in an epoch"),
            Axis::linear("fraction of samples"),
        )
        .with(Layer::Bars {
            name: "with replacement, measured".to_owned(),
            bars: bars.collect(),
            color: Color::Series(1),
        })
        .with(Layer::Points {
            name: "binomial".to_owned(),
            points: theory.collect(),
            color: Color::Ink,
            radius: 5.0,
        })
        .with(Layer::points("shuffled: always once", 0, vec![(1.0, 1.0)]));
        Figure {
            name: "counts".to_owned(),
            title: "How often a sample comes in an epoch".to_owned(),
            caption:
                "Drawn with replacement, more than a third of the samples miss an epoch, and a \
                      quarter come twice or more."
                    .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        }
    }

    pub(super) fn data(&self) -> DataFile {
        let rows = self.fractions.iter().enumerate();
        let rows =
            rows.map(|(times, &fraction)| vec![times as f64, fraction, Self::binomial(times)]);
        DataFile::of_numbers("counts", &["times", "measured_share", "binomial"], rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binomial_shares_agree_with_scipy() {
        // scipy.stats.binom.pmf([0, 1, 2, 3], 1000, 0.001)
        let known = [0.367_695_424_8, 0.368_063_488_3, 0.184_031_744_1, 0.061_282_509_4];
        for (times, known) in known.into_iter().enumerate() {
            assert!((Counts::binomial(times) - known).abs() < 1e-9, "{times}");
        }
    }
}
