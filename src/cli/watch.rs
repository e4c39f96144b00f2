//! `converge watch`: a page on this machine that follows the runs of a folder.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::options::RUNS;
use super::printer::Printer;
use converge_watch::{Options, serve};

/// Follow all runs of a folder in the browser while they train
///
/// Runs may be trained here, by another process or on another machine with the same disk. Serves until
/// Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  converge watch
  converge watch experiments --port 9000
  converge watch --address 0.0.0.0          from other machines, with a token that is shown")]
pub(super) struct WatchArgs {
    /// The folder that holds the runs
    #[arg(value_name = "FOLDER", default_value = RUNS)]
    folder: PathBuf,
    /// The address to listen on; other machines need another one than this, and a token
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// The port to listen on; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value_t = Options::PORT)]
    port: u16,
    /// The token that a browser has to show [default: drawn where other machines can connect]
    #[arg(long, value_name = "TOKEN", env = "CONVERGE_WATCH_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Where the page is.
#[derive(Serialize)]
struct Served<'a> {
    url: &'a str,
}

impl WatchArgs {
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let Self { folder, address, port, token } = self;
        let options = Options { folder, address, port, token };
        let mut shown = Ok(());
        serve(&options, |url| shown = printer.result(&Served { url }, || url.to_owned()))?;
        shown
    }
}
