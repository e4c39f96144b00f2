//! Downloads: resumed where they stopped, checked before they are kept, one process at a time.
//!
//! A file is received as `NAME.part`, compared with its size and SHA-256, and only then renamed to
//! `NAME`. [`PublishedSet`](super::PublishedSet) calls this for the cache directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::{DataError, checksum};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its address.
    pub url: String,
    /// Where it is put, relative to the directory that files are fetched into.
    pub path: PathBuf,
    /// Its size, where known.
    pub bytes: Option<u64>,
    /// Its SHA-256, in hexadecimal, or the first digits of it.
    pub sha256: String,
}

/// Told how a download goes, so that someone can draw a progress bar.
pub trait DownloadProgress {
    /// `file` begins to arrive. `already` of its `total_bytes` were there before.
    fn begin(&mut self, file: &str, total_bytes: Option<u64>, already: u64);
    /// So many more bytes arrived.
    fn advance(&mut self, bytes: u64);
    /// The file that began last has ended, whole or not.
    fn finish(&mut self);
    /// Something the user should know, as one sentence.
    fn notice(&mut self, message: &str);
}

/// Nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl DownloadProgress for NoProgress {
    fn begin(&mut self, _file: &str, _total_bytes: Option<u64>, _already: u64) {}
    fn advance(&mut self, _bytes: u64) {}
    fn finish(&mut self) {}
    fn notice(&mut self, _message: &str) {}
}

/// Keeps what is to be known, for tests.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Notices(pub Vec<String>);

#[cfg(test)]
impl DownloadProgress for Notices {
    fn begin(&mut self, _file: &str, _total_bytes: Option<u64>, _already: u64) {}
    fn advance(&mut self, _bytes: u64) {}
    fn finish(&mut self) {}
    fn notice(&mut self, message: &str) {
        self.0.push(message.to_owned());
    }
}

/// Fetches those of `files` that are not yet whole into `directory`, and returns where they are, in
/// the same order. A server may stay silent for `timeout`. Other processes that fetch into
/// `directory` wait meanwhile.
pub fn fetch_files(
    files: &[RemoteFile],
    directory: &Path,
    timeout: Duration,
    progress: &mut dyn DownloadProgress,
) -> Result<Vec<PathBuf>, DataError> {
    let _lock = Lock::acquire(directory, "fetch", progress)?;
    fetch_files_locked(files, directory, timeout, progress)
}

/// [`fetch_files`] for a caller that holds a lock of its own.
pub(super) fn fetch_files_locked(
    files: &[RemoteFile],
    directory: &Path,
    timeout: Duration,
    progress: &mut dyn DownloadProgress,
) -> Result<Vec<PathBuf>, DataError> {
    let agent: Agent = Agent::config_builder()
        .timeout_resolve(Some(CONNECT_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(timeout))
        .timeout_per_read(Some(timeout))
        .http_status_as_error(false)
        // The checksums are those of the compressed files.
        .accept_encoding("identity")
        .user_agent(concat!("converge/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut paths = Vec::with_capacity(files.len());
    for file in files {
        let path = directory.join(&file.path);
        if path.is_file() {
            if checksum::of_file(&path)?.starts_with(&file.sha256) {
                paths.push(path);
                continue;
            }
            progress.notice(&format!("`{}` is damaged and is fetched again", path.display()));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(DataError::io("create", parent))?;
        }
        Download { file, path: &path, agent: &agent, timeout }.run(progress)?;
        paths.push(path);
    }
    Ok(paths)
}

/// Held by the one process that fetches; released when dropped, also by a crash.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock `name` of `directory`, which is created where it does not exist.
    pub(super) fn acquire(
        directory: &Path,
        name: &str,
        progress: &mut dyn DownloadProgress,
    ) -> Result<Self, DataError> {
        fs::create_dir_all(directory).map_err(DataError::io("create", directory))?;
        let path = directory.join(format!(".{name}.lock"));
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(DataError::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.notice("another process is fetching the same data; waiting for it");
                file.lock().map_err(DataError::io("lock", &path))?;
            }
            // Some network file systems have no locks. The checksum still guards the result.
            Err(TryLockError::Error(error)) => {
                progress.notice(&format!("`{}` cannot be locked: {error}", path.display()));
            }
        }
        Ok(Self { _file: file })
    }
}

/// The most bytes taken of a file whose size is not published: the largest has 14 MB.
const MOST_BYTES: u64 = 100_000_000;

/// One file on its way.
struct Download<'a> {
    file: &'a RemoteFile,
    path: &'a Path,
    agent: &'a Agent,
    timeout: Duration,
}

impl Download<'_> {
    fn run(&self, progress: &mut dyn DownloadProgress) -> Result<(), DataError> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        let already = fs::metadata(&part).map_or(0, |metadata| metadata.len());
        let sha256 = self.receive(&part, already, progress)?;
        if !sha256.starts_with(&self.file.sha256) {
            fs::remove_file(&part).map_err(DataError::io("remove", &part))?;
            if already == 0 {
                return Err(self.error(format!(
                    "what arrived has the SHA-256 {sha256}, but {} is published",
                    self.file.sha256
                )));
            }
            // The beginning was of another file, or damaged: it is not worth keeping.
            progress.notice("the part fetched before does not fit and is fetched again");
            return self.run(progress);
        }
        fs::rename(&part, self.path).map_err(DataError::io("create", self.path))
    }

    /// Receives what is missing of `part`, which has `already` bytes, and returns its checksum.
    fn receive(
        &self,
        part: &Path,
        already: u64,
        progress: &mut dyn DownloadProgress,
    ) -> Result<String, DataError> {
        let expected = self.file.bytes;
        if already > 0 && expected.is_some_and(|bytes| already >= bytes) {
            return checksum::of_file(part);
        }
        let mut response = self.request(already)?;
        // There may be nothing after the bytes that are there: the checksum decides.
        if already > 0 && response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return checksum::of_file(part);
        }
        let resumed = self.resumes(&response, already)?;
        let already = if resumed { already } else { 0 };
        let length = response.body().content_length().map(|length| already + length);
        if let (Some(length), Some(expected)) = (length, expected)
            && length != expected
        {
            return Err(self.error(format!("the server has {length} bytes, not {expected}")));
        }
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        progress.begin(&name, expected.or(length), already);
        let received = self.copy(response.body_mut(), part, already, progress);
        progress.finish();
        let received = received?;
        if let Some(expected) = expected.or(length)
            && received < expected
        {
            return Err(self.interrupted("the connection ended", received));
        }
        checksum::of_file(part)
    }

    fn request(&self, already: u64) -> Result<Response<Body>, DataError> {
        let mut request = self.agent.get(&self.file.url);
        if already > 0 {
            request = request.header(header::RANGE, format!("bytes={already}-"));
        }
        request.call().map_err(|error| self.error(self.problem(error)))
    }

    /// Whether `response` goes on after the first `already` bytes, rather than from the start.
    fn resumes(&self, response: &Response<Body>, already: u64) -> Result<bool, DataError> {
        match response.status() {
            StatusCode::OK => Ok(false),
            StatusCode::PARTIAL_CONTENT => {
                let range = response.headers().get(header::CONTENT_RANGE);
                let start = format!("bytes {already}-");
                if range
                    .and_then(|range| range.to_str().ok())
                    .is_some_and(|r| r.starts_with(&start))
                {
                    Ok(true)
                } else {
                    Err(self.error("the server sent another range than it was asked for"))
                }
            }
            status => Err(self.error(format!("the server answered {status}"))),
        }
    }

    /// Appends the body to `part` after its first `already` bytes; returns how many it has then.
    fn copy(
        &self,
        body: &mut Body,
        part: &Path,
        already: u64,
        progress: &mut dyn DownloadProgress,
    ) -> Result<u64, DataError> {
        let mut file = match already {
            0 => File::create(part),
            _ => OpenOptions::new().append(true).open(part),
        }
        .map_err(DataError::io("write", part))?;
        let mut received = already;
        let mut reader = body.as_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let problem = self.problem(ureq::Error::from(error));
                    return Err(self.interrupted(&problem, received));
                }
            };
            received += count as u64;
            if received > self.file.bytes.unwrap_or(MOST_BYTES) {
                return Err(self.error("the server sends more bytes than the file has"));
            }
            file.write_all(&buffer[..count]).map_err(DataError::io("write", part))?;
            progress.advance(count as u64);
        }
        file.sync_all().map_err(DataError::io("write", part))?;
        Ok(received)
    }

    /// What a failed request or a broken connection means for the user.
    fn problem(&self, error: ureq::Error) -> String {
        match error {
            ureq::Error::HostNotFound => "the host is unknown or there is no network".to_owned(),
            ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                format!("no connection within {} seconds", CONNECT_TIMEOUT.as_secs())
            }
            ureq::Error::Timeout(_) => {
                format!("the server was silent for {} seconds", self.timeout.as_secs_f64())
            }
            ureq::Error::Io(error) => error.to_string(),
            error => error.to_string(),
        }
    }

    fn interrupted(&self, problem: &str, received: u64) -> DataError {
        let of = self.file.bytes.map(|bytes| format!(" of {bytes}")).unwrap_or_default();
        self.error(format!("{problem} after {received}{of} bytes; the next attempt goes on there"))
    }

    fn error(&self, problem: impl Into<String>) -> DataError {
        DataError::Download { url: self.file.url.clone(), problem: problem.into() }
    }
}
