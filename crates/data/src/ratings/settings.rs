//! The keys of the `[data]` section for ratings.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Source, ValidationSplit};
use converge_settings::checks::ensure;
use converge_settings::ranges::{FRACTION, INNER_FRACTION, Range};
use converge_settings::settings;

/// Which ratings of MovieLens are the test split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatingSplit {
    /// One of the five published folds, `u1` to `u5`.
    #[default]
    Folds,
    /// A fraction of all ratings, drawn with `split_seed`.
    Random,
}

const FOLD: Range<usize> = Range::new("a whole number, 1 to 5", |fold| (1..=5).contains(fold));

settings! {
    /// Settings of MovieLens 100K.
    pub struct MovieLensSettings {
        /// Real files or the stand-in.
        source: Source = Source::Auto,
        /// Which ratings are the test split.
        split: RatingSplit = RatingSplit::Folds,
        /// With `split = "folds"`: which of them, from 1 to 5.
        fold: usize = 1 => FOLD,
        /// With `split = "random"`: the fraction of all ratings held out for testing.
        test_fraction: f64 = 0.2 => INNER_FRACTION,
        /// With `split = "random"`: the seed of the shuffle in front of the test split.
        split_seed: u64 = 42,
        /// The fraction of the remaining ratings held out for validation.
        validation_fraction: f64 = 0.05 => FRACTION,
        /// Which of the remaining ratings are held out. The folds are sorted by user, so that
        /// `last` would hold out whole users.
        validation_split: ValidationSplit = ValidationSplit::Random,
    }
}

impl MovieLensSettings {
    /// How many folds are published.
    pub const FOLDS: usize = 5;
}

const LOWEST: Range<f32> = Range::new("a finite number", |lowest| lowest.is_finite());

settings! {
    /// Settings of a table of ratings of the user's own.
    pub struct RatingsSettings {
        /// The table at `path`, or the stand-in.
        source: Source = Source::Auto,
        /// The table, relative to the working directory.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf> = None,
        /// The lowest rating there can be.
        // MovieLens' range since 2003, in half stars.
        lowest: f32 = 0.5 => LOWEST,
        /// The highest rating there can be.
        highest: f32 = 5.0,
        /// The fraction of all ratings held out for testing.
        test_fraction: f64 = 0.2 => INNER_FRACTION,
        /// The seed of the shuffle in front of the test split.
        split_seed: u64 = 42,
        /// The fraction of the remaining ratings held out for validation.
        validation_fraction: f64 = 0.05 => FRACTION,
        /// Which of the remaining ratings are held out.
        validation_split: ValidationSplit = ValidationSplit::Random,
    }
    check |settings| ensure(
        settings.highest.is_finite() && settings.highest > settings.lowest,
        "highest",
        settings.highest,
        "a finite number above `lowest`",
    )
}
