//! Why an experiment cannot run, in words that say what to change.
//!
//! Every error names the key by its full path, shows the line of the file or the `--set` that it
//! comes from, and lists what would have been valid, the nearest first. `cli` prints it as it is.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::{Path, PathBuf};

use super::builtin;
pub use super::fault::Fault;
use super::fault::Problem;
use super::suggest::nearest;

/// Why an experiment cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// No built-in experiment has this name.
    #[error(
        "there is no built-in experiment `{name}`{}\n   = built in: {}\n   = an experiment of \
         your own is given by its path, such as `./{name}.toml`",
        did_you_mean(name, builtins, "`"),
        builtins.join(", ")
    )]
    UnknownExperiment {
        /// The name found.
        name: String,
        /// The names there are.
        builtins: Vec<String>,
    },
    /// The file cannot be read.
    #[error("cannot read the experiment file `{}`: {error}{hint}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
        /// What to do instead, on a line of its own, or nothing.
        hint: String,
    },
    /// The text is no TOML.
    #[error("invalid TOML: {message}{place}")]
    Syntax {
        /// What the parser says.
        message: String,
        /// Where.
        place: Place,
    },
    /// A `--set` that is no `KEY=VALUE`.
    #[error("`--set {text}` {problem}; write `--set section.key=value`, such as `{EXAMPLE}`")]
    Override {
        /// What was given.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting is wrong.
    #[error(transparent)]
    Setting(Box<SettingError>),
    /// The settings cannot be written as TOML.
    #[error("the experiment cannot be written as TOML: {0}")]
    Write(#[from] toml::ser::Error),
}

impl From<SettingError> for ExperimentError {
    fn from(error: SettingError) -> Self {
        Self::Setting(Box::new(error))
    }
}

impl ExperimentError {
    /// The error for a file that cannot be read.
    pub(super) fn unreadable(path: &Path, error: io::Error) -> Self {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let hint = if path.is_dir() {
            "\n   = this is a directory: name the TOML file in it".to_owned()
        } else if builtin::find(stem).is_some() {
            format!("\n   = the built-in experiment is called `{stem}`, without a path")
        } else {
            String::new()
        };
        Self::Unreadable { path: path.to_owned(), error, hint }
    }
}

const EXAMPLE: &str = "--set optimizer.learning_rate=0.01";

/// A setting that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingError {
    /// The full path of the key: `optimizer.learning_rate`.
    pub key: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// Where it was written.
    pub place: Place,
    /// What else helps, one line each.
    pub notes: Vec<String>,
}

impl SettingError {
    pub(super) fn new(problem: Problem, place: Place, notes: Vec<String>) -> Self {
        Self { key: joined(&problem.path), fault: problem.fault, place, notes }
    }
}

impl std::error::Error for SettingError {}

impl Display for SettingError {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { key, fault, place, notes } = self;
        match fault {
            Fault::UnknownKey(keys) => {
                let last = key.rsplit('.').next().unwrap_or(key);
                write!(formatter, "unknown key `{key}`{}", did_you_mean(last, keys, "`"))?;
            }
            Fault::UnknownName { found, names } => {
                let meant = did_you_mean(found, names, "\"");
                write!(formatter, "`{key}` cannot be {found:?}{meant}")?;
            }
            Fault::Missing(_) => write!(formatter, "`{key}` is missing")?,
            Fault::Invalid { found, must } => write!(formatter, "`{key}` is {found}, but {must}")?,
            Fault::Contradiction(reason) => write!(formatter, "`{key}` {reason}")?,
        }
        write!(formatter, "{place}")?;
        if let Fault::UnknownName { names, .. } = fault {
            write!(formatter, "\n   = one of: {}", names.join(", "))?;
        }
        notes.iter().try_for_each(|note| write!(formatter, "\n   = {note}"))
    }
}

/// A path in one word: `schedule.parts[1].gamma`.
fn joined(path: &[String]) -> String {
    let mut key = String::new();
    for part in path {
        if is_index(part) {
            key += part;
        } else {
            key += if key.is_empty() { "" } else { "." };
            key += &quoted(part);
        }
    }
    key
}

/// Whether a part of a path names an element of a list.
fn is_index(part: &str) -> bool {
    let inner = part.strip_prefix('[').and_then(|part| part.strip_suffix(']'));
    inner.is_some_and(|index| index.parse::<usize>().is_ok())
}

/// A key as TOML writes it: in quotes unless it is plain.
fn quoted(key: &str) -> Cow<'_, str> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !key.is_empty() && key.chars().all(plain) { key.into() } else { format!("{key:?}").into() }
}

/// ", did you mean …?", or nothing.
fn did_you_mean(word: &str, valid: &[String], quote: &str) -> String {
    nearest(word, valid)
        .map(|valid| format!(", did you mean {quote}{valid}{quote}?"))
        .unwrap_or_default()
}

/// Where a setting was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// In a file.
    File {
        /// The file, as the user named it.
        origin: String,
        /// The line, where there is one.
        line: Option<Line>,
    },
    /// On the command line: the text after `--set`.
    Override(String),
    /// In the program.
    Program,
}

/// A line of a file, with a mark on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// Its text.
    pub text: String,
    /// Where the mark begins, in characters from 0.
    pub column: usize,
    /// How many characters are marked.
    pub width: usize,
}

impl Display for Place {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        /// Longer lines are not worth showing: their mark would be off the screen.
        const LONGEST: usize = 120;
        match self {
            Self::File { origin, line: None } => write!(formatter, "\n  --> {origin}"),
            Self::File { origin, line: Some(line) } => {
                write!(formatter, "\n  --> {origin}:{}", line.number)?;
                if line.text.chars().count() > LONGEST {
                    return Ok(());
                }
                // A tab would move the mark, and other control characters the cursor.
                let text = line.text.replace(char::is_control, " ");
                let width = line.width.min(LONGEST);
                write!(
                    formatter,
                    "\n   | {text}\n   | {:1$}{2}",
                    "",
                    line.column,
                    "^".repeat(width)
                )
            }
            Self::Override(text) => write!(formatter, "\n  --> --set {text}"),
            Self::Program => Ok(()),
        }
    }
}
