//! MNIST: 70,000 handwritten digits of 28 by 28 grey pixels (Lecun, Cortes and Burges, 1998).

use super::images::ImageSet;
use super::synthetic::Drawing;
use super::{
    DataError, DataSet, DownloadProgress, ImageSettings, LoadOptions, Parts, PublishedFile,
    PublishedSet, Task, idx,
};

pub(super) const TITLE: &str = "MNIST";
pub(super) const PUBLISHED: Option<&PublishedSet> = Some(&FILES);

static FILES: PublishedSet = PublishedSet {
    title: TITLE,
    licence: "CC BY-SA 3.0, see http://yann.lecun.com/exdb/mnist/",
    samples: Some(60_000),
    layouts: &[idx::layout(&["mnist", "MNIST/raw", "MNIST"])],
    files: &[
        PublishedFile {
            url: "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz",
            path: "mnist/train-images-idx3-ubyte.gz",
            bytes: Some(9_912_422),
            sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        },
        PublishedFile {
            url: "https://storage.googleapis.com/cvdf-datasets/mnist/train-labels-idx1-ubyte.gz",
            path: "mnist/train-labels-idx1-ubyte.gz",
            bytes: Some(28_881),
            sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        },
        PublishedFile {
            url: "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-images-idx3-ubyte.gz",
            path: "mnist/t10k-images-idx3-ubyte.gz",
            bytes: Some(1_648_877),
            sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        },
        PublishedFile {
            url: "https://storage.googleapis.com/cvdf-datasets/mnist/t10k-labels-idx1-ubyte.gz",
            path: "mnist/t10k-labels-idx1-ubyte.gz",
            bytes: Some(4_542),
            sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ],
    folder: "mnist",
    archive: false,
};

const SHAPE: [usize; 3] = [1, 28, 28];

const SET: ImageSet = ImageSet {
    published: &FILES,
    shape: SHAPE,
    class_names: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    read: |folder, part| idx::read_split(TITLE, FILES.files, folder, part, SHAPE, 10),
    drawing: Drawing { seed: 28 },
};

pub(super) fn task(_settings: &ImageSettings) -> Task {
    SET.task()
}

pub(super) fn input_shape(_settings: &ImageSettings) -> Vec<usize> {
    SHAPE.to_vec()
}

pub(super) fn load(
    settings: &ImageSettings,
    parts: Parts,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    SET.load(settings, parts, options, progress)
}
