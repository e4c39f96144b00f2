//! Records of TFRecord, which event files are made of: a length, its checksum, the bytes, theirs.
//!
//! Checksums are CRC-32C, masked, as `tensorflow/core/lib/hash/crc32c.h` has it.

use std::io::{self, Read, Write};

/// The longest record that is read: pictures and graphs are skipped, a damaged length ends it.
const LONGEST: u64 = 1 << 28;

/// Why the rest of a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordDamage {
    /// The file ends within the record.
    #[error("the last event is cut off")]
    CutOff,
    /// Longer than any record.
    #[error("an event has an impossible length")]
    Length,
}

fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// Whether a file begins with a record: its length, and the checksum of that.
pub fn is_record(head: &[u8]) -> bool {
    let (Some(length), Some(check)) = (head.get(..8), head.get(8..12)) else { return false };
    check == masked(length)
}

/// Writes a record.
pub fn write_record(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = (bytes.len() as u64).to_le_bytes();
    file.write_all(&length)?;
    file.write_all(&masked(&length))?;
    file.write_all(bytes)?;
    file.write_all(&masked(bytes))
}

/// Reads the next record into `bytes`; returns whether there was one. Its checksums are not asked:
/// a log with a few wrong bits is better than none.
pub fn read_record(file: &mut dyn Read, bytes: &mut Vec<u8>) -> Result<bool, RecordDamage> {
    let mut head = [0; 12];
    match fill(file, &mut head) {
        0 => return Ok(false),
        12 => {}
        _ => return Err(RecordDamage::CutOff),
    }
    let length = head.first_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
    if length > LONGEST {
        return Err(RecordDamage::Length);
    }
    bytes.clear();
    let read = file.take(length).read_to_end(bytes);
    let whole = read.is_ok_and(|read| read as u64 == length);
    if whole && fill(file, &mut [0; 4]) == 4 { Ok(true) } else { Err(RecordDamage::CutOff) }
}

/// Reads until `buffer` is full or the file ends; the bytes read.
fn fill(file: &mut dyn Read, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// What `tensorboard.summary.writer.record_writer.RecordWriter` of tensorboard 2.21.0 writes.
    const HELLO: [u8; 21] = [
        5, 0, 0, 0, 0, 0, 0, 0, 0xea, 0xb2, 0x04, 0x3e, b'h', b'e', b'l', b'l', b'o', 0xbb, 0x1f,
        0x1c, 0x19,
    ];

    #[test]
    fn the_checksum_is_that_of_rfc_3720() {
        // Its section B.4: 32 bytes of zeros, of ones, and counting up.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c::crc32c(&[0xff; 32]), 0x62a8_ab43);
        let counting: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c::crc32c(&counting), 0x46dd_794e);
    }

    #[test]
    fn records_are_those_of_tensorboard() {
        let mut written = vec![];
        write_record(&mut written, b"hello").unwrap();
        assert_eq!(written, HELLO);
        assert!(is_record(&written) && !is_record(&written[1..]));
    }

    #[test]
    fn what_is_written_is_read_back_and_a_cut_is_told() {
        let mut written = vec![];
        write_record(&mut written, b"").unwrap();
        write_record(&mut written, b"hello").unwrap();
        let (mut file, mut bytes) = (written.as_slice(), vec![]);
        assert_eq!(read_record(&mut file, &mut bytes), Ok(true));
        assert_eq!(bytes, b"");
        assert_eq!(read_record(&mut file, &mut bytes), Ok(true));
        assert_eq!(bytes, b"hello");
        assert_eq!(read_record(&mut file, &mut bytes), Ok(false));
        for cut in 17..written.len() {
            let mut file = &written[16..cut];
            assert_eq!(read_record(&mut file, &mut bytes), Err(RecordDamage::CutOff), "{cut}");
        }
        let mut file: &[u8] = &[0xff; 40];
        assert_eq!(read_record(&mut file, &mut bytes), Err(RecordDamage::Length));
    }
}
