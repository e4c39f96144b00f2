//! Runs, written as training writes them.

use std::path::Path;

use converge_record::{
    DataRecord, EpochRow, Lock, NewRun, Number, Origin, RunDirectory, StepRow, StepWriter,
    StepsMark, Versions, write_epochs,
};

const EXPERIMENT: &str =
    "[training]\nepochs = 10\nbatch_size = 30\n[checkpoints]\nmonitor = \"val_loss\"\n";

pub(crate) fn new_run(folder: &Path) -> (RunDirectory, Lock) {
    let new = NewRun {
        experiment: "tiny",
        trained_by: None,
        experiment_toml: EXPERIMENT,
        seed: Some(7),
        versions: Versions { converge: "0.1.0".to_owned(), burn: "0.22.1".to_owned() },
        device: "flex",
        compute: None,
        data: DataRecord {
            title: "digits".to_owned(),
            origin: Origin::SyntheticStandIn,
            description: "drawn".to_owned(),
            stand_in_reason: None,
            files: vec![],
            class_names: vec![],
            feature_names: vec![],
        },
        pretrained: None,
        training_samples: 90,
        validation_samples: 10,
        parameters: 3,
    };
    RunDirectory::create(folder, new, &()).unwrap()
}

pub(crate) fn name(run: &RunDirectory) -> String {
    run.path().file_name().unwrap().to_str().unwrap().to_owned()
}

/// The run has trained so many epochs, its validation loss falling.
pub(crate) fn train_epochs(run: &mut RunDirectory, count: usize) {
    let row = |epoch: usize| EpochRow {
        epoch,
        metrics: vec![
            ("loss".to_owned(), Number(1.0 / epoch as f64)),
            ("val_loss".to_owned(), Number(2.0 / epoch as f64)),
        ],
        learning_rate: 0.1,
    };
    write_epochs(&run.epochs_file(), &(1..=count).map(row).collect::<Vec<_>>()).unwrap();
    run.record.epochs_done = count;
    run.record.seconds = 60.0 * count as f64;
    run.write().unwrap();
}

pub(crate) fn open_steps(run: &RunDirectory, marked: &StepsMark) -> StepWriter {
    StepWriter::open(&run.steps_file(), &[], marked).unwrap()
}

pub(crate) fn step(step: usize, loss: f64) -> StepRow {
    StepRow {
        epoch: 1,
        step,
        loss,
        learning_rate: 0.1,
        gradient_norm: None,
        parameter_norm: None,
        update_ratio: None,
        gradient_cosine: None,
        step_seconds: 0.001,
        parts: vec![],
    }
}
