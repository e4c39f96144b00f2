//! Texts of two classes: sentiment, spam and the like.
//!
//! Reads CSV files and folders of one's own (`path`), and serves data sets with published files,
//! such as `imdb`. Texts stay as they are in [`Inputs::Texts`]; `Preprocessing` numbers their words
//! with a [`Vocabulary`] of the training texts.

mod corpus;
mod files;
mod settings;
mod stand_in;
mod table;
mod vocabulary;

use std::path::Path;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

pub use settings::TextSettings;
pub use vocabulary::{Encoding, Side, Vocabulary};

use corpus::{Corpus, Labelled, Texts};

use super::published::Obtained;
use super::split::split_test;
use super::{
    DataError, DataSet, DownloadProgress, Inputs, LoadOptions, Origin, Parts, PublishedSet,
    Samples, Source, Targets, Task,
};

pub(super) use corpus::TITLE;
pub(super) const PUBLISHED: Option<&PublishedSet> = None;
pub(super) fn task(_settings: &TextSettings) -> Task {
    Task::BinaryClassification
}

pub(super) fn input_shape(settings: &TextSettings) -> Vec<usize> {
    vec![settings.length]
}

/// Loads the texts at `path`, or the stand-in.
pub(super) fn load(
    settings: &TextSettings,
    parts: Parts,
    options: &LoadOptions,
    _progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    match (settings.source, &settings.path) {
        (Source::Synthetic, _) => stand_in(TITLE, settings, parts, None),
        (_, Some(path)) => own(&options.own(path), settings, parts),
        (Source::Real, None) => Err(DataError::NoPath),
        (Source::Auto, None) => {
            stand_in(TITLE, settings, parts, Some(DataError::NoPath.to_string()))
        }
    }
}

/// Loads the texts of `set`, unless `settings` name a path or the stand-in. `checksums` are those of the
/// published folders of texts, each behind the folder's path.
pub(super) fn load_published(
    set: &'static PublishedSet,
    checksums: &[(&str, &str)],
    settings: &TextSettings,
    parts: Parts,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    if let (Source::Auto | Source::Real, Some(path)) = (settings.source, &settings.path) {
        return own(&options.own(path), settings, parts);
    }
    match set.obtain(settings.source, options, progress)? {
        Obtained::Folder(folder) => {
            let corpus = files::read(&folder, parts, checksums)?;
            data_set(set.title.to_owned(), from(set.title, &folder), corpus, settings)
        }
        Obtained::StandIn(reason) => stand_in(set.title, settings, parts, reason),
    }
}

/// The user's own texts.
fn own(path: &Path, settings: &TextSettings, parts: Parts) -> Result<DataSet, DataError> {
    let corpus = files::read(path, parts, &[])?;
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    data_set(name.into_owned(), from(TITLE, path), corpus, settings)
}

fn from(title: &str, path: &Path) -> String {
    format!("{title} from {}", path.display())
}

fn stand_in(
    title: &str,
    settings: &TextSettings,
    parts: Parts,
    reason: Option<String>,
) -> Result<DataSet, DataError> {
    let description = format!(
        "synthetic stand-in for {title}: {} training and {} test texts of drawn opinions",
        stand_in::TRAINING,
        stand_in::TEST
    );
    let title = format!("{title} (synthetic)");
    let data = data_set(title, description, stand_in::draw(parts), settings)?;
    Ok(DataSet { origin: Origin::SyntheticStandIn, stand_in_reason: reason, ..data })
}

/// The data set of a corpus, called real.
fn data_set(
    title: String,
    mut description: String,
    corpus: Corpus,
    settings: &TextSettings,
) -> Result<DataSet, DataError> {
    let Corpus { class_names, texts, files } = corpus;
    let (training, test) = match texts {
        Texts::Split(mut training, test) => {
            // In the order of most files, the last ones held out for validation are of one class.
            training.shuffle(&mut ChaCha8Rng::seed_from_u64(settings.split_seed));
            (samples(training, settings), samples(test, settings))
        }
        Texts::Whole(all) => {
            split_test(&samples(all, settings), settings.test_fraction, settings.split_seed)?
        }
    };
    let empty = empty_texts(&training) + empty_texts(&test);
    if empty > 0 {
        description += &format!(", {empty} of the texts empty");
    }
    Ok(DataSet {
        title,
        origin: Origin::Real,
        description,
        stand_in_reason: None,
        files,
        class_names,
        feature_names: Vec::new(),
        training,
        test,
    })
}

fn samples(texts: Labelled, settings: &TextSettings) -> Samples {
    let (classes, texts) = texts.into_iter().unzip();
    Samples {
        shape: input_shape(settings),
        inputs: Inputs::Texts { texts, encoding: settings.encoding() },
        targets: Targets::Classes(classes),
    }
}

fn empty_texts(samples: &Samples) -> usize {
    match &samples.inputs {
        Inputs::Texts { texts, .. } => texts.iter().filter(|text| text.trim().is_empty()).count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
