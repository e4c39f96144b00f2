//! Which process trains a run, so that somebody else can ask it to stop.
//!
//! Whoever claims a run writes this into its `.lock`. A number of a process alone would be dangerous:
//! the system gives it to another process later, another machine on the same disk gives it to its own.
//! So the machine, its last start and the start of the process stand beside it, and
//! [`TrainingProcess::is_alive`] compares them all. Only Linux tells them; elsewhere the file is empty.

use std::fs;

use serde::{Deserialize, Serialize};

/// The process that trains a run, or trained it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingProcess {
    /// Its number.
    pub pid: u32,
    /// The name of its machine, for people.
    pub host: String,
    /// What no other machine has, nor this one after it was started anew, nor another container.
    pub machine: String,
    /// When it was started, in the ticks of the system's clock since the machine was.
    pub started: u64,
}

impl TrainingProcess {
    /// This process, where the system tells of it.
    pub fn current() -> Option<Self> {
        let pid = std::process::id();
        Some(Self { pid, host: host()?, machine: machine()?, started: started(pid)? })
    }

    /// Whether it is or was on this machine, in this container.
    pub fn is_here(&self) -> bool {
        machine().as_deref() == Some(&*self.machine)
    }

    /// Whether it runs, here, and is still the same process.
    pub fn is_alive(&self) -> bool {
        self.is_here() && started(self.pid) == Some(self.started)
    }
}

fn host() -> Option<String> {
    Some(fs::read_to_string("/proc/sys/kernel/hostname").ok()?.trim().to_owned())
}

fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// The field `starttime` of `proc_pid_stat(5)`; none of a process that is dead and not yet buried.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of a program stands in parentheses and may hold any.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // The state is the third field, the start the 22nd.
    let started = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(started)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn this_process_is_alive_and_its_number_alone_is_not_enough() {
        let process = TrainingProcess::current().unwrap();
        assert!(process.is_here() && process.is_alive());
        let earlier = TrainingProcess { started: process.started - 1, ..process.clone() };
        assert!(earlier.is_here() && !earlier.is_alive());
        let elsewhere = TrainingProcess { machine: "another".to_owned(), ..process };
        assert!(!elsewhere.is_here() && !elsewhere.is_alive());
    }

    #[test]
    fn a_process_that_was_killed_is_not_alive_before_its_parent_has_noticed() {
        let mut child = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
        let started = started(child.id()).unwrap();
        let process =
            TrainingProcess { pid: child.id(), started, ..TrainingProcess::current().unwrap() };
        assert!(process.is_alive());
        child.kill().unwrap();
        while process.is_alive() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(!process.is_alive());
    }
}
