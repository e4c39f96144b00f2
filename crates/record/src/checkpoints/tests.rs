#![allow(clippy::unwrap_used)]

use super::*;

fn state(format: u32, steps: usize, best: usize) -> Vec<u8> {
    let text = format!(
        r#"{{"format": {format}, "epochs_done": 0, "steps_done": {steps}, "batches_done": 0,
            "best": {{"epoch": {best}, "monitor": "val_loss", "value": 0.5}}, "stop": null,
            "what_else_training_keeps": []}}"#
    );
    text.into_bytes()
}

/// Checkpoints of epochs 1 to 5, each of ten steps, the second the best.
fn saved(keep_last: usize) -> (tempfile::TempDir, Checkpoints) {
    let directory = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::of(directory.path());
    for epoch in 1..=5 {
        let state = state(CHECKPOINT_FORMAT, 10 * epoch, 2.min(epoch));
        let files = [("model.bpk", &b"weights"[..]), (STATE_FILE, &state)];
        checkpoints.save_epoch(epoch, &files, keep_last, Some(2.min(epoch))).unwrap();
    }
    (directory, checkpoints)
}

#[test]
fn the_last_ones_and_the_best_are_kept() {
    assert_eq!(saved(1).1.epochs().unwrap(), [2, 5]);
    assert_eq!(saved(2).1.epochs().unwrap(), [2, 4, 5]);
    assert_eq!(saved(9).1.epochs().unwrap(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_checkpoint_is_found_by_what_it_is() {
    let (_directory, checkpoints) = saved(2);
    let steps = |which| checkpoints.find(which).unwrap().steps_done;
    assert_eq!([Which::Last, Which::Best, Which::Epoch(4)].map(steps), [50, 20, 40]);
    let found = checkpoints.find(Which::Best).unwrap();
    assert_eq!(fs::read(found.path.join("model.bpk")).unwrap(), b"weights");
    let said = checkpoints.find(Which::Epoch(3)).unwrap_err().to_string();
    assert!(said.ends_with("has no checkpoint `3`; it has: 2, 4, 5"), "{said}");
    let empty = tempfile::tempdir().unwrap();
    let said = Checkpoints::of(empty.path()).find(Which::Best).unwrap_err().to_string();
    assert!(said.ends_with("has no checkpoint `best`; it has: none yet"), "{said}");
}

#[test]
fn an_interrupted_step_is_the_newest_until_its_epoch_ends() {
    let (_directory, checkpoints) = saved(1);
    let newest = || checkpoints.newest().unwrap().unwrap().steps_done;
    assert_eq!(newest(), 50);
    let interrupted = state(CHECKPOINT_FORMAT, 53, 2);
    checkpoints.save_interrupted(&[(STATE_FILE, &interrupted)]).unwrap();
    assert_eq!(newest(), 53);
    let ended = state(CHECKPOINT_FORMAT, 60, 2);
    checkpoints.save_epoch(6, &[(STATE_FILE, &ended)], 1, Some(2)).unwrap();
    assert_eq!((newest(), checkpoints.epochs().unwrap()), (60, vec![2, 6]));
    assert!(!checkpoints.directory.join(INTERRUPTED).exists());
}

#[test]
fn what_a_killed_process_left_is_no_checkpoint_and_is_swept_away() {
    let (_directory, checkpoints) = saved(1);
    let litter = [".epoch-0006.partial", ".epoch-0004.removed"];
    let litter = litter.map(|name| checkpoints.directory.join(name));
    for path in &litter {
        fs::create_dir(path).unwrap();
        fs::write(path.join("model.bpk"), "half").unwrap();
    }
    assert_eq!(checkpoints.epochs().unwrap(), [2, 5]);
    checkpoints.sweep().unwrap();
    assert!(litter.iter().all(|path| !path.exists()));
    assert_eq!(checkpoints.epochs().unwrap(), [2, 5]);
}

#[test]
fn another_format_is_refused() {
    let (_directory, checkpoints) = saved(1);
    checkpoints.save_epoch(6, &[(STATE_FILE, &state(3, 60, 2))], 1, Some(2)).unwrap();
    let said = checkpoints.find(Which::Last).unwrap_err().to_string();
    assert!(said.ends_with("its format is 3, this program reads 2"), "{said}");
}

#[test]
fn names_of_checkpoints_are_read_as_they_are_shown() {
    for which in [Which::Best, Which::Last, Which::Epoch(7)] {
        assert_eq!(which.to_string().parse(), Ok(which));
    }
    assert!("first".parse::<Which>().is_err());
}

#[test]
fn a_changed_state_or_a_missing_checksum_is_damage() {
    let (_directory, checkpoints) = saved(1);
    let path = checkpoints.epoch_path(5);
    let said = || checkpoints.find(Which::Last).unwrap_err().to_string();
    let sum = fs::read_to_string(path.join(CHECKSUM_FILE)).unwrap();
    assert!(sum.ends_with("  state.json\n"), "as `sha256sum -c` reads it: {sum}");

    let text = fs::read_to_string(path.join(STATE_FILE)).unwrap();
    fs::write(path.join(STATE_FILE), text.replace("\"steps_done\": 50", "\"steps_done\": 51"))
        .unwrap();
    assert!(said().contains("its SHA-256 is not the one in state.json.sha256"), "{}", said());
    assert!(checkpoints.newest().is_err());
    fs::write(path.join(STATE_FILE), text).unwrap();
    assert!(checkpoints.find(Which::Last).is_ok());
    fs::remove_file(path.join(CHECKSUM_FILE)).unwrap();
    assert!(said().contains("its checksum, state.json.sha256, is missing"), "{}", said());
}

#[test]
fn a_checkpoint_of_the_format_without_checksums_is_read() {
    let (_directory, checkpoints) = saved(1);
    let path = checkpoints.epoch_path(5);
    fs::remove_file(path.join(CHECKSUM_FILE)).unwrap();
    fs::write(path.join(STATE_FILE), state(WITHOUT_CHECKSUM, 50, 2)).unwrap();
    assert_eq!(checkpoints.newest().unwrap().unwrap().steps_done, 50);
}

#[test]
fn what_cannot_be_listed_is_an_error_and_not_an_empty_folder() {
    let directory = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::of(directory.path());
    assert_eq!(checkpoints.epochs().unwrap(), [0_usize; 0]);
    // A file cannot be listed, whoever asks; a folder without permission can be by root.
    fs::write(directory.path().join("checkpoints"), "").unwrap();
    for said in [
        checkpoints.epochs().unwrap_err(),
        checkpoints.newest().unwrap_err(),
        checkpoints.find(Which::Best).unwrap_err(),
        checkpoints.sweep().unwrap_err(),
    ] {
        assert!(said.to_string().contains("checkpoints`: "), "{said}");
    }
}
