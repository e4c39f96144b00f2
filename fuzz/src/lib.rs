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
mod input;
pub mod logs;
pub mod run_directory;
pub mod tables;
pub mod texts;
#[cfg(feature = "burn")]
pub mod weights;
