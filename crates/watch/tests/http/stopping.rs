//! The button: an interrupt to the process that trains a run, and to no other.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};

use converge_record::{RunDirectory, TrainingProcess};

use crate::client::Server;
use crate::runs::{name, new_run};

/// A process that stands for a training.
fn process() -> (Child, TrainingProcess) {
    let child = Command::new("sleep").arg("60").spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let started = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap();
    let process = TrainingProcess {
        pid: child.id(),
        started: started.parse().unwrap(),
        ..TrainingProcess::current().unwrap()
    };
    (child, process)
}

fn sign(run: &RunDirectory, process: &TrainingProcess) {
    fs::write(run.file(".lock"), serde_json::to_string(process).unwrap()).unwrap();
}

#[test]
fn a_run_is_asked_to_stop_once() {
    let folder = tempfile::tempdir().unwrap();
    let (run, lock) = new_run(folder.path());
    let (mut child, process) = process();
    sign(&run, &process);
    let server = Server::start(folder.path());
    let news = server.events("/events").next();
    assert_eq!(news["runs"][0]["unstoppable"], serde_json::Value::Null);
    let stop = format!("/runs/{}/stop", name(&run));
    assert_eq!(server.post(&stop).status, 202);
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    assert_eq!(server.post(&stop).status, 409);
    drop(lock);
    assert!(server.post(&stop).body.contains("not being trained"));
}

#[test]
fn no_other_process_is_signalled() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, _lock) = new_run(folder.path());
    let (mut child, process) = process();
    let server = Server::start(folder.path());
    let stop = format!("/runs/{}/stop", name(&run));
    let earlier = TrainingProcess { started: process.started - 1, ..process.clone() };
    let elsewhere =
        TrainingProcess { machine: "another".into(), host: "gpu7".into(), ..process.clone() };
    for (other, reason) in [(earlier, "nobody knows"), (elsewhere, "`gpu7`")] {
        sign(&run, &other);
        let answer = server.post(&stop);
        assert!(answer.status == 409 && answer.body.contains(reason), "{}", answer.body);
    }
    sign(&run, &process);
    run.record.trained_by = Some("Burn's Learner".to_owned());
    run.write().unwrap();
    let answer = server.post(&stop);
    assert!(answer.status == 409 && answer.body.contains("Burn's Learner"), "{}", answer.body);
    run.record.trained_by = None;
    run.write().unwrap();
    fs::write(run.file(".lock"), "").unwrap();
    assert_eq!(server.post(&stop).status, 409);
    assert_eq!(server.post("/runs/other/stop").status, 404);
    assert!(child.try_wait().unwrap().is_none(), "it was signalled");
    child.kill().unwrap();
    child.wait().unwrap();
}
