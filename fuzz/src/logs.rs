//! Training logs of any tool, read, judged and said as `diagnose` does it.

use std::sync::LazyLock;

use clap::Parser;
use converge_diagnosis::Series;
use converge_diagnosis::command::{Diagnose, text};

use super::input::{choose, write};

#[path = "../../crates/diagnosis/tests/events/mod.rs"]
#[allow(dead_code)]
mod events;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    diagnose: Diagnose,
}

static DIAGNOSE: LazyLock<Diagnose> =
    LazyLock::new(|| Command::parse_from(["diagnose", "-"]).diagnose);

/// `0`: the file; `1`: the messages of a file of TensorBoard events, each behind a byte with its
/// length, as no change to a whole file gets past its checksums.
pub fn read(input: &[u8]) {
    let (kind, contents) = choose(input, 2);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    if kind == 0 {
        write(&path, contents);
    } else {
        write(&path, &records(contents));
    }
    let mut diagnose = DIAGNOSE.clone();
    diagnose.paths = vec![path];
    let Ok(diagnosis) = diagnose.diagnose() else { return };
    for answer in diagnosis.answers() {
        let run = &answer.history;
        let metrics = [&run.metric, &run.train_metric].into_iter().flatten().map(|one| &one.series);
        let losses = [&run.train_loss, &run.validation_loss, &run.learning_rate];
        assert!(metrics.chain(losses.into_iter().flatten()).chain(&run.others).all(is_sound));
    }
    let _ = text(&diagnosis, None);
    let _ = text(&diagnosis, Some(60));
    serde_json::to_string(&diagnosis).expect("JSON");
}

/// What a series promises.
fn is_sound(series: &Series) -> bool {
    series.x.len() == series.y.len()
        && !series.x.is_empty()
        && series.x.iter().all(|x| x.is_finite())
        && series.x.is_sorted()
}

fn records(mut messages: &[u8]) -> Vec<u8> {
    let mut records = vec![];
    while let Some((&length, rest)) = messages.split_first() {
        let (message, rest) = rest.split_at(usize::from(length).min(rest.len()));
        records.extend(events::record(message));
        messages = rest;
    }
    records
}
