//! Bytes of text files as text: the one place where encodings, byte order marks and line ends are
//! dealt with, on every way in.

use std::borrow::Cow;
use std::path::Path;

use super::DataError;

/// The text in `contents`: UTF-8, or UTF-16 with a byte order mark or with the zero bytes that give
/// it away. Marks are left out, and every line ends with `\n` as [`with_plain_line_ends`] has it.
/// The error, to follow the name of the file, says at which byte the text is none.
pub(crate) fn decode(contents: &[u8]) -> Result<Cow<'_, str>, String> {
    let text = match contents {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest, 3)?,
        [0xff, 0xfe, rest @ ..] => utf16(rest, 2, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf16(rest, 2, u16::from_be_bytes)?,
        // Latin letters in UTF-16 are a zero byte and another.
        [letter, 0, ..] if *letter != 0 => utf16(contents, 0, u16::from_le_bytes)?,
        [0, letter, ..] if *letter != 0 => utf16(contents, 0, u16::from_be_bytes)?,
        _ => utf8(contents, 0)?,
    };
    Ok(match text {
        Cow::Borrowed(text) => with_plain_line_ends(text),
        Cow::Owned(text) => Cow::Owned(with_plain_line_ends(&text).into_owned()),
    })
}

/// The text in the file at `path`, in UTF-8 or UTF-16 and with `\n` at the end of every line.
pub fn read_text(path: &Path) -> Result<String, DataError> {
    let contents = std::fs::read(path).map_err(DataError::io("read", path))?;
    Ok(decode_file(path, &contents)?.into_owned())
}

/// [`decode`] of the `contents` of the file at `path`.
pub(crate) fn decode_file<'a>(path: &Path, contents: &'a [u8]) -> Result<Cow<'a, str>, DataError> {
    decode(contents).map_err(|problem| DataError::unusable(path, problem))
}

/// `text` with `\n` at the end of every line, where Windows writes `\r\n` and old Macs `\r`.
pub fn with_plain_line_ends(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

fn utf8(contents: &[u8], offset: usize) -> Result<Cow<'_, str>, String> {
    let problem = |at: usize| {
        format!(
            "is not UTF-8 at byte {}; convert it, for instance with `iconv -f WINDOWS-1252 -t UTF-8`",
            offset + at
        )
    };
    let text = std::str::from_utf8(contents).map_err(|error| problem(error.valid_up_to()))?;
    match text.find('\0') {
        Some(at) => Err(format!("is no text: byte {} is zero", offset + at)),
        None => Ok(Cow::Borrowed(text)),
    }
}

fn utf16(contents: &[u8], offset: usize, unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, String> {
    let (pairs, odd) = contents.as_chunks::<2>();
    let mut text = String::with_capacity(contents.len());
    let mut at = offset;
    for character in char::decode_utf16(pairs.iter().map(|&pair| unit(pair))) {
        match character {
            Ok(character) if character != '\0' => {
                text.push(character);
                at += 2 * character.len_utf16();
            }
            _ => return Err(format!("is neither UTF-8 nor UTF-16: see byte {at}")),
        }
    }
    if odd.is_empty() {
        Ok(Cow::Owned(text))
    } else {
        Err(format!("ends in the middle of a character of UTF-16, at byte {at}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn utf16(text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
    }

    #[test]
    fn a_text_is_the_same_in_every_encoding_and_with_every_line_end() {
        let text = "a lovely film\nZo\u{eb} \u{1f600}\n";
        for ends in ["\n", "\r\n", "\r"] {
            let text_there = text.replace('\n', ends);
            for contents in [
                text_there.as_bytes().to_vec(),
                [b"\xef\xbb\xbf", text_there.as_bytes()].concat(),
                utf16(&text_there, b"\xff\xfe", u16::to_le_bytes),
                utf16(&text_there, b"\xfe\xff", u16::to_be_bytes),
                utf16(&text_there, b"", u16::to_le_bytes),
                utf16(&text_there, b"", u16::to_be_bytes),
            ] {
                assert_eq!(decode(&contents).unwrap(), text, "{contents:?}");
            }
        }
        assert!(matches!(decode(b"").unwrap(), Cow::Borrowed("")));
    }

    #[test]
    fn what_is_no_text_is_an_error_that_names_the_byte() {
        let problem = |contents: &[u8]| decode(contents).unwrap_err();
        assert!(problem(b"caf\xe9").starts_with("is not UTF-8 at byte 3; convert it"));
        assert!(problem(b"\xef\xbb\xbfcaf\xe9").contains("at byte 6"));
        assert_eq!(problem(b"ab\0"), "is no text: byte 2 is zero");
        // A lone surrogate, and half a character.
        assert!(problem(b"\xff\xfea\0\x00\xd8b\0").contains("byte 4"));
        assert!(problem(b"\xff\xfea\0b").contains("at byte 4"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_text_comes_back(contents: Vec<u8>, text in "[^\0\r]{0,40}") {
            let _ = decode(&contents);
            let bytes = utf16(&text, b"\xff\xfe", u16::to_le_bytes);
            prop_assert_eq!(decode(&bytes).unwrap(), text);
        }
    }
}
