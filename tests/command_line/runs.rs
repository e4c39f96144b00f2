//! Many runs: the list, comparisons, pages, and names that need not be written out.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{Runs, converge, fail, stdout, succeed};

fn json(arguments: &str) -> Value {
    serde_json::from_slice(&succeed(arguments).stdout).unwrap()
}

/// Two rates, of which 0.05 is the better one after two epochs.
fn two_rates() -> Runs {
    let runs = Runs::new();
    for rate in ["0.001", "0.05"] {
        runs.train(&format!("linear --epochs 2 --set optimizer.learning_rate={rate}"));
    }
    runs
}

#[test]
fn the_list_tells_runs_apart_filters_and_ranks_them() {
    let runs = two_rates();
    let list = format!("runs --output {} --json", runs.path().display());
    let rates = |arguments: &str| -> Vec<f64> {
        let listed = json(&format!("{list} {arguments}"));
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["learning_rate"].as_f64().unwrap())
            .collect()
    };
    assert_eq!(rates("--best val_loss"), [0.05, 0.001]);
    assert_eq!(rates("--filter optimizer.learning_rate=1e-3"), [0.001]);
    assert_eq!(rates("--filter optimizer.name=adam"), [0.0; 0]);
    assert_eq!(rates("--sort oldest").len(), 2);
    assert_eq!(json(&list)[0]["differs"], serde_json::json!({ "optimizer.learning_rate": "0.05" }));
    let first = &json(&list)[0];
    assert_eq!((&first["optimizer"], &first["verdict"]), (&"sgd".into(), &"undecidable".into()));
    let shown = stdout(&succeed(&list.replace(" --json", "")));
    assert!(shown.contains("optimizer") && shown.contains("0.05"), "{shown}");
    let said = fail(&list.replace("--json", "--best val_los"));
    assert!(said.contains("no run has a column `val_los`"), "{said}");
    assert!(fail(&list.replace("--json", "--filter sgd")).contains("has no `=`"));
}

#[test]
fn a_run_is_named_by_the_beginning_of_its_name_and_keeps_its_scores() {
    let runs = two_rates();
    let home = runs.path().parent().unwrap();
    let folder = runs.path().file_name().unwrap().to_str().unwrap();
    let run = |arguments: &[&str]| converge().current_dir(home).args(arguments).output().unwrap();
    let latest = format!("{folder}/latest");
    let scored = run(&["evaluate", &latest, "--json"]);
    let scored: Value = serde_json::from_slice(&scored.stdout).unwrap();
    let path = home.join(scored["run"].as_str().unwrap());
    let kept: Value =
        serde_json::from_slice(&fs::read(path.join("evaluation.json")).unwrap()).unwrap();
    let rmse = &scored["regression"]["scores"]["rmse"];
    assert_eq!(kept["metrics"][0]["name"], "rmse");
    assert_eq!(&kept["metrics"][0]["value"], rmse);
    let listed = json(&format!("runs --output {} --json --sort test", runs.path().display()));
    assert_eq!(&listed[0]["test"]["value"], rmse);
    assert_eq!(listed[1]["test"], Value::Null);
    let ambiguous = run(&["evaluate", &format!("{folder}/linear")]);
    let said = String::from_utf8_lossy(&ambiguous.stderr).into_owned();
    assert!(said.contains("begins the names of 2 runs"), "{said}");
}

#[test]
fn runs_are_compared_and_drawn_on_a_page_of_their_own() {
    let runs = two_rates();
    let paths: Vec<String> = fs::read_dir(runs.path())
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    let both = paths.join(" ");
    let compared = json(&format!("compare {both} --json"));
    assert_eq!(compared["runs"].as_array().unwrap().len(), 2);
    let text = stdout(&succeed(&format!("compare {both}")));
    assert!(text.contains("learning_rate") && text.contains("0.05"), "{text}");
    let csv = stdout(&succeed(&format!("compare {both} --csv")));
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let page = runs.path().join("both.html");
    succeed(&format!("report {both} --page {}", page.display()));
    assert!(fs::read_to_string(&page).unwrap().contains("learning_rate"));
    let said = stdout(&succeed(&format!("report {}", paths[0])));
    let page = fs::read_to_string(Path::new(said.trim())).unwrap();
    assert!(said.trim().ends_with("report.html"), "{said}");
    assert!(page.contains("Undecidable") && page.contains("synthetic"));
    assert!(fail("report no-such-run").contains("no-such-run"));
}

#[test]
fn notes_and_tags_are_kept_and_runs_are_removed_only_with_consent() {
    let runs = two_rates();
    let folder = runs.path().display();
    let noted = json(&format!("runs --output {folder} note latest a first try --tag paper --json"));
    assert_eq!(noted, serde_json::json!({ "note": "a first try", "tags": ["paper"] }));
    let tagged = json(&format!("runs --output {folder} --filter tag=paper --json"));
    assert_eq!(tagged.as_array().unwrap().len(), 1);
    assert_eq!(tagged[0]["note"], "a first try");
    assert!(stdout(&succeed(&format!("runs --output {folder}"))).contains("[paper]"));
    // Both have whole epochs.
    let pruned = stdout(&succeed(&format!("runs --output {folder} prune")));
    assert!(pruned.contains("nothing to remove"), "{pruned}");
    let path = tagged[0]["path"].as_str().unwrap();
    assert!(fail(&format!("runs remove {path}")).contains("--yes"));
    assert!(Path::new(path).exists());
    // Named twice, it is one run.
    let removed =
        json(&format!("runs --output {folder} remove {path} {path}/ latest --yes --json"));
    assert_eq!(removed["removed"], serde_json::json!([path]));
    assert!(!Path::new(path).exists());
    succeed(&format!("runs --output {folder} prune --filter optimizer.name=sgd --yes"));
    assert!(json(&format!("runs --output {folder} --json")).as_array().unwrap().is_empty());
}
