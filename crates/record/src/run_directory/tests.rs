#![allow(clippy::unwrap_used)]

use super::*;
use crate::data::DataRecord;
use crate::{Origin, Status, StopReason, Versions};

const LINEAR: &str = "tests/linear";

fn new_run() -> NewRun<'static> {
    NewRun {
        experiment: "tiny",
        trained_by: None,
        experiment_toml: "name = \"tiny\"\n",
        seed: Some(7),
        versions: Versions { converge: "0.1.0".to_owned(), burn: "0.22.1".to_owned() },
        device: "flex",
        compute: None,
        data: DataRecord {
            title: "digits".to_owned(),
            origin: Origin::SyntheticStandIn,
            description: "drawn".to_owned(),
            stand_in_reason: Some("offline".to_owned()),
            files: vec![],
            class_names: vec![],
            feature_names: vec![],
        },
        pretrained: None,
        training_samples: 90,
        validation_samples: 10,
        parameters: 3,
    }
}

#[test]
fn a_new_run_is_complete_at_once_and_reads_back_as_it_was_written() {
    let parent = tempfile::tempdir().unwrap();
    let (run, _lock) = RunDirectory::create(parent.path(), new_run(), &[5, 7]).unwrap();
    let opened = RunDirectory::open(run.path()).unwrap();
    assert_eq!(opened.record, run.record);
    assert_eq!((opened.record.status, opened.record.seed), (Status::Running, Some(7)));
    assert_eq!(opened.record.data.label(), "digits (synthetic)");
    assert_eq!(opened.read_experiment().unwrap().1, "name = \"tiny\"\n");
    assert_eq!(opened.read_preprocessing::<[usize; 2]>().unwrap(), [5, 7]);
    assert_eq!(opened.epochs().unwrap(), []);
    assert_eq!(opened.steps().unwrap(), []);
}

#[test]
fn directories_are_never_reused_and_are_listed_with_the_oldest_first() {
    let parent = tempfile::tempdir().unwrap();
    let runs: Vec<_> =
        (0..3).map(|_| RunDirectory::create(parent.path(), new_run(), &()).unwrap().0).collect();
    fs::create_dir(parent.path().join("no-run")).unwrap();
    let mut first = runs[2].clone();
    first.record.started = "2020-01-01T00:00:00+00:00".to_owned();
    first.write().unwrap();
    let listed = RunDirectory::list(parent.path());
    let listed: Vec<_> = listed.into_iter().map(|run| run.unwrap().path).collect();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0], first.path);
}

#[test]
fn only_one_process_trains_a_run() {
    let parent = tempfile::tempdir().unwrap();
    let (run, lock) = RunDirectory::create(parent.path(), new_run(), &()).unwrap();
    assert!(run.is_locked() && !run.was_killed());
    let claimed = RunDirectory::claim(run.path());
    assert!(matches!(claimed, Err(RecordError::Locked(path)) if path == run.path));
    drop(lock);
    assert!(!run.is_locked() && run.was_killed());
    assert!(RunDirectory::claim(run.path()).is_ok());
}

#[test]
fn a_directory_without_a_record_is_no_run_and_gets_no_lock() {
    let directory = tempfile::tempdir().unwrap();
    let claimed = RunDirectory::claim(directory.path());
    assert!(matches!(claimed, Err(RecordError::NotARun(_))));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_run_of_format_1_as_it_was_written_in_november_2026_is_read() {
    let run = RunDirectory::open(Path::new(LINEAR)).unwrap();
    let record = &run.record;
    assert_eq!((record.status, record.seed, record.parameters), (Status::Completed, Some(42), 21));
    let reason = record.stop.as_ref().map(|stop| stop.reason);
    assert_eq!(reason, Some(StopReason::MaxEpochs));
    assert_eq!((record.epochs_done, run.epochs().unwrap().len()), (3, 3));
    assert_eq!((record.steps_done, run.steps().unwrap().len()), (21, 21));
    let best = record.best.as_ref().unwrap();
    assert_eq!(run.epochs().unwrap()[best.epoch - 1].metric(&best.monitor), Some(best.value));
    assert_eq!(run.checkpoints().newest().unwrap().unwrap().steps_done, 21);
}

#[test]
fn a_record_of_another_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(Path::new(LINEAR).join(RECORD_FILE)).unwrap();
    let text = text.replace("\"format\": 1", "\"format\": 2");
    fs::write(directory.path().join(RECORD_FILE), text).unwrap();
    let said = RunDirectory::open(directory.path()).unwrap_err().to_string();
    assert!(said.ends_with("its format is 2, this program reads 1"), "{said}");
}

#[test]
fn a_changed_preprocessing_is_damage() {
    let parent = tempfile::tempdir().unwrap();
    let (run, _lock) = RunDirectory::create(parent.path(), new_run(), &[5, 7]).unwrap();
    let path = run.file(PREPROCESSING_FILE);
    fs::write(&path, fs::read_to_string(&path).unwrap().replace('7', "8")).unwrap();
    let opened = RunDirectory::open(run.path()).unwrap();
    let said = opened.read_preprocessing::<[usize; 2]>().unwrap_err().to_string();
    assert!(said.contains("its SHA-256 is not the one in run.json"), "{said}");
}

#[test]
fn runs_that_cannot_be_listed_are_an_error_and_not_an_empty_list() {
    let parent = tempfile::tempdir().unwrap();
    assert!(RunDirectory::list(&parent.path().join("absent")).is_empty());
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(&*RunDirectory::list(&file), [Err(RecordError::Read { .. })]));
}

#[test]
fn a_file_system_without_locks_is_told_from_other_errors() {
    assert!(has_no_locks(&io::ErrorKind::Unsupported.into()));
    assert!(!has_no_locks(&io::ErrorKind::PermissionDenied.into()));
    #[cfg(target_os = "linux")]
    for (number, none) in [(37, true), (95, true), (38, true), (5, false)] {
        assert_eq!(has_no_locks(&io::Error::from_raw_os_error(number)), none, "{number}");
    }
}

#[test]
fn what_people_write_on_a_run_is_kept_and_a_run_in_training_is_not_removed() {
    let parent = tempfile::tempdir().unwrap();
    let (run, lock) = RunDirectory::create(parent.path(), new_run(), &()).unwrap();
    assert_eq!(run.notes().unwrap(), Notes::default());
    let mut notes = Notes { note: "a first try".to_owned(), ..Notes::default() };
    for tag in ["paper", "baseline", "paper"] {
        notes.tag(tag);
    }
    run.write_notes(&notes).unwrap();
    assert_eq!(run.notes().unwrap().tags, ["baseline", "paper"]);
    notes.untag("paper");
    assert_eq!(notes.tags, ["baseline"]);
    assert!(matches!(run.clone().remove(), Err(RecordError::Locked(_))));
    drop(lock);
    fs::create_dir(run.file("more")).unwrap();
    let before = run.bytes();
    fs::write(run.file("more").join("file"), [0; 1000]).unwrap();
    assert_eq!(run.bytes(), before + 1000);
    let path = run.path().to_owned();
    run.remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn a_run_tells_which_process_trains_it() {
    let parent = tempfile::tempdir().unwrap();
    let (run, lock) = RunDirectory::create(parent.path(), new_run(), &()).unwrap();
    assert_eq!(run.process(), TrainingProcess::current());
    drop(lock);
    // As runs of before this was kept have it, and as a process leaves it that was killed meanwhile.
    for text in ["", "{\"pid\":1"] {
        fs::write(run.file(LOCK_FILE), text).unwrap();
        assert_eq!(run.process(), None);
    }
    // A longer text of an earlier process leaves no rest.
    fs::write(run.file(LOCK_FILE), "x".repeat(1000)).unwrap();
    let (run, _lock) = RunDirectory::claim(run.path()).unwrap();
    assert_eq!(run.process(), TrainingProcess::current());
}
