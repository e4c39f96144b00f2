//! Reading texts from every layout, and what is said of those that cannot be used.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{NoProgress, Preprocessing, Rows, SourceFile};

/// A folder that holds `files`, each a path and its contents.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, contents) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
    folder
}

fn load_from(path: PathBuf, parts: Parts) -> Result<DataSet, DataError> {
    let settings = TextSettings {
        path: Some(path),
        source: Source::Real,
        test_fraction: 0.5,
        ..TextSettings::default()
    };
    let options = LoadOptions {
        replaces_path: false,
        directory: None,
        cache: PathBuf::new(),
        mirror: None,
        timeout: std::time::Duration::ZERO,
    };
    load(&settings, parts, &options, &mut NoProgress)
}

fn error(files: &[(&str, &[u8])]) -> String {
    let folder = folder(files);
    load_from(folder.path().to_owned(), Parts::Both).unwrap_err().to_string()
}

/// The texts with their classes, in alphabetical order.
fn sorted(samples: &Samples) -> Vec<(&str, u32)> {
    let (Inputs::Texts { texts, .. }, Targets::Classes(classes)) =
        (&samples.inputs, &samples.targets)
    else {
        return Vec::new();
    };
    let mut pairs: Vec<(&str, u32)> =
        texts.iter().map(String::as_str).zip(classes.iter().copied()).collect();
    pairs.sort_unstable();
    pairs
}

const FOLDERS: &[(&str, &[u8])] = &[
    ("train/neg/10_1.txt", b"c"),
    ("train/neg/9_2.txt", b"b"),
    ("train/neg/.9_2.txt", b"hidden"),
    ("train/neg/index.html", b"no text"),
    ("train/pos/0_9.txt", b"a"),
    ("train/unsup/0_0.txt", b"unlabelled"),
    ("train/urls_neg.txt", b"no review"),
    ("test/neg/0_1.txt", b"d"),
    ("test/pos/0_8.txt", b"e"),
];

#[test]
fn a_folder_per_class_is_read_without_what_has_no_class() {
    let folder = folder(FOLDERS);
    let data = load_from(folder.path().to_owned(), Parts::Both).unwrap();
    assert_eq!(data.class_names, ["neg", "pos"]);
    assert_eq!(sorted(&data.training), [("a", 1), ("b", 0), ("c", 0)]);
    assert_eq!(sorted(&data.test), [("d", 0), ("e", 1)]);
    let [SourceFile { bytes, sha256, official, .. }, _] = &*data.files else { panic!() };
    // printf 'neg/9_2.txt\0b\0neg/10_1.txt\0c\0pos/0_9.txt\0a\0' | sha256sum
    assert_eq!(sha256, "a70a6b1e73833fc715112b48a8f2c751eb03176bbe41b7180de52f182b397d66");
    assert_eq!((*bytes, *official), (3, None));
    let test = load_from(folder.path().to_owned(), Parts::Test).unwrap();
    assert_eq!((test.training.len(), &test.test), (0, &data.test));
}

#[test]
fn tables_are_read_by_the_names_of_their_columns() {
    let folder = folder(&[
        (
            "train.csv",
            "\u{feff}id,Review,sentiment\n1,\"so, \"\"good\"\"\",positive\n2,bad,negative\n"
                .as_bytes(),
        ),
        ("test.csv", b"sentiment,review\n positive ,fine\n"),
        ("one.csv", b"label,text\n1,a\n0,b\n1,c\n0,d\n"),
    ]);
    let data = load_from(folder.path().to_owned(), Parts::Both).unwrap();
    assert_eq!(data.class_names, ["negative", "positive"]);
    assert_eq!(sorted(&data.training), [("bad", 0), ("so, \"good\"", 1)]);
    assert_eq!(sorted(&data.test), [("fine", 1)]);
    let whole = load_from(folder.path().join("one.csv"), Parts::Both).unwrap();
    assert_eq!((whole.title.as_str(), whole.training.len(), whole.test.len()), ("one", 2, 2));
    let mut all = sorted(&whole.training);
    all.extend(sorted(&whole.test));
    all.sort_unstable();
    assert_eq!(all, [("a", 1), ("b", 0), ("c", 1), ("d", 0)]);
}

#[test]
fn empty_texts_are_kept_and_counted() {
    let folder = folder(&[
        ("ham/1.txt", "caf\u{e9} noir".as_bytes()),
        ("ham/2.txt", b" \n"),
        ("spam/1.txt", b"buy"),
        ("spam/2.txt", b"now"),
    ]);
    let data = load_from(folder.path().to_owned(), Parts::Both).unwrap();
    assert!(data.description.ends_with(", 1 of the texts empty"), "{}", data.description);
    let mut all = sorted(&data.training);
    all.extend(sorted(&data.test));
    assert!(all.contains(&("caf\u{e9} noir", 0)), "{all:?}");
}

#[test]
fn line_ends_marks_and_utf_16_make_no_other_words() {
    let vocabulary = |files: &[(&str, Vec<u8>)]| {
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(name, contents)| (*name, contents.as_slice())).collect();
        let folder = folder(&files);
        let data = load_from(folder.path().to_owned(), Parts::Both).unwrap();
        let mut all = sorted(&data.training);
        all.extend(sorted(&data.test));
        let texts: Vec<String> = all.into_iter().map(|(text, _)| text.to_owned()).collect();
        let encoding = TextSettings::default().encoding();
        Vocabulary::fit(texts.iter().map(String::as_str), encoding).words().to_vec()
    };
    let utf_16 = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    };
    let folders = |ends: &str, encode: &dyn Fn(&str) -> Vec<u8>| {
        let file = |text: &str| encode(&text.replace('\n', ends));
        let names = ["neg/1.txt", "neg/2.txt", "pos/1.txt", "pos/2.txt"];
        let texts = ["a bad\nfilm\n", "bad\n", "a lovely\nfilm\n", "lovely\n"];
        names.into_iter().zip(texts.map(file)).collect::<Vec<_>>()
    };
    let plain = vocabulary(&folders("\n", &|text| text.as_bytes().to_vec()));
    assert_eq!(plain, ["a", "bad", "film", "lovely"]);
    let marked = |text: &str| format!("\u{feff}{text}").into_bytes();
    for ends in ["\n", "\r\n", "\r"] {
        assert_eq!(vocabulary(&folders(ends, &marked)), plain);
        assert_eq!(vocabulary(&folders(ends, &utf_16)), plain);
        // Line ends also stand inside of quoted cells.
        let table =
            "text,label\n\"a bad\nfilm\n\",0\n\"bad\n\",0\n\"a lovely\nfilm\n\",1\nlovely,1\n";
        let table = table.replace('\n', ends);
        assert_eq!(vocabulary(&[("data.csv", utf_16(&table))]), plain);
        assert_eq!(vocabulary(&[("data.csv", marked(&table))]), plain);
    }
}

#[test]
fn what_cannot_be_trained_on_is_named() {
    let without = |part: &str| -> Vec<(&str, &[u8])> {
        FOLDERS.iter().copied().filter(|(name, _)| !name.starts_with(part)).collect()
    };
    for (files, expected) in [
        (without("test"), "holds texts but `test` is missing"),
        (without("train/pos"), "train` holds the class `neg` only, but two are needed"),
        (without("test/neg"), "test` holds the classes `pos`, but there are `neg`, `pos`"),
        (without("t"), "holds no texts; `train/CLASS/*.txt`"),
        (
            vec![("a/1.txt", b"a"), ("b/1.txt", b"b"), ("c/1.txt", b"c")],
            "holds 3 classes (`a`, `b`, `c`)",
        ),
        (vec![("train.csv", b"text,label\na,0\nb,1\n")], "`test.csv` is missing"),
        (vec![("data.csv", b"text,label\na,0\nb,0\n")], "data.csv` holds the class `0` only"),
        (vec![("data.csv", b"text,label\n")], "data.csv` holds no labelled text"),
        (vec![("data.csv", b"")], "has no column `text` or `review` or `sentence`"),
        (vec![("data.csv", b"text,stars\na,1\n")], "has no column `label` or `sentiment`"),
        (
            vec![("data.csv", b"text,label\na,1\nb\n")],
            "has 1 fields in row 2, but 2 in its first line",
        ),
        (vec![("data.csv", b"text,label\na,1\nb, \n")], "has no `label` in row 2"),
        (
            vec![("a/1.txt", b"a"), ("b/1.txt", b"caf\xe9 noir")],
            "b/1.txt` is not UTF-8 at byte 3; convert it",
        ),
        (
            vec![("train.csv", b"text,label\na,0\nb,1\n"), ("test.csv", b"text,label\n")],
            "test.csv` holds no labelled text",
        ),
        (
            vec![("train.csv", b"text,label\na,0\nb,1\n"), ("test.csv", b"text,label\nc,1\nd,2\n")],
            "test.csv` has the label `2` in row 2, but there are `0` and `1`",
        ),
    ] {
        let error = error(&files);
        assert!(error.contains(expected), "{error}\nis not\n{expected}");
    }
    let error = load_from("/no/such/place".into(), Parts::Both).unwrap_err().to_string();
    assert!(error.contains("/no/such/place"), "{error}");
}

#[test]
fn without_a_path_there_is_the_stand_in_unless_real_texts_are_asked_for() {
    let options = LoadOptions::from_environment(None).unwrap();
    let mut settings = TextSettings::default();
    let data = load(&settings, Parts::Test, &options, &mut NoProgress).unwrap();
    assert_eq!(data.origin, Origin::SyntheticStandIn);
    assert!(data.stand_in_reason.unwrap().contains("`data.path`"));
    settings.source = Source::Real;
    assert!(load(&settings, Parts::Test, &options, &mut NoProgress).is_err());
}

#[test]
fn the_order_of_training_depends_on_the_split_seed_only_and_mixes_the_classes() {
    let files: Vec<(String, String)> = (0..200)
        .flat_map(|number| {
            ["train/neg", "train/pos", "test/neg", "test/pos"].map(|folder| (number, folder))
        })
        .map(|(number, folder)| (format!("{folder}/{number}.txt"), format!("{folder} {number}")))
        .collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let folder = folder(&files);
    let data = load_from(folder.path().to_owned(), Parts::Training).unwrap();
    assert_eq!(data, load_from(folder.path().to_owned(), Parts::Training).unwrap());
    let Targets::Classes(classes) = data.training.targets else { panic!() };
    let positive: u32 = classes[320..].iter().sum();
    assert!((20..60).contains(&positive), "{positive} of the last 80 are positive");
}

#[test]
fn prepared_texts_are_what_texts_are_preprocessed_to() {
    let settings = TextSettings { length: 20, vocabulary_size: 50, ..TextSettings::default() };
    let options = LoadOptions::from_environment(None).unwrap();
    let texts = load(&settings, Parts::Test, &options, &mut NoProgress).unwrap().test;
    let texts = texts.select(&[5, 3, 8]);
    let Inputs::Texts { texts: raw, .. } = &texts.inputs else { panic!() };
    let fitted = Preprocessing::fit(&texts);
    let prepared = fitted.prepare(texts.clone());
    assert_eq!((prepared.len(), prepared.input_len(), prepared.inputs.len()), (3, 20, 60));
    for (index, text) in raw.iter().enumerate() {
        let row = Rows::Ids(fitted.vocabulary().unwrap().row(text).unwrap());
        assert_eq!(fitted.rows(&texts, [index].into_iter()), row);
        assert_eq!(fitted.rows(&prepared, [index].into_iter()), row);
    }
    let json = serde_json::to_string(&fitted).unwrap();
    assert!(json.starts_with("{\"kind\":\"vocabulary\""), "{json}");
    assert_eq!(serde_json::from_str::<Preprocessing>(&json).unwrap(), fitted);
}

proptest! {
    #[test]
    fn no_table_makes_the_reader_panic(contents: Vec<u8>, rows in "[01,\"\n\r a]{0,60}") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        for contents in [contents, format!("text,label\n{rows}").into_bytes()] {
            fs::write(&path, contents).unwrap();
            let _ = load_from(path.clone(), Parts::Both);
        }
    }
}
