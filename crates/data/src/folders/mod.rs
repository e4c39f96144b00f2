//! Folders of images, one folder per class: `train/CLASS/*.jpg` and `val/CLASS/*.jpg`,
//! in folders of their own below it too.
//!
//! The held-out folder, `val` or `test`, is the test split; validation images are held out of
//! training, as everywhere. Serves the user's own folders and published sets in this layout.

mod decode;
mod listing;
mod settings;

use std::path::Path;

pub(super) use decode::read_image;
pub(super) use settings::Reading;
pub use settings::{HymenopteraSettings, ImageFolderSettings, OnCorrupt};

use self::listing::Listing;
use super::images::owned;
use super::synthetic::Drawing;
use super::{
    DataError, DataSet, DownloadProgress, LoadOptions, Origin, Parts, PublishedSet, Samples,
    Source, Task,
};
use converge_settings::checks::InvalidSetting;

pub(super) const TITLE: &str = "images";
pub(super) const PUBLISHED: Option<&PublishedSet> = None;

pub(super) fn task(settings: &ImageFolderSettings) -> Task {
    Task::Classification { classes: settings.classes }
}

pub(super) fn input_shape(settings: &ImageFolderSettings) -> Vec<usize> {
    vec![3, settings.size, settings.size]
}

pub(super) fn load(
    settings: &ImageFolderSettings,
    parts: Parts,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    let (reading, classes) = (settings.reading(), settings.classes);
    match (settings.source, &settings.path) {
        (Source::Synthetic, _) => stand_in(TITLE, reading, classes, parts, None),
        (_, Some(path)) => real(TITLE, &options.own(path), None, reading, classes, parts, progress),
        (Source::Real, None) => Err(DataError::NoPath),
        (Source::Auto, None) => {
            stand_in(TITLE, reading, classes, parts, Some(DataError::NoPath.to_string()))
        }
    }
}

/// Reads the images in `folder`, of so many classes, but for those named `placeholder`.
pub(super) fn real(
    title: &str,
    folder: &Path,
    placeholder: Option<&str>,
    reading: Reading,
    classes: usize,
    parts: Parts,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    let listing = Listing::new(folder, placeholder, progress)?;
    let found = listing.class_names.len();
    if found != classes {
        let names = listing.class_names.join("`, `");
        let expected = format!("{found}: `{}` has `{names}`", folder.display());
        return Err(InvalidSetting::new("classes", classes, expected).into());
    }
    let mut files = Vec::new();
    let mut split = |part: Parts| {
        let nothing = Samples::no_images(&[3, reading.size, reading.size]);
        if !parts.describes(part) {
            return Ok(nothing);
        }
        let split = listing.split(part);
        let (samples, file) = if parts.holds(part) {
            decode::read_split(split, reading, progress)?
        } else {
            (nothing, decode::describe_split(split)?)
        };
        files.push(file);
        Ok::<_, DataError>(samples)
    };
    let (training, test) = (split(Parts::Training)?, split(Parts::Test)?);
    Ok(DataSet {
        title: title.to_owned(),
        origin: Origin::Real,
        description: format!("{title} from {}", folder.display()),
        stand_in_reason: None,
        files,
        class_names: listing.class_names,
        feature_names: Vec::new(),
        training,
        test,
    })
}

/// Draws images of so many shapes in place of the real ones.
pub(super) fn stand_in(
    title: &str,
    reading: Reading,
    classes: usize,
    parts: Parts,
    reason: Option<String>,
) -> Result<DataSet, DataError> {
    // As many as there are of ants and bees.
    let (training, test) = (244, 153);
    let Some(class_names) = Drawing::CLASS_NAMES.get(..classes) else {
        let most = format!("at most {} for drawn images", Drawing::CLASS_NAMES.len());
        return Err(InvalidSetting::new("classes", classes, most).into());
    };
    let shape = [3, reading.size, reading.size];
    let drawing = Drawing { seed: 224 };
    let split = |part: Parts, count: usize| {
        let count = if parts == part || parts == Parts::Both { count } else { 0 };
        drawing.images(shape, classes, part, count)
    };
    Ok(DataSet {
        title: format!("{title} (synthetic)"),
        origin: Origin::SyntheticStandIn,
        description: format!(
            "synthetic stand-in for {title}: {training} training and {test} test images of \
             {classes} drawn shapes"
        ),
        stand_in_reason: reason,
        files: Vec::new(),
        class_names: owned(class_names),
        feature_names: Vec::new(),
        training: split(Parts::Training, training),
        test: split(Parts::Test, test),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use image::{Rgb, RgbImage};

    use super::*;
    use crate::{Inputs, NoProgress, Targets};

    #[test]
    fn a_folder_becomes_samples_and_the_number_of_classes_must_agree() {
        let directory = tempfile::tempdir().unwrap();
        for (name, level) in [("train/a", 10), ("train/b", 20), ("val/b", 30)] {
            let folder = directory.path().join("own").join(name);
            fs::create_dir_all(&folder).unwrap();
            RgbImage::from_pixel(6, 4, Rgb([level; 3])).save(folder.join("1.png")).unwrap();
        }
        let options = LoadOptions {
            replaces_path: false,
            directory: Some(directory.path().to_owned()),
            cache: directory.path().join("cache"),
            mirror: None,
            timeout: std::time::Duration::from_secs(1),
        };
        let settings = ImageFolderSettings {
            path: Some(directory.path().join("own")),
            size: 2,
            resize: 3,
            ..ImageFolderSettings::default()
        };
        let load = |settings: &ImageFolderSettings, parts| {
            load(settings, parts, &options, &mut NoProgress)
        };
        let data = load(&settings, Parts::Both).unwrap();
        assert_eq!(data.class_names, ["a", "b"]);
        assert_eq!(data.training.inputs, Inputs::Bytes([[10; 12], [20; 12]].concat()));
        assert_eq!(data.training.targets, Targets::Classes(vec![0, 1]));
        assert_eq!(data.test.targets, Targets::Classes(vec![1]));
        assert_eq!(data.files.len(), 2);
        assert!(load(&settings, Parts::Test).unwrap().training.is_empty());
        let three = ImageFolderSettings { classes: 3, ..settings.clone() };
        let error = load(&three, Parts::Both).unwrap_err().to_string();
        assert!(error.contains("`classes` is 3, but must be 2"), "{error}");
        let elsewhere = ImageFolderSettings {
            path: Some(directory.path().join("nowhere")),
            ..settings.clone()
        };
        let error = load(&elsewhere, Parts::Both).unwrap_err().to_string();
        assert!(error.contains("nowhere` does not exist"), "{error}");
        let nowhere = ImageFolderSettings { source: Source::Real, path: None, ..settings };
        assert!(matches!(load(&nowhere, Parts::Both), Err(DataError::NoPath)));
    }

    #[test]
    fn the_stand_in_has_the_size_and_the_classes_asked_for() {
        let reading =
            ImageFolderSettings { size: 12, resize: 12, ..ImageFolderSettings::default() }
                .reading();
        let data = stand_in(TITLE, reading, 2, Parts::Test, None).unwrap();
        assert_eq!((data.training.len(), data.test.len()), (0, 153));
        assert_eq!(data.test.inputs.len(), 153 * 3 * 12 * 12);
        assert!(matches!(&data.test.targets, Targets::Classes(classes)
            if classes.contains(&0) && classes.contains(&1) && classes.iter().all(|c| *c < 2)));
        assert!(stand_in(TITLE, reading, 11, Parts::Test, None).is_err());
    }
}
