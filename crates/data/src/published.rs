//! A published data set: its files, the layouts people keep it in, and how it is had.
//!
//! Every data set that has files describes them with one [`PublishedSet`]; [`PublishedSet::obtain`]
//! finds a folder that holds it: the user's, the cache, or the official address.

use std::path::{Path, PathBuf};

use super::fetch::{Lock, fetch_files_locked};
use super::locate::{Layout, existing};
use super::{DataError, DownloadProgress, LoadOptions, RemoteFile, Source, archive, checksum};

/// A file at the official address.
#[derive(Debug)]
pub struct PublishedFile {
    /// The official address.
    pub url: &'static str,
    /// Its path below a mirror and below the cache directory.
    pub path: &'static str,
    /// Its size, where known.
    pub bytes: Option<u64>,
    /// Its SHA-256, in hexadecimal, or the first digits of it where no more are published.
    pub sha256: &'static str,
}

/// A data set with published files.
#[derive(Debug)]
pub struct PublishedSet {
    /// Its title, as tables show it.
    pub title: &'static str,
    /// What may be done with it, and where that is said.
    pub licence: &'static str,
    /// How many samples the official training split has, or the whole set where the test split is
    /// drawn here; `None` where they are counted once the files are read.
    pub samples: Option<usize>,
    /// The layouts in which it is read, most usual first.
    pub layouts: &'static [Layout],
    /// What is downloaded.
    pub files: &'static [PublishedFile],
    /// The folder in the cache that downloads end up in, one of the first layout's.
    pub folder: &'static str,
    /// Whether the one file is an archive that contains `folder`.
    pub archive: bool,
}

/// Where a data set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obtained {
    /// In this folder.
    Folder(PathBuf),
    /// Nowhere: the stand-in takes its place, where given because of this.
    StandIn(Option<String>),
}

impl PublishedSet {
    /// The folder below `base` (or `base` itself) that holds this data set, and its layout.
    pub fn locate(&self, base: &Path) -> Option<(PathBuf, &'static Layout)> {
        super::locate::locate(self.layouts, base)
    }

    /// Finds or fetches the data set.
    pub(super) fn obtain(
        &self,
        source: Source,
        options: &LoadOptions,
        progress: &mut dyn DownloadProgress,
    ) -> Result<Obtained, DataError> {
        if source == Source::Synthetic {
            return Ok(Obtained::StandIn(None));
        }
        if let Some(folder) = self.find(options)? {
            return Ok(Obtained::Folder(folder));
        }
        let failure = match self.fetch(options, progress) {
            Ok(folder) => return Ok(Obtained::Folder(folder)),
            Err(failure) => failure,
        };
        let cache = options.cache.display();
        let place = match &options.directory {
            Some(directory) => format!("in `{}` or the cache `{cache}`", directory.display()),
            None => format!("in the cache `{cache}`"),
        };
        let reason = format!("{} is not {place} and could not be fetched: {failure}", self.title);
        match source {
            Source::Real => {
                let hint = format!("{}; or use `--data synthetic`", self.placing_hint());
                Err(DataError::Unavailable { reason, hint })
            }
            Source::Auto | Source::Synthetic => Ok(Obtained::StandIn(Some(reason))),
        }
    }

    /// The folder that holds the data set in the user's directory, else in the cache.
    pub(super) fn find(&self, options: &LoadOptions) -> Result<Option<PathBuf>, DataError> {
        if let Some(directory) = &options.directory {
            if !directory.is_dir() {
                return Err(DataError::NoDirectory(directory.clone()));
            }
            if let Some((folder, _)) = self.locate(directory) {
                return Ok(Some(folder));
            }
        }
        Ok(self.find_in_cache(&options.cache))
    }

    /// The folder in the cache, where no file is missing: an interrupted download is fetched on.
    fn find_in_cache(&self, cache: &Path) -> Option<PathBuf> {
        self.locate(cache)
            .filter(|(folder, layout)| layout.missing(folder).is_none())
            .map(|(folder, _)| folder)
    }

    /// Downloads into the cache what is not there, and returns the folder.
    pub(super) fn fetch(
        &self,
        options: &LoadOptions,
        progress: &mut dyn DownloadProgress,
    ) -> Result<PathBuf, DataError> {
        let _lock = Lock::acquire(&options.cache, &self.folder.replace('/', "-"), progress)?;
        // Another process may have unpacked it while this one waited for the lock. Files that are
        // no archives are compared with their checksums below instead, which mends damaged ones.
        if self.archive
            && let Some(folder) = self.find_in_cache(&options.cache)
        {
            return Ok(folder);
        }
        progress.notice(&format!("licence of {}: {}", self.title, self.licence));
        let remote: Vec<RemoteFile> =
            self.files.iter().map(|file| file.remote(options.mirror.as_deref())).collect();
        let fetched = fetch_files_locked(&remote, &options.cache, options.timeout, progress)?;
        if self.archive {
            for path in &fetched {
                progress.notice(&format!("unpacking {}", path.display()));
                archive::unpack(path, self.folder, &options.cache)?;
            }
        }
        Ok(options.cache.join(self.folder))
    }

    /// The one file of the set in the user's directory or in the cache, its checksum compared.
    pub fn find_file(&self, options: &LoadOptions) -> Result<Option<PathBuf>, DataError> {
        let Some(folder) = self.find(options)? else { return Ok(None) };
        let mut names = self.layouts.iter().flat_map(|layout| layout.files);
        let Some(path) = names.find_map(|names| existing(&folder, names)) else {
            return Ok(None);
        };
        if let Some(file) = self.files.first() {
            let sha256 = checksum::of_file(&path)?;
            if !sha256.starts_with(file.sha256) {
                let problem =
                    format!("has the SHA-256 {sha256}, not the published {}", file.sha256);
                return Err(DataError::corrupt(&path, problem));
            }
        }
        Ok(Some(path))
    }

    /// The one file of the set, downloaded into the cache.
    pub fn fetch_file(
        &self,
        options: &LoadOptions,
        progress: &mut dyn DownloadProgress,
    ) -> Result<PathBuf, DataError> {
        let fetched = if self.files.is_empty() {
            Err(self.not_found(options))
        } else {
            self.fetch(options, progress)
        };
        match fetched {
            Ok(_) => self.find_file(options)?.ok_or_else(|| self.not_found(options)),
            Err(failure @ DataError::Download { .. }) => Err(DataError::Unavailable {
                reason: format!("{} could not be fetched: {failure}", self.title),
                hint: self.file_hint(),
            }),
            Err(error) => Err(error),
        }
    }

    /// The error for a set of one file that is not on this machine.
    pub fn not_found(&self, options: &LoadOptions) -> DataError {
        let cache = options.cache.display();
        let place = match &options.directory {
            Some(directory) => format!("in `{}` or the cache `{cache}`", directory.display()),
            None => format!("in the cache `{cache}`"),
        };
        let reason = format!("{} is not {place}", self.title);
        DataError::Unavailable { reason, hint: self.file_hint() }
    }

    fn file_hint(&self) -> String {
        let name = self.layouts.first().and_then(|layout| layout.files.first()?.first());
        let name = name.copied().unwrap_or_default();
        let put = match self.files.first() {
            Some(file) => format!("download {} and put it", file.url),
            None => "put it".to_owned(),
        };
        format!("{put} at DIR/{}/{name}, and pass `--data-dir DIR`", self.folder)
    }

    /// `failure`, with how to get the files by hand where it is one of the download.
    pub(super) fn by_hand(&self, failure: DataError) -> DataError {
        match failure {
            DataError::Download { .. } => DataError::Unavailable {
                reason: format!("{} could not be fetched: {failure}", self.title),
                hint: self.placing_hint(),
            },
            other => other,
        }
    }

    fn placing_hint(&self) -> String {
        let urls: Vec<&str> = self.files.iter().map(|file| file.url).collect();
        let then = if self.archive { ", unpack it" } else { "" };
        format!(
            "download {}{then} so that the files lie in DIR/{}, and pass `--data-dir DIR`",
            urls.join(", "),
            self.folder
        )
    }
}

impl PublishedFile {
    /// What to download, from `mirror` where there is one.
    fn remote(&self, mirror: Option<&str>) -> RemoteFile {
        RemoteFile {
            url: match mirror {
                Some(mirror) => format!("{mirror}/{}", self.path),
                None => self.url.to_owned(),
            },
            path: PathBuf::from(self.path),
            bytes: self.bytes,
            sha256: self.sha256.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::{NoProgress, checksum};

    /// A mirror that answers every request with `body`; its address.
    fn mirror(body: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let length = body.len();
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length:";
                let _ = write!(stream, "{head} {length}\r\n\r\n");
                let _ = stream.write_all(&body);
            }
        });
        format!("http://{address}")
    }

    /// A published archive of the two files of a data set, and a mirror of it.
    fn archived() -> (&'static PublishedSet, String) {
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        for name in ["set/a", "set/b"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(2);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, &b"hi"[..]).unwrap();
        }
        let archive = builder.into_inner().unwrap().finish().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &archive).unwrap();
        let sha256 = checksum::of_file(file.path()).unwrap().leak();
        let files = vec![PublishedFile { url: "", path: "set.tgz", bytes: None, sha256 }].leak();
        let set = PublishedSet {
            title: "Set",
            licence: "",
            samples: None,
            layouts: &[Layout { folders: &["set"], files: &[&["a"], &["b"]], unmistakable: false }],
            files,
            folder: "set",
            archive: true,
        };
        (Box::leak(Box::new(set)), mirror(archive))
    }

    #[test]
    fn an_archive_is_fetched_unpacked_and_then_found() {
        let ((set, mirror), cache) = (archived(), tempfile::tempdir().unwrap());
        let mut options = LoadOptions {
            replaces_path: false,
            directory: None,
            cache: cache.path().to_owned(),
            mirror: Some(mirror),
            timeout: Duration::from_secs(5),
        };
        let expected = Obtained::Folder(cache.path().join("set"));
        let obtain = |options: &LoadOptions| set.obtain(Source::Real, options, &mut NoProgress);
        // What is incomplete in the cache is fetched anew.
        fs::create_dir(cache.path().join("set")).unwrap();
        fs::write(cache.path().join("set/a"), "old").unwrap();
        assert_eq!(obtain(&options).unwrap(), expected);
        assert_eq!(fs::read(cache.path().join("set/a")).unwrap(), b"hi");
        assert!(!cache.path().join("set.tgz").exists());
        // Now that it is whole, no server is needed.
        options.mirror = Some("http://127.0.0.1:9".to_owned());
        assert_eq!(obtain(&options).unwrap(), expected);
    }

    #[test]
    fn the_folder_of_the_user_comes_before_the_cache() {
        let (set, _) = archived();
        let (own, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (base, files) in [(own.path(), &["a"][..]), (cache.path(), &["a", "b"])] {
            fs::create_dir(base.join("set")).unwrap();
            for file in files {
                fs::write(base.join("set").join(file), "").unwrap();
            }
        }
        let options = LoadOptions {
            replaces_path: false,
            directory: Some(own.path().to_owned()),
            cache: cache.path().to_owned(),
            mirror: None,
            timeout: Duration::from_secs(5),
        };
        // Also where a file is missing: reading it names that file.
        assert_eq!(set.find(&options).unwrap(), Some(own.path().join("set")));
        let elsewhere = LoadOptions { directory: None, ..options };
        assert_eq!(set.find(&elsewhere).unwrap(), Some(cache.path().join("set")));
    }

    #[test]
    fn a_single_file_is_found_or_fetched_by_the_first_digits_of_its_sum() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "abc").unwrap();
        let sha256: &'static str = checksum::of_file(file.path()).unwrap().leak();
        let published = |sha256| -> &'static PublishedSet {
            let files: Vec<&str> = vec!["weights.pth"];
            let files: Vec<&'static [&'static str]> = vec![files.leak()];
            let folders: Vec<&str> = vec!["net"];
            let layout =
                Layout { folders: folders.leak(), files: files.leak(), unmistakable: true };
            let url = "https://host/weights.pth";
            let file = PublishedFile { url, path: "net/weights.pth", bytes: None, sha256 };
            Box::leak(Box::new(PublishedSet {
                title: "Weights",
                licence: "",
                samples: None,
                layouts: vec![layout].leak(),
                files: vec![file].leak(),
                folder: "net",
                archive: false,
            }))
        };
        let (cache, own) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut options = LoadOptions {
            replaces_path: false,
            directory: None,
            cache: cache.path().to_owned(),
            mirror: Some("http://127.0.0.1:9".to_owned()),
            timeout: Duration::from_secs(1),
        };
        let set = published(&sha256[..8]);
        assert_eq!(set.find_file(&options).unwrap(), None);
        let error = set.fetch_file(&options, &mut NoProgress).unwrap_err();
        assert!(error.is_unavailable());
        let error = error.to_string();
        let hint = "download https://host/weights.pth and put it at DIR/net/weights.pth";
        assert!(error.contains(hint), "{error}");
        options.mirror = Some(mirror(b"abc".to_vec()));
        let fetched = set.fetch_file(&options, &mut NoProgress).unwrap();
        assert_eq!(fetched, cache.path().join("net/weights.pth"));
        assert_eq!(set.find_file(&options).unwrap(), Some(fetched));
        // Another file of that name is refused, wherever it lies.
        fs::write(own.path().join("weights.pth"), "abd").unwrap();
        options.directory = Some(own.path().to_owned());
        let error = set.find_file(&options).unwrap_err().to_string();
        assert!(error.contains(&format!("not the published {}", &sha256[..8])), "{error}");
    }
}
