//! Ants and bees: the 397 images of PyTorch's tutorial on transfer learning, a part of ImageNet.

use super::folders::{self, HymenopteraSettings};
use super::published::Obtained;
use super::{
    DataError, DataSet, DownloadProgress, Layout, LoadOptions, Parts, PublishedFile, PublishedSet,
    Task,
};

pub(super) const TITLE: &str = "Ants and bees";
pub(super) const PUBLISHED: Option<&PublishedSet> = Some(&FILES);

const CLASSES: usize = 2;

static FILES: PublishedSet = PublishedSet {
    title: TITLE,
    licence: "no licence stated; photographs from ImageNet, for research only, see \
              https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html",
    samples: None,
    layouts: &[Layout {
        folders: &["hymenoptera_data", "hymenoptera"],
        // The first image of each folder.
        files: &[
            &["train/ants/0013035.jpg"],
            &["train/bees/1092977343_cb42b38d62.jpg"],
            &["val/ants/10308379_1b6c72e180.jpg"],
            &["val/bees/1032546534_06907fe3b3.jpg"],
        ],
        unmistakable: true,
    }],
    files: &[PublishedFile {
        url: "https://download.pytorch.org/tutorial/hymenoptera_data.zip",
        path: "hymenoptera_data.zip",
        bytes: Some(47_286_322),
        sha256: "fbc41b31d544714d18dd1230b1e2b455e1557766e13e67f9f5a7a23af7c02209",
    }],
    folder: "hymenoptera_data",
    archive: true,
};

/// Stands among the ants where an image was gone; PyTorch's tutorial does not read it either.
const PLACEHOLDER: &str = "imageNotFound";

pub(super) fn task(_settings: &HymenopteraSettings) -> Task {
    Task::Classification { classes: CLASSES }
}

pub(super) fn input_shape(settings: &HymenopteraSettings) -> Vec<usize> {
    vec![3, settings.size, settings.size]
}

pub(super) fn load(
    settings: &HymenopteraSettings,
    parts: Parts,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    let reading = settings.reading();
    match FILES.obtain(settings.source, options, progress)? {
        Obtained::Folder(folder) => {
            folders::real(TITLE, &folder, Some(PLACEHOLDER), reading, CLASSES, parts, progress)
        }
        Obtained::StandIn(reason) => folders::stand_in(TITLE, reading, CLASSES, parts, reason),
    }
}
