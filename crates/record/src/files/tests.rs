#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn what_a_killed_process_left_is_swept_away_be_it_a_file_or_a_directory() {
    let parent = tempfile::tempdir().unwrap();
    let place = |name: &str| parent.path().join(name);
    fs::write(place(".curves.svg.partial"), "half").unwrap();
    fs::create_dir(place(".epoch-0003.removed")).unwrap();
    fs::write(place(".epoch-0003.removed").join("model.bpk"), "half").unwrap();
    fs::write(place(".lock"), "").unwrap();
    fs::write(place("a.partial"), "the user's own").unwrap();
    sweep(parent.path()).unwrap();
    let mut left: Vec<_> =
        fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".lock", "a.partial"]);
    sweep(&place("absent")).unwrap();
    assert!(sweep(&place("a.partial")).is_err(), "no directory");
}

#[test]
fn a_directory_is_replaced_whole_and_one_that_is_absent_is_removed_already() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("one");
    write_directory(&path, &[("a", b"1"), ("b", b"2")]).unwrap();
    write_directory(&path, &[("a", b"3")]).unwrap();
    assert_eq!(fs::read(path.join("a")).unwrap(), b"3");
    assert!(!path.join("b").exists());
    remove_directory(&path).unwrap();
    remove_directory(&path).unwrap();
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn what_is_half_written_is_abandoned_only_after_a_while() {
    let parent = tempfile::tempdir().unwrap();
    let place = |name: &str| parent.path().join(name);
    fs::write(place(".one.123.partial"), "half").unwrap();
    fs::write(place("whole"), "").unwrap();
    sweep_abandoned(parent.path(), Duration::from_hours(1));
    assert!(place(".one.123.partial").exists());
    sweep_abandoned(parent.path(), Duration::ZERO);
    assert!(!place(".one.123.partial").exists() && place("whole").exists());
    write_replacing(&place("whole"), b"new").unwrap();
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
}
