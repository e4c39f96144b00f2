//! Comparisons of runs and logs on disk.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use converge_figures::Look;
use converge_report::{Comparison, Outcome, ReportError, Training};
use tempfile::TempDir;

/// Runs in a folder of their own: copies of a small one with another learning rate, seed and scale of
/// the losses.
struct Runs {
    folder: TempDir,
    paths: Vec<PathBuf>,
}

impl Runs {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), paths: vec![] }
    }

    fn add(&mut self, rate: &str, seed: u64, val_loss: f64) -> &Path {
        let path = self.folder.path().join(format!("run-{}", self.paths.len()));
        fs::create_dir(&path).unwrap();
        let read =
            |file: &str| fs::read_to_string(format!("../record/tests/linear/{file}")).unwrap();
        let toml: String = read("experiment.toml")
            .lines()
            .map(|line| match line.split(" = ").next() {
                Some("seed") => format!("seed = {seed}\n"),
                Some("learning_rate") => format!("learning_rate = {rate}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        fs::write(path.join("experiment.toml"), toml).unwrap();
        let mut record: serde_json::Value = serde_json::from_str(&read("run.json")).unwrap();
        record["seed"] = seed.into();
        fs::write(path.join("run.json"), record.to_string()).unwrap();
        fs::write(path.join("steps.csv"), read("steps.csv")).unwrap();
        let epochs = format!(
            "epoch,loss,val_loss,learning_rate\n1,9,8,0.1\n2,5,{val_loss},0.1\n3,4,{},0.1\n",
            val_loss + 1.0
        );
        fs::write(path.join("epochs.csv"), epochs).unwrap();
        self.paths.push(path);
        self.paths.last().unwrap()
    }

    fn compare(&self) -> Comparison {
        Comparison::of(&Training::read_all(&self.paths).unwrap(), None).unwrap()
    }
}

/// Two rates with three seeds each, whose losses are far apart.
fn far_apart() -> Runs {
    let mut runs = Runs::new();
    for (seed, loss) in [(1, 1.0), (2, 1.1), (3, 1.2)] {
        runs.add("0.01", seed, loss);
        runs.add("0.1", seed, loss + 2.0);
    }
    runs
}

#[test]
fn runs_that_differ_by_their_seeds_are_one_group_with_mean_and_spread() {
    let comparison = far_apart().compare();
    assert_eq!(comparison.keys, ["optimizer.learning_rate"]);
    assert_eq!(comparison.groups.len(), 2);
    let best = &comparison.groups[0];
    assert_eq!((best.name.as_str(), best.n), ("learning_rate=0.01", 3));
    // The best of each run is that of its second epoch; of 1, 1.1 and 1.2 the deviation is 0.1.
    assert!((best.mean.unwrap() - 1.1).abs() < 1e-12);
    assert!((best.deviation.unwrap() - 0.1).abs() < 1e-12);
    assert_eq!(comparison.runs.iter().map(|run| run.group).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1]);
}

#[test]
fn runs_of_another_program_that_tells_no_settings_are_no_repetitions_of_each_other() {
    let mut runs = Runs::new();
    for loss in [1.0, 2.0] {
        let run = runs.add("0.1", 1, loss);
        let record = fs::read_to_string(run.join("run.json")).unwrap();
        let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
        record["trained_by"] = "another program".into();
        record["seed"] = serde_json::Value::Null;
        fs::write(run.join("run.json"), record.to_string()).unwrap();
        fs::write(run.join("experiment.toml"), "").unwrap();
    }
    let comparison = runs.compare();
    assert_eq!((comparison.groups.len(), comparison.keys), (2, vec!["log".to_owned()]));
}

#[test]
fn a_difference_beyond_the_spread_is_told_with_welch_s_interval() {
    let comparison = far_apart().compare();
    let [difference] = comparison.differences.as_slice() else { panic!("one pair") };
    assert_eq!(difference.outcome, Outcome::Worse);
    // 2 ± t(0.975, 4) √(2 · 0.01 / 3), and that t is 2.776445 (Student's table).
    let reach = 2.776_445 * (0.02_f64 / 3.0).sqrt();
    let [low, high] = difference.interval.unwrap();
    assert!((low - (2.0 - reach)).abs() < 1e-4 && (high - (2.0 + reach)).abs() < 1e-4);
    assert!(difference.sentence.contains("`learning_rate=0.1` is worse than `learning_rate=0.01`"));
}

#[test]
fn with_one_seed_each_nothing_can_be_told() {
    let mut runs = Runs::new();
    runs.add("0.01", 1, 1.0);
    runs.add("0.1", 1, 3.0);
    let comparison = runs.compare();
    assert_eq!(comparison.differences[0].outcome, Outcome::CannotTell);
    assert_eq!(comparison.differences[0].interval, None);
    assert!(comparison.differences[0].sentence.starts_with("Cannot tell"));
    assert!(comparison.text(Look::PLAIN).contains("Cannot tell which differences are real"));
}

#[test]
fn overlapping_spreads_cannot_be_told_apart() {
    let mut runs = Runs::new();
    for (seed, loss) in [(1, 1.0), (2, 1.4), (3, 0.7)] {
        runs.add("0.01", seed, loss);
        runs.add("0.1", seed, loss + 0.1);
    }
    let difference = &runs.compare().differences[0];
    assert_eq!(difference.outcome, Outcome::CannotTell);
    assert!(difference.interval.is_some_and(|[low, high]| low < 0.0 && 0.0 < high));
}

#[test]
fn the_same_seed_again_is_no_evidence_of_the_spread() {
    let mut runs = Runs::new();
    runs.add("0.01", 1, 1.0);
    runs.add("0.01", 1, 2.0);
    let comparison = runs.compare();
    assert_eq!((comparison.groups[0].n, comparison.groups[0].deviation), (1, None));
    assert!(comparison.notes.iter().any(|note| note.contains("the same seed again")));
}

#[test]
fn logs_of_other_tools_and_runs_are_compared_by_the_loss_they_have() {
    let mut runs = Runs::new();
    runs.add("0.01", 1, 1.0);
    let log = runs.folder.path().join("<i>.csv");
    fs::write(&log, "epoch,loss,eval_loss\n0,3,2.5\n1,2,1.5\n2,1,1.75\n").unwrap();
    runs.paths.push(log);
    let comparison = runs.compare();
    let score = comparison.score.as_ref().unwrap();
    assert_eq!((score.name.as_str(), score.higher_is_better), ("validation loss", false));
    let scores: Vec<Option<f64>> = comparison.runs.iter().map(|run| run.score).collect();
    assert_eq!(scores, [Some(1.0), Some(1.5)]);
    let html = comparison.page(&Training::read_all(&runs.paths).unwrap()).unwrap();
    assert!(html.contains("&lt;i&gt;.csv") && !html.contains("<i>.csv"));
}

#[test]
fn the_page_has_the_table_of_every_run_and_a_band_for_every_group() {
    let runs = far_apart();
    let trainings = Training::read_all(&runs.paths).unwrap();
    let html = Comparison::of(&trainings, None).unwrap().page(&trainings).unwrap();
    assert!(html.contains("<table class=\"sortable\">"));
    for place in 0..6 {
        assert!(html.contains(&format!("<td>run-{place}</td>")), "{place}");
    }
    // Two losses, each with two groups.
    assert_eq!(html.matches("\"fill\":\"tonexty\"").count(), 4);
    assert!(html.len() < 6_000_000);
}

#[test]
fn csv_has_a_row_for_each_run_and_all_keys() {
    let comparison = far_apart().compare();
    let text = comparison.csv().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 7);
    let header =
        "run,path,group,seed,state,verdict,confidence,points,optimizer.learning_rate,val_loss";
    assert_eq!(lines[0], header);
    assert!(lines[1].starts_with("run-0,") && lines[1].ends_with(",0.01,1"), "{}", lines[1]);
}

#[test]
fn text_fits_terminals_of_60_to_200_columns() {
    let comparison = far_apart().compare();
    for width in [60, 80, 100, 200] {
        let text = comparison.text(Look { width: Some(width), rules: true, styled: false });
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest <= usize::from(width), "{width}: {widest}\n{text}");
    }
}

#[test]
fn a_score_that_no_run_has_is_an_error_that_names_those_there_are() {
    let trainings = Training::read_all(&far_apart().paths).unwrap();
    let error = Comparison::of(&trainings, Some("val_f1")).unwrap_err();
    assert!(error.to_string().contains("they have: loss, val_loss"), "{error}");
    assert!(Comparison::of(&trainings, Some("loss")).is_ok());
    assert!(matches!(Comparison::of(&[], None), Err(ReportError::NoRuns)));
}

#[test]
fn json_holds_what_the_text_says() {
    let json = serde_json::to_value(far_apart().compare()).unwrap();
    assert_eq!(json["differences"][0]["outcome"], "worse");
    assert_eq!(json["runs"][0]["verdict"], "undecidable");
    assert_eq!(json["groups"][0]["n"], 3);
}
