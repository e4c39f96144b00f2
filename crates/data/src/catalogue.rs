//! What data sets there are, where they are, and whether they are whole: the command `data`.

use std::path::PathBuf;

use super::{
    DataError, DataSettings, DownloadProgress, LoadOptions, Parts, PublishedFile, PublishedSet,
    Source, SourceFile,
};

/// A data set as the catalogue lists it.
#[derive(Debug)]
pub struct Entry {
    /// Its name, as users type it.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What may be done with it; `None` where it is drawn by code.
    pub licence: Option<&'static str>,
    /// The files at the official address.
    pub files: &'static [PublishedFile],
    /// Where it is.
    pub place: Place,
}

/// Where a data set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this folder, below the user's data directory.
    Directory(PathBuf),
    /// In this folder, below the cache directory.
    Cache(PathBuf),
    /// Not on this machine.
    Nowhere,
    /// Needs no place, as code draws it.
    Drawn,
    /// Wherever the user has it: `data.path` says it.
    Own,
}

/// What [`verify`] found. Damage is an error instead.
#[derive(Debug)]
pub struct Verified {
    /// The folder that was read.
    pub folder: PathBuf,
    /// Its files, with their checksums as just computed.
    pub files: Vec<SourceFile>,
    /// Training samples read.
    pub training_samples: usize,
    /// Test samples read.
    pub test_samples: usize,
}

/// Every data set there is.
pub fn entries(options: &LoadOptions) -> Result<Vec<Entry>, DataError> {
    DataSettings::all()
        .iter()
        .map(|settings| {
            let published = settings.published();
            let place = match published {
                Some(set) => place(set, options)?,
                None if settings.clone().source_mut().is_some() => Place::Own,
                None => Place::Drawn,
            };
            Ok(Entry {
                name: settings.name(),
                title: settings.title(),
                licence: published.map(|set| set.licence),
                files: published.map_or(&[], |set| set.files),
                place,
            })
        })
        .collect()
}

/// Downloads what the cache does not have of the data set `name`, and returns its folder.
pub fn fetch(
    name: &str,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<PathBuf, DataError> {
    let (_, published) = known(name)?;
    published.fetch(options, progress).map_err(|failure| published.by_hand(failure))
}

/// Reads the data set `name` whole where it is, and computes the checksums of its files. `None` where it
/// is not on this machine.
pub fn verify(
    name: &str,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<Option<Verified>, DataError> {
    let (mut settings, published) = known(name)?;
    let Some(folder) = published.find(options)? else { return Ok(None) };
    settings.set_source(Source::Real)?;
    let data = settings.load(Parts::Both, options, progress)?;
    Ok(Some(Verified {
        folder,
        files: data.files,
        training_samples: data.training.len(),
        test_samples: data.test.len(),
    }))
}

fn place(set: &PublishedSet, options: &LoadOptions) -> Result<Place, DataError> {
    Ok(match (set.find(options)?, &options.directory) {
        (None, _) => Place::Nowhere,
        (Some(folder), Some(directory)) if folder.starts_with(directory) => {
            Place::Directory(folder)
        }
        (Some(folder), _) => Place::Cache(folder),
    })
}

fn known(name: &str) -> Result<(DataSettings, &'static PublishedSet), DataError> {
    let all = DataSettings::all();
    let published = || all.iter().filter_map(|set| Some((set, set.published()?)));
    published()
        .find(|(settings, _)| settings.name() == name)
        .map(|(settings, published)| (settings.clone(), published))
        .ok_or_else(|| DataError::Unknown {
            name: name.to_owned(),
            known: published().map(|(set, _)| set.name()).collect::<Vec<_>>().join(", "),
        })
}
