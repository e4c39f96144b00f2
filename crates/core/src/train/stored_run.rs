//! What a run directory keeps that takes this crate to read: the experiment, the preprocessing, the
//! weights.

use converge_record::{RecordError, RunDirectory, Versions, Which};

use super::TrainError;
use super::checkpoint::Checkpoint;
use crate::experiment::Experiment;
use converge_data::Preprocessing;

/// The version of Burn, as `Cargo.toml` pins it.
const BURN: &str = "0.22.1";

/// The versions that make runs now.
pub(super) fn versions() -> Versions {
    Versions { converge: env!("CARGO_PKG_VERSION").to_owned(), burn: BURN.to_owned() }
}

/// A [`RunDirectory`], its files read as what they mean here.
pub trait StoredRun {
    /// The experiment that the run carries out; an error where another program trained it.
    fn experiment(&self) -> Result<Experiment, TrainError>;

    /// What is done to inputs before the model sees them.
    fn preprocessing(&self) -> Result<Preprocessing, TrainError>;

    /// The checkpoint that `which` means.
    fn checkpoint(&self, which: Which) -> Result<Checkpoint, TrainError>;

    /// The newest checkpoint, for a session to go on from, if there is any.
    fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, TrainError>;
}

impl StoredRun for RunDirectory {
    fn experiment(&self) -> Result<Experiment, TrainError> {
        if let Some(by) = self.record.trained_by.clone() {
            let run = self.path().to_owned();
            return Err(RecordError::TrainedElsewhere { run, by }.into());
        }
        let (path, text) = self.read_experiment()?;
        Ok(Experiment::from_toml(&text, &path.display().to_string(), &[])?)
    }

    fn preprocessing(&self) -> Result<Preprocessing, TrainError> {
        Ok(self.read_preprocessing()?)
    }

    fn checkpoint(&self, which: Which) -> Result<Checkpoint, TrainError> {
        Checkpoint::open(self.checkpoints().find(which)?)
    }

    fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, TrainError> {
        self.checkpoints().newest()?.map(Checkpoint::open).transpose()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_run_of_another_program_has_no_experiment_and_says_what_reads_it() {
        let mut run = RunDirectory::open("../record/tests/linear".as_ref()).unwrap();
        assert!(run.experiment().is_ok());
        run.record.trained_by = Some("Burn's Learner".to_owned());
        let message = run.experiment().unwrap_err().to_string();
        assert!(
            message.contains("was trained by Burn's Learner: here are its curves"),
            "{message}"
        );
    }

    #[test]
    fn the_version_of_burn_is_the_one_in_cargo_toml() {
        let pin = format!("burn = {{ version = \"={BURN}\"");
        assert!(include_str!("../../../../Cargo.toml").contains(&pin));
    }
}
