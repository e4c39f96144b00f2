//! Logs of training runs in the formats of other tools: event files of TensorBoard, JSON lines.
//!
//! All that a log says is in the files of the run ([`converge_record`]) too. Training adds to a log
//! as it adds to those, and [`export`] makes the log of a run that was trained without one. What was
//! lost of a log, since a process was killed or another session had none, is made up for by the
//! session after it.
//!
//! The messages and the framing of event files ([`tensorboard`]) also serve who reads those of other
//! tools. Nothing here knows Burn.

mod json_lines;
mod log;
pub mod tensorboard;
mod times;

use converge_settings::one_of;

pub use log::{Logs, add_evaluation, export};

one_of! {
    /// A format that other tools read.
    pub enum LogFormat {
        /// event files of TensorBoard, in the folder `tensorboard` of the run
        "tensorboard" => TensorBoard,
        /// `epochs.jsonl` and `steps.jsonl` in the run: a JSON object a line
        "json_lines" => JsonLines,
    }
}

impl LogFormat {
    /// What it writes in the directory of a run.
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Self::TensorBoard => &["tensorboard"],
            Self::JsonLines => &["epochs.jsonl", "steps.jsonl"],
        }
    }
}
