//! What the list of data sets in `lib.rs` makes of a data set, and what all of them can do.
//!
//! [`DataSettings`] is the `[data]` section of an experiment. Everything that asks "which data set"
//! asks it, so that no other file lists them.

use std::path::Path;

use super::folders::{self, OnCorrupt, Reading};
use super::split::held_out_for_testing;
use super::{DataError, DataSettings, Normalization, Preprocessing, RatingSplit, Samples, Source};

/// Defines [`DataSettings`] from one line per data set: its name, its file, and its settings. The
/// file provides `TITLE`, `PUBLISHED`, `input_shape`, `task` and `load`.
macro_rules! data_sets {
    ($(
        $(#[doc = $doc:literal])* $name:literal => $module:ident::$variant:ident($settings:ty);
    )*) => {
        $(mod $module;)*

        converge_settings::choice! {
            /// Which data set an experiment trains on, and how.
            pub enum DataSettings {
                $($(#[doc = $doc])* $name => $variant($settings)),*
            }
        }

        impl DataSettings {
            /// The title, as tables show it.
            pub fn title(&self) -> &'static str {
                match self { $(Self::$variant(_) => $module::TITLE),* }
            }

            /// The published files behind it; `None` where it is always drawn by code.
            pub fn published(&self) -> Option<&'static PublishedSet> {
                match self { $(Self::$variant(_) => $module::PUBLISHED),* }
            }

            /// The fraction of training samples held out for validation.
            pub fn validation_fraction(&self) -> f64 {
                match self { $(Self::$variant(settings) => settings.validation_fraction),* }
            }

            /// Which training samples are held out for validation.
            pub fn validation_split(&self) -> ValidationSplit {
                match self { $(Self::$variant(settings) => settings.validation_split),* }
            }

            /// The shape of one input: `[features]` or `[channels, height, width]`.
            pub fn input_shape(&self) -> Vec<usize> {
                match self { $(Self::$variant(settings) => $module::input_shape(settings)),* }
            }

            /// What a model has to predict.
            pub fn task(&self) -> Task {
                match self { $(Self::$variant(settings) => $module::task(settings)),* }
            }

            /// Loads at least the `parts` asked for; a part not asked for may come without
            /// samples. Real files are looked for in [`LoadOptions::directory`], in the cache and
            /// at the official address, in this order.
            pub fn load(
                &self,
                parts: Parts,
                options: &LoadOptions,
                progress: &mut dyn DownloadProgress,
            ) -> Result<DataSet, DataError> {
                self.check()?;
                match self {
                    $(Self::$variant(settings) => $module::load(settings, parts, options, progress)),*
                }
            }
        }
    };
}

pub(crate) use data_sets;

impl DataSettings {
    /// Where the samples come from; `None` where they are always drawn by code.
    pub fn source_mut(&mut self) -> Option<&mut Source> {
        self.value_mut("source")
    }

    /// The published number of training samples, those held out for validation included.
    pub fn published_samples(&self) -> Option<usize> {
        let samples = self.published()?.samples?;
        let test_fraction = self.value("test_fraction").copied().unwrap_or(0.0);
        Some(samples.saturating_sub(held_out_for_testing(samples, test_fraction)))
    }

    /// The scale that the pixels of images are brought to.
    pub fn normalization(&self) -> Normalization {
        self.value("normalization").copied().unwrap_or(Normalization::Unit)
    }

    /// The preprocessing that the samples ask for, fitted to the training samples.
    pub fn fit_preprocessing(&self, training: &Samples) -> Preprocessing {
        match self.value("normalization") {
            Some(&normalization) => Preprocessing::normalize(normalization),
            None => Preprocessing::fit(training),
        }
    }

    /// Chooses the scale of pixels; an error for data that has another one and no choice.
    pub fn set_normalization(&mut self, wanted: Normalization) -> Result<(), DataError> {
        let name = self.name();
        match self.value_mut("normalization") {
            Some(normalization) => *normalization = wanted,
            None if wanted == Normalization::Unit => {}
            None => return Err(DataError::NoNormalization { name, wanted: wanted.name() }),
        }
        Ok(())
    }

    /// The bytes `[3, size, size]` of an image of the user's own, read as the images of this data
    /// set are; `None` where it does not come as image files.
    pub fn read_image(&self, path: &Path) -> Result<Option<Vec<u8>>, DataError> {
        let Some((&size, &resize)) = self.value("size").zip(self.value("resize")) else {
            return Ok(None);
        };
        let on_corrupt = OnCorrupt::Fail;
        folders::read_image(path, Reading { size, resize, on_corrupt }).map(Some)
    }

    /// How many folds are published; an error for data without.
    pub fn folds(&self) -> Result<usize, DataError> {
        match self {
            Self::MovieLens(_) => Ok(super::MovieLensSettings::FOLDS),
            _ => Err(DataError::NoFolds { name: self.name() }),
        }
    }

    /// Makes the published fold number `fold`, from 1, the test split; an error for data without.
    pub fn set_fold(&mut self, fold: usize) -> Result<(), DataError> {
        let name = self.name();
        *self.value_mut("split").ok_or(DataError::NoFolds { name })? = RatingSplit::Folds;
        *self.value_mut("fold").ok_or(DataError::NoFolds { name })? = fold;
        Ok(())
    }

    /// Chooses where the samples come from; an error for data that is always drawn by code.
    pub fn set_source(&mut self, source: Source) -> Result<(), DataError> {
        let name = self.name();
        *self.source_mut().ok_or(DataError::NoSource { name })? = source;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Task;

    fn parse(text: &str) -> Result<DataSettings, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn every_data_set_needs_its_name_only() {
        for (settings, name) in DataSettings::all().iter().zip(DataSettings::NAMES) {
            assert_eq!(&parse(&format!("name = \"{name}\"")).unwrap(), settings);
            assert_eq!(settings.name(), *name);
            settings.check().unwrap();
            let written = toml::to_string(settings).unwrap();
            assert_eq!(&parse(&written).unwrap(), settings, "{written}");
        }
    }

    #[test]
    fn keys_of_another_data_set_are_refused() {
        assert!(parse("name = \"mnist\"\nsource = \"real\"").is_ok());
        let error = parse("name = \"mnist\"\ntest_fraction = 0.1").unwrap_err().to_string();
        assert!(
            error.contains("test_fraction") && error.contains("validation_fraction"),
            "{error}"
        );
        assert!(parse("name = \"regression\"\nsource = \"real\"").is_err());
        assert!(parse("name = \"cifar100\"").unwrap_err().to_string().contains("cifar10"));
        assert!(parse("validation_fraction = 0.1").is_err());
    }

    #[test]
    fn values_out_of_range_are_named() {
        for (text, key) in [
            ("name = \"cifar10\"\nvalidation_fraction = 1.0", "validation_fraction"),
            ("name = \"housing\"\ntest_fraction = 0.0", "test_fraction"),
            ("name = \"movielens\"\nfold = 6", "fold"),
            ("name = \"ratings\"\nlowest = 5", "highest"),
            ("name = \"images\"\nclasses = 1", "classes"),
            ("name = \"hymenoptera\"\nresize = 200", "resize"),
            ("name = \"regression\"\nsamples = 0", "samples"),
            ("name = \"regression\"\nsamples = 9000000000000000000\nfeatures = 20", "samples"),
            ("name = \"regression\"\nfeatures = 0\ninformative = 0", "features"),
            ("name = \"regression\"\ninformative = 21", "informative"),
            ("name = \"regression\"\nnoise = nan", "noise"),
            ("name = \"imdb\"\nvocabulary_size = 2", "vocabulary_size"),
            ("name = \"imdb\"\nvocabulary_size = 16777217", "vocabulary_size"),
            ("name = \"text\"\nlength = 0", "length"),
        ] {
            assert_eq!(parse(text).unwrap().check().unwrap_err().key, key, "{text}");
        }
    }

    #[test]
    fn the_source_can_be_chosen_where_there_is_one() {
        for mut settings in DataSettings::all() {
            let has_key = settings.keys().iter().any(|key| key.name == "source");
            assert_eq!(settings.set_source(Source::Synthetic).is_ok(), has_key);
            assert_eq!(settings.source_mut().copied(), has_key.then_some(Source::Synthetic));
        }
        assert!(parse("name = \"regression\"").unwrap().set_source(Source::Real).is_err());
        assert!(parse("name = \"mnist\"").unwrap().set_source(Source::Real).is_ok());
    }

    /// The numbers that the publishers state; of the districts of California a fifth is for testing.
    #[test]
    fn the_published_numbers_of_training_samples_are_known_before_anything_is_read() {
        let published = |text: &str| parse(text).unwrap().published_samples();
        assert_eq!(published("name = \"mnist\""), Some(60_000));
        assert_eq!(published("name = \"fashion-mnist\""), Some(60_000));
        assert_eq!(published("name = \"cifar10\""), Some(50_000));
        assert_eq!(published("name = \"housing\""), Some(16_512));
        assert_eq!(published("name = \"housing\"\ntest_fraction = 0.00001"), Some(20_639));
        assert_eq!(published("name = \"regression\""), None);
    }

    #[test]
    fn shapes_and_tasks_are_those_of_the_data() {
        let of = |name: &str| {
            let settings = parse(&format!("name = \"{name}\"")).unwrap();
            (settings.input_shape(), settings.task())
        };
        let ten = Task::Classification { classes: 10 };
        assert_eq!(of("cifar10"), (vec![3, 32, 32], ten));
        assert_eq!(of("mnist"), (vec![1, 28, 28], ten));
        assert_eq!(of("fashion-mnist"), (vec![1, 28, 28], ten));
        assert_eq!(of("housing"), (vec![8], Task::Regression));
        assert_eq!(of("regression"), (vec![20], Task::Regression));
        assert_eq!(of("hymenoptera"), (vec![3, 224, 224], Task::Classification { classes: 2 }));
        assert_eq!(of("movielens"), (vec![2], Task::Regression));
        assert_eq!(of("imdb"), (vec![200], Task::BinaryClassification));
    }
}
