//! Archives of data sets, as they are unpacked once they were downloaded.

use std::fs;
use std::io::Write as _;

use converge_data::{Layout, NoProgress, PublishedFile, PublishedSet};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::input::{choose, options, write};

const LAYOUT: Layout = Layout { folders: &["set"], files: &[&["a"]], unmistakable: false };

/// A set in an archive of any checksum.
const fn set(files: &'static [PublishedFile]) -> PublishedSet {
    PublishedSet {
        title: "Set",
        licence: "",
        samples: None,
        layouts: &[LAYOUT],
        files,
        folder: "set",
        archive: true,
    }
}

static ZIP: PublishedSet =
    set(&[PublishedFile { url: "", path: "set.zip", bytes: None, sha256: "" }]);
static TAR: PublishedSet =
    set(&[PublishedFile { url: "", path: "set.tgz", bytes: None, sha256: "" }]);

/// `0`: a zip archive; `1`: a gzipped tar archive; `2`: a tar archive, which is gzipped here, as no
/// change to a compressed one gets past its checksum.
pub fn read(input: &[u8]) {
    let (kind, contents) = choose(input, 3);
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let (set, contents) = match kind {
        0 => (&ZIP, contents.to_owned()),
        1 => (&TAR, contents.to_owned()),
        _ => {
            let mut encoder = GzEncoder::new(vec![], Compression::none());
            encoder.write_all(contents).expect("memory");
            (&TAR, encoder.finish().expect("memory"))
        }
    };
    write(&cache.join(set.files[0].path), &contents);
    let options = converge_data::LoadOptions { directory: None, ..options(folder.path()) };
    let _ = set.fetch_file(&options, &mut NoProgress);
    // Whatever it holds, nothing lands beside the cache.
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
}
