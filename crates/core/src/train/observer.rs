//! Who watches a training session: the command line, a test, nobody.

use converge_record::{EpochRow, StepRow};

/// What a session tells while it runs. Calls come from two threads, one at a time.
pub trait Observer: Send {
    /// Training starts or goes on: `first_epoch` to `epochs`.
    fn start(&mut self, first_epoch: usize, epochs: usize) {
        let _ = (first_epoch, epochs);
    }

    /// A pass over `samples` samples starts: the training pass of an epoch, or its validation.
    fn pass(&mut self, validation: bool, samples: usize) {
        let _ = (validation, samples);
    }

    /// `samples` of the pass are done.
    fn progress(&mut self, samples: usize) {
        let _ = samples;
    }

    /// The optimizer steps that were read from the device since the last call, as `steps.csv` has
    /// them: several at once, and never none.
    fn steps(&mut self, rows: &[StepRow]) {
        let _ = rows;
    }

    /// An epoch is over; `best` tells whether it is the best so far.
    fn epoch(&mut self, row: &EpochRow, best: bool) {
        let _ = (row, best);
    }

    /// Training is over, for whatever reason.
    fn finish(&mut self) {}
}

/// Watches without a word.
#[derive(Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
