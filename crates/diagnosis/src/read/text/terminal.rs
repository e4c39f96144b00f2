//! What a terminal would show of a stream of bytes, line by line.

use std::io::{self, BufRead};

use memchr::{memchr2, memchr3};

/// Longer lines are cut: no line of numbers is so long.
const LONGEST: usize = 1 << 18;

const BACKSPACE: u8 = 8;
const ESCAPE: u8 = 27;

/// The lines of a stream. A carriage return begins the line again, as a progress bar does.
pub(super) struct Lines<'a> {
    reader: &'a mut dyn BufRead,
    /// Whether each refresh of a line counts as a line.
    refreshes: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(reader: &'a mut dyn BufRead, refreshes: bool) -> Self {
        Self { reader, refreshes }
    }

    /// Puts the next line into `line`; false at the end.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        line.clear();
        let mut returned = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                if line.is_empty() {
                    return Ok(false);
                }
                show(line);
                return Ok(true);
            }
            let end = memchr2(b'\n', b'\r', buffer);
            let text = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or(buffer);
            if !text.is_empty() {
                if returned {
                    line.clear();
                    returned = false;
                }
                let room = LONGEST.saturating_sub(line.len()).min(text.len());
                line.extend_from_slice(text.get(..room).unwrap_or(text));
            }
            let read = text.len() + usize::from(end.is_some());
            let mark = end.and_then(|end| buffer.get(end)).copied();
            self.reader.consume(read);
            match mark {
                Some(b'\n') => {
                    show(line);
                    return Ok(true);
                }
                Some(_) if self.refreshes && !line.is_empty() => {
                    show(line);
                    return Ok(true);
                }
                Some(_) => returned = true,
                None => {}
            }
        }
    }
}

/// Carries out backspaces and takes out the codes of colours and cursors.
fn show(line: &mut Vec<u8>) {
    let Some(first) = memchr3(BACKSPACE, ESCAPE, 0, line) else { return };
    let codes = line.split_off(first);
    let mut bytes = codes.into_iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            0 => {}
            BACKSPACE => {
                // A character of several bytes is one.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            ESCAPE => match bytes.next() {
                Some(b'[') => {
                    for byte in bytes.by_ref() {
                        if (0x40..=0x7e).contains(&byte) {
                            break;
                        }
                    }
                }
                Some(b']') => {
                    for byte in bytes.by_ref() {
                        if byte == 7 || byte == b'\\' {
                            break;
                        }
                    }
                }
                _ => {}
            },
            byte => line.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shown(text: &str, refreshes: bool) -> Vec<String> {
        let mut reader = text.as_bytes();
        let mut lines = Lines::new(&mut reader, refreshes);
        let (mut line, mut all) = (vec![], vec![]);
        while lines.next(&mut line).unwrap() {
            all.push(String::from_utf8(line.clone()).unwrap());
        }
        all
    }

    #[test]
    fn the_last_refresh_of_a_line_is_what_a_terminal_shows() {
        assert_eq!(shown("1/3\r2/3\r3/3\nnext\r\n", false), ["3/3", "next"]);
        assert_eq!(shown("1/3\r2/3\r3/3\n", true), ["1/3", "2/3", "3/3"]);
        assert_eq!(shown("loss 9\u{8}1\n\u{1b}[1mbold\u{1b}[0m", false), ["loss 1", "bold"]);
        assert_eq!(shown("a\r\r\nb", false), ["a", "b"]);
    }
}
