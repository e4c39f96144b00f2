//! Finds data sets on disk in the layouts that people already have.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// One way in which people keep a data set on disk.
#[derive(Debug)]
pub struct Layout {
    /// The folders, relative to a folder of data sets, most usual first.
    pub folders: &'static [&'static str],
    /// Its files, each under any one of the names given, most usual first.
    pub files: &'static [&'static [&'static str]],
    /// Whether its file names belong to this data set alone, so that a folder of any name that
    /// holds them is taken for it.
    pub unmistakable: bool,
}

/// The first folder below `base`, or `base` itself, that holds a file of one of `layouts`.
///
/// A layout's folder `MNIST/raw` matches `base/MNIST/raw`; and where `base` itself ends in `MNIST`
/// or `MNIST/raw`, what is left of it. So a file name shared by two data sets is told apart by its
/// folder.
pub(super) fn locate(
    layouts: &'static [Layout],
    base: &Path,
) -> Option<(PathBuf, &'static Layout)> {
    // `.` and links hide the folder's own name.
    let named = base.canonicalize().ok()?;
    layouts.iter().find_map(|layout| {
        let below = layout.folders.iter().map(|folder| base.join(folder));
        let within = layout.folders.iter().filter_map(|folder| rest(&named, base, folder));
        let itself = layout.unmistakable.then(|| base.to_owned());
        below
            .chain(within)
            .chain(itself)
            .find(|folder| layout.holds_any(folder))
            .map(|folder| (folder, layout))
    })
}

/// `base` and the end of `folder` that is not yet in its name; `None` where no beginning of
/// `folder` ends the name.
fn rest(named: &Path, base: &Path, folder: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = folder.split('/').collect();
    (1..=parts.len()).rev().find_map(|count| {
        let (beginning, end) = parts.split_at(count);
        let same = |name: &OsStr, part: &str| {
            name.to_str().is_some_and(|name| name.eq_ignore_ascii_case(part))
        };
        let mut ends = named.iter().rev();
        let matches =
            beginning.iter().rev().all(|part| ends.next().is_some_and(|name| same(name, part)));
        matches.then(|| end.iter().fold(base.to_owned(), |path, part| path.join(part)))
    })
}

impl Layout {
    /// Whether at least one of its files is in `folder`.
    pub(super) fn holds_any(&self, folder: &Path) -> bool {
        self.files.iter().any(|names| existing(folder, names).is_some())
    }

    /// The usual name of the first of its files that is not in `folder`.
    pub fn missing(&self, folder: &Path) -> Option<&'static str> {
        self.files
            .iter()
            .find(|names| existing(folder, names).is_none())
            .and_then(|names| names.first().copied())
    }
}

/// The path of the first of `names` that is a file in `folder`.
pub(super) fn existing(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    static DIGITS: &[Layout] = &[Layout {
        folders: &["mnist", "MNIST/raw"],
        files: &[&["images", "images.gz"], &["labels"]],
        unmistakable: false,
    }];
    static CLOTHES: &[Layout] = &[Layout {
        folders: &["fashion-mnist"],
        files: &[&["images", "images.gz"], &["labels"]],
        unmistakable: false,
    }];
    static OWN_NAMES: &[Layout] =
        &[Layout { folders: &["cifar"], files: &[&["data_batch_1.bin"]], unmistakable: true }];

    fn found(layouts: &'static [Layout], base: &Path) -> Option<PathBuf> {
        locate(layouts, base).map(|(folder, _)| folder)
    }

    #[test]
    fn a_folder_of_data_sets_and_the_folder_itself_are_both_found() {
        let base = tempfile::tempdir().unwrap();
        let raw = base.path().join("MNIST").join("raw");
        fs::create_dir_all(&raw).unwrap();
        assert_eq!(found(DIGITS, base.path()), None);
        fs::write(raw.join("images.gz"), "").unwrap();
        for start in [base.path(), &base.path().join("MNIST"), &raw] {
            assert_eq!(found(DIGITS, start).as_ref(), Some(&raw), "{}", start.display());
        }
        assert_eq!(DIGITS[0].missing(&raw), Some("labels"));
    }

    #[test]
    fn files_of_the_same_name_are_told_apart_by_their_folder() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("mnist");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("images"), "").unwrap();
        assert_eq!(found(DIGITS, &folder).as_ref(), Some(&folder));
        assert_eq!(found(CLOTHES, &folder), None);
        assert_eq!(found(CLOTHES, base.path()), None);
    }

    #[test]
    fn unmistakable_files_are_found_in_a_folder_of_any_name() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("data_batch_1.bin"), "").unwrap();
        assert_eq!(found(OWN_NAMES, base.path()).as_deref(), Some(base.path()));
        assert_eq!(found(OWN_NAMES, &base.path().join("absent")), None);
    }
}
