//! The files of a run: record, epochs, steps while they grow, state of a checkpoint, preprocessing.

use std::fs::File;
use std::io::Write as _;

use converge_data::Preprocessing;
use converge_diagnosis::read::{Choices, read as read_log};
use converge_record::checksum::sha256;
use converge_record::{Follower, RunDirectory, Which};

use super::input::{choose, write};

/// A whole run, of which one file is replaced.
const FILES: [(&str, &[u8]); 6] = [
    ("run.json", include_bytes!("../../crates/record/tests/linear/run.json")),
    ("epochs.csv", include_bytes!("../../crates/record/tests/linear/epochs.csv")),
    ("steps.csv", include_bytes!("../../crates/record/tests/linear/steps.csv")),
    (
        "checkpoints/epoch-0003/state.json",
        include_bytes!("../../crates/record/tests/linear/checkpoints/epoch-0003/state.json"),
    ),
    ("preprocessing.json", include_bytes!("../../crates/record/tests/linear/preprocessing.json")),
    ("experiment.toml", include_bytes!("../../crates/record/tests/linear/experiment.toml")),
];

/// The first byte says which of the first five files the rest is, from `0` on.
pub fn read(input: &[u8]) {
    let (kind, contents) = choose(input, 5);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for (name, whole) in FILES {
        write(&path(name), if name == FILES[usize::from(kind)].0 { contents } else { whole });
    }
    if kind == 3 {
        let line = format!("{}  state.json\n", sha256(contents));
        write(&path("checkpoints/epoch-0003/state.json.sha256"), line.as_bytes());
    }
    let Ok(run) = RunDirectory::open(folder.path()) else { return };
    match kind {
        2 => {
            let steps = run.steps();
            // The same file, growing before the eyes of who follows the run.
            write(&run.steps_file(), b"");
            let mut file = File::options().append(true).open(run.steps_file()).expect("a file");
            let mut follower = Follower::new(folder.path()).expect("a run");
            let mut followed = vec![];
            for piece in contents.chunks(contents.len() / 3 + 1) {
                file.write_all(piece).expect("space");
                if let Ok(news) = follower.look() {
                    news.steps.apply(&mut followed);
                }
            }
            if let Ok(steps) = steps
                && follower.look().is_ok()
            {
                assert_eq!(followed.len(), steps.len());
            }
        }
        3 => {
            let _ = (run.checkpoints().newest(), run.checkpoints().find(Which::Best));
        }
        4 => {
            if let Ok(preprocessing) = run.read_preprocessing::<Preprocessing>() {
                prepare(&preprocessing);
            }
        }
        _ => {
            let _ = (run.epochs(), Follower::new(folder.path()).and_then(|mut one| one.look()));
            let _ = read_log(folder.path(), &Choices::default());
        }
    }
}

/// Inputs of every kind, made ready for a model.
fn prepare(preprocessing: &Preprocessing) {
    let _ = (preprocessing.target_mean(), preprocessing.ids());
    let _ = preprocessing.apply_row(&mut [0.5, f32::NAN, 2.0]);
    let mut out = [0.0; 12];
    preprocessing.apply_bytes(&[7; 12], &mut out);
    if let Some(vocabulary) = preprocessing.vocabulary() {
        let text = vocabulary.words().first().map_or("film", String::as_str);
        let _ = vocabulary.row(text);
    }
    if let Preprocessing::Ratings(index) = preprocessing {
        let items = index.unrated("196");
        let _: Vec<_> = items.iter().map(|&item| (index.title(item), index.clip(3.0))).collect();
        let _ = index.row("196", "242");
    }
}
