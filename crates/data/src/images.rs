//! What data sets of small images have in common: official splits, bytes, and a stand-in.
//!
//! A data set of images describes itself with one [`ImageSet`] and leaves loading to it.

use std::path::Path;

use super::published::Obtained;
use super::synthetic::Drawing;
use super::{
    DataError, DataSet, DownloadProgress, ImageSettings, LoadOptions, Origin, Parts, PublishedSet,
    Samples, SourceFile, Task,
};

/// Reads one split, [`Parts::Training`] or [`Parts::Test`], from a folder.
type ReadSplit = fn(&Path, Parts) -> Result<(Samples, Vec<SourceFile>), DataError>;

/// A data set of images.
#[derive(Debug)]
pub(super) struct ImageSet {
    /// Its files.
    pub published: &'static PublishedSet,
    /// `[channels, height, width]`.
    pub shape: [usize; 3],
    /// The names of its classes.
    pub class_names: &'static [&'static str],
    /// Reads the real files.
    pub read: ReadSplit,
    /// Draws the stand-in.
    pub drawing: Drawing,
}

impl ImageSet {
    /// What a model has to predict.
    pub(super) const fn task(&self) -> Task {
        Task::Classification { classes: self.class_names.len() }
    }

    /// Loads the real files or the stand-in.
    pub(super) fn load(
        &self,
        settings: &ImageSettings,
        parts: Parts,
        options: &LoadOptions,
        progress: &mut dyn DownloadProgress,
    ) -> Result<DataSet, DataError> {
        Ok(match self.published.obtain(settings.source, options, progress)? {
            Obtained::Folder(folder) => self.real(&folder, parts)?,
            Obtained::StandIn(reason) => self.stand_in(reason, parts),
        })
    }

    fn real(&self, folder: &Path, parts: Parts) -> Result<DataSet, DataError> {
        let mut files = Vec::new();
        let mut split = |part: Parts| {
            if !parts.describes(part) {
                return Ok(Samples::no_images(&self.shape));
            }
            let (samples, read) = (self.read)(folder, part)?;
            files.extend(read);
            let wanted = if parts.holds(part) { samples } else { Samples::no_images(&self.shape) };
            Ok::<_, DataError>(wanted)
        };
        let (training, test) = (split(Parts::Training)?, split(Parts::Test)?);
        Ok(DataSet {
            title: self.published.title.to_owned(),
            origin: Origin::Real,
            description: format!("{} from {}", self.published.title, folder.display()),
            stand_in_reason: None,
            files,
            class_names: owned(self.class_names),
            feature_names: Vec::new(),
            training,
            test,
        })
    }

    fn stand_in(&self, reason: Option<String>, parts: Parts) -> DataSet {
        let split = |part: Parts| {
            if parts == part || parts == Parts::Both {
                self.drawing.split(self.shape, part)
            } else {
                Samples::no_images(&self.shape)
            }
        };
        DataSet {
            title: format!("{} (synthetic)", self.published.title),
            origin: Origin::SyntheticStandIn,
            description: format!(
                "synthetic stand-in for {}: {} training and {} test images of ten drawn shapes",
                self.published.title,
                Drawing::TRAINING,
                Drawing::TEST
            ),
            stand_in_reason: reason,
            files: Vec::new(),
            // The names of the real classes would be lies here.
            class_names: owned(&Drawing::CLASS_NAMES),
            feature_names: Vec::new(),
            training: split(Parts::Training),
            test: split(Parts::Test),
        }
    }
}

/// Names as a data set holds them.
pub(super) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
