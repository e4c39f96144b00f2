#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use super::*;
use crate::steps::StepsMark;
use crate::{Column, Measure, Number, Status, StepWriter, write_epochs};

fn run() -> (tempfile::TempDir, RunDirectory) {
    let directory = tempfile::tempdir().unwrap();
    fs::copy("tests/linear/run.json", directory.path().join("run.json")).unwrap();
    let run = RunDirectory::open(directory.path()).unwrap();
    (directory, run)
}

fn step(step: usize) -> StepRow {
    StepRow {
        epoch: 1,
        step,
        loss: 1.0 / step as f64,
        learning_rate: 0.1,
        gradient_norm: None,
        parameter_norm: None,
        update_ratio: None,
        gradient_cosine: None,
        step_seconds: 0.0,
        parts: vec![(weight(), None)],
    }
}

fn weight() -> Column {
    Column { measure: Measure::GradientNorm, part: Arc::from("w") }
}

fn epoch(epoch: usize, loss: f64) -> EpochRow {
    EpochRow { epoch, metrics: vec![("loss".to_owned(), Number(loss))], learning_rate: 0.1 }
}

fn steps_of(news: &News) -> (usize, Vec<usize>) {
    (news.steps.kept, news.steps.new.iter().map(|row| row.step).collect())
}

#[test]
fn steps_are_told_once_and_a_half_written_one_when_it_is_whole() {
    let (_directory, run) = run();
    let mut follower = Follower::new(run.path()).unwrap();
    assert_eq!(steps_of(&follower.look().unwrap()), (0, vec![]), "there is no file yet");

    let mut writer =
        StepWriter::open(&run.steps_file(), &[weight()], &StepsMark::default()).unwrap();
    assert_eq!(steps_of(&follower.look().unwrap()), (0, vec![]), "there is a header only");
    for number in 1..=3 {
        writer.write(&step(number)).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(steps_of(&follower.look().unwrap()), (0, vec![1, 2, 3]));
    assert_eq!(steps_of(&follower.look().unwrap()), (3, vec![]));

    let mut file = fs::File::options().append(true).open(run.steps_file()).unwrap();
    file.write_all(b"1,4,0.25,0.1,,,,0.0,,\n1,5,0.").unwrap();
    assert_eq!(steps_of(&follower.look().unwrap()), (3, vec![4]));
    file.write_all(b"2,0.1,,,,0.0,,\n").unwrap();
    let news = follower.look().unwrap();
    assert_eq!(news.steps.new[0].loss.to_bits(), 0.2_f64.to_bits());
    assert_eq!(steps_of(&news), (4, vec![5]));
}

#[test]
fn a_resume_that_cuts_steps_back_is_noticed_even_where_the_file_has_grown_past_the_cut() {
    let (_directory, run) = run();
    let mut follower = Follower::new(run.path()).unwrap();
    let mut seen = vec![];
    let mut write = |kept: usize, steps: &[usize]| {
        let mut writer = StepWriter::open(
            &run.steps_file(),
            &[weight()],
            &StepsMark { rows: kept, sha256: None },
        )
        .unwrap();
        for number in steps {
            writer.write(&step(*number)).unwrap();
        }
        writer.flush().unwrap();
        follower.look().unwrap().steps.apply(&mut seen);
        let written = run.steps().unwrap();
        assert_eq!(seen, written);
        written.len()
    };
    assert_eq!(write(0, &[1, 2, 3, 4]), 4);
    assert_eq!(write(2, &[]), 2);
    // The same length as before, and longer.
    assert_eq!(write(1, &[2]), 2);
    assert_eq!(write(1, &[2, 3, 4, 5, 6]), 6);
}

#[test]
fn epochs_are_told_once_although_their_file_is_replaced() {
    let (_directory, run) = run();
    let mut follower = Follower::new(run.path()).unwrap();
    let mut look = |rows: &[EpochRow]| {
        write_epochs(&run.epochs_file(), rows).unwrap();
        follower.look().unwrap().epochs
    };
    // A row of a run that diverged equals itself.
    let [one, two, three] = [epoch(1, 1.0), epoch(2, f64::NAN), epoch(3, 0.5)];
    let rows = |kept, new: &[&EpochRow]| Rows { kept, new: new.iter().copied().cloned().collect() };
    assert_eq!(look(&[]), rows(0, &[]));
    assert_eq!(look(&[one.clone(), two.clone()]), rows(0, &[&one, &two]));
    assert_eq!(look(&[one.clone(), two.clone()]), rows(2, &[]));
    assert_eq!(look(&[one.clone(), two.clone(), three.clone()]), rows(2, &[&three]));
    let again = epoch(2, 0.75);
    assert_eq!(look(&[one, again.clone()]), rows(1, &[&again]));
}

#[test]
fn the_record_is_the_one_of_now() {
    let (_directory, mut run) = run();
    let mut follower = Follower::new(run.path()).unwrap();
    assert_eq!(follower.look().unwrap().record.status, Status::Completed);
    run.record.status = Status::Running;
    run.write().unwrap();
    assert_eq!(follower.look().unwrap().record.status, Status::Running);
}

#[test]
fn damage_is_told_at_every_look_until_it_is_mended() {
    let (_directory, run) = run();
    let mut follower = Follower::new(run.path()).unwrap();
    let header = "epoch,step,loss,learning_rate,gradient_norm,parameter_norm,update_ratio,\
                  step_seconds\n";
    fs::write(run.steps_file(), format!("{header}1,one,1,0.1,,,,0\n")).unwrap();
    assert!(follower.look().is_err());
    assert!(follower.look().is_err());
    fs::write(run.steps_file(), format!("{header}1,1,1,0.1,,,,0\n")).unwrap();
    assert_eq!(steps_of(&follower.look().unwrap()), (0, vec![1]));
}
