//! Logs of a small run, read back.

#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::cast_possible_wrap)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use converge_logs::tensorboard::{Content, Event, SessionLog, What, read_record};
use converge_logs::{LogFormat, Logs, add_evaluation, export};
use converge_record::{EvaluationRecord, Mistake, MistakenInput, Number, RunDirectory};
use serde_json::Value;
use tempfile::TempDir;

const FORMATS: [LogFormat; 2] = [LogFormat::TensorBoard, LogFormat::JsonLines];

/// The run of `converge-record`, three epochs of linear regression, in a directory of its own.
fn run() -> (TempDir, RunDirectory) {
    let directory = tempfile::tempdir().unwrap();
    for file in ["run.json", "experiment.toml", "epochs.csv", "steps.csv"] {
        let source = Path::new("../record/tests/linear").join(file);
        fs::copy(source, directory.path().join(file)).unwrap();
    }
    let run = RunDirectory::open(directory.path()).unwrap();
    (directory, run)
}

/// The event files in `folder` below `tensorboard`, in the order of their names.
fn files(run: &RunDirectory, folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(run.file("tensorboard").join(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn events(path: &Path) -> Vec<Event> {
    let (bytes, mut record, mut events) = (fs::read(path).unwrap(), vec![], vec![]);
    let mut file = bytes.as_slice();
    while let Ok(true) = read_record(&mut file, &mut record) {
        events.push(Event::parse(&record).unwrap());
    }
    events
}

/// Points of a curve: step, value, time.
type Curve = Vec<(i64, f64, f64)>;

/// The scalars of a folder under their tags, as TensorBoard keeps them: the start of a session, but
/// for the first, takes away what stands at its step and later.
fn scalars(run: &RunDirectory, folder: &str) -> BTreeMap<String, Curve> {
    let mut curves: BTreeMap<String, Curve> = BTreeMap::new();
    let mut started = false;
    for file in files(run, folder) {
        let events = events(&file);
        let version = What::FileVersion("brain.Event:2".to_owned());
        assert_eq!(events[0].what.as_ref(), Some(&version), "{}", file.display());
        for event in events {
            match event.what.unwrap() {
                What::SessionLog(SessionLog { status: SessionLog::START }) => {
                    for curve in curves.values_mut().filter(|_| started) {
                        curve.retain(|one| one.0 < event.step);
                    }
                    started = true;
                }
                What::Summary(summary) => {
                    for value in summary.value {
                        if let Some(number) = value.number() {
                            let curve = curves.entry(value.tag).or_default();
                            curve.push((event.step, number, event.wall_time));
                        }
                    }
                }
                _ => {}
            }
        }
    }
    curves
}

fn steps(curve: &Curve) -> Vec<i64> {
    curve.iter().map(|one| one.0).collect()
}

fn lines(run: &RunDirectory, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(run.file(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Both logs hold every row of the run once.
fn assert_whole(run: &RunDirectory) {
    let epochs = run.epochs().unwrap();
    for (folder, prefix) in [("train", ""), ("validation", "val_")] {
        let curves = scalars(run, folder);
        for metric in ["loss", "mse", "rmse", "mae", "r2"] {
            let curve = &curves[&format!("epoch_{metric}")];
            assert_eq!(curve.len(), epochs.len(), "{folder} {metric}");
            for ((step, value, _), row) in curve.iter().zip(&epochs) {
                let expected = row.metric(&format!("{prefix}{metric}")).unwrap();
                assert_eq!((*step, *value), (row.epoch as i64, f64::from(expected as f32)));
            }
        }
    }
    let (rows, curves) = (run.steps().unwrap(), scalars(run, ""));
    let losses = &curves["batch_loss"];
    assert_eq!(losses.len(), rows.len());
    for ((step, value, _), row) in losses.iter().zip(&rows) {
        assert_eq!((*step, *value), (row.step as i64, f64::from(row.loss as f32)));
    }
    // Norms are there in the steps in which they were measured.
    let measured: Vec<i64> =
        rows.iter().filter(|row| row.gradient_norm.is_some()).map(|row| row.step as i64).collect();
    assert_eq!(steps(&curves["gradient_norm/all"]), measured);
    assert_eq!(steps(&curves["gradient_norm/output.bias"]), measured);
    assert_eq!(curves["gradient_norm/output.bias"][0].1, f64::from(32.01106_f32));

    let (epoch_lines, step_lines) = (lines(run, "epochs.jsonl"), lines(run, "steps.jsonl"));
    assert_eq!((epoch_lines.len(), step_lines.len()), (epochs.len(), rows.len()));
    for (line, row) in epoch_lines.iter().zip(&epochs) {
        assert_eq!(line["epoch"], row.epoch);
        assert_eq!(line["val_loss"].as_f64(), row.metric("val_loss"));
    }
    for (line, row) in step_lines.iter().zip(&rows) {
        assert_eq!(line["step"], row.step);
        assert_eq!(line["gradient_norm"].as_f64(), row.gradient_norm);
    }
}

#[test]
fn the_log_of_a_run_holds_its_rows_at_the_times_of_its_steps() {
    let (_directory, run) = run();
    export(&run, &FORMATS).unwrap();
    assert_whole(&run);
    let began = run.record.started_at().unwrap().as_second() as f64;
    let seconds: f64 = run.steps().unwrap().iter().map(|row| row.step_seconds).sum();
    let losses = &scalars(&run, "")["batch_loss"];
    assert!(losses.is_sorted_by(|before, after| before.2 <= after.2), "{losses:?}");
    assert!((losses.last().unwrap().2 - began - seconds).abs() < 1e-3, "{losses:?}");
    // Once more, there is nothing to add.
    export(&run, &FORMATS).unwrap();
    assert_whole(&run);
}

#[test]
fn a_session_goes_on_after_the_last_checkpoint_in_a_file_of_its_own() {
    let (_directory, run) = run();
    let (epochs, steps) = (run.epochs().unwrap(), run.steps().unwrap());
    let in_first = steps.iter().filter(|row| row.epoch == 1).count();
    let mut logs = Logs::open(&run, &FORMATS, &[], &[]).unwrap();
    logs.steps(&steps[..in_first]).unwrap();
    logs.epoch(&epochs[0]).unwrap();
    // Killed in the second epoch, of which no checkpoint knows.
    logs.steps(&steps[in_first..in_first + 5]).unwrap();
    logs.flush().unwrap();
    drop(logs);

    let mut logs = Logs::open(&run, &FORMATS, &epochs[..1], &steps[..in_first]).unwrap();
    for rows in steps[in_first..].chunks(8) {
        logs.steps(rows).unwrap();
    }
    for row in &epochs[1..] {
        logs.epoch(row).unwrap();
    }
    logs.finish(&run.record).unwrap();
    assert_whole(&run);
    assert_eq!(files(&run, "").len(), 2);
    let start = What::SessionLog(SessionLog { status: SessionLog::START });
    let second = events(&files(&run, "")[1]);
    assert_eq!((second[1].step, second[1].what.as_ref()), (in_first as i64 + 1, Some(&start)));
    let second = events(&files(&run, "validation")[1]);
    assert_eq!((second[1].step, second[1].what.as_ref()), (2, Some(&start)));
}

#[test]
fn what_a_log_has_lost_is_made_up_for() {
    let (_directory, run) = run();
    export(&run, &FORMATS).unwrap();
    for folder in ["", "train", "validation"] {
        let file = &files(&run, folder)[0];
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    }
    fs::remove_file(run.file("steps.jsonl")).unwrap();
    export(&run, &FORMATS).unwrap();
    assert_whole(&run);
}

#[test]
fn numbers_that_json_has_not_are_texts() {
    let (_directory, run) = run();
    let mut rows = run.epochs().unwrap();
    rows[0].metrics[0].1 = Number(f64::NAN);
    rows[1].metrics[0].1 = Number(f64::INFINITY);
    Logs::open(&run, &FORMATS, &rows, &[]).unwrap();
    let written = lines(&run, "epochs.jsonl");
    assert_eq!((&written[0]["loss"], &written[1]["loss"]), (&"NaN".into(), &"inf".into()));
    let curve = &scalars(&run, "train")["epoch_loss"];
    assert!(curve[0].1.is_nan() && curve[1].1 == f64::INFINITY);
}

#[test]
fn mistakes_are_pictures_with_their_sizes_and_the_last_evaluation_counts() {
    let (_directory, run) = run();
    // The beginning of a PNG file of 28 x 14 pixels.
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[0, 0, 0, 28, 0, 0, 0, 14]].concat();
    let mistake =
        |input| Mistake { index: 7, truth: 0, prediction: 1, probability: Number(0.9), input };
    let data = run.record.data.clone();
    let mut evaluation = EvaluationRecord::new(3, "test", "flex", data, 10);
    evaluation.class_names = vec!["a | b".into(), "c".into()];
    evaluation.mistakes = vec![
        mistake(MistakenInput::Png(BASE64.encode(&png))),
        mistake(MistakenInput::Png("no base64".into())),
    ];
    add_evaluation(&run, &evaluation).unwrap();
    assert!(!run.file("tensorboard").exists(), "a run without such a log gets none");

    export(&run, &FORMATS).unwrap();
    add_evaluation(&run, &evaluation).unwrap();
    evaluation.epoch = 2;
    add_evaluation(&run, &evaluation).unwrap();
    let second = events(&files(&run, "test")[1]);
    assert_eq!(second[1].step, 1, "the first evaluation counts no more");
    let Some(What::Summary(summary)) = &second[2].what else { panic!("no summary") };
    let tags: Vec<&str> = summary.value.iter().map(|value| value.tag.as_str()).collect();
    assert_eq!((second[2].step, tags), (2, vec!["mistakes", "mistakes/01"]));
    let content = |place: usize| match &summary.value[place].content {
        Some(Content::Tensor(tensor)) => tensor.string_val.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(content(1), [b"28".to_vec(), b"14".to_vec(), png.clone()]);
    let table = String::from_utf8(content(0)[0].clone()).unwrap();
    assert!(table.contains("| 1 | 7 | a \\| b | c | 0.9000 | mistakes/01 |"), "{table}");
}
