//! Pages of runs that are whole, unfinished, broken, or of another tool, made of files on disk.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use converge_record::{
    Column, EvaluationRecord, Measure, Mistake, MistakenInput, NamedScore, Number, RunDirectory,
    StepRow, StepWriter, StepsMark,
};
use converge_report::{State, Training, report};
use tempfile::TempDir;

/// A copy of a small run, named so that HTML in a name would show.
fn run() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("<b>run &amp; 'co'");
    fs::create_dir(&path).unwrap();
    for file in fs::read_dir("../record/tests/linear").unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), path.join(file.file_name())).unwrap();
        }
    }
    (directory, path)
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "`{from}` is not in {}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

/// The page without the chart library.
fn page(path: &Path) -> (Training, String) {
    let training = Training::read(path).unwrap();
    let html = report(&training).unwrap();
    let (body, _) = html.split_once("<script>").unwrap();
    (training, body.to_owned())
}

#[test]
fn a_whole_run_has_all_sections_and_its_name_and_note_are_text() {
    let (_directory, path) = run();
    fs::write(path.join("notes.json"), r#"{"note": "<i>first", "tags": ["paper"]}"#).unwrap();
    let (training, html) = page(&path);
    assert_eq!(training.state, State::Completed);
    for heading in
        ["Learning curves", "Layers over time", "Time", "Configuration", "How to repeat it"]
    {
        assert!(html.contains(&format!("<h2>{heading}")), "{heading}");
    }
    assert!(html.contains("<h1>&lt;b&gt;run &amp;amp; 'co'</h1>"), "the name is not text");
    assert!(!html.contains("<b>run"));
    assert!(html.contains("[paper] &lt;i&gt;first"), "the note");
    // Drawn by code: `linear` is a synthetic problem.
    assert!(html.contains("SYNTHETIC DATA"));
}

#[test]
fn settings_that_differ_from_the_built_in_experiment_are_marked() {
    let (_directory, path) = run();
    let mut training = Training::read(&path).unwrap();
    let mut toml = fs::read_to_string(path.join("experiment.toml")).unwrap();
    let none = report(&training).unwrap();
    assert!(!none.contains("class=\"changed\""));
    toml = toml.replace("\nbatch_size = ", "\nbatch_size = 9");
    training.compare_settings("linear", &toml);
    let html = report(&training).unwrap();
    assert_eq!(html.matches("<tr class=\"changed\"><td><code>training.batch_size").count(), 1);
    assert!(html.contains("1 key differs from the built-in experiment <code>linear</code>"));
}

#[test]
fn what_is_missing_is_told_and_the_rest_is_shown() {
    let (_directory, path) = run();
    fs::remove_file(path.join("steps.csv")).unwrap();
    fs::write(path.join("experiment.toml"), "= nonsense").unwrap();
    fs::write(path.join("evaluation.json"), "{}").unwrap();
    let (training, html) = page(&path);
    assert!(html.contains("There are no optimizer steps"));
    assert!(html.contains("There is no <code>verdict.json</code>"));
    for file in ["experiment.toml", "evaluation.json"] {
        let told = training.missing.iter().any(|one| one.contains(file) && one.contains("damaged"));
        assert!(told, "{file}: {:?}", training.missing);
    }
    assert!(html.contains("<h3>loss</h3>"));
}

#[test]
fn every_file_may_be_gone_or_cut_short_without_a_panic() {
    let files = ["run.json", "experiment.toml", "steps.csv", "epochs.csv", "preprocessing.json"];
    for file in files {
        for share in [0, 1, 3, 7] {
            let (_directory, path) = run();
            let whole = fs::read(path.join(file)).unwrap();
            fs::write(path.join(file), &whole[..whole.len() * share / 8]).unwrap();
            let (_, html) = page(&path);
            assert!(html.contains("<h1>"), "{file} {share}");
        }
        let (_directory, path) = run();
        fs::remove_file(path.join(file)).unwrap();
        // Without its record it is a folder with a log in it, or with several.
        if let Ok(training) = Training::read(&path) {
            report(&training).unwrap();
        }
    }
}

#[test]
fn a_run_without_its_record_shows_its_curves() {
    let (_directory, path) = run();
    fs::write(path.join("run.json"), "{").unwrap();
    let (training, html) = page(&path);
    assert!(training.missing[0].contains("run.json") && training.missing[0].contains("damaged"));
    assert!(
        html.contains("<h3>loss</h3>") && html.contains("<h3>training loss of every step</h3>")
    );
}

#[test]
fn a_run_whose_process_is_gone_was_killed_and_the_page_says_how_it_goes_on() {
    let (_directory, path) = run();
    replace(&path.join("run.json"), "\"completed\"", "\"running\"");
    let (training, html) = page(&path);
    assert_eq!(training.state, State::Killed);
    assert!(html.contains("was killed after 3 epochs"));
    assert!(html.contains("converge train --resume"));
}

#[test]
fn a_run_of_another_program_is_not_said_to_go_on_or_to_be_evaluated_by_this_one() {
    let (_directory, path) = run();
    let record = path.join("run.json");
    replace(&record, "\"completed\"", "\"interrupted\"");
    replace(&record, "\"seed\": 42", "\"seed\": null, \"trained_by\": \"A <b>program\"");
    let (training, html) = page(&path);
    assert_eq!((training.experiment(), training.trained_by()), (None, Some("A <b>program")));
    assert_eq!(training.format, "a run of A <b>program");
    assert!(html.contains("trained by A &lt;b&gt;program, on"));
    assert!(html.contains("A &lt;b&gt;program trained it and can repeat it"));
    for absent in ["<b>program", "converge train", "converge evaluate", "seed 42"] {
        assert!(!html.contains(absent), "{absent}");
    }
}

#[test]
fn a_run_that_diverged_in_its_first_epoch_has_its_steps() {
    let (_directory, path) = run();
    replace(&path.join("run.json"), "\"completed\"", "\"diverged\"");
    fs::remove_file(path.join("epochs.csv")).unwrap();
    let (_, html) = page(&path);
    assert!(html.contains("class=\"verdict diverged\""));
    assert!(html.contains("There is no whole epoch yet"));
    assert!(html.contains("<h3>training loss of every step</h3>"));
}

#[test]
fn a_log_of_another_tool_has_a_page() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.csv");
    let rows: String =
        (0..20).map(|epoch| format!("{epoch},{},{}\n", 1.0 / f64::from(epoch + 1), 0.9)).collect();
    fs::write(&path, format!("epoch,loss,val_loss\n{rows}")).unwrap();
    let (training, html) = page(&path);
    assert_eq!(training.state, State::Log);
    assert!(html.contains("<h1>history.csv</h1>") && html.contains("<h3>loss</h3>"));
    assert!(Training::read(&directory.path().join("none.csv")).is_err());
}

/// An evaluation with as many images as there may be, each as large as it may be.
fn evaluation(run: &RunDirectory) -> EvaluationRecord {
    // The header of a PNG file, and noise.
    let image = format!("iVBORw0KGgo{}", "A".repeat(59_997));
    let mistake = |index| Mistake {
        index,
        truth: 0,
        prediction: 1,
        probability: Number(0.9),
        input: MistakenInput::Png(image.clone()),
    };
    let metric = NamedScore { name: "<i>".into(), value: Number(0.5), higher_is_better: true };
    let data = run.record.data.clone();
    let mut evaluation = EvaluationRecord::new(3, "test", "flex", data, 6);
    evaluation.metrics = vec![metric];
    evaluation.class_names = vec!["<script>".into(), "b".into()];
    evaluation.confusion_matrix = vec![vec![3, 1], vec![0, 2]];
    evaluation.mistakes = (0..12).map(mistake).collect();
    evaluation
}

#[test]
fn a_page_of_ten_thousand_steps_of_a_deep_network_is_below_six_megabytes() {
    let (_directory, path) = run();
    let run = RunDirectory::open(&path).unwrap();
    let measures = [Measure::GradientNorm, Measure::ParameterNorm, Measure::UpdateRatio];
    let columns: Vec<Column> = measures
        .into_iter()
        .flat_map(|measure| {
            let part = |layer| format!("blocks.{layer}.convolution.weight").into();
            (0..160).map(move |layer| Column { measure, part: part(layer) })
        })
        .collect();
    fs::remove_file(run.steps_file()).unwrap();
    let mut writer = StepWriter::open(&run.steps_file(), &columns, &StepsMark::default()).unwrap();
    for step in 1..=10_000_usize {
        // Numbers that do not repeat, with all their digits.
        let value = |place: usize| (((step * 7919 + place * 104_729) % 999_983) as f64 + 0.5) / 1e9;
        let value_now = |place| (step % 10 == 1).then(|| value(place));
        let parts = columns.iter().enumerate();
        let row = StepRow {
            epoch: 1 + step / 1000,
            step,
            loss: value(1),
            learning_rate: value(2),
            gradient_norm: value_now(3),
            parameter_norm: value_now(4),
            update_ratio: value_now(5),
            gradient_cosine: value_now(6),
            step_seconds: value(7),
            parts: parts.map(|(place, column)| (column.clone(), value_now(place))).collect(),
        };
        writer.write(&row).unwrap();
    }
    writer.flush().unwrap();
    run.write_evaluation(&evaluation(&run)).unwrap();
    let html = report(&Training::read(&path).unwrap()).unwrap();
    assert!(html.len() < 6_000_000, "{}", html.len());
    assert!(html.contains("The image is too large for this page."));
    assert!(!html.contains("<td><i></td>") && html.contains("&lt;i&gt;"));
    assert!(html.contains("10,000 points are drawn in buckets of 10"));
}
