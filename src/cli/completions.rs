//! `converge completions`: completions for a shell.

use std::io::{self, Write as _};

use anyhow::Result;
use clap::Args;
use clap_complete::Shell;

use super::printer::Printer;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:
  converge completions bash > ~/.local/share/bash-completion/completions/converge")]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn run(&self, _: &mut Printer, command: &mut clap::Command) -> Result<()> {
        let mut script = vec![];
        clap_complete::generate(self.shell, command, "converge", &mut script);
        Ok(io::stdout().write_all(&script)?)
    }
}
