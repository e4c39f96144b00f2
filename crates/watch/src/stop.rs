//! Asks a run to stop, as Ctrl-C does: an interrupt to the process that its lock names, and to no other.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use converge_record::{RecordError, RunDirectory, Status, TrainingProcess};

/// Why a run was not asked to stop.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    Unreadable(#[from] RecordError),
    #[error("the run is not being trained")]
    NotTrained,
    #[error("nobody knows the process that trains it: press Ctrl-C where it was started")]
    Unknown,
    #[error("it is trained on another machine or in another container, `{0}`: press Ctrl-C there")]
    Elsewhere(String),
    #[error(
        "it is trained by {0}, which an interrupt may end at once: stop it where it was started"
    )]
    OtherProgram(String),
    #[error("it was asked to stop before, and does so after its step")]
    Asked,
    #[error("its process cannot be signalled: {0}")]
    System(#[from] io::Error),
}

/// Why there is no way to stop `run`, which is being trained, from here.
pub(crate) fn refusal(run: &RunDirectory) -> Option<Refusal> {
    if let Some(by) = &run.record.trained_by {
        return Some(Refusal::OtherProgram(by.clone()));
    }
    let process = run.process().filter(|_| cfg!(target_os = "linux"));
    let Some(process) = process else { return Some(Refusal::Unknown) };
    if !process.is_here() {
        return Some(Refusal::Elsewhere(process.host));
    }
    (!process.is_alive()).then_some(Refusal::Unknown)
}

/// Remembers whom it asked: a second interrupt would end a training at once, without its last checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Stopper {
    asked: Mutex<HashSet<(u32, u64)>>,
}

impl Stopper {
    /// Asks the run at `path` to stop.
    pub(crate) fn stop(&self, path: &Path) -> Result<(), Refusal> {
        let run = RunDirectory::open(path)?;
        if run.record.status != Status::Running || run.was_killed() {
            return Err(Refusal::NotTrained);
        }
        if let Some(refusal) = refusal(&run) {
            return Err(refusal);
        }
        let process = run.process().ok_or(Refusal::Unknown)?;
        let key = (process.pid, process.started);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.contains(&key) {
            return Err(Refusal::Asked);
        }
        interrupt(&process)?;
        asked.insert(key);
        Ok(())
    }
}

/// The handle is taken before the process is compared: from then on its number can mean no other.
#[cfg(target_os = "linux")]
fn interrupt(process: &TrainingProcess) -> Result<(), Refusal> {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw).ok_or(Refusal::Unknown)?;
    let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(io::Error::from)?;
    if !process.is_alive() {
        return Err(Refusal::NotTrained);
    }
    Ok(pidfd_send_signal(handle, Signal::INT).map_err(io::Error::from)?)
}

#[cfg(not(target_os = "linux"))]
fn interrupt(_: &TrainingProcess) -> Result<(), Refusal> {
    Err(Refusal::Unknown)
}
