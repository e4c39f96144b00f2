//! The keys of the `[data]` section, one struct per kind of data set, with defaults and ranges.
//!
//! `registry` composes them into [`DataSettings`](super::DataSettings).

use serde::{Deserialize, Serialize};

use super::split::held_out_for_testing;
use super::{Preprocessing, Samples};
use converge_settings::checks::{self, Checked};

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
    /// The last ones in file order, as Keras' `validation_split` does.
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

/// What the registry asks the settings of every data set.
pub(super) trait Section {
    /// Every value is in its range.
    fn check(&self) -> Checked;
    /// Where the samples come from, if there is a choice.
    fn source_mut(&mut self) -> Option<&mut Source>;
    /// How many of so many published `samples` are left once test samples are drawn from them.
    fn without_test(&self, samples: usize) -> usize {
        samples
    }
    /// The preprocessing for these training samples.
    fn fit(&self, training: &Samples) -> Preprocessing {
        Preprocessing::fit(training)
    }
}

/// Settings of a set of pictures with official training and test splits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageSettings {
    /// Real files or the stand-in.
    pub source: Source,
    /// The share of training pictures held out for validation.
    pub validation_share: f64,
    /// Which pictures are held out.
    pub validation_split: ValidationSplit,
}

impl Default for ImageSettings {
    fn default() -> Self {
        Self {
            source: Source::Auto,
            validation_share: 0.1,
            validation_split: ValidationSplit::Last,
        }
    }
}

impl Section for ImageSettings {
    fn check(&self) -> Checked {
        checks::share("validation_share", self.validation_share)
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        Some(&mut self.source)
    }
}

/// Settings of California housing, which has no official test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HousingSettings {
    /// Real files or the stand-in.
    pub source: Source,
    /// The share of all districts held out for testing.
    pub test_share: f64,
    /// The seed of the shuffle in front of the test split.
    pub split_seed: u64,
    /// The share of the remaining districts held out for validation.
    pub validation_share: f64,
    /// Which of the remaining districts are held out.
    pub validation_split: ValidationSplit,
}

impl Default for HousingSettings {
    fn default() -> Self {
        Self {
            source: Source::Auto,
            test_share: 0.2,
            split_seed: 42,
            validation_share: 0.1,
            validation_split: ValidationSplit::Last,
        }
    }
}

impl Section for HousingSettings {
    fn check(&self) -> Checked {
        test_share(self.test_share)?;
        checks::share("validation_share", self.validation_share)
    }

    fn without_test(&self, samples: usize) -> usize {
        samples.saturating_sub(held_out_for_testing(samples, self.test_share))
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        Some(&mut self.source)
    }
}

/// Settings of a linear problem with known noise, named after those of scikit-learn's
/// `make_regression`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegressionSettings {
    /// Rows drawn, test rows included.
    pub samples: usize,
    /// Values per row.
    pub features: usize,
    /// Features whose true coefficient is not zero.
    pub informative: usize,
    /// The standard deviation of the noise on the target.
    pub noise: f64,
    /// The seed of coefficients, rows and noise.
    pub generator_seed: u64,
    /// The share of all rows held out for testing.
    pub test_share: f64,
    /// The share of the remaining rows held out for validation.
    pub validation_share: f64,
    /// Which of the remaining rows are held out.
    pub validation_split: ValidationSplit,
}

impl Default for RegressionSettings {
    fn default() -> Self {
        Self {
            samples: 1000,
            features: 20,
            informative: 10,
            noise: 0.1,
            generator_seed: 42,
            test_share: 0.2,
            validation_share: 0.1,
            validation_split: ValidationSplit::Last,
        }
    }
}

/// The most values drawn: 400 MB of them.
const MOST_VALUES: usize = 100_000_000;

impl Section for RegressionSettings {
    fn check(&self) -> Checked {
        checks::ensure(self.samples >= 3, "samples", self.samples, "3 or above")?;
        checks::count("features", self.features)?;
        checks::ensure(
            self.samples.checked_mul(self.features).is_some_and(|n| n <= MOST_VALUES),
            "samples",
            self.samples,
            "so that `samples` times `features` is at most 100 million",
        )?;
        checks::ensure(
            (1..=self.features).contains(&self.informative),
            "informative",
            self.informative,
            "at least 1 and at most `features`",
        )?;
        checks::non_negative("noise", self.noise)?;
        test_share(self.test_share)?;
        checks::share("validation_share", self.validation_share)
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        None
    }
}

pub(super) fn test_share(value: f64) -> Checked {
    checks::ensure(value > 0.0 && value < 1.0, "test_share", value, "above 0 and below 1")
}
