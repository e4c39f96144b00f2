//! Ctrl-C and its relatives: the first one asks a training to stop, the second one ends the program.
//!
//! A program that was told to stop says so by its exit status, 128 and the number of the signal:
//! 130 after Ctrl-C, 143 after SIGTERM. `train imdb && predict …` then does not go on with half a
//! model, although the run is saved.

use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Context as _, Result};

use super::progress;
use converge_core::train::StopRequest;

/// The number of SIGINT, which Ctrl-C sends.
const INTERRUPT: u8 = 2;

/// The signal that was caught last; 0 for none.
static CAUGHT: AtomicU8 = AtomicU8::new(0);

/// The command did what it was told and stopped before its end. All is said.
#[derive(Debug, thiserror::Error)]
#[error("stopped on request")]
pub(super) struct Stopped;

impl Stopped {
    /// The exit status that tells of it. What stops without a signal, such as `q` in the full-screen
    /// interface, stops as by Ctrl-C.
    pub(super) fn status() -> u8 {
        let signal = CAUGHT.load(Ordering::Relaxed);
        128 + if signal == 0 { INTERRUPT } else { signal }
    }
}

/// From now on signals ask the session of `stop_request` to stop.
pub(super) fn catch(stop_request: StopRequest) -> Result<()> {
    watch(move |signal| {
        CAUGHT.store(signal, Ordering::Relaxed);
        if stop_request.raise() {
            progress::clear();
            #[expect(clippy::exit, reason = "a second one means now")]
            std::process::exit(i32::from(Stopped::status()));
        }
        progress::say("stopping after this step; press Ctrl-C again to stop at once");
    })
    .context("cannot catch Ctrl-C")
}

/// Calls `caught` with the number of every signal that asks to stop.
#[cfg(unix)]
fn watch(caught: impl Fn(u8) + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    // Under `nohup` the closing of the terminal is no request.
    let hang_up = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    let wanted = [SIGINT, SIGTERM].into_iter().chain(hang_up);
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    let forever = move || {
        for signal in signals.forever() {
            caught(u8::try_from(signal).unwrap_or(INTERRUPT));
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(forever).map(drop)
}

/// Whether this process was started with `signal` ignored; false where the system does not tell.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Calls `caught` at every Ctrl-C.
#[cfg(not(unix))]
fn watch(caught: impl Fn(u8) + Send + 'static) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || caught(INTERRUPT))
}
