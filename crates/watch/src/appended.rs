//! A file that others append lines to, or replace: only what was appended is read.
//!
//! A file is the same as before if its time and size are, and goes on where it was left if the bytes before
//! that place are still those that were read. So nothing has to be kept open, and a file that was cut and
//! written anew by a resumed run is found out even where it has grown beyond its old size.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Rows end in times to the microsecond: no two files have so many bytes in common by chance.
const TAIL: usize = 256;

/// When a file was written last, and its size; none where there is no file, or a link to one, which may
/// lead out of the folder.
pub(crate) type Stamp = Option<(SystemTime, u64)>;

/// The stamp of the file at `path`.
pub(crate) fn stamp(path: &Path) -> Stamp {
    let found = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((found.modified().ok()?, found.len()))
}

#[derive(Debug, Default)]
pub(crate) struct Appended {
    path: PathBuf,
    seen: Stamp,
    offset: u64,
    tail: Vec<u8>,
}

/// What was appended.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// The file is another one: what was read before does not count.
    pub(crate) restarted: bool,
    /// Whole lines.
    pub(crate) lines: String,
    /// There is more to read at once.
    pub(crate) more: bool,
}

impl Appended {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, ..Self::default() }
    }

    /// Reads on, `most` bytes or so. A last line without an end is left for the next time.
    pub(crate) fn read(&mut self, most: usize) -> io::Result<Piece> {
        let now = stamp(&self.path);
        if now == self.seen {
            return Ok(Piece::default());
        }
        let Some((_, length)) = now else {
            let restarted = self.offset > 0;
            *self = Self::new(std::mem::take(&mut self.path));
            return Ok(Piece { restarted, ..Piece::default() });
        };
        let mut file = File::open(&self.path)?;
        let restarted = length < self.offset || !self.goes_on(&mut file)?;
        if restarted {
            (self.offset, self.tail) = (0, vec![]);
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut read = vec![];
        file.take(most as u64).read_to_end(&mut read)?;
        let full = read.len() == most;
        read.truncate(read.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        if full && read.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a line has no end"));
        }
        self.offset += read.len() as u64;
        self.tail.extend(&read[read.len().saturating_sub(TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        // What comes while this is read has another stamp.
        self.seen = if full { None } else { now };
        let lines = String::from_utf8(read)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Piece { restarted, lines, more: full })
    }

    fn goes_on(&self, file: &mut File) -> io::Result<bool> {
        let mut there = vec![0; self.tail.len()];
        file.seek(SeekFrom::Start(self.offset - self.tail.len() as u64))?;
        file.read_exact(&mut there)?;
        Ok(there == self.tail)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_is_appended_is_read_once_by_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.csv");
        let mut appended = Appended::new(path.clone());
        assert_eq!(appended.read(100).unwrap().lines, "");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"a\nb\nhalf").unwrap();
        assert_eq!(appended.read(100).unwrap().lines, "a\nb\n");
        assert_eq!(appended.read(100).unwrap().lines, "");
        file.write_all(b" of it\nc\n").unwrap();
        let piece = appended.read(100).unwrap();
        assert_eq!((piece.lines.as_str(), piece.restarted), ("half of it\nc\n", false));
    }

    #[test]
    fn a_long_file_comes_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.csv");
        fs::write(&path, "12345\n".repeat(10)).unwrap();
        let mut appended = Appended::new(path);
        let mut all = String::new();
        loop {
            let piece = appended.read(20).unwrap();
            all += &piece.lines;
            if !piece.more {
                break;
            }
        }
        assert_eq!(all, "12345\n".repeat(10));
    }

    #[test]
    fn a_file_that_was_cut_and_grew_beyond_its_old_size_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.csv");
        fs::write(&path, "h\n1\n2\n3\n").unwrap();
        let mut appended = Appended::new(path.clone());
        appended.read(100).unwrap();
        fs::write(&path, "h\n1\n9\n8\n7\n6\n").unwrap();
        let piece = appended.read(100).unwrap();
        assert!(piece.restarted && piece.lines == "h\n1\n9\n8\n7\n6\n");
        fs::remove_file(&path).unwrap();
        assert!(appended.read(100).unwrap().restarted);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.csv");
        std::os::unix::fs::symlink("/etc/passwd", &path).unwrap();
        assert_eq!(Appended::new(path).read(100).unwrap().lines, "");
    }
}
