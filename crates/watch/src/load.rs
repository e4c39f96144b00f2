//! What the machine does, and the process of a run on it: `/proc/stat`, `/proc/meminfo`, `/proc/PID`. Where
//! there is no `/proc`, nothing is said.

use std::fs;
use std::time::{Duration, Instant};

use converge_record::TrainingProcess;
use serde_json::{Value, json};

const INTERVAL: Duration = Duration::from_secs(2);

/// Measures between one look and the next.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    looked: Option<Instant>,
    cpu: Option<Ticks>,
    process: Option<(TrainingProcess, u64)>,
    told: Option<Value>,
}

/// Ticks of the clock, over all cores, since the machine was started.
#[derive(Debug, Clone, Copy)]
struct Ticks {
    all: u64,
    idle: u64,
}

impl Meter {
    /// The shares of the processors in percent and the memory in bytes, where they changed.
    pub(crate) fn news(&mut self, process: Option<&TrainingProcess>) -> Option<Value> {
        if self.looked.is_some_and(|looked| looked.elapsed() < INTERVAL) {
            return None;
        }
        self.looked = Some(Instant::now());
        let now = ticks()?;
        let before = self.cpu.replace(now);
        let all = before.map(|before| now.all.saturating_sub(before.all)).filter(|&all| all > 0);
        let percent = |part: u64| all.map(|all| (100.0 * part as f64 / all as f64).round());
        let idle = before.map_or(0, |before| now.idle.saturating_sub(before.idle));
        let [total, free] =
            ["MemTotal:", "MemAvailable:"].map(|name| kibibytes("/proc/meminfo", name));
        let of_run = process.filter(|process| process.is_alive()).and_then(|process| {
            let used = process_ticks(process.pid)?;
            let before = self.process.replace((process.clone(), used));
            let before = before.filter(|(known, _)| known == process).map(|(_, used)| used);
            let memory = kibibytes(&format!("/proc/{}/status", process.pid), "VmRSS:");
            let cpu = before.and_then(|before| percent(used.saturating_sub(before)));
            Some(json!({ "cpu": cpu, "memory": memory.map(rounded) }))
        });
        let load = json!({
            "cpu": percent(all.unwrap_or_default().saturating_sub(idle)),
            "memory": total.zip(free).map(|(total, free)| rounded(total.saturating_sub(free))),
            "total": total,
            "run": of_run,
        });
        (self.told.as_ref() != Some(&load)).then(|| {
            self.told = Some(load.clone());
            load
        })
    }
}

fn ticks() -> Option<Ticks> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let numbers = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in the first two.
    let numbers: Vec<u64> = numbers.take(8).filter_map(|number| number.parse().ok()).collect();
    let idle = numbers.get(3)? + numbers.get(4)?;
    Some(Ticks { all: numbers.iter().sum(), idle })
}

/// The fields `utime` and `stime` of `proc_pid_stat(5)`.
fn process_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// A line of a file of `/proc` that says kilobytes, in bytes.
fn kibibytes(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// To 16 MiB: what changes by less is not worth a message.
fn rounded(bytes: u64) -> u64 {
    bytes >> 24 << 24
}
