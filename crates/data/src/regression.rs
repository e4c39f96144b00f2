//! A linear problem with known noise, drawn by the recipe of scikit-learn's `make_regression`.

use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::split::split_test;
use super::{
    DataError, DataSet, DownloadProgress, Inputs, LoadOptions, Origin, Parts, PublishedSet,
    RegressionSettings, Samples, Targets, Task,
};

pub(super) const TITLE: &str = "linear regression";
pub(super) const PUBLISHED: Option<&PublishedSet> = None;

pub(super) fn task(_settings: &RegressionSettings) -> Task {
    Task::Regression
}

pub(super) fn input_shape(settings: &RegressionSettings) -> Vec<usize> {
    vec![settings.features]
}

/// Draws the rows; nothing can be looked for.
pub(super) fn load(
    settings: &RegressionSettings,
    _parts: Parts,
    _options: &LoadOptions,
    _progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    let samples = draw(settings);
    let (training, test) = split_test(&samples, settings.test_fraction, settings.generator_seed)?;
    Ok(DataSet {
        title: TITLE.to_owned(),
        origin: Origin::Synthetic,
        description: format!(
            "{} drawn rows of {} features, {} of them informative, noise {}",
            settings.samples, settings.features, settings.informative, settings.noise
        ),
        stand_in_reason: None,
        files: Vec::new(),
        class_names: Vec::new(),
        feature_names: (1..=settings.features).map(|number| format!("x{number}")).collect(),
        training,
        test,
    })
}

/// `y = X w + noise N(0, 1)` with `X` standard normal and `w` 100 times a uniform number for
/// `informative` features at random places, 0 for the others (`sklearn.datasets.make_regression`
/// with no effective rank and no bias). The numbers are this program's own.
fn draw(settings: &RegressionSettings) -> Samples {
    let mut random = ChaCha8Rng::seed_from_u64(settings.generator_seed);
    let mut coefficients = vec![0.0; settings.features];
    for coefficient in coefficients.iter_mut().take(settings.informative) {
        *coefficient = 100.0 * random.random::<f64>();
    }
    coefficients.shuffle(&mut random);
    let mut inputs = Vec::with_capacity(settings.samples * settings.features);
    let mut targets = Vec::with_capacity(settings.samples);
    for _ in 0..settings.samples {
        let mut target = 0.0;
        for coefficient in &coefficients {
            let feature: f64 = StandardNormal.sample(&mut random);
            inputs.push(feature as f32);
            target += feature * coefficient;
        }
        let noise: f64 = StandardNormal.sample(&mut random);
        targets.push((target + settings.noise * noise) as f32);
    }
    Samples {
        shape: vec![settings.features],
        inputs: Inputs::Floats(inputs),
        targets: Targets::Values(targets),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn moments(values: &[f32]) -> (f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
        let variance =
            values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
        (mean, variance)
    }

    #[test]
    fn features_are_standard_normal_and_unrelated_ones_do_not_matter() {
        let settings = RegressionSettings {
            samples: 50_000,
            features: 2,
            informative: 1,
            noise: 3.0,
            ..RegressionSettings::default()
        };
        let samples = draw(&settings);
        let (Inputs::Floats(inputs), Targets::Values(targets)) =
            (&samples.inputs, &samples.targets)
        else {
            panic!("a table has floats");
        };
        let (mean, variance) = moments(inputs);
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        // With E[x x'] = 1 the covariance with the target is the coefficient.
        let covariance = |feature: usize| {
            let column = inputs.iter().skip(feature).step_by(2);
            let sum: f64 = column.zip(targets).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
            sum / targets.len() as f64
        };
        let mut coefficients = [covariance(0), covariance(1)];
        coefficients.sort_by(f64::total_cmp);
        assert!(coefficients[0].abs() < 1.0, "{coefficients:?}");
        assert!((1.0..=100.0).contains(&coefficients[1]), "{coefficients:?}");
        // What the informative feature leaves over is the noise.
        let (_, total) = moments(targets);
        let noise = total - coefficients[1].powi(2);
        assert!((noise - 9.0).abs() < 0.05 * total, "{noise}");
    }

    #[test]
    fn the_seed_decides_and_parts_have_the_sizes_asked_for() {
        let settings = RegressionSettings::default();
        assert_eq!(draw(&settings), draw(&settings));
        let other = RegressionSettings { generator_seed: 1, ..settings.clone() };
        assert_ne!(draw(&settings), draw(&other));
        let (training, test) =
            split_test(&draw(&settings), settings.test_fraction, settings.generator_seed).unwrap();
        assert_eq!((training.len(), test.len()), (800, 200));
    }
}
