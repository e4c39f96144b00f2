//! Which images of which classes are in a folder: `train/CLASS/*` and `val/CLASS/*`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{DataError, DownloadProgress, Parts};

/// What the folder of held-out images may be called; the first there is counts.
const HELD_OUT: [&str; 4] = ["test", "val", "valid", "validation"];
/// What images end in.
const ENDINGS: [&str; 6] = ["jpg", "jpeg", "png", "gif", "webp", "bmp"];

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
    /// Lists the images in `folder`.
    pub(super) fn new(
        folder: &Path,
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
        let class_names = class_names(&train)?;
        if let [] | [_] = class_names.as_slice() {
            let problem = match class_names.first() {
                Some(class) => format!("has the class `{class}` only; a classifier needs two"),
                None => "has no folders; put the images of each class in one".to_owned(),
            };
            return Err(DataError::unusable(&train, problem));
        }
        let test = folder.join(test);
        if let Some(class) = self::class_names(&test)?.iter().find(|c| !class_names.contains(c)) {
            return Err(DataError::unusable(
                &test,
                format!(
                    "has the class `{class}`, which `{}` has not; classes are: {}",
                    train.display(),
                    class_names.join(", ")
                ),
            ));
        }
        let training = Split::new(&train, &class_names)?;
        if let Some(class) = (0_u32..)
            .zip(&class_names)
            .find(|(class, _)| !training.images.iter().any(|(_, other)| other == class))
            .map(|(_, name)| name)
        {
            let problem = format!("has no images; they end in {}", ENDINGS.join(", "));
            return Err(DataError::unusable(&train.join(class), problem));
        }
        let test = Split::new(&test, &class_names)?;
        if test.images.is_empty() {
            return Err(DataError::unusable(&test.folder, "has no images in its folders"));
        }
        Ok(Self { class_names, training, test })
    }

    /// The split that is [`Parts::Training`] or [`Parts::Test`].
    pub(super) fn split(&self, part: Parts) -> &Split {
        if part == Parts::Test { &self.test } else { &self.training }
    }
}

impl Split {
    fn new(folder: &Path, class_names: &[String]) -> Result<Self, DataError> {
        let mut images = Vec::new();
        for (name, class) in class_names.iter().zip(0_u32..) {
            let folder = folder.join(name);
            // A class may be absent from the held-out images.
            if folder.is_dir() {
                let files = visible(&folder)?.into_iter().filter(|path| is_image(path));
                images.extend(files.map(|path| (path, class)));
            }
        }
        Ok(Self { folder: folder.to_owned(), images })
    }
}

/// The names of the folders in `folder`, sorted.
fn class_names(folder: &Path) -> Result<Vec<String>, DataError> {
    let folders = visible(folder)?.into_iter().filter(|path| path.is_dir());
    Ok(folders.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
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

fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)) && path.is_file()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::NoProgress;

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
        let listing = Listing::new(folder.path(), &mut NoProgress).unwrap();
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
    fn folders_that_cannot_be_learned_from_are_named() {
        for (files, problem) in [
            (&["a.jpg"][..], "has no folders `train` and `val`"),
            (&["train/a/1.jpg", "train/b/1.jpg"], "has no folders `train` and `val`"),
            (&["train/1.jpg", "val/1.jpg"], "has no folders; put"),
            (&["train/a/1.jpg", "val/a/1.jpg"], "has the class `a` only"),
            (&["train/a/1.jpg", "train/b/1.jpg", "val/c/1.jpg"], "has the class `c`"),
            (&["train/a/1.jpg", "train/b/1.txt", "val/a/1.jpg"], "has no images; they end in"),
            (&["train/a/1.jpg", "train/b/1.jpg", "val/a/"], "has no images in its folders"),
        ] {
            let folder = folder(files);
            let error = Listing::new(folder.path(), &mut NoProgress).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
