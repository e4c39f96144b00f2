//! Requests to stop: Ctrl-C, the full-screen interface, a test.

use burn::train::Interrupter;

/// A request to stop after the current step. Cheap to clone; all clones are one request.
#[derive(Clone, Default)]
pub struct StopRequest(Interrupter);

impl StopRequest {
    /// Asks the session to stop; returns whether it had been asked before.
    pub fn raise(&self) -> bool {
        let before = self.is_raised();
        self.0.stop(None);
        before
    }

    /// Whether the session was asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.should_stop()
    }

    /// The same request as Burn's renderers raise it.
    #[cfg(feature = "tui")]
    pub(super) fn interrupter(&self) -> Interrupter {
        self.0.clone()
    }
}
