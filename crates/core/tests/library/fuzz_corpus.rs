//! The corpora of the fuzz targets that need Burn, whose inputs have once broken something or are whole
//! files: nothing panics. `fuzz/run.sh` goes on from them.

#[path = "../../../../fuzz/src/checkpoint.rs"]
mod checkpoint;
#[path = "../../../../fuzz/src/experiment.rs"]
mod experiment;
#[path = "../../../../fuzz/src/input.rs"]
mod input;
#[path = "../../../../fuzz/src/weights.rs"]
mod weights;

use std::fs;
use std::path::Path;

#[test]
fn no_input_of_a_corpus_panics() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (target, read) in [
        ("checkpoint", checkpoint::read as fn(&[u8])),
        ("experiment", experiment::read),
        ("weights", weights::read),
    ] {
        let entries = fs::read_dir(corpora.join(target)).unwrap();
        let inputs: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "{target}");
        for path in inputs {
            read(&fs::read(path).unwrap());
        }
    }
}
