//! Finds and reads texts on disk: folders of `.txt` files by class, or CSV files.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use converge_record::checksum::Hasher;

use super::corpus::{Corpus, Labelled, TITLE, Texts, two};
use super::table;
use crate::decode::decode_file;
use crate::{DataError, Parts, SourceFile};

/// Reviews without a class, beside those of `aclImdb`.
const UNLABELLED: &str = "unsup";

/// CSV files that hold all texts: the usual name, and Kaggle's of the reviews of IMDB.
const WHOLE_TABLES: [&str; 2] = ["data.csv", "IMDB Dataset.csv"];

/// What the readers take, for errors.
const LAYOUTS: &str = "`train/CLASS/*.txt` and `test/CLASS/*.txt`, `train.csv` and `test.csv`, \
                       `data.csv`, or `CLASS/*.txt`";

/// Reads at least the `parts` asked for of the texts at `path`, a CSV file or a folder. `checksums` are
/// those of published folders.
pub(super) fn read(
    path: &Path,
    parts: Parts,
    checksums: &[(&str, &str)],
) -> Result<Corpus, DataError> {
    if path.is_file() {
        return table::read_whole(path);
    }
    let [train, test] = ["train", "test"].map(|name| path.join(name));
    if train.is_dir() {
        present(path, "test", test.is_dir())?;
        return read_split(&train, &test, parts, checksums);
    }
    let [train, test] = ["train.csv", "test.csv"].map(|name| path.join(name));
    if train.is_file() {
        present(path, "test.csv", test.is_file())?;
        return table::read_split(&train, &test, parts);
    }
    if let Some(table) = WHOLE_TABLES.iter().map(|name| path.join(name)).find(|file| file.is_file())
    {
        return table::read_whole(&table);
    }
    let classes = classes(path)?;
    if classes.is_empty() {
        return Err(DataError::unusable(path, format!("holds no texts; {LAYOUTS} can be read")));
    }
    let class_names = two(path, classes)?;
    let (texts, file) = read_classes(path, &class_names, &[])?;
    Ok(Corpus { class_names, texts: Texts::Whole(texts), files: vec![file] })
}

/// The file or folder `name` of `folder` is there.
fn present(folder: &Path, name: &str, is_there: bool) -> Result<(), DataError> {
    if is_there {
        return Ok(());
    }
    let (folder, file) = (folder.to_owned(), name.to_owned());
    Err(DataError::MissingFile { title: TITLE, folder, file })
}

fn read_split(
    train: &Path,
    test: &Path,
    parts: Parts,
    checksums: &[(&str, &str)],
) -> Result<Corpus, DataError> {
    let class_names = two(train, classes(train)?)?;
    let found = classes(test)?;
    if found != class_names {
        let names = |names: &[String]| names.join("`, `");
        return Err(DataError::unusable(
            test,
            format!(
                "holds the classes `{}`, but there are `{}` to train on",
                names(&found),
                names(&class_names)
            ),
        ));
    }
    let mut files = Vec::new();
    let mut split = |folder: &Path, part: Parts| {
        if !parts.describes(part) {
            return Ok(Labelled::new());
        }
        let (texts, file) = read_classes(folder, &class_names, checksums)?;
        files.push(file);
        Ok::<_, DataError>(if parts.holds(part) { texts } else { Labelled::new() })
    };
    let texts = Texts::Split(split(train, Parts::Training)?, split(test, Parts::Test)?);
    Ok(Corpus { class_names, texts, files })
}

/// The folders in `folder` that hold texts, in alphabetical order.
fn classes(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(DataError::io("read", folder))? {
        let path = entry.map_err(DataError::io("read", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != UNLABELLED && !texts_in(&path)?.is_empty() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The `.txt` files in `folder`, in the order of the numbers that their names begin with.
fn texts_in(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(DataError::io("read", folder))? {
        let path = entry.map_err(DataError::io("read", folder))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|end| end.eq_ignore_ascii_case("txt")) {
            paths.push(path);
        }
    }
    paths.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_owned();
        (leading_number(&name), name)
    });
    Ok(paths)
}

/// The number that `name` begins with; without one, the name comes behind all others.
fn leading_number(name: &OsStr) -> u64 {
    let name = name.to_string_lossy();
    let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    name[..digits].parse().unwrap_or(u64::MAX)
}

/// Reads the texts of each class below `folder`, class by class, and describes them like one file:
/// the checksum is the SHA-256 of `CLASS/NAME`, a zero byte, the text and a zero byte for every text, in
/// the order of reading.
fn read_classes(
    folder: &Path,
    class_names: &[String],
    checksums: &[(&str, &str)],
) -> Result<(Labelled, SourceFile), DataError> {
    let mut texts = Labelled::new();
    let (mut hasher, mut bytes) = (Hasher::default(), 0);
    for (name, class) in class_names.iter().zip(0..) {
        for path in texts_in(&folder.join(name))? {
            let contents = fs::read(&path).map_err(DataError::io("read", &path))?;
            bytes += contents.len() as u64;
            hasher.update(name);
            hasher.update("/");
            hasher.update(path.file_name().unwrap_or_default().as_encoded_bytes());
            hasher.update([0]);
            hasher.update(&contents);
            hasher.update([0]);
            texts.push((class, decode_file(&path, &contents)?.into_owned()));
        }
    }
    let sha256 = hasher.finish();
    let official = checksums
        .iter()
        .find(|(name, _)| folder.ends_with(name))
        .map(|(_, published)| *published == sha256);
    Ok((texts, SourceFile { path: folder.to_owned(), bytes, sha256, official }))
}
