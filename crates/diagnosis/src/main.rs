//! A verdict on the log of any training, for people who have only the log.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use converge_diagnosis::command::{Diagnose, text};

/// Did this training converge, and if not, why, and what should I change?
#[derive(Debug, Parser)]
#[command(name = "converge-diagnose", version, max_term_width = 100)]
struct Cli {
    /// Print results as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    diagnose: Diagnose,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without stderr there is nobody to tell.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let diagnosis = cli.diagnose.diagnose()?;
    let mut stdout = io::stdout().lock();
    if cli.json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&diagnosis)?)?;
    } else {
        let columns =
            terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
        writeln!(stdout, "{}", text(&diagnosis, columns))?;
    }
    cli.diagnose.fail_on(&diagnosis)
}
