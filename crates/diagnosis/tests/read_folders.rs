//! Event files and folders, in the layout of each tool.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

mod events;

use std::fs;
use std::path::Path;

use converge_diagnosis::read::{Choices, ReadError, read, read_bytes};
use converge_diagnosis::{History, Log};

use events::{Scalar, event};

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn folder(path: &Path) -> Log {
    read(path, &Choices::default()).unwrap()
}

fn last(log: &Log) -> &History {
    log.runs.last().unwrap()
}

/// What Lightning logs: training by step, validation at the end of the epoch, the epoch beside.
fn lightning_events() -> Vec<u8> {
    let mut bytes = events::record(b"\x09\x00\x00\x00\x00\x00\x00\xf0\x3f");
    for epoch in 0..3_u8 {
        for batch in 1..=2_u8 {
            let step = u64::from(20 * epoch + 10 * batch - 1);
            bytes.extend(event(step, "train_loss", f32::from(9 - epoch - batch), Scalar::Simple));
            bytes.extend(event(step, "epoch", f32::from(epoch), Scalar::Simple));
        }
        let step = u64::from(20 * epoch + 19);
        bytes.extend(event(step, "val_loss", f32::from(8 - epoch), Scalar::Simple));
        bytes.extend(event(step, "epoch", f32::from(epoch), Scalar::Simple));
    }
    bytes
}

#[test]
fn steps_within_epochs_are_averaged_by_epoch() {
    let log = read_bytes("events.out.tfevents.1", lightning_events(), &Choices::default()).unwrap();
    assert_eq!(log.format, "TensorBoard events");
    let run = last(&log);
    assert_eq!(run.x.as_deref(), Some("epoch"));
    assert_eq!(run.train_loss.as_ref().unwrap().y, [7.5, 6.5, 5.5]);
    assert_eq!(run.validation_loss.as_ref().unwrap().y, [8.0, 7.0, 6.0]);
}

#[test]
fn an_event_that_is_cut_off_is_left_out() {
    let whole = lightning_events();
    for cut in [1, 3, 5, 17, 40] {
        let bytes = whole[..whole.len() - cut].to_vec();
        let log = read_bytes("events", bytes, &Choices::default()).unwrap();
        assert!(log.notes.iter().any(|note| note.contains("cut off")), "{cut}");
        assert_eq!(last(&log).train_loss.as_ref().unwrap().y.len(), 3);
    }
}

#[test]
fn the_folders_of_keras_are_halves_of_one_run() {
    let root = tempfile::tempdir().unwrap();
    for (split, offset) in [("train", 0_u8), ("validation", 1)] {
        let mut bytes = vec![];
        for epoch in 0..4_u8 {
            let step = u64::from(epoch);
            bytes.extend(event(step, "epoch_loss", f32::from(9 - epoch + offset), Scalar::Tensor));
            if split == "validation" {
                bytes.extend(event(
                    100 * step,
                    "evaluation_loss_vs_iterations",
                    1.0,
                    Scalar::Tensor,
                ));
            }
        }
        write(root.path(), &format!("{split}/events.out.tfevents.1.host.v2"), bytes);
    }
    let log = folder(root.path());
    assert_eq!(log.runs.len(), 1);
    let (train, validation) = (&last(&log).train_loss, &last(&log).validation_loss);
    assert_eq!(train.as_ref().unwrap().y, [9.0, 8.0, 7.0, 6.0]);
    assert_eq!(validation.as_ref().unwrap().y, [10.0, 9.0, 8.0, 7.0]);
    assert_eq!(validation.as_ref().unwrap().name, "epoch_loss");
    // The half alone says that it is of validation.
    let half = folder(&root.path().join("validation").join("events.out.tfevents.1.host.v2"));
    assert!(last(&half).train_loss.is_none() && last(&half).validation_loss.is_some());
}

#[test]
fn epochs_are_judged_where_steps_are_logged_beside_them() {
    let root = tempfile::tempdir().unwrap();
    let mut steps = vec![];
    for step in 1..=60_u8 {
        let at = u64::from(step);
        steps.extend(event(at, "batch_loss", f32::from(99 - step), Scalar::Simple));
        steps.extend(event(at, "batch_learning_rate", 0.5, Scalar::Simple));
    }
    write(root.path(), "events.out.tfevents.1.converge", steps);
    for (split, offset) in [("train", 0_u8), ("validation", 1)] {
        let mut bytes = vec![];
        for epoch in 1..=6_u8 {
            let at = u64::from(epoch);
            bytes.extend(event(at, "epoch_loss", f32::from(9 - epoch + offset), Scalar::Simple));
            bytes.extend(event(at, "epoch_learning_rate", 0.25, Scalar::Simple));
        }
        write(root.path(), &format!("{split}/events.out.tfevents.1.converge"), bytes);
    }
    let log = folder(root.path());
    let run = last(&log);
    assert_eq!(run.train_loss.as_ref().unwrap().x, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(run.train_loss.as_ref().unwrap().y, [8.0, 7.0, 6.0, 5.0, 4.0, 3.0]);
    assert_eq!(run.validation_loss.as_ref().unwrap().y, [9.0, 8.0, 7.0, 6.0, 5.0, 4.0]);
    assert_eq!(run.learning_rate.as_ref().unwrap().y, [0.25; 6]);
}

#[test]
fn boards_of_several_runs_are_named_by_their_folders() {
    let root = tempfile::tempdir().unwrap();
    for run in ["a", "b"] {
        write(root.path(), &format!("{run}/events.out.tfevents.1"), lightning_events());
    }
    let log = folder(root.path());
    assert_eq!(log.runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn the_logs_of_burn_are_means_over_their_items() {
    let root = tempfile::tempdir().unwrap();
    for epoch in 1..=12 {
        let log = format!("{epoch},3\n{},1\n", epoch + 4);
        write(root.path(), &format!("train/epoch-{epoch}/Loss.log"), log);
        write(
            root.path(),
            &format!("valid/epoch-{epoch}/Loss.log"),
            format!("9\n7\n{epoch},final\n"),
        );
        write(root.path(), &format!("valid/epoch-{epoch}/Accuracy.log"), "50,32\n");
        write(root.path(), &format!("train/epoch-{epoch}/Learning_Rate.log"), "0.1\n0.01\n");
    }
    let log = folder(root.path());
    assert_eq!(log.format, "Burn metric logs");
    let run = last(&log);
    let (train, validation) =
        (run.train_loss.as_ref().unwrap(), run.validation_loss.as_ref().unwrap());
    assert_eq!((train.y[0], train.y[11], train.x[11]), (2.0, 13.0, 12.0));
    assert_eq!((validation.y[0], validation.y[11]), (1.0, 12.0));
    assert_eq!(run.learning_rate.as_ref().unwrap().y[0], 0.01);
    assert_eq!(run.metric.as_ref().unwrap().series.name, "valid/Accuracy");
}

#[test]
fn a_folder_with_one_log_is_that_log() {
    let root = tempfile::tempdir().unwrap();
    let csv = "epoch,loss\n0,3\n1,2\n2,1\n";
    write(root.path(), "lightning_logs/version_2/metrics.csv", csv);
    write(root.path(), "lightning_logs/version_10/metrics.csv", csv.replace('3', "4"));
    let log = folder(&root.path().join("lightning_logs"));
    assert_eq!(last(&log).train_loss.as_ref().unwrap().y[0], 4.0);
    write(root.path(), "one/my_run.csv", csv);
    write(root.path(), "one/notes.txt", "nothing of interest\n");
    assert_eq!(folder(&root.path().join("one")).runs.len(), 1);
    write(root.path(), "two/a.csv", csv);
    write(root.path(), "two/b.csv", csv);
    let several = read(&root.path().join("two"), &Choices::default());
    assert!(matches!(several, Err(ReadError::SeveralLogs { .. })));
    fs::create_dir_all(root.path().join("none")).unwrap();
    let none = read(&root.path().join("none"), &Choices::default()).unwrap_err();
    assert!(none.to_string().contains("name the file itself"), "{none}");
    let absent = read(&root.path().join("absent.csv"), &Choices::default());
    assert!(matches!(absent, Err(ReadError::Io { .. })));
}

#[test]
fn a_run_of_this_program_is_read_by_its_epochs() {
    let log = folder(Path::new("../record/tests/linear"));
    assert!(log.format.starts_with("run of Converge"));
    assert!(last(&log).validation_loss.is_some() && last(&log).learning_rate.is_some());
}
