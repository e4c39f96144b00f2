//! The keys of the `[data]` section, one struct per kind of data set, with defaults and ranges.
//!
//! `registry` composes them into [`DataSettings`](super::DataSettings).

use serde::{Deserialize, Serialize};

use converge_settings::checks::ensure;
use converge_settings::ranges::{COUNT, FRACTION, INNER_FRACTION, NON_NEGATIVE, Range};
use converge_settings::settings;

/// Where the samples come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Real files where they can be had, else the synthetic stand-in.
    #[default]
    Auto,
    /// Real files, or an error.
    Real,
    /// The synthetic stand-in.
    Synthetic,
}

/// Which training samples are held out for validation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidationSplit {
    /// The last ones in file order, as Keras' `validation_split` does; of each class where samples
    /// come class by class.
    #[default]
    Last,
    /// Ones drawn at random with the run's seed.
    Random,
}

/// What a model has to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of so many classes.
    Classification {
        /// How many.
        classes: usize,
    },
    /// One of two classes, by a single logit: above 0 for the second one.
    BinaryClassification,
    /// One real number.
    Regression,
}

settings! {
    /// Settings of a set of images with official training and test splits.
    pub struct ImageSettings {
        /// Real files or the stand-in.
        source: Source = Source::Auto,
        /// The fraction of training images held out for validation.
        validation_fraction: f64 = 0.1 => FRACTION,
        /// Which images are held out.
        validation_split: ValidationSplit = ValidationSplit::Last,
    }
}

settings! {
    /// Settings of California housing, which has no official test split.
    pub struct HousingSettings {
        /// Real files or the stand-in.
        source: Source = Source::Auto,
        /// The fraction of all districts held out for testing.
        test_fraction: f64 = 0.2 => INNER_FRACTION,
        /// The seed of the shuffle in front of the test split.
        split_seed: u64 = 42,
        /// The fraction of the remaining districts held out for validation.
        validation_fraction: f64 = 0.1 => FRACTION,
        /// Which of the remaining districts are held out.
        validation_split: ValidationSplit = ValidationSplit::Last,
    }
}

/// The most values drawn: 400 MB of them.
const MOST_VALUES: usize = 100_000_000;
const SAMPLES: Range<usize> = Range::new("3 or above", |&samples| samples >= 3);

settings! {
    /// Settings of a linear problem with known noise, named after those of scikit-learn's
    /// `make_regression`.
    pub struct RegressionSettings {
        /// Rows drawn, test rows included.
        samples: usize = 1000 => SAMPLES,
        /// Values per row.
        features: usize = 20 => COUNT,
        /// Features whose true coefficient is not zero.
        informative: usize = 10,
        /// The standard deviation of the noise on the target.
        noise: f64 = 0.1 => NON_NEGATIVE,
        /// The seed of coefficients, rows and noise.
        generator_seed: u64 = 42,
        /// The fraction of all rows held out for testing.
        test_fraction: f64 = 0.2 => INNER_FRACTION,
        /// The fraction of the remaining rows held out for validation.
        validation_fraction: f64 = 0.1 => FRACTION,
        /// Which of the remaining rows are held out.
        validation_split: ValidationSplit = ValidationSplit::Last,
    }
    check |settings| {
        let (samples, features, informative) =
            (settings.samples, settings.features, settings.informative);
        ensure(
            samples.checked_mul(features).is_some_and(|values| values <= MOST_VALUES),
            "samples",
            samples,
            "so that `samples` times `features` is at most 100 million",
        )?;
        ensure(
            (1..=features).contains(&informative),
            "informative",
            informative,
            "at least 1 and at most `features`",
        )
    }
}
