//! A reader of Python pickles that executes nothing.
//!
//! A pickle is a program for a small stack machine. This one understands the instructions that
//! write dictionaries, lists, numbers, strings and calls, of protocols 0 to 5 as
//! <https://github.com/python/cpython/blob/main/Lib/pickletools.py> describes them. A call is kept
//! as what it is, a name and its arguments, for `numpy` to recognise; anything else is an error.

use std::collections::HashMap;

use super::literal::{parse, signed, unescape};

/// The place of a value in [`Pickle`].
pub(super) type Id = usize;

/// A value. Containers name their items by place, as a pickle may fill them later.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// Bytes, or a string of Python 2.
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A name, `module` and attribute.
    Global(String, String),
    /// `callee(*arguments)`, and what it was then built with.
    Call {
        callee: Id,
        arguments: Id,
        state: Option<Id>,
    },
}

/// More values than any data set of ten thousand images has.
const MOST_VALUES: usize = 1_000_000;

/// All values of a pickle that was read.
#[derive(Debug)]
pub(super) struct Pickle {
    values: Vec<Value>,
    root: Id,
}

impl Pickle {
    /// Reads a pickle, or says what in it is not understood.
    pub(super) fn read(contents: &[u8]) -> Result<Self, String> {
        let mut machine = Machine { input: contents, ..Machine::default() };
        let root = machine.run()?;
        Ok(Self { values: machine.values, root })
    }

    /// The value that was pickled.
    pub(super) fn root(&self) -> &Value {
        self.get(self.root)
    }

    /// The value at `id`.
    pub(super) fn get(&self, id: Id) -> &Value {
        self.values.get(id).unwrap_or(&Value::None)
    }
}

#[derive(Debug, Default)]
struct Machine<'a> {
    input: &'a [u8],
    values: Vec<Value>,
    stack: Vec<Id>,
    /// The heights of the stack at which a mark was set.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

type Done = Result<(), String>;

impl Machine<'_> {
    fn run(&mut self) -> Result<Id, String> {
        loop {
            let [instruction] = self.array()?;
            match instruction {
                b'.' => return self.pop(),
                0x80 => self.skip(1)?,
                0x95 => self.skip(8)?,
                b'(' => self.marks.push(self.stack.len()),
                b'0' => _ = self.pop()?,
                b'1' => _ = self.since_mark()?,
                b'2' => {
                    let top = self.top()?;
                    self.stack.push(top);
                }
                b'N' | 0x88 | 0x89 | b'I' | b'L' | b'J' | b'K' | b'M' | 0x8a => {
                    self.number(instruction)?;
                }
                b'S' | b'V' => self.line_text(instruction)?,
                b'T' | b'B' | 0x8e | 0x96 | b'U' | b'C' | b'X' | 0x8d | 0x8c => {
                    self.counted_text(instruction)?;
                }
                b']' | b'l' | b')' | b't' | 0x85 | 0x86 | 0x87 | b'}' | b'd' => {
                    self.container(instruction)?;
                }
                b'a' | b'e' | b's' | b'u' => self.fill(instruction)?,
                b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => self.memoize(instruction)?,
                b'c' | 0x93 | b'R' | b'b' => self.call(instruction)?,
                other => {
                    return Err(format!(
                        "it uses the pickle instruction {other:#04x}, which is not \
                                        needed for images and labels"
                    ));
                }
            }
        }
    }

    fn number(&mut self, instruction: u8) -> Done {
        let value = match instruction {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'I' => match self.line()?.as_str() {
                "00" => Value::Bool(false),
                "01" => Value::Bool(true),
                text => Value::Int(parse(text)?),
            },
            b'L' => Value::Int(parse(self.line()?.trim_end_matches('L'))?),
            b'J' => Value::Int(i32::from_le_bytes(self.array()?).into()),
            b'K' => Value::Int(u8::from_le_bytes(self.array()?).into()),
            b'M' => Value::Int(u16::from_le_bytes(self.array()?).into()),
            _ => {
                let length = u8::from_le_bytes(self.array()?).into();
                Value::Int(signed(self.bytes(length)?)?)
            }
        };
        self.push(value)
    }

    /// Strings that end with their line: Python 2's in quotes, and escaped Unicode.
    fn line_text(&mut self, instruction: u8) -> Done {
        let line = self.line()?;
        if instruction == b'V' {
            return self.push(Value::Text(unescape(&line)?.into_iter().collect()));
        }
        let quoted = ['\'', '"']
            .into_iter()
            .find_map(|quote| line.strip_prefix(quote).and_then(|line| line.strip_suffix(quote)));
        let characters = unescape(quoted.ok_or("it has a string without quotes")?)?;
        let bytes = characters.into_iter().map(|character| u8::try_from(u32::from(character)));
        let bytes = bytes.collect::<Result<_, _>>().map_err(|_| "it has a string beyond bytes")?;
        self.push(Value::Bytes(bytes))
    }

    /// Strings and bytes with their length in front.
    fn counted_text(&mut self, instruction: u8) -> Done {
        let length = match instruction {
            b'U' | b'C' | 0x8c => u8::from_le_bytes(self.array()?).into(),
            0x8d | 0x8e | 0x96 => u64::from_le_bytes(self.array()?),
            _ => u32::from_le_bytes(self.array()?).into(),
        };
        let bytes = self.bytes(length)?.to_vec();
        self.push(match instruction {
            b'X' | 0x8d | 0x8c => {
                Value::Text(String::from_utf8(bytes).map_err(|_| "it has a text beyond UTF-8")?)
            }
            _ => Value::Bytes(bytes),
        })
    }

    fn container(&mut self, instruction: u8) -> Done {
        let value = match instruction {
            b']' => Value::List(Vec::new()),
            b'l' => Value::List(self.since_mark()?),
            b')' => Value::Tuple(Vec::new()),
            b't' => Value::Tuple(self.since_mark()?),
            b'}' => Value::Dict(Vec::new()),
            b'd' => Value::Dict(pairs(&self.since_mark()?)?),
            _ => {
                // The instructions for one, two and three items follow each other.
                let mut items = Vec::new();
                for _ in 0x85..=instruction {
                    items.insert(0, self.pop()?);
                }
                Value::Tuple(items)
            }
        };
        self.push(value)
    }

    /// Puts items into the list or dictionary below them.
    fn fill(&mut self, instruction: u8) -> Done {
        let items = match instruction {
            b'a' => vec![self.pop()?],
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.since_mark()?,
        };
        let top = self.top()?;
        match (self.values.get_mut(top), instruction) {
            (Some(Value::List(list)), b'a' | b'e') => list.extend(items),
            (Some(Value::Dict(dict)), b's' | b'u') => dict.extend(pairs(&items)?),
            _ => return Err("it adds items to something else than a list".to_owned()),
        }
        Ok(())
    }

    /// Remembers the value on top, or brings a remembered one back.
    fn memoize(&mut self, instruction: u8) -> Done {
        let key = match instruction {
            b'p' | b'g' => parse(&self.line()?)?,
            b'q' | b'h' => u8::from_le_bytes(self.array()?).into(),
            b'r' | b'j' => u32::from_le_bytes(self.array()?).into(),
            _ => self.memo.len() as u64,
        };
        if matches!(instruction, b'g' | b'h' | b'j') {
            let id = *self.memo.get(&key).ok_or("it refers to a value that is not there")?;
            self.stack.push(id);
        } else {
            let top = self.top()?;
            self.memo.insert(key, top);
        }
        Ok(())
    }

    fn call(&mut self, instruction: u8) -> Done {
        match instruction {
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Value::Global(module, name))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (self.values.get(module), self.values.get(name)) {
                    (Some(Value::Text(module)), Some(Value::Text(name))) => {
                        self.push(Value::Global(module.clone(), name.clone()))
                    }
                    _ => Err("it has a name that is no text".to_owned()),
                }
            }
            b'R' => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                self.push(Value::Call { callee, arguments, state: None })
            }
            _ => {
                let built = self.pop()?;
                let top = self.top()?;
                match self.values.get_mut(top) {
                    Some(Value::Call { state, .. }) => {
                        *state = Some(built);
                        Ok(())
                    }
                    _ => Err("it sets the state of something that was not made".to_owned()),
                }
            }
        }
    }

    fn push(&mut self, value: Value) -> Done {
        if self.values.len() >= MOST_VALUES {
            return Err(format!("it has more than {MOST_VALUES} values"));
        }
        self.stack.push(self.values.len());
        self.values.push(value);
        Ok(())
    }

    fn top(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(|| "it takes a value from an empty stack".to_owned())
    }

    fn pop(&mut self) -> Result<Id, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn since_mark(&mut self) -> Result<Vec<Id>, String> {
        let height = self.marks.pop().ok_or("it takes values from before any mark")?;
        Ok(self.stack.split_off(height.min(self.stack.len())))
    }

    fn bytes(&mut self, count: u64) -> Result<&[u8], String> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let (bytes, rest) = self.input.split_at_checked(count).ok_or("it is truncated")?;
        self.input = rest;
        Ok(bytes)
    }

    fn skip(&mut self, count: u64) -> Done {
        self.bytes(count).map(|_| ())
    }

    fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], String> {
        let (bytes, rest) = self.input.split_first_chunk().ok_or("it is truncated")?;
        self.input = rest;
        Ok(*bytes)
    }

    /// The rest of the line, as Latin-1.
    fn line(&mut self) -> Result<String, String> {
        let end = self.input.iter().position(|&byte| byte == b'\n').ok_or("it is truncated")?;
        let line = self.bytes(end as u64)?.iter().map(|&byte| char::from(byte)).collect();
        self.skip(1)?;
        Ok(line)
    }
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, String> {
    match items.as_chunks() {
        (pairs, []) => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
        _ => Err("it has a key without a value".to_owned()),
    }
}
