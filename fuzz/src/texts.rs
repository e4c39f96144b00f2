//! Texts of two classes, and the words that they are numbered by.

use converge_data::{DataSettings, NoProgress, Parts, Source, TextSettings, read_text};

use super::input::{choose, options, write};

/// `0`: one table; `1`: tables of both splits, which share the input half and half; `2`: a file for
/// each of two classes, likewise; `3`: lines to predict for.
pub fn read(input: &[u8]) {
    let (kind, contents) = choose(input, 4);
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = contents.split_at(contents.len() / 2);
    let files: &[(&str, &[u8])] = match kind {
        0 => &[("data.csv", contents)],
        1 => &[("train.csv", first), ("test.csv", second)],
        2 => &[("no/1.txt", first), ("yes/1.txt", second), ("yes/2.txt", first)],
        _ => &[("lines.txt", contents)],
    };
    for (name, contents) in files {
        write(&folder.path().join(name), contents);
    }
    if kind == 3 {
        let _ = read_text(&folder.path().join("lines.txt"));
        return;
    }
    let settings = DataSettings::Text(TextSettings {
        source: Source::Real,
        path: Some(folder.path().to_owned()),
        length: 7,
        ..TextSettings::default()
    });
    let options = options(folder.path());
    if let Ok(data) = settings.load(Parts::Both, &options, &mut NoProgress) {
        let preprocessing = settings.fit_preprocessing(&data.training);
        let _ = preprocessing.rows(&data.test, 0..data.test.len());
    }
}
