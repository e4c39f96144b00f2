//! Which images of which classes are in a folder: `train/CLASS/**` and `val/CLASS/**`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::image_file::ENDINGS;
use crate::{DataError, DownloadProgress, Parts};

/// What the folder of held-out images may be called; the first there is counts.
const HELD_OUT: [&str; 4] = ["test", "val", "valid", "validation"];
/// How deep folders may lie in each other, so that a link to a folder above ends somewhere.
const DEEPEST: usize = 16;

/// The images of a folder.
#[derive(Debug)]
pub(super) struct Listing {
    /// The classes: the folders in `train`, sorted by name.
    pub class_names: Vec<String>,
    /// Training images, class by class, sorted by name.
    pub training: Split,
    /// Held-out images, in the same order.
    pub test: Split,
}

/// The images of one split.
#[derive(Debug)]
pub(super) struct Split {
    /// Its folder.
    pub folder: PathBuf,
    /// Each image, and its class.
    pub images: Vec<(PathBuf, u32)>,
}

impl Listing {
    /// Lists the images in `folder`, but for those named `placeholder` (with any ending), which
    /// show nothing of their class.
    pub(super) fn new(
        folder: &Path,
        placeholder: Option<&str>,
        progress: &mut dyn DownloadProgress,
    ) -> Result<Self, DataError> {
        if !folder.is_dir() {
            return Err(DataError::unusable(folder, "does not exist or is no folder"));
        }
        let held_out: Vec<&str> =
            HELD_OUT.into_iter().filter(|name| folder.join(name).is_dir()).collect();
        let train = folder.join("train");
        let (true, Some((&test, unused))) = (train.is_dir(), held_out.split_first()) else {
            return Err(DataError::unusable(
                folder,
                "has no folders `train` and `val`; put images in train/CLASS and val/CLASS",
            ));
        };
        for name in unused {
            let folder = folder.display();
            progress.notice(&format!("`{folder}` has `{test}` and `{name}`: `{name}` is not used"));
        }
        let classes = folders_in(&train)?;
        let class_names: Vec<String> = classes.iter().map(shown).collect();
        if let [] | [_] = class_names.as_slice() {
            let problem = match class_names.first() {
                Some(class) => format!("has the class `{class}` only; a classifier needs two"),
                None => "has no folders; put the images of each class in one".to_owned(),
            };
            return Err(DataError::unusable(&train, problem));
        }
        let test = folder.join(test);
        if let Some(class) = folders_in(&test)?.iter().find(|class| !classes.contains(class)) {
            return Err(DataError::unusable(
                &test,
                format!(
                    "has the class `{}`, which `{}` has not; classes are: `{}`",
                    shown(class),
                    train.display(),
                    class_names.join("`, `")
                ),
            ));
        }
        let training = Split::new(&train, &classes, placeholder, progress)?;
        if let Some(class) = training.class_without_images(&classes) {
            return Err(DataError::unusable(&train.join(class), NO_IMAGES));
        }
        let test = Split::new(&test, &classes, placeholder, progress)?;
        if test.images.is_empty() {
            return Err(DataError::unusable(&test.folder, "has no images in its folders"));
        }
        if let Some(class) = test.class_without_images(&classes) {
            let folder = test.folder.join(class);
            progress
                .notice(&format!("`{}` has no images: that class is not scored", folder.display()));
        }
        Ok(Self { class_names, training, test })
    }

    /// The split that is [`Parts::Training`] or [`Parts::Test`].
    pub(super) fn split(&self, part: Parts) -> &Split {
        if part == Parts::Test { &self.test } else { &self.training }
    }
}

/// Of the folder of a class, to follow its name.
const NO_IMAGES: &str = "has no images that can be read: JPEG, PNG, GIF, WebP, BMP, TIFF or PNM";

impl Split {
    fn new(
        folder: &Path,
        classes: &[OsString],
        placeholder: Option<&str>,
        progress: &mut dyn DownloadProgress,
    ) -> Result<Self, DataError> {
        let (mut images, mut others) = (Vec::new(), BTreeMap::new());
        for (name, class) in classes.iter().zip(0_u32..) {
            let folder = folder.join(name);
            // A class may be absent from the held-out images.
            if folder.is_dir() {
                let mut files = Vec::new();
                files_below(&folder, DEEPEST, &mut files)?;
                files.sort_unstable();
                for path in files {
                    if placeholder.is_some_and(|name| path.file_stem() == Some(name.as_ref())) {
                        continue;
                    }
                    match kind(&path) {
                        Ok(()) => images.push((path, class)),
                        Err(kind) => *others.entry(kind).or_insert(0) += 1,
                    }
                }
            }
        }
        if !others.is_empty() {
            let counts: Vec<String> =
                others.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            progress.notice(&format!(
                "files in `{}` that cannot be read as images are left out: {}",
                folder.display(),
                counts.join(", ")
            ));
        }
        Ok(Self { folder: folder.to_owned(), images })
    }

    fn class_without_images<'a>(&self, classes: &'a [OsString]) -> Option<&'a OsString> {
        let has_images = |class| self.images.iter().any(|(_, other)| *other == class);
        (0_u32..).zip(classes).find(|(class, _)| !has_images(*class)).map(|(_, name)| name)
    }
}

/// A name as people read it.
fn shown(name: &OsString) -> String {
    name.to_string_lossy().into_owned()
}

/// The names of the folders in `folder`, sorted.
fn folders_in(folder: &Path) -> Result<Vec<OsString>, DataError> {
    let folders = visible(folder)?.into_iter().filter(|path| path.is_dir());
    Ok(folders.filter_map(|path| Some(path.file_name()?.to_owned())).collect())
}

/// Adds the files in `folder` and in the folders below it, so many deep.
fn files_below(folder: &Path, deep: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    for path in visible(folder)? {
        if !path.is_dir() {
            files.push(path);
        } else if deep > 0 {
            files_below(&path, deep - 1, files)?;
        } else {
            return Err(DataError::unusable(
                &path,
                format!("lies {DEEPEST} folders deep; is it a link to a folder above?"),
            ));
        }
    }
    Ok(())
}

/// What is in `folder`, sorted by name, but for hidden files and folders.
fn visible(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(DataError::io("read", folder))? {
        let entry = entry.map_err(DataError::io("read", folder))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

/// That `path` is an image by its name, or what it is instead.
fn kind(path: &Path) -> Result<(), String> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending {
        _ if !path.is_file() => Err("pipes, devices or broken links".to_owned()),
        Some(ending) if ENDINGS.contains(&ending.as_str()) => Ok(()),
        Some(ending) => Err(format!(".{ending}")),
        None => Err("without an ending".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::NoProgress;
    use crate::fetch::Notices;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            if file.ends_with('/') {
                fs::create_dir_all(path).unwrap();
                continue;
            }
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    #[test]
    fn classes_and_images_are_sorted_by_name() {
        let folder = folder(&[
            "train/bees/b.PNG",
            "train/bees/a.jpeg",
            "train/ants/z.gif",
            "train/ants/notes.txt",
            "train/.cache/x.jpg",
            "valid/bees/._c.jpg",
            "valid/bees/c.jpg",
        ]);
        let listing = Listing::new(folder.path(), None, &mut NoProgress).unwrap();
        assert_eq!(listing.class_names, ["ants", "bees"]);
        let names = |split: &Split| -> Vec<(String, u32)> {
            let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
            split.images.iter().map(|(path, class)| (name(path), *class)).collect()
        };
        let expected = [("z.gif", 0), ("a.jpeg", 1), ("b.PNG", 1)];
        assert_eq!(names(&listing.training), expected.map(|(name, c)| (name.to_owned(), c)));
        assert_eq!(names(&listing.test), [("c.jpg".to_owned(), 1)]);
    }

    #[test]
    fn nested_images_are_read_and_what_is_left_out_is_counted() {
        let folder = folder(&[
            "train/a/2019/1.tif",
            "train/a/2020/june/2.TIFF",
            "train/a/3.heic",
            "train/a/none.gif",
            "train/b/1.jfif",
            "train/b/2.ppm",
            "train/b/3.HEIC",
            "train/b/README",
            "val/a/new/1.jpe",
            "val/b/",
        ]);
        let mut notices = Notices::default();
        let listing = Listing::new(folder.path(), Some("none"), &mut notices).unwrap();
        assert_eq!((listing.training.images.len(), listing.test.images.len()), (4, 1));
        let [left_out, without] = notices.0.as_slice() else {
            panic!("{notices:?}", notices = notices.0)
        };
        assert!(left_out.ends_with("are left out: 2 .heic, 1 without an ending"), "{left_out}");
        assert!(without.contains("val/b` has no images"), "{without}");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf_8_and_circles_of_links_are_no_trouble() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = folder(&["train/a/1.png", "val/a/1.png"]);
        for split in ["train", "val"] {
            let class = folder.path().join(split).join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
            fs::create_dir_all(&class).unwrap();
            fs::write(class.join(std::ffi::OsStr::from_bytes(b"\xff.png")), "").unwrap();
        }
        let listing = Listing::new(folder.path(), None, &mut NoProgress).unwrap();
        assert_eq!(listing.class_names, ["a", "caf\u{fffd}"]);
        assert_eq!((listing.training.images.len(), listing.test.images.len()), (2, 2));
        std::os::unix::fs::symlink("..", folder.path().join("train/a/up")).unwrap();
        let error = Listing::new(folder.path(), None, &mut NoProgress).unwrap_err().to_string();
        assert!(error.contains("is it a link to a folder above?"), "{error}");
    }

    #[test]
    fn folders_that_cannot_be_learned_from_are_named() {
        for (files, problem) in [
            (&["a.jpg"][..], "has no folders `train` and `val`"),
            (&["train/a/1.jpg", "train/b/1.jpg"], "has no folders `train` and `val`"),
            (&["train/1.jpg", "val/1.jpg"], "has no folders; put"),
            (&["train/a/1.jpg", "val/a/1.jpg"], "has the class `a` only"),
            (&["train/a/1.jpg", "train/b/1.jpg", "val/c/1.jpg"], "has the class `c`"),
            (
                &["train/a/1.jpg", "train/b/1.txt", "val/a/1.jpg"],
                "train/b` has no images that can be read: JPEG",
            ),
            (&["train/a/1.jpg", "train/b/1.jpg", "val/a/"], "has no images in its folders"),
        ] {
            let folder = folder(files);
            let error = Listing::new(folder.path(), None, &mut NoProgress).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
