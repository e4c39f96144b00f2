//! Where bytes come from, and what they are: told by their beginning, never by the file's name.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use converge_logs::tensorboard::is_record;
use encoding_rs::{GBK, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::delimited::{self, Dialect};
use super::error::ReadError;
use super::json;

/// Bytes looked at to tell what a file is.
const HEAD: usize = 1 << 16;

/// Bytes read of what is no file; `/dev/zero` has no end.
const LONGEST_PIPE: u64 = 1 << 30;

/// A file, or bytes in memory.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    from: From,
}

#[derive(Debug)]
enum From {
    File(PathBuf),
    Bytes(Vec<u8>),
}

/// What a source holds.
pub(super) enum Kind {
    /// TensorBoard events.
    Events,
    /// JSON, one value or several.
    Json(String),
    /// A table of cells.
    Delimited(String, Dialect),
    /// Text, to be streamed.
    Text,
    /// Text that had to be decoded.
    Decoded(String),
    /// Nothing.
    Empty,
}

impl Source {
    pub(super) fn file(path: &Path) -> Result<Self, ReadError> {
        let fail = |error| ReadError::io(path, error);
        let name = path.display().to_string();
        if path.metadata().map_err(fail)?.is_file() {
            return Ok(Self { name, from: From::File(path.to_owned()) });
        }
        // A pipe can be read but once.
        let mut bytes = vec![];
        let file = File::open(path).map_err(fail)?;
        file.take(LONGEST_PIPE).read_to_end(&mut bytes).map_err(fail)?;
        Ok(Self { name, from: From::Bytes(bytes) })
    }

    pub(super) fn bytes(name: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), from: From::Bytes(bytes) }
    }

    /// What messages call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The bytes, from the beginning.
    pub(super) fn open(&self) -> Result<Box<dyn BufRead + '_>, ReadError> {
        Ok(match &self.from {
            From::Bytes(bytes) => Box::new(Cursor::new(bytes.as_slice())),
            From::File(path) => {
                let file = File::open(path).map_err(|error| ReadError::io(path, error))?;
                Box::new(BufReader::with_capacity(1 << 16, file))
            }
        })
    }

    pub(super) fn io(&self, error: std::io::Error) -> ReadError {
        ReadError::io(Path::new(&self.name), error)
    }

    fn some(&self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let mut bytes = vec![];
        let mut reader = self.open()?.take(limit);
        reader.read_to_end(&mut bytes).map_err(|error| self.io(error))?;
        Ok(bytes)
    }

    /// All of it, as text.
    fn decoded(&self) -> Result<String, ReadError> {
        let bytes = match &self.from {
            From::Bytes(bytes) => bytes.clone(),
            From::File(_) => self.some(u64::MAX)?,
        };
        Ok(decode(bytes))
    }

    /// What it holds.
    pub(super) fn kind(&self) -> Result<Kind, ReadError> {
        let head = self.some(HEAD as u64)?;
        if head.iter().all(u8::is_ascii_whitespace) {
            return Ok(Kind::Empty);
        }
        if is_record(&head) {
            return Ok(Kind::Events);
        }
        self.refuse(&head)?;
        let wide = is_wide(&head);
        let cut = head.len() == HEAD;
        let mut start = decode(head);
        if cut {
            // The last line may be cut.
            start.truncate(start.rfind(['\n', '\r']).unwrap_or(start.len()));
        }
        if json::looks_like(&start) {
            return Ok(Kind::Json(self.decoded()?));
        }
        if let Some(dialect) = delimited::sniff(&start) {
            return Ok(Kind::Delimited(self.decoded()?, dialect));
        }
        Ok(if wide { Kind::Decoded(self.decoded()?) } else { Kind::Text })
    }

    /// Refuses what is no text.
    fn refuse(&self, head: &[u8]) -> Result<(), ReadError> {
        let unsafe_ = |what| Err(ReadError::Unsafe { name: self.name.clone(), what });
        let other =
            |what: &str| Err(ReadError::NoLog { name: self.name.clone(), what: what.to_owned() });
        match head {
            [0x80, 2..=5, rest @ ..] if !rest.is_empty() => return unsafe_("a pickle of Python"),
            [b'P', b'K', 3, 4, ..] => {
                return other("a zip archive (perhaps weights); unpack it first");
            }
            [0x1f, 0x8b, ..] => return other("compressed by gzip; unpack it first"),
            [0x89, b'P', b'N', b'G', ..] => return other("a picture"),
            [0x89, b'H', b'D', b'F', ..] => return other("an HDF5 file (perhaps weights)"),
            [0x93, b'N', b'U', b'M', ..] => return other("an array of NumPy; write it as CSV"),
            [b'S', b'Q', b'L', b'i', ..] => return other("an SQLite database"),
            _ => {}
        }
        let start = String::from_utf8_lossy(head.get(..head.len().min(4096)).unwrap_or(head));
        if start.contains("!!python/") {
            return unsafe_("YAML with objects of Python");
        }
        let odd = |byte: &&u8| matches!(**byte, 0..=6 | 14..=26 | 28..=31);
        if !is_wide(head) && head.iter().filter(odd).count() * 50 > head.len() {
            return other("a binary file");
        }
        Ok(())
    }
}

/// Whether it is UTF-16: by its mark, or because every second byte is zero.
fn is_wide(head: &[u8]) -> bool {
    matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) || wide_without_mark(head).is_some()
}

fn wide_without_mark(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let looked = head.get(..head.len().min(512))?;
    let zeros = |odd: usize| {
        looked.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count() * 2 * 10
            >= looked.len() * 9
    };
    if looked.len() < 8 {
        None
    } else if zeros(1) && !zeros(0) {
        Some(UTF_16LE)
    } else if zeros(0) && !zeros(1) {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Text in UTF-8, UTF-16, GBK or, where it is none of these, in the alphabet of western Europe.
pub(super) fn decode(bytes: Vec<u8>) -> String {
    let marked = match bytes.as_slice() {
        [0xff, 0xfe, ..] => Some(UTF_16LE),
        [0xfe, 0xff, ..] => Some(UTF_16BE),
        other => wide_without_mark(other),
    };
    if let Some(encoding) = marked {
        return encoding.decode(&bytes).0.into_owned();
    }
    match String::from_utf8(bytes) {
        Ok(text) => match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        },
        Err(error) => decode_other(error.as_bytes()),
    }
}

/// Bytes that are not UTF-8.
pub(super) fn decode_other(bytes: &[u8]) -> String {
    // A character cut at the end of what was read is no sign of another encoding.
    if std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none()) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    if let Some(text) = GBK.decode_without_bom_handling_and_without_replacement(bytes) {
        return text.into_owned();
    }
    let lossy = String::from_utf8_lossy(bytes);
    if lossy.matches('\u{fffd}').count() * 100 < lossy.len() {
        return lossy.into_owned();
    }
    WINDOWS_1252.decode(bytes).0.into_owned()
}
