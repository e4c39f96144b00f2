//! The keys of the `[data]` section for ratings.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::settings::{Section, test_share};
use crate::{Source, ValidationSplit};
use converge_settings::checks::{self, Checked};

/// Which ratings of MovieLens are the test split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatingSplit {
    /// One of the five published folds, `u1` to `u5`.
    #[default]
    Folds,
    /// A share of all ratings, drawn with `split_seed`.
    Random,
}

/// Settings of MovieLens 100K.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MovieLensSettings {
    /// Real files or the stand-in.
    pub source: Source,
    /// Which ratings are the test split.
    pub split: RatingSplit,
    /// With `split = "folds"`: which of them, from 1 to 5.
    pub fold: usize,
    /// With `split = "random"`: the share of all ratings held out for testing.
    pub test_share: f64,
    /// With `split = "random"`: the seed of the shuffle in front of the test split.
    pub split_seed: u64,
    /// The share of the remaining ratings held out for validation.
    pub validation_share: f64,
    /// Which of the remaining ratings are held out. The folds are sorted by user, so that `last`
    /// would hold out whole users.
    pub validation_split: ValidationSplit,
}

impl Default for MovieLensSettings {
    fn default() -> Self {
        Self {
            source: Source::Auto,
            split: RatingSplit::Folds,
            fold: 1,
            test_share: 0.2,
            split_seed: 42,
            validation_share: 0.05,
            validation_split: ValidationSplit::Random,
        }
    }
}

impl MovieLensSettings {
    /// How many folds are published.
    pub const FOLDS: usize = 5;
}

impl Section for MovieLensSettings {
    fn check(&self) -> Checked {
        let folds = 1..=Self::FOLDS;
        checks::ensure(folds.contains(&self.fold), "fold", self.fold, "a whole number, 1 to 5")?;
        test_share(self.test_share)?;
        checks::share("validation_share", self.validation_share)
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        Some(&mut self.source)
    }
}

/// Settings of a table of ratings of the user's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RatingsSettings {
    /// The table at `path`, or the stand-in.
    pub source: Source,
    /// The table, relative to the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The lowest rating there can be.
    pub lowest: f32,
    /// The highest rating there can be.
    pub highest: f32,
    /// The share of all ratings held out for testing.
    pub test_share: f64,
    /// The seed of the shuffle in front of the test split.
    pub split_seed: u64,
    /// The share of the remaining ratings held out for validation.
    pub validation_share: f64,
    /// Which of the remaining ratings are held out.
    pub validation_split: ValidationSplit,
}

impl Default for RatingsSettings {
    fn default() -> Self {
        Self {
            source: Source::Auto,
            path: None,
            // MovieLens' range since 2003, in half stars.
            lowest: 0.5,
            highest: 5.0,
            test_share: 0.2,
            split_seed: 42,
            validation_share: 0.05,
            validation_split: ValidationSplit::Random,
        }
    }
}

impl Section for RatingsSettings {
    fn check(&self) -> Checked {
        checks::finite("lowest", self.lowest.into())?;
        checks::ensure(
            self.highest.is_finite() && self.highest > self.lowest,
            "highest",
            self.highest,
            "a finite number above `lowest`",
        )?;
        test_share(self.test_share)?;
        checks::share("validation_share", self.validation_share)
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        Some(&mut self.source)
    }
}
