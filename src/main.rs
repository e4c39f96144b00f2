//! The `converge` command.

#![recursion_limit = "256"]

use std::process::ExitCode;

fn main() -> ExitCode {
    converge::cli::main()
}
