//! TensorBoard event files: records of TFRecord that hold `Event` messages of protobuf.
//!
//! Scalars are `simple_value` (TF 1, PyTorch) or a tensor of one element (TF 2). A message that is
//! damaged is left out.

use std::collections::HashMap;
use std::io::Read;

use converge_logs::tensorboard::{Event, RecordDamage, What, read_record};

use super::table::{Counting, Table};
use super::words::{Split, split_of, words};

/// Reads files of events into one table.
#[derive(Debug, Default)]
pub(super) struct Reader {
    table: Table,
    places: HashMap<String, usize>,
    last_step: Option<i64>,
}

impl Reader {
    /// Adds the events of a file, whose folder says that they are of `split`.
    pub(super) fn read(
        &mut self,
        file: &mut dyn Read,
        split: Option<&str>,
        notes: &mut Vec<String>,
    ) {
        let before = self.table.columns.len();
        self.last_step = None;
        let mut data = vec![];
        loop {
            match read_record(file, &mut data) {
                Ok(true) => self.event(&data, split),
                Ok(false) => break,
                Err(damage) => {
                    notes.push(said(damage).to_owned());
                    break;
                }
            }
        }
        // Keras writes these only where it validates.
        let validates = self.table.columns.iter().skip(before).any(|column| {
            column.name.starts_with("evaluation_") && column.name.ends_with("_vs_iterations")
        });
        let split = match split.map(|split| split_of(&split.to_ascii_lowercase())) {
            Some(split) => split,
            None => validates.then_some(Split::Validation),
        };
        for column in self.table.columns.iter_mut().skip(before) {
            column.split = split;
        }
    }

    /// The table.
    pub(super) fn finish(mut self) -> Option<Table> {
        self.table.counting = if self.places.contains_key("epoch") {
            Counting::StepsWithinEpochs
        } else {
            Counting::OwnSteps
        };
        (self.table.rows > 0).then_some(self.table)
    }

    fn event(&mut self, data: &[u8], split: Option<&str>) {
        let Some(Event { step, what: Some(What::Summary(summary)), .. }) = Event::parse(data)
        else {
            return;
        };
        let scalars =
            summary.value.into_iter().filter_map(|value| Some((value.number()?, value.tag)));
        for (value, tag) in scalars {
            if self.last_step != Some(step) || self.table.rows == 0 {
                self.last_step = Some(step);
                self.table.rows = self.table.rows.saturating_add(1);
                let place = self.table.place(&mut self.places, "step");
                self.table.push(place, self.table.rows - 1, step as f64);
            }
            let key = split.map(|split| format!("{split}\u{0}{tag}"));
            let place = self.table.place(&mut self.places, key.as_deref().unwrap_or(&tag));
            if let Some(column) = self.table.columns.get_mut(place) {
                if key.is_some() && column.len() == 0 {
                    column.name.clone_from(&tag);
                }
                column.push(self.table.rows - 1, value);
            }
        }
    }
}

/// Whether a folder of this name holds the events of a split.
pub(super) fn is_split_folder(name: &str) -> bool {
    words(name).first().is_some_and(|word| split_of(word).is_some())
}

/// What is said of a damaged file.
fn said(damage: RecordDamage) -> &'static str {
    match damage {
        RecordDamage::CutOff => "The last event is cut off and was left out.",
        RecordDamage::Length => "An event has an impossible length; what follows was left out.",
    }
}
