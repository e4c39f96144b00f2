//! The published weights of MobileNetV2, had like a data set: from the user's folder, the cache or
//! their official address.

use std::path::PathBuf;

use super::{Architecture, Padding};
use converge_data::{
    DataError, DownloadProgress, Layout, LoadOptions, Normalization, PublishedFile, PublishedSet,
};

/// Weights that somebody has published.
#[derive(Debug)]
pub struct PublishedWeights {
    /// Their name, as users type it.
    pub name: &'static str,
    /// The file, and where it is.
    pub set: PublishedSet,
    /// The scale that pixels had when they were trained.
    pub normalization: Normalization,
    /// The padding they were trained with.
    pub padding: Padding,
}

/// Any of the weights below.
const ANY: &str = "imagenet";
/// Where people keep such files: a folder of this name, or PyTorch's own cache.
const FOLDERS: &[&str] = &["mobilenet_v2", "hub/checkpoints", "checkpoints"];

macro_rules! torchvision {
    ($name:literal, $version:literal, $file:literal, $sha256:literal) => {
        PublishedWeights {
            name: $name,
            set: PublishedSet {
                title: concat!("MobileNetV2, torchvision's ", $version),
                licence: "BSD-3-Clause (torchvision); trained on ImageNet, whose terms are non-commercial",
                samples: None,
                layouts: &[Layout { folders: FOLDERS, files: &[&[$file]], unmistakable: true }],
                files: &[PublishedFile {
                    url: concat!("https://download.pytorch.org/models/", $file),
                    path: concat!("mobilenet_v2/", $file),
                    bytes: None,
                    sha256: $sha256,
                }],
                folder: "mobilenet_v2",
                archive: false,
            },
            normalization: Normalization::Imagenet,
            padding: Padding::Symmetric,
        }
    };
}

/// All of them; the first one that is on the disk is what [`ANY`] means, else the first.
static PUBLISHED: [PublishedWeights; 3] = [
    // torchvision publishes the first digits of the checksums, in the names of its files.
    torchvision!("imagenet-v1", "IMAGENET1K_V1", "mobilenet_v2-b0353104.pth", "b0353104"),
    torchvision!("imagenet-v2", "IMAGENET1K_V2", "mobilenet_v2-7ebf99e0.pth", "7ebf99e0"),
    // No address: TensorFlow's weights under torchvision's names, batch normalisation folded.
    PublishedWeights {
        name: "imagenet-tensorflow",
        set: PublishedSet {
            title: "MobileNetV2, TensorFlow's",
            licence: "Apache-2.0",
            samples: None,
            layouts: &[Layout {
                folders: &["mobilenet_v2"],
                files: &[&["mobilenet_v2_same_padding.safetensors"]],
                unmistakable: true,
            }],
            files: &[],
            folder: "mobilenet_v2",
            archive: false,
        },
        normalization: Normalization::Symmetric,
        padding: Padding::Same,
    },
];

impl PublishedWeights {
    /// The names there are.
    pub fn names() -> impl Iterator<Item = &'static str> {
        std::iter::once(ANY).chain(PUBLISHED.iter().map(|weights| weights.name))
    }

    /// All of them.
    pub fn all() -> &'static [Self] {
        &PUBLISHED
    }

    /// The network they belong to.
    pub fn architecture(&self) -> Architecture {
        Architecture { padding: self.padding, ..Architecture::default() }
    }

    /// The weights `name`, and the file that holds them: in the user's folder, in the cache, or
    /// downloaded where `may_download` allows it.
    pub fn obtain(
        name: &str,
        may_download: bool,
        options: &LoadOptions,
        progress: &mut dyn DownloadProgress,
    ) -> Result<(&'static Self, PathBuf), DataError> {
        let wanted: Vec<&'static Self> =
            PUBLISHED.iter().filter(|weights| name == ANY || weights.name == name).collect();
        let Some(first) = wanted.first().copied() else {
            let known = Self::names().collect::<Vec<_>>().join(", ");
            return Err(DataError::UnknownWeights { name: name.to_owned(), known });
        };
        for weights in &wanted {
            if let Some(path) = weights.set.find_file(options)? {
                return Ok((weights, path));
            }
        }
        if !may_download {
            return Err(first.set.not_found(options));
        }
        first.set.fetch_file(options, progress).map(|path| (first, path))
    }
}
