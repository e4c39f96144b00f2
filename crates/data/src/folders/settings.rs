//! The keys of the `[data]` section for folders of images.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Normalization, Source, ValidationSplit};
use converge_settings::checks::{Checked, ensure};
use converge_settings::ranges::{FRACTION, Range};
use converge_settings::settings;

/// What to do about an image that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCorrupt {
    /// Stop with an error.
    #[default]
    Fail,
    /// Say its name and go on without it.
    Skip,
}

/// How images are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub size: usize,
    pub resize: usize,
    pub on_corrupt: OnCorrupt,
}

/// The largest height and width of an image.
const LARGEST: usize = 4096;
const SIZE: Range<usize> = Range::new("from 1 to 4096", |size| (1..=LARGEST).contains(size));
const CLASSES: Range<usize> = Range::new("2 or above", |classes| (2..=100_000).contains(classes));

settings! {
    /// Settings of the images of ants and bees.
    pub struct HymenopteraSettings {
        /// Real files or the stand-in.
        source: Source = Source::Auto,
        /// Height and width of what is cut out of the centre, in pixels.
        size: usize = 224 => SIZE,
        /// What the shorter side is resized to first, in pixels.
        resize: usize = 256,
        /// The range that pixels are brought to.
        normalization: Normalization = Normalization::Imagenet,
        /// What to do about an image that cannot be read.
        on_corrupt: OnCorrupt = OnCorrupt::Fail,
        /// The fraction of training images held out for validation.
        validation_fraction: f64 = 0.1 => FRACTION,
        /// Which training images are held out.
        validation_split: ValidationSplit = ValidationSplit::Random,
    }
    check |settings| check_resize(settings.size, settings.resize)
}

settings! {
    /// Settings of a folder of images of the user's own.
    pub struct ImageFolderSettings {
        /// The folder at `path`, or the stand-in.
        source: Source = Source::Auto,
        /// The folder that holds `train` and `val`, relative to the working directory.
        #[serde(skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf> = None,
        /// How many classes there are.
        classes: usize = 2 => CLASSES,
        /// Height and width of what is cut out of the centre, in pixels.
        // torchvision's transforms for ImageNet.
        size: usize = 224 => SIZE,
        /// What the shorter side is resized to first, in pixels.
        resize: usize = 256,
        /// The range that pixels are brought to.
        normalization: Normalization = Normalization::Imagenet,
        /// What to do about an image that cannot be read.
        on_corrupt: OnCorrupt = OnCorrupt::Fail,
        /// The fraction of training images held out for validation.
        validation_fraction: f64 = 0.1 => FRACTION,
        /// Which training images are held out.
        validation_split: ValidationSplit = ValidationSplit::Random,
    }
    check |settings| check_resize(settings.size, settings.resize)
}

fn check_resize(size: usize, resize: usize) -> Checked {
    let fits = (size..=LARGEST).contains(&resize);
    ensure(fits, "resize", resize, "at least `size` and at most 4096")
}

impl HymenopteraSettings {
    pub(crate) fn reading(&self) -> Reading {
        Reading { size: self.size, resize: self.resize, on_corrupt: self.on_corrupt }
    }
}

impl ImageFolderSettings {
    pub(crate) fn reading(&self) -> Reading {
        Reading { size: self.size, resize: self.resize, on_corrupt: self.on_corrupt }
    }
}
