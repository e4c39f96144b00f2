//! Data sets: where they come from, how they are read, split and preprocessed.
//!
//! One file per data set, and one line each in the list below. Each reads the layouts
//! that people already have on disk and brings a synthetic stand-in of the same shape. `train` and
//! `evaluate` call [`DataSettings::load`], the command `data` calls [`catalogue`].

mod archive;
pub mod augmentation;
pub mod catalogue;
pub mod caught;
mod checksum;
mod decode;
mod error;
mod fetch;
mod idx;
mod image_file;
mod images;
mod locate;
mod options;
mod preprocessing;
mod published;
mod registry;
mod resampling;
mod rows;
mod samples;
mod separator;
mod settings;
mod split;
mod synthetic;

pub use augmentation::{AugmentationSettings, Crop};
use converge_record::DataRecord;
pub use converge_record::{Origin, SourceFile};
pub use decode::{read_text, with_plain_line_ends};
pub use error::DataError;
pub use fetch::{DownloadProgress, NoProgress, RemoteFile, fetch_files};
pub use folders::{HymenopteraSettings, ImageFolderSettings, OnCorrupt};
pub use image_file::{decode_image, read_image_file};
pub use locate::Layout;
pub use options::LoadOptions;
pub use preprocessing::{Normalization, Preprocessing, Rows};
pub use published::{PublishedFile, PublishedSet};
pub use ratings::{
    Item, MovieLensSettings, RatedPairs, RatingCatalogue, RatingIndex, RatingSplit, RatingsSettings,
};
pub use rows::{TableRow, parse_row, read_rows};
pub use settings::{
    HousingSettings, ImageSettings, RegressionSettings, Source, Task, ValidationSplit,
};
pub use split::{kept_for_training, split_validation};
pub use text::{Encoding, Side, TextSettings, Vocabulary};

// Which data sets there are.
registry::data_sets! {
    /// A linear problem with known noise, always drawn by code.
    "regression" => regression::Regression(RegressionSettings);
    /// California house prices of 1990, by district.
    "housing" => housing::Housing(HousingSettings);
    /// Handwritten digits.
    "mnist" => mnist::Mnist(ImageSettings);
    /// Articles of clothing, in the format of MNIST.
    "fashion-mnist" => fashion_mnist::FashionMnist(ImageSettings);
    /// Small colour images of ten kinds of things.
    "cifar10" => cifar10::Cifar10(ImageSettings);
    /// Photographs of ants and of bees.
    "hymenoptera" => hymenoptera::Hymenoptera(HymenopteraSettings);
    /// Images of the user's own, a folder per class.
    "images" => folders::Images(ImageFolderSettings);
    /// Film reviews, liked or not.
    "imdb" => imdb::Imdb(TextSettings);
    /// Texts of one's own, of two classes.
    "text" => text::Text(TextSettings);
    /// Ratings of films.
    "movielens" => movielens::MovieLens(MovieLensSettings);
    /// Ratings of the user's own.
    "ratings" => ratings::Ratings(RatingsSettings);
}

/// Inputs of all samples, one after the other, row-major.
#[derive(Debug, Clone, PartialEq)]
pub enum Inputs {
    /// Grey levels or colour channels, 0 to 255, as they are in the file.
    Bytes(Vec<u8>),
    /// Real-valued features; a missing value is NaN.
    Floats(Vec<f32>),
    /// Texts as they were read, one per sample.
    Texts {
        /// The texts.
        texts: Vec<String>,
        /// How each becomes one input.
        encoding: Encoding,
    },
    /// Users and items, a pair per sample.
    Pairs(RatedPairs),
    /// Ids that texts or pairs have become: see [`Preprocessing::prepare`].
    Ids(Vec<u32>),
}

/// What the model has to predict.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One class index per sample.
    Classes(Vec<u32>),
    /// One real number per sample.
    Values(Vec<f32>),
}

/// Samples of one split: inputs of one shape, and a target each.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// The shape of one input: `[features]`, `[channels, height, width]` or `[ids]`.
    pub shape: Vec<usize>,
    /// All inputs, sample after sample.
    pub inputs: Inputs,
    /// All targets, in the same order.
    pub targets: Targets,
}

/// Which splits to load. Training does not need the test split in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// The training split, validation samples included.
    Training,
    /// The test split.
    Test,
    /// Both.
    Both,
}

impl Parts {
    /// Whether the samples of `part` are wanted.
    pub(crate) fn holds(self, part: Self) -> bool {
        self == part || self == Self::Both
    }

    /// Whether [`DataSet::files`] tells of the files of `part`. A run records those of its test
    /// split when it begins, so that a later score is known to be of the same.
    pub(crate) fn describes(self, part: Self) -> bool {
        self.holds(part) || part == Self::Test
    }
}

/// A data set as it was loaded: the official training and test splits.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// Its title, as tables show it: `CIFAR-10`.
    pub title: String,
    /// Real or synthetic.
    pub origin: Origin,
    /// One line for the user: where it was read, or how it was drawn.
    pub description: String,
    /// Why there is a stand-in instead of real data; `None` where it was asked for.
    pub stand_in_reason: Option<String>,
    /// The files it was read from, those of the test split in any case; empty for synthetic data.
    pub files: Vec<SourceFile>,
    /// The names of the classes, where targets are classes.
    pub class_names: Vec<String>,
    /// The names of the features, where inputs are features.
    pub feature_names: Vec<String>,
    /// The training split, validation samples included; empty where not asked for.
    pub training: Samples,
    /// The test split; empty where not asked for.
    pub test: Samples,
}

impl DataSet {
    /// What `run.json` keeps of it.
    pub fn record(&self) -> DataRecord {
        DataRecord {
            title: self.title.clone(),
            origin: self.origin,
            description: self.description.clone(),
            stand_in_reason: self.stand_in_reason.clone(),
            files: self.files.clone(),
            class_names: self.class_names.clone(),
            feature_names: self.feature_names.clone(),
        }
    }
}
