//! When to stop: patience as training has it, and the three classes of Prechelt (Early stopping -
//! but when?, 1998).

use super::early_stopping::EarlyStoppingSettings;

/// A rule that looks at the losses of the epochs so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Criterion {
    /// So many epochs without an improvement of the validation loss by more than `min_delta`.
    Patience {
        /// Epochs.
        patience: usize,
        /// The least improvement that counts.
        min_delta: f64,
    },
    /// GL(t) > α: the validation loss has risen α percent above its least.
    GeneralizationLoss(f64),
    /// GL(t) / P(t) > α at the end of a strip: it has, by how fast training still goes.
    ProgressQuotient(f64),
    /// The validation loss rose over each of the last s strips.
    Up(usize),
}

impl Criterion {
    /// How the paper writes it: `GL 2`.
    pub fn name(&self) -> String {
        match self {
            Self::Patience { patience, min_delta: 0.0 } => format!("patience {patience}"),
            Self::Patience { patience, min_delta } => {
                format!("patience {patience}, min delta {min_delta}")
            }
            Self::GeneralizationLoss(threshold) => format!("GL {threshold}"),
            Self::ProgressQuotient(threshold) => format!("PQ {threshold}"),
            Self::Up(strips) => format!("UP {strips}"),
        }
    }

    /// The epoch, from 1, after which it stops, if it does. `training` and `validation` are the
    /// losses of every epoch, strips have `strip` epochs. The training loss counts for
    /// [`Self::ProgressQuotient`] alone, which does not stop where it is missing.
    pub fn stop(&self, training: &[f64], validation: &[f64], strip: usize) -> Option<usize> {
        let ends_strip = |epoch: usize| epoch.is_multiple_of(strip);
        let mut epochs = 1..=validation.len();
        match *self {
            Self::Patience { patience, min_delta } => {
                let settings = EarlyStoppingSettings {
                    min_delta,
                    patience,
                    ..EarlyStoppingSettings::default()
                };
                settings.first_stop(validation).map(|(epoch, _)| epoch)
            }
            Self::GeneralizationLoss(threshold) => {
                let losses = generalization_losses(validation);
                epochs.find(|&epoch| losses[epoch - 1] > threshold)
            }
            Self::ProgressQuotient(threshold) => {
                let losses = generalization_losses(validation);
                epochs.find(|&epoch| {
                    ends_strip(epoch)
                        && losses[epoch - 1] > threshold * training_progress(training, epoch, strip)
                })
            }
            Self::Up(strips) => epochs.find(|&epoch| {
                let rises = |back: usize| {
                    let end = epoch - back * strip;
                    validation[end - 1] > validation[end - strip - 1]
                };
                ends_strip(epoch) && epoch > strips.saturating_mul(strip) && (0..strips).all(rises)
            }),
        }
    }
}

/// GL(t) = 100 (E(t) / min E − 1) over the epochs up to t: how many percent the validation loss
/// stands above its least (Prechelt 1998, section 2.2).
pub fn generalization_losses(validation: &[f64]) -> Vec<f64> {
    let mut least = f64::INFINITY;
    let above = |&loss: &f64| {
        least = least.min(loss);
        100.0 * (loss / least - 1.0)
    };
    validation.iter().map(above).collect()
}

/// P(t) = 1000 (mean E / min E − 1) of the training loss over the strip that ends with `epoch`: how
/// many per mille its mean stands above its least; NaN without losses up to there.
pub fn training_progress(training: &[f64], epoch: usize, strip: usize) -> f64 {
    let last = training.get(epoch.saturating_sub(strip)..epoch).unwrap_or_default();
    let mean = last.iter().sum::<f64>() / last.len() as f64;
    let lowest = last.iter().copied().fold(f64::INFINITY, f64::min);
    1000.0 * (mean / lowest - 1.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;

    #[test]
    fn stops_are_those_of_keras_and_of_the_paper_s_definitions() {
        let golden = include_str!("../../../tests/golden/lab_early_stopping.json");
        let golden: Value = serde_json::from_str(golden).unwrap();
        let curve =
            |value: fn(f64) -> f64| (1..=200).map(|t| value(f64::from(t))).collect::<Vec<_>>();
        let validation = curve(|t| {
            0.5 + (-t / 12.0).exp() + 0.0015 * t + 0.02 * (1.7 * t).sin() * (-t / 90.0).exp()
        });
        let training = curve(|t| 0.05 + (-t / 25.0).exp() + 0.01 * (2.3 * t).cos());
        let cases = golden["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 17);
        for case in cases {
            let threshold = case["threshold"].as_f64().unwrap();
            let criterion = match case["class"].as_str().unwrap() {
                "patience" => Criterion::Patience {
                    patience: threshold as usize,
                    min_delta: case["min_delta"].as_f64().unwrap(),
                },
                "GL" => Criterion::GeneralizationLoss(threshold),
                "PQ" => Criterion::ProgressQuotient(threshold),
                _ => Criterion::Up(threshold as usize),
            };
            let expected = case["epoch"].as_u64().map(|epoch| epoch as usize);
            assert_eq!(criterion.stop(&training, &validation, 5), expected, "{}", criterion.name());
        }
    }

    #[test]
    fn a_loss_that_only_falls_never_stops() {
        let falling: Vec<f64> = (1..100).map(|t| 1.0 / f64::from(t)).collect();
        for criterion in [
            Criterion::Patience { patience: 1, min_delta: 0.0 },
            Criterion::GeneralizationLoss(0.1),
            Criterion::ProgressQuotient(0.1),
            Criterion::Up(1),
        ] {
            assert_eq!(criterion.stop(&falling, &falling, 5), None);
        }
    }
}
