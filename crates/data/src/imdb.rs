//! IMDB: 50,000 film reviews, half of them liked the film (Maas et al., 2011).

use super::{
    DataError, DataSet, DownloadProgress, Layout, LoadOptions, Parts, PublishedFile, PublishedSet,
    TextSettings, text,
};

pub(super) const TITLE: &str = "IMDB reviews";
pub(super) const PUBLISHED: Option<&PublishedSet> = Some(&FILES);
pub(super) use text::{input_shape, task};

static FILES: PublishedSet = PublishedSet {
    title: TITLE,
    licence: "no licence stated; cite Maas et al. (2011), see https://ai.stanford.edu/~amaas/data/sentiment/",
    samples: None,
    layouts: &[
        Layout {
            folders: &["aclImdb", "aclImdb_v1", "imdb"],
            // The first review of each folder.
            files: &[
                &["train/neg/0_3.txt"],
                &["train/pos/0_9.txt"],
                &["test/neg/0_2.txt"],
                &["test/pos/0_10.txt"],
            ],
            unmistakable: true,
        },
        Layout {
            folders: &["imdb", "aclImdb"],
            files: &[&["train.csv"], &["test.csv"]],
            unmistakable: false,
        },
        Layout {
            folders: &["imdb", "aclImdb"],
            files: &[&["IMDB Dataset.csv"]],
            unmistakable: true,
        },
    ],
    files: &[PublishedFile {
        url: "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        path: "aclImdb_v1.tar.gz",
        bytes: Some(84_125_825),
        sha256: "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    }],
    folder: "aclImdb",
    archive: true,
};

/// The checksums of the published reviews, as `text` computes them.
const SUMS: &[(&str, &str)] = &[
    ("train", "74021ef1f6f3d0afc81d61b2499a856ec6d553ad73c1db752307487b06ffff64"),
    ("test", "ff52dc14423402427191b730d62802beb36bc50c4c5191fe17562af6913365ff"),
];

pub(super) fn load(
    settings: &TextSettings,
    parts: Parts,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    text::load_published(&FILES, SUMS, settings, parts, options, progress)
}
