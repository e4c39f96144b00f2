//! Data of the user's own, as strangers have them: changed since a run, cut, in other encodings, with
//! columns in another order. Nothing of it gives another answer without a word.

use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage, Rgba, RgbaImage};
use serde_json::Value;

use crate::common::{Runs, fail, run, stderr, stdout, succeed};

fn json(arguments: &str) -> Value {
    serde_json::from_slice(&succeed(&format!("{arguments} --json")).stdout).unwrap()
}

/// A recommender trained on `ratings.csv`.
fn recommender(runs: &Runs) -> (std::path::PathBuf, std::path::PathBuf) {
    let table = runs.path().join("ratings.csv");
    let row = |number: u32| {
        format!("u{},i{},{}\n", number % 23, number % 37, 1 + (number % 23 + number % 37) % 5)
    };
    fs::write(&table, "user,item,rating\n".to_owned() + &(0..600).map(row).collect::<String>())
        .unwrap();
    let run = runs.train(&format!(
        "movielens-small --epochs 1 --set data.name=ratings --set data.path={} --set data.source=real",
        table.display()
    ));
    (run, table)
}

#[test]
fn other_ratings_than_those_of_the_run_are_scored_only_on_purpose() {
    let runs = Runs::new();
    let (run, table) = recommender(&runs);
    let before = json(&format!("evaluate {}", run.display()));
    assert!(before.get("other_data").is_none());
    let text = fs::read_to_string(&table).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    let deleted = lines.remove(300);
    let without = lines.join("\n");
    lines[1..].sort_unstable();
    for changed in [without, lines.join("\n"), text.replacen('\n', "\nzed,i1,3\n", 1)] {
        fs::write(&table, changed).unwrap();
        let said = fail(&format!("evaluate {}", run.display()));
        assert!(said.contains("ratings.csv` has other contents than when the run began"), "{said}");
        assert!(said.contains("`--data other`"), "{said}");
        let evaluation = json(&format!("evaluate {} --data other", run.display()));
        assert!(evaluation["other_data"].as_str().unwrap().contains("other contents"));
    }
    fs::write(&table, &text).unwrap();
    assert_eq!(json(&format!("evaluate {}", run.display())), before, "{deleted}");
    // The table has moved: `--data-dir` says where to.
    let elsewhere = runs.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(&table, elsewhere.join("ratings.csv")).unwrap();
    assert!(fail(&format!("evaluate {}", run.display())).contains("ratings.csv"));
    let moved = json(&format!("evaluate {} --data-dir {}", run.display(), elsewhere.display()));
    assert_eq!(moved["regression"], before["regression"]);
}

#[test]
fn a_rating_of_somebody_unknown_says_so() {
    let runs = Runs::new();
    let (run, _) = recommender(&runs);
    let output = succeed(&format!("predict {} nobody,i4", run.display()));
    let said = stderr(&output);
    assert!(said.contains("user `nobody` has no rating in the training data"), "{said}");
    assert!(!stderr(&succeed(&format!("predict {} u1,i4", run.display()))).contains("no rating"));
}

/// A folder of images of two classes, told apart by their brightness.
fn images(folder: &Path, classes: [&str; 2]) {
    for (class, dark) in classes.into_iter().zip([30, 200]) {
        for (split, count) in [("train", 20), ("val", 6)] {
            let folder = folder.join(split).join(class);
            fs::create_dir_all(&folder).unwrap();
            for number in 0..count {
                let level = |x: u32, y: u32| (dark + (x + y * 3 + number) % 40) as u8;
                let image = RgbImage::from_fn(40, 40, |x, y| Rgb([level(x, y); 3]));
                image.save(folder.join(format!("{number}.jpg"))).unwrap();
            }
        }
    }
}

fn image_arguments(folder: &Path) -> String {
    format!(
        "cifar10 --epochs 1 --set data.name=images --set data.path={} --set data.source=real \
         --set data.size=32 --set data.resize=32 --set data.normalization=unit",
        folder.display()
    )
}

#[test]
fn a_renamed_class_is_refused_and_other_images_are_matched_by_the_names_of_classes() {
    let runs = Runs::new();
    let folder = runs.path().join("insects");
    images(&folder, ["ants", "bees"]);
    let run = runs.train(&image_arguments(&folder));
    let before = json(&format!("evaluate {}", run.display()));
    for split in ["train", "val"] {
        fs::rename(folder.join(split).join("ants"), folder.join(split).join("wasps")).unwrap();
    }
    let said = fail(&format!("evaluate {}", run.display()));
    let expected = "the classes of the run are `ants`, `bees`, those found now are `bees`, `wasps`";
    assert!(said.contains(expected), "{said}");
    let said = fail(&format!("evaluate {} --data other", run.display()));
    assert!(said.contains("the model knows no class `wasps`; it knows `ants`, `bees`"), "{said}");
    for split in ["train", "val"] {
        fs::rename(folder.join(split).join("wasps"), folder.join(split).join("ants")).unwrap();
    }
    assert_eq!(json(&format!("evaluate {}", run.display())), before);
    // Images of the test split that the run has not seen.
    fs::remove_file(folder.join("val/ants/0.jpg")).unwrap();
    assert!(fail(&format!("evaluate {}", run.display())).contains("val` has other contents"));
    let other = succeed(&format!("evaluate {} --data other", run.display()));
    assert!(stdout(&other).contains("OTHER data than the run's"));
}

#[test]
fn a_jpeg_that_is_cut_short_neither_trains_nor_is_predicted() {
    let runs = Runs::new();
    let folder = runs.path().join("insects");
    images(&folder, ["ants", "bees"]);
    let whole = folder.join("val/bees/1.jpg");
    let run_directory = runs.train(&image_arguments(&folder));
    let contents = fs::read(&whole).unwrap();
    let cut = folder.join("train/ants/3.jpg");
    fs::write(&cut, &contents[..contents.len() * 9 / 10]).unwrap();
    let said =
        fail(&format!("train {} --output {}", image_arguments(&folder), runs.path().display()));
    assert!(said.contains("3.jpg` is no image, it is cut short"), "{said}");
    // The other inputs are predicted for, and what failed is told.
    let output = run(&format!(
        "predict {} {} {} --json",
        run_directory.display(),
        cut.display(),
        whole.display()
    ));
    assert_eq!(output.status.code(), Some(1));
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(results[0]["error"].as_str().unwrap().contains("cut short"), "{results}");
    assert_eq!(results[1]["classes"][0]["class"], "bees");
    let error: Value = serde_json::from_str(stderr(&output).lines().last().unwrap()).unwrap();
    assert_eq!(error["error"], "1 of 2 inputs failed; the others are above");
}

#[test]
fn digits_on_a_transparent_ground_are_told_apart() {
    let runs = Runs::new();
    let run = runs.train("mnist --data synthetic --epochs 1 --set model.hidden=[16]");
    let draw = |name: &str, wide: bool, transparent: bool| {
        let path = runs.path().join(name);
        let ink = |x: u32, y: u32| if wide { y / 6 == 2 } else { x / 6 == 2 };
        RgbaImage::from_fn(28, 28, |x, y| {
            let ground = if transparent { Rgba([0, 0, 0, 0]) } else { Rgba([255; 4]) };
            if ink(x, y) { Rgba([0, 0, 0, 255]) } else { ground }
        })
        .save(&path)
        .unwrap();
        json(&format!("predict {} {} --invert", run.display(), path.display()))[0]["classes"]
            .clone()
    };
    let bar = draw("bar.png", true, true);
    assert_eq!(bar, draw("bar_on_white.png", true, false));
    assert_ne!(bar, draw("post.png", false, true));
}

#[test]
fn columns_of_a_table_are_found_by_their_names() {
    let runs = Runs::new();
    let run = runs.train("housing --data synthetic --epochs 1");
    let table = |name: &str, text: &str| {
        let path = runs.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let first =
        |input: &str| json(&format!("predict {} {input}", run.display()))[0]["value"].clone();
    let plain = first("8.3,41,7,1,322,2.6,37.9,-122.2");
    let permuted = table(
        "permuted.csv",
        "\u{feff}Longitude;Latitude;AveOccup;Population;AveBedrms;AveRooms;HouseAge;MedInc;price\r\n\
         -122.2;37.9;2.6;322;1;7;41;8.3;1\r\n",
    );
    assert_eq!(first(&permuted), plain);
    for (name, row, field) in [
        ("nan.csv", "NaN,41,7,1,322,2.6,37.9,-122.2", "`NaN` in column 1 (`MedInc`)"),
        ("large.csv", "8,1e39,7,1,322,2.6,37.9,-122.2", "`1e39` in column 2 (`HouseAge`)"),
        ("short.csv", "8,1,7", "3 values, but 8 are needed: MedInc, HouseAge, AveRooms"),
    ] {
        let path = table(name, &format!("{row}\n8.3,41,7,1,322,2.6,37.9,-122.2\n"));
        let output = super::common::run(&format!("predict {} {path}", run.display()));
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(&format!("{name}:1` has {field}")), "{}", stderr(&output));
        assert!(stdout(&output).contains(&format!("{name}:2")), "{}", stdout(&output));
    }
}

#[test]
fn texts_of_windows_train_and_predict_as_others_do() {
    let runs = Runs::new();
    let write = |name: &str, ends: &str| {
        let path = runs.path().join(name);
        let row = |number: usize| match number % 2 {
            0 => format!("\"the film was lovely{ends}take {number}\",pos{ends}"),
            _ => format!("\"the film was awful{ends}take {number}\",neg{ends}"),
        };
        let text = format!("text,label{ends}") + &(0..60).map(row).collect::<String>();
        fs::write(&path, text).unwrap();
        let run = runs.train(&format!(
            "sentiment-small --epochs 1 --seed 1 --set data.name=text --set data.source=real \
             --set data.path={}",
            path.display()
        ));
        let preprocessing = fs::read_to_string(run.join("preprocessing.json")).unwrap();
        assert!(!preprocessing.contains("\\r"), "{preprocessing}");
        (fs::read_to_string(run.join("epochs.csv")).unwrap(), run)
    };
    let (plain, _) = write("plain.csv", "\n");
    let (windows, run) = write("windows.csv", "\r\n");
    assert_eq!(plain, windows);
    let inputs = runs.path().join("inputs.txt");
    let answers = |text: &[u8]| {
        fs::write(&inputs, text).unwrap();
        json(&format!("predict {} {}", run.display(), inputs.display()))
    };
    let plain = answers(b"the film was lovely\nawful film\n");
    assert_eq!(plain.as_array().unwrap().len(), 2);
    assert_eq!(answers(b"\xef\xbb\xbfthe film was lovely\r\nawful film"), plain);
    assert_eq!(answers(b"the film was lovely\rawful film\r"), plain);
    fs::write(&inputs, b"caf\xe9").unwrap();
    let said = fail(&format!("predict {} {}", run.display(), inputs.display()));
    assert!(said.contains("inputs.txt` is not UTF-8 at byte 3"), "{said}");
}
