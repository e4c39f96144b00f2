//! An input, and the files that it becomes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use converge_data::LoadOptions;

/// Which of `kinds` the first byte of `input` chooses, and the rest.
pub(super) fn choose(input: &[u8], kinds: u8) -> (u8, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (first.wrapping_sub(b'0') % kinds, rest))
}

/// Writes a file that a target reads, and the folders that it lies in.
pub(super) fn write(path: &Path, contents: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
    fs::write(path, contents).expect("a file");
}

/// Data are in `folder`, and nowhere else.
pub(super) fn options(folder: &Path) -> LoadOptions {
    LoadOptions {
        directory: Some(folder.to_owned()),
        replaces_path: false,
        cache: folder.join("cache"),
        mirror: Some("http://127.0.0.1:9".to_owned()),
        timeout: Duration::from_secs(1),
    }
}
