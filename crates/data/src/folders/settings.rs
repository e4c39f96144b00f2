//! The keys of the `[data]` section for folders of pictures.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::settings::Section;
use crate::{Normalization, Preprocessing, Samples, Source, ValidationSplit};
use converge_settings::checks::{self, Checked};

/// What to do about a picture that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCorrupt {
    /// Stop with an error.
    #[default]
    Fail,
    /// Say its name and go on without it.
    Skip,
}

/// Settings of the pictures of ants and bees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HymenopteraSettings {
    /// Real files or the stand-in.
    pub source: Source,
    /// Height and width of what is cut out of the centre, in pixels.
    pub size: usize,
    /// What the shorter side is resized to first, in pixels.
    pub resize: usize,
    /// The range that pixels are brought to.
    pub normalization: Normalization,
    /// What to do about a picture that cannot be read.
    pub on_corrupt: OnCorrupt,
    /// The share of training pictures held out for validation.
    pub validation_share: f64,
    /// Which training pictures are held out. They come class by class, so that `last` would hold
    /// out pictures of the last class only.
    pub validation_split: ValidationSplit,
}

/// Settings of a folder of pictures of the user's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureSettings {
    /// The folder at `path`, or the stand-in.
    pub source: Source,
    /// The folder that holds `train` and `val`, relative to the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// How many classes there are.
    pub classes: usize,
    /// Height and width of what is cut out of the centre, in pixels.
    pub size: usize,
    /// What the shorter side is resized to first, in pixels.
    pub resize: usize,
    /// The range that pixels are brought to.
    pub normalization: Normalization,
    /// What to do about a picture that cannot be read.
    pub on_corrupt: OnCorrupt,
    /// The share of training pictures held out for validation.
    pub validation_share: f64,
    /// Which training pictures are held out. They come class by class, so that `last` would hold
    /// out pictures of the last class only.
    pub validation_split: ValidationSplit,
}

impl Default for PictureSettings {
    fn default() -> Self {
        Self {
            source: Source::Auto,
            path: None,
            classes: 2,
            // torchvision's transforms for ImageNet.
            size: 224,
            resize: 256,
            normalization: Normalization::Imagenet,
            on_corrupt: OnCorrupt::Fail,
            validation_share: 0.1,
            validation_split: ValidationSplit::Random,
        }
    }
}

impl Default for HymenopteraSettings {
    fn default() -> Self {
        let PictureSettings {
            source,
            size,
            resize,
            normalization,
            on_corrupt,
            validation_share,
            validation_split,
            ..
        } = PictureSettings::default();
        Self { source, size, resize, normalization, on_corrupt, validation_share, validation_split }
    }
}

/// How pictures are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub size: usize,
    pub resize: usize,
    pub on_corrupt: OnCorrupt,
}

impl Reading {
    fn check(self) -> Checked {
        let sizes = 1..=4096;
        checks::ensure(sizes.contains(&self.size), "size", self.size, "from 1 to 4096")?;
        checks::ensure(
            (self.size..=*sizes.end()).contains(&self.resize),
            "resize",
            self.resize,
            "at least `size` and at most 4096",
        )
    }
}

impl HymenopteraSettings {
    pub(crate) fn reading(&self) -> Reading {
        Reading { size: self.size, resize: self.resize, on_corrupt: self.on_corrupt }
    }
}

impl PictureSettings {
    pub(crate) fn reading(&self) -> Reading {
        Reading { size: self.size, resize: self.resize, on_corrupt: self.on_corrupt }
    }
}

impl Section for HymenopteraSettings {
    fn check(&self) -> Checked {
        self.reading().check()?;
        checks::share("validation_share", self.validation_share)
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        Some(&mut self.source)
    }

    fn fit(&self, _training: &Samples) -> Preprocessing {
        Preprocessing::normalize(self.normalization)
    }
}

impl Section for PictureSettings {
    fn check(&self) -> Checked {
        let classes = 2..=100_000;
        checks::ensure(classes.contains(&self.classes), "classes", self.classes, "2 or above")?;
        self.reading().check()?;
        checks::share("validation_share", self.validation_share)
    }

    fn source_mut(&mut self) -> Option<&mut Source> {
        Some(&mut self.source)
    }

    fn fit(&self, _training: &Samples) -> Preprocessing {
        Preprocessing::normalize(self.normalization)
    }
}
