//! Fashion-MNIST: 70,000 articles of clothing of 28 by 28 grey pixels (Xiao, Rasul and Vollgraf, 2017).

use super::images::ImageSet;
use super::synthetic::Drawing;
use super::{
    DataError, DataSet, DownloadProgress, ImageSettings, LoadOptions, Parts, PublishedFile,
    PublishedSet, Task, idx,
};

pub(super) const TITLE: &str = "Fashion-MNIST";
pub(super) const PUBLISHED: Option<&PublishedSet> = Some(&FILES);

static FILES: PublishedSet = PublishedSet {
    title: TITLE,
    licence: "MIT, see https://github.com/zalandoresearch/fashion-mnist",
    samples: Some(60_000),
    layouts: &[idx::layout(&[
        "fashion-mnist",
        "FashionMNIST/raw",
        "FashionMNIST",
        "fashion_mnist",
    ])],
    files: &[
        PublishedFile {
            url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
            path: "fashion-mnist/train-images-idx3-ubyte.gz",
            bytes: Some(26_421_880),
            sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        },
        PublishedFile {
            url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz",
            path: "fashion-mnist/train-labels-idx1-ubyte.gz",
            bytes: Some(29_515),
            sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        },
        PublishedFile {
            url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz",
            path: "fashion-mnist/t10k-images-idx3-ubyte.gz",
            bytes: Some(4_422_102),
            sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        },
        PublishedFile {
            url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz",
            path: "fashion-mnist/t10k-labels-idx1-ubyte.gz",
            bytes: Some(5_148),
            sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ],
    folder: "fashion-mnist",
    archive: false,
};

const SHAPE: [usize; 3] = [1, 28, 28];

const SET: ImageSet = ImageSet {
    published: &FILES,
    shape: SHAPE,
    class_names: &[
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    read: |folder, part| idx::read_split(TITLE, FILES.files, folder, part, SHAPE, 10),
    drawing: Drawing { seed: 29 },
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
