//! JSON as programs leave it: with `NaN` and `Infinity`, several values in one file, junk between
//! them, or cut short.
//!
//! Readers of strict JSON refuse all of these, and what is missing in a history that was cut is
//! only its end.

use super::number::plain;

/// Nesting deeper than any history has.
const DEEPEST: usize = 64;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Null, true or false: no number.
    Nothing,
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object, in its order.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A number, also where it is written as text.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => super::number::number(text),
            _ => None,
        }
    }
}

/// Whether a text begins as JSON does.
pub(super) fn looks_like(start: &str) -> bool {
    let start = start.trim_start();
    let next = |text: &str| text.trim_start().chars().next();
    match start.chars().next() {
        Some('{') => matches!(next(start.get(1..).unwrap_or("")), Some('"' | '}')),
        Some('[') => {
            matches!(next(start.get(1..).unwrap_or("")), Some('{' | '[' | ']')) || {
                // A list of numbers; many a text begins with a date in brackets.
                let mut parser = Parser::new(start);
                parser.value(0);
                parser.failed.is_none() && next(parser.rest()).is_none()
            }
        }
        _ => false,
    }
}

/// Calls `each` with every value in `text`; true if there was junk, or the end is missing.
pub(super) fn values(text: &str, mut each: impl FnMut(Value)) -> bool {
    let mut parser = Parser::new(text);
    let mut junk = false;
    loop {
        parser.blanks();
        match parser.peek() {
            None => return junk,
            Some(b'{' | b'[') => {
                let value = parser.value(0);
                match parser.failed.take() {
                    None => each(value),
                    Some(Failure::End) => {
                        each(value);
                        return true;
                    }
                    Some(Failure::Syntax) => {
                        junk = true;
                        parser.next_line();
                    }
                }
            }
            Some(b',') => parser.at += 1,
            Some(_) => {
                junk = true;
                parser.next_line();
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    End,
    Syntax,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    failed: Option<Failure>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, failed: None }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Goes to the next line that begins a value.
    fn next_line(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or(&[]);
        self.at = memchr::memchr(b'\n', rest).map_or(self.text.len(), |end| self.at + end + 1);
    }

    fn fail(&mut self) -> Value {
        let failure = if self.at >= self.text.len() { Failure::End } else { Failure::Syntax };
        self.failed.get_or_insert(failure);
        Value::Nothing
    }

    /// A value; where it fails, what of it there is.
    fn value(&mut self, depth: usize) -> Value {
        self.blanks();
        match self.peek() {
            Some(b'{') if depth < DEEPEST => self.map(depth),
            Some(b'[') if depth < DEEPEST => self.list(depth),
            Some(b'"') => Value::Text(self.string()),
            Some(_) => self.word(),
            None => self.fail(),
        }
    }

    fn list(&mut self, depth: usize) -> Value {
        let mut items = vec![];
        self.at += 1;
        loop {
            self.blanks();
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Value::List(items);
                }
                Some(b',') => self.at += 1,
                _ => {
                    let item = self.value(depth + 1);
                    if self.failed != Some(Failure::End) || item != Value::Nothing {
                        items.push(item);
                    }
                    if self.failed.is_some() {
                        return Value::List(items);
                    }
                }
            }
        }
    }

    fn map(&mut self, depth: usize) -> Value {
        let mut items = vec![];
        self.at += 1;
        loop {
            self.blanks();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Value::Map(items);
                }
                Some(b',') => self.at += 1,
                Some(b'"') => {
                    let key = self.string();
                    self.blanks();
                    if self.peek() == Some(b':') {
                        self.at += 1;
                        let value = self.value(depth + 1);
                        items.push((key, value));
                    } else {
                        self.fail();
                    }
                    if self.failed.is_some() {
                        return Value::Map(items);
                    }
                }
                _ => {
                    self.fail();
                    return Value::Map(items);
                }
            }
        }
    }

    fn string(&mut self) -> String {
        let mut text = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let Some(end) = rest.find(['"', '\\']) else {
                self.at = self.text.len();
                self.fail();
                return text;
            };
            text.push_str(rest.get(..end).unwrap_or(""));
            self.at += end + 1;
            if rest.as_bytes().get(end) == Some(&b'"') {
                return text;
            }
            match self.rest().chars().next() {
                Some('u') => {
                    let code =
                        self.rest().get(1..5).and_then(|code| u32::from_str_radix(code, 16).ok());
                    text.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
                    self.at += if code.is_some() { 5 } else { 1 };
                }
                Some(escaped) => {
                    text.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        other => other,
                    });
                    self.at += escaped.len_utf8();
                }
                None => {
                    self.fail();
                    return text;
                }
            }
        }
    }

    /// A number, `null`, `true`, `NaN` and the like.
    fn word(&mut self) -> Value {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or("");
        let value = match word {
            "null" | "None" | "true" | "false" | "True" | "False" => Value::Nothing,
            "" => return self.fail(),
            word => {
                let Some(number) = plain(word) else {
                    if end == rest.len() {
                        self.at = self.text.len();
                    }
                    return self.fail();
                };
                Value::Number(number)
            }
        };
        self.at += end;
        value
    }
}
