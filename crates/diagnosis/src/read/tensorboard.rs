//! TensorBoard event files: records of TFRecord that hold `Event` messages of protobuf.
//!
//! Field numbers are those of `event.proto`, `summary.proto` and `tensor.proto` of TensorFlow.
//! Scalars are `simple_value` (TF 1, PyTorch) or a tensor of one element (TF 2).

use std::collections::HashMap;
use std::io::Read;

use super::table::{Counting, Table};
use super::words::{Split, split_of, words};

/// The longest record that is read: pictures and graphs are skipped, a damaged length ends it.
const LONGEST: u64 = 1 << 28;

/// Whether a file begins with a record: its length, and a masked checksum of that.
pub(super) fn is_record(head: &[u8]) -> bool {
    let (Some(length), Some(check)) = (head.get(..8), head.get(8..12)) else { return false };
    let crc = crc32c(length);
    let masked = crc.rotate_right(15).wrapping_add(0xa282_ead8);
    check == masked.to_le_bytes()
}

/// CRC-32C (Castagnoli), bit by bit: eight bytes a file.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

/// Reads files of events into one table.
#[derive(Debug, Default)]
pub(super) struct Reader {
    table: Table,
    places: HashMap<String, usize>,
    last_step: Option<i64>,
}

impl Reader {
    /// Adds the events of a file, whose folder says that they are of `split`.
    pub(super) fn read(
        &mut self,
        file: &mut dyn Read,
        split: Option<&str>,
        notes: &mut Vec<String>,
    ) {
        let before = self.table.columns.len();
        self.last_step = None;
        let mut data = vec![];
        loop {
            let mut length = [0; 12];
            match fill(file, &mut length) {
                0 => break,
                12 => {}
                _ => {
                    notes.push("The last event is cut off and was left out.".to_owned());
                    break;
                }
            }
            let length = length.first_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
            if length > LONGEST {
                notes.push(
                    "An event has an impossible length; what follows was left out.".to_owned(),
                );
                break;
            }
            data.clear();
            let whole =
                file.take(length).read_to_end(&mut data).is_ok_and(|got| got as u64 == length);
            if !whole || fill(file, &mut [0; 4]) < 4 {
                notes.push("The last event is cut off and was left out.".to_owned());
                break;
            }
            self.event(&data, split);
        }
        // Keras writes these only where it validates.
        let validates = self.table.columns.iter().skip(before).any(|column| {
            column.name.starts_with("evaluation_") && column.name.ends_with("_vs_iterations")
        });
        let split = match split.map(|split| split_of(&split.to_ascii_lowercase())) {
            Some(split) => split,
            None => validates.then_some(Split::Validation),
        };
        for column in self.table.columns.iter_mut().skip(before) {
            column.split = split;
        }
    }

    /// The table.
    pub(super) fn finish(mut self) -> Option<Table> {
        self.table.counting = if self.places.contains_key("epoch") {
            Counting::StepsWithinEpochs
        } else {
            Counting::OwnSteps
        };
        (self.table.rows > 0).then_some(self.table)
    }

    fn event(&mut self, data: &[u8], split: Option<&str>) {
        let mut step = 0;
        let mut scalars = vec![];
        for (field, value) in fields(data) {
            match (field, value) {
                (2, Field::Number(number)) => step = number.cast_signed(),
                (5, Field::Bytes(summary)) => {
                    scalars.extend(fields(summary).filter_map(|(field, value)| {
                        match (field, value) {
                            (1, Field::Bytes(value)) => scalar(value),
                            _ => None,
                        }
                    }));
                }
                _ => {}
            }
        }
        for (tag, value) in scalars {
            if self.last_step != Some(step) || self.table.rows == 0 {
                self.last_step = Some(step);
                self.table.rows = self.table.rows.saturating_add(1);
                let place = self.table.place(&mut self.places, "step");
                self.table.push(place, self.table.rows - 1, step as f64);
            }
            let key = split.map(|split| format!("{split}\u{0}{tag}"));
            let place = self.table.place(&mut self.places, key.as_deref().unwrap_or(&tag));
            if let Some(column) = self.table.columns.get_mut(place) {
                if key.is_some() && column.len() == 0 {
                    column.name.clone_from(&tag);
                }
                column.push(self.table.rows - 1, value);
            }
        }
    }
}

/// Whether a folder of this name holds the events of a split.
pub(super) fn is_split_folder(name: &str) -> bool {
    words(name).first().is_some_and(|word| split_of(word).is_some())
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

/// The tag and value of a `Summary.Value`, if it is a scalar.
fn scalar(data: &[u8]) -> Option<(String, f64)> {
    let mut tag = None;
    let mut value = None;
    for (field, content) in fields(data) {
        match (field, content) {
            (1, Field::Bytes(bytes)) => tag = Some(String::from_utf8_lossy(bytes).into_owned()),
            (2, Field::Four(bytes)) => value = Some(f64::from(f32::from_le_bytes(bytes))),
            (8, Field::Bytes(tensor)) => value = value.or_else(|| element(tensor)),
            _ => {}
        }
    }
    Some((tag?, value?))
}

/// The one element of a `TensorProto`.
fn element(data: &[u8]) -> Option<f64> {
    let mut kind = 0;
    let mut content: &[u8] = &[];
    let mut listed = None;
    for (field, value) in fields(data) {
        match (field, value) {
            (1, Field::Number(number)) => kind = number,
            (5, Field::Four(bytes)) => listed = Some(f64::from(f32::from_le_bytes(bytes))),
            (6, Field::Eight(bytes)) => listed = Some(f64::from_le_bytes(bytes)),
            (4..=6, Field::Bytes(bytes)) => content = bytes,
            (7 | 10, Field::Number(number)) => listed = Some(number.cast_signed() as f64),
            (7 | 10, Field::Bytes(bytes)) => {
                listed = Some(varint(bytes)?.0.cast_signed() as f64);
            }
            _ => {}
        }
    }
    if listed.is_some() {
        return listed;
    }
    match kind {
        1 => Some(f64::from(f32::from_le_bytes(content.try_into().ok()?))),
        2 => Some(f64::from_le_bytes(content.try_into().ok()?)),
        3 => Some(f64::from(i32::from_le_bytes(content.try_into().ok()?))),
        9 => Some(i64::from_le_bytes(content.try_into().ok()?) as f64),
        _ => None,
    }
}

enum Field<'a> {
    Number(u64),
    Eight([u8; 8]),
    Four([u8; 4]),
    Bytes(&'a [u8]),
}

/// The fields of a message; it ends where the message is damaged.
fn fields(mut data: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    std::iter::from_fn(move || {
        let (key, rest) = varint(data)?;
        let (field, rest) = match key & 7 {
            0 => {
                let (number, rest) = varint(rest)?;
                (Field::Number(number), rest)
            }
            1 => {
                let (bytes, rest) = rest.split_first_chunk::<8>()?;
                (Field::Eight(*bytes), rest)
            }
            2 => {
                let (length, rest) = varint(rest)?;
                let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                (Field::Bytes(bytes), rest)
            }
            5 => {
                let (bytes, rest) = rest.split_first_chunk::<4>()?;
                (Field::Four(*bytes), rest)
            }
            _ => return None,
        };
        data = rest;
        Some((key >> 3, field))
    })
}

/// A number of variable length, and what follows it.
fn varint(data: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (place, byte) in data.iter().take(10).enumerate() {
        number |= u64::from(byte & 0x7f).checked_shl(7 * place as u32)?;
        if byte & 0x80 == 0 {
            return Some((number, data.get(place + 1..)?));
        }
    }
    None
}
