//! MovieLens 100K: 100,000 ratings of 1,682 films by 943 people (Harper and Konstan, 2015).
//!
//! Read as GroupLens ships it: `u.data` or one of its folds `u1` to `u5`, and the titles of
//! `u.item`. Ratings are whole stars from 1 to 5.

use std::collections::HashMap;
use std::path::Path;

use super::published::Obtained;
use super::ratings::{
    self, Collector, FEATURE_NAMES, MovieLensSettings, RatingSplit, draw_into, read_into, stand_in,
};
use super::split::split_test;
use super::{
    DataError, DataSet, DownloadProgress, Layout, LoadOptions, Origin, Parts, PublishedFile,
    PublishedSet, Samples, SourceFile, Task, checksum, images,
};

pub(super) const TITLE: &str = "MovieLens 100K";
pub(super) const PUBLISHED: Option<&PublishedSet> = Some(&FILES);

static FILES: PublishedSet = PublishedSet {
    title: TITLE,
    licence: "research only, must not be redistributed, cite Harper and Konstan (2015), see \
              https://files.grouplens.org/datasets/movielens/ml-100k-README.txt",
    samples: None,
    layouts: &[Layout {
        folders: &["ml-100k", "MovieLens/ml-100k", "movielens/ml-100k", "movielens"],
        files: &[
            &["u.data"],
            &[TITLES],
            &["u1.base"],
            &["u1.test"],
            &["u2.base"],
            &["u2.test"],
            &["u3.base"],
            &["u3.test"],
            &["u4.base"],
            &["u4.test"],
            &["u5.base"],
            &["u5.test"],
        ],
        unmistakable: true,
    }],
    files: &[PublishedFile {
        url: "https://files.grouplens.org/datasets/movielens/ml-100k.zip",
        path: "ml-100k.zip",
        bytes: Some(4_924_029),
        sha256: "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
    }],
    folder: "ml-100k",
    archive: true,
};

const TITLES: &str = "u.item";
const RATINGS: usize = 100_000;
/// Ratings in the test split of a fold.
const FOLD: usize = 20_000;
const RANGE: [f32; 2] = [1.0, 5.0];

pub(super) fn task(_settings: &MovieLensSettings) -> Task {
    Task::Regression
}

pub(super) fn input_shape(_settings: &MovieLensSettings) -> Vec<usize> {
    vec![FEATURE_NAMES.len()]
}

/// The tables are small, so both parts come always.
pub(super) fn load(
    settings: &MovieLensSettings,
    _parts: Parts,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    let split = match settings.split {
        RatingSplit::Folds => format!("fold {}", settings.fold),
        RatingSplit::Random => "split at random".to_owned(),
    };
    let (samples, title, description, files, stand_in_reason, origin) =
        match FILES.obtain(settings.source, options, progress)? {
            Obtained::Folder(folder) => {
                let (samples, files) = real(&folder, settings, progress)?;
                let description = format!("{TITLE} from {}, {split}", folder.display());
                (samples, TITLE.to_owned(), description, files, None, Origin::Real)
            }
            Obtained::StandIn(reason) => {
                let description = format!("{}, {split}", ratings::stand_in_description(TITLE));
                let title = format!("{TITLE} (synthetic)");
                let origin = Origin::SyntheticStandIn;
                (drawn(settings), title, description, Vec::new(), reason, origin)
            }
        };
    let (training, test) = match settings.split {
        RatingSplit::Folds => samples,
        RatingSplit::Random => split_test(&samples.0, settings.test_fraction, settings.split_seed)?,
    };
    Ok(DataSet {
        title,
        origin,
        description,
        stand_in_reason,
        files,
        class_names: Vec::new(),
        feature_names: images::owned(&FEATURE_NAMES),
        training,
        test,
    })
}

/// The training and the test ratings of the fold, or all ratings and none.
fn real(
    folder: &Path,
    settings: &MovieLensSettings,
    progress: &mut dyn DownloadProgress,
) -> Result<((Samples, Samples), Vec<SourceFile>), DataError> {
    let fold = settings.fold;
    let tables = match settings.split {
        RatingSplit::Folds => {
            vec![(format!("u{fold}.base"), RATINGS - FOLD), (format!("u{fold}.test"), FOLD)]
        }
        RatingSplit::Random => vec![("u.data".to_owned(), RATINGS)],
    };
    let mut collector = Collector::default();
    let mut files = Vec::new();
    for (index, (name, expected)) in tables.into_iter().enumerate() {
        if index > 0 {
            collector.begin_test();
        }
        let path = present(folder, &name)?;
        files.push(read_into(&path, FILES.files, RANGE, &mut collector, progress)?.0);
        let (found, _) = collector.counts();
        if found != expected {
            let problem = format!("has {found} ratings, but there are {expected}");
            return Err(DataError::corrupt(&path, problem));
        }
    }
    let path = present(folder, TITLES)?;
    let (contents, file) = checksum::read(&path, FILES.files)?;
    let titles = titles(&contents).map_err(|problem| DataError::corrupt(&path, problem))?;
    files.push(file);
    Ok((collector.finish(&titles, RANGE), files))
}

fn present(folder: &Path, file: &str) -> Result<std::path::PathBuf, DataError> {
    let path = folder.join(file);
    if path.is_file() {
        return Ok(path);
    }
    Err(DataError::MissingFile { title: TITLE, folder: folder.to_owned(), file: file.to_owned() })
}

/// The title of each film by its identifier: the first two columns of `u.item`, in Latin-1.
fn titles(contents: &[u8]) -> Result<HashMap<String, String>, String> {
    let mut titles = HashMap::new();
    for (line, number) in contents.split(|&byte| byte == b'\n').zip(1_usize..) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let mut columns = line.split(|&byte| byte == b'|').map(|column| {
            let text: String = column.iter().copied().map(char::from).collect();
            text.trim().to_owned()
        });
        let (Some(id), Some(title)) = (columns.next(), columns.next()) else {
            return Err(format!("has no title on line {number}"));
        };
        titles.insert(id, title);
    }
    Ok(titles)
}

/// The stand-in, split like the real ratings: a fold is the fifth of them that is drawn in turn.
fn drawn(settings: &MovieLensSettings) -> (Samples, Samples) {
    let mut collector = Collector::default();
    let fold = match settings.split {
        RatingSplit::Folds => (settings.fold - 1) * FOLD..settings.fold * FOLD,
        RatingSplit::Random => 0..0,
    };
    draw_into(&mut collector, |place| !fold.contains(&place));
    collector.begin_test();
    draw_into(&mut collector, |place| fold.contains(&place));
    collector.finish(&HashMap::new(), stand_in::RANGE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;
    use crate::{Inputs, NoProgress, Source, Targets};

    #[test]
    fn titles_are_latin_1() {
        // Line 543 of u.item as GroupLens ships it, cut short, and a made-up one.
        let text = b"543|Mis\xe9rables, Les (1995)|01-Jan-1995||http\n7|Twelve (1995)\n";
        let titles = titles(text).unwrap();
        assert_eq!(titles["543"], "Mis\u{e9}rables, Les (1995)");
        assert_eq!(titles["7"], "Twelve (1995)");
        assert!(super::titles(b"1|One\n2\n").unwrap_err().contains("line 2"));
    }

    #[test]
    fn the_stand_in_has_five_folds_that_part_all_ratings() {
        let mut tested = Vec::new();
        for fold in 1..=5 {
            let settings = MovieLensSettings { fold, ..MovieLensSettings::default() };
            let (training, test) = drawn(&settings);
            assert_eq!((training.len(), test.len()), (80_000, 20_000));
            let (Inputs::Pairs(pairs), Targets::Values(_)) = (&test.inputs, &test.targets) else {
                panic!("ratings are pairs with values");
            };
            let names = |pair: &[u32]| {
                let user = pairs.catalogue.users[pair[0] as usize].clone();
                (user, pairs.catalogue.items[pair[1] as usize].id.clone())
            };
            tested.extend(pairs.places.chunks_exact(2).map(names));
        }
        tested.sort_unstable();
        tested.dedup();
        assert_eq!(tested.len(), RATINGS);
    }

    #[test]
    fn a_fold_that_is_cut_short_or_absent_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let settings = MovieLensSettings { source: Source::Real, ..MovieLensSettings::default() };
        let options = LoadOptions {
            replaces_path: false,
            directory: Some(folder.path().to_owned()),
            cache: folder.path().join("cache"),
            mirror: None,
            timeout: std::time::Duration::from_secs(1),
        };
        let problem =
            || load(&settings, Parts::Both, &options, &mut NoProgress).unwrap_err().to_string();
        fs::write(folder.path().join("u.data"), "").unwrap();
        assert!(problem().contains("`u1.base` is missing"), "{}", problem());
        fs::write(folder.path().join("u1.base"), "1\t1\t5\t874965758\n1\t2\t3\t876893171\n")
            .unwrap();
        assert!(problem().contains("u1.base` has 2 ratings, but there are 80000"), "{}", problem());
        fs::write(folder.path().join("u1.base"), "1\t1\t5\t874965758\n1\t2\n").unwrap();
        assert!(problem().contains("u1.base` has no rating on line 2"), "{}", problem());
    }
}
