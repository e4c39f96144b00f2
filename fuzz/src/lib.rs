//! What the fuzz targets do with an input: they hand it to the program as a file, as a user would.
//! An error is a fine answer; a panic, a hang or a flood of memory is not.
//!
//! Where a target reads files of several kinds, the first byte of the input says which, from `0` on.

pub mod archive;
#[cfg(feature = "burn")]
pub mod checkpoint;
pub mod cifar;
#[cfg(feature = "burn")]
pub mod experiment;
pub mod idx;
pub mod images;
pub mod logs;
pub mod run_directory;
pub mod tables;
pub mod texts;
#[cfg(feature = "burn")]
pub mod weights;

use std::fs;
use std::path::Path;
use std::time::Duration;

use converge_data::LoadOptions;

/// Which of `kinds` the first byte of `input` chooses, and the rest.
fn choose(input: &[u8], kinds: u8) -> (u8, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (first.wrapping_sub(b'0') % kinds, rest))
}

/// Writes a file that a target reads, and the folders that it lies in.
fn write(path: &Path, contents: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
    fs::write(path, contents).expect("a file");
}

/// Data are in `folder`, and nowhere else.
fn options(folder: &Path) -> LoadOptions {
    LoadOptions {
        directory: Some(folder.to_owned()),
        replaces_path: false,
        cache: folder.join("cache"),
        mirror: Some("http://127.0.0.1:9".to_owned()),
        timeout: Duration::from_secs(1),
    }
}
