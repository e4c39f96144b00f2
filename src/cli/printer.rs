//! How commands print: results to stdout, warnings and errors to stderr.

use std::error::Error;
use std::io::{self, IsTerminal, Write};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::{progress, width};

/// Writes results to stdout and messages to stderr.
pub(super) struct Printer {
    /// Whether results are wanted as JSON.
    pub json: bool,
    color: bool,
}

impl Printer {
    pub(super) fn new(json: bool) -> Self {
        let color = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { json, color }
    }

    /// Prints a result: as JSON if asked for, else as `text` says.
    pub(super) fn result<T: Serialize>(
        &mut self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        let text = if self.json {
            serde_json::to_string_pretty(value).context("the result cannot be written as JSON")?
        } else {
            text()
        };
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.trim_end().as_bytes())?;
        stdout.write_all(b"\n")?;
        Ok(stdout.flush()?)
    }

    /// A warning that nobody can miss.
    pub(super) fn warning(&self, text: &str) {
        message(&self.painted("33;1", &for_people(&format!("warning: {text}"))));
    }

    /// The error that ends the command, with its causes: for a program where results are.
    pub(super) fn error(&self, error: &anyhow::Error) {
        let sentence = sentence(error.chain());
        message(&if self.json {
            serde_json::json!({ "error": sentence }).to_string()
        } else {
            format!("{} {sentence}", self.painted("31;1", "error:"))
        });
    }

    fn painted(&self, style: &str, text: &str) -> String {
        if self.color { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// An error with those of its causes that it does not tell itself.
pub(super) fn sentence<'a>(chain: impl Iterator<Item = &'a (dyn Error + 'static)>) -> String {
    chain.fold(String::new(), |told, cause| match cause.to_string() {
        cause if told.is_empty() => cause,
        cause if told.contains(&cause) => told,
        cause => format!("{told}: {cause}"),
    })
}

/// Tells something on stderr.
pub(super) fn message(text: &str) {
    progress::say(text);
}

/// `text` as a terminal shows it best: broken between words. Paths and commands to be copied are said
/// as they are.
pub(super) fn for_people(text: &str) -> String {
    width::columns().map_or_else(|| text.to_owned(), |columns| width::wrapped(text, columns, 2))
}

/// Whether `error` only says that the reader of stdout has gone, as `| head` does.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::Error::from(io::Error::other("full")).context("cannot write `a`: full");
        assert_eq!(sentence(error.chain()), "cannot write `a`: full");
        let error = anyhow::Error::from(io::Error::other("full")).context("cannot write `a`");
        assert_eq!(sentence(error.chain()), "cannot write `a`: full");
    }
}
