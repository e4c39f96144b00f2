//! `converge watch` alone, built without Burn: `cargo run -p converge-watch --example watch -- FOLDER [PORT]`.

use std::io::Write as _;

use converge_watch::{Options, WatchError, serve};

fn main() -> Result<(), WatchError> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options::new(arguments.next().unwrap_or_else(|| "artifacts".to_owned()));
    options.port = arguments.next().and_then(|port| port.parse().ok()).unwrap_or(Options::PORT);
    serve(&options, |url| {
        // Whoever started it waits for this line.
        let _ = writeln!(std::io::stdout(), "{url}");
    })
}
