//! When a training ends before its last epoch, beside its patience.

use burn::train::EarlyStoppingStrategy;
use burn::train::metric::store::{Aggregate, EventStoreClient, Split};
use converge_record::StopReason;

use crate::recorder::SharedRecorder;

/// What ends a training early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StopWhen {
    /// The loss is no number any more, at once; or it is thrice its best for two epochs and above
    /// where it began.
    Diverging,
    /// After ten epochs the loss is still that of guessing.
    AtChance,
    /// The later half of the epochs, at least twenty, gained less than 2 %.
    Flat,
}

impl StopWhen {
    /// The rule that the notice called `name` belongs to, and why a run stops by it.
    pub(crate) fn of_notice(name: &str) -> Option<(Self, StopReason)> {
        match name {
            "diverging" => Some((Self::Diverging, StopReason::DivergenceThreshold)),
            "chance_level" => Some((Self::AtChance, StopReason::NotImproving)),
            "flat" => Some((Self::Flat, StopReason::NotImproving)),
            _ => None,
        }
    }
}

/// Asks the recorder at the end of every epoch.
#[derive(Clone)]
pub(crate) struct Stopper(pub(crate) SharedRecorder);

impl EarlyStoppingStrategy for Stopper {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        // The recorder is told on another thread, in order: once this is answered, it knows the epoch.
        let _ = store.find_metric("Loss", epoch, Aggregate::Mean, &Split::Train);
        self.0.lock().stops()
    }
}
