//! `converge devices`: the backends compiled in, and their devices on this machine.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::printer::Printer;
use converge_core::device;
use converge_figures::{Look, table};

/// List backends and devices
#[derive(Debug, Args)]
#[command(after_help = "Example:
  converge devices
  converge train mnist --device flex")]
pub(super) struct DevicesArgs {}

#[derive(Serialize)]
struct Listed {
    devices: Vec<Entry>,
    not_compiled_in: Vec<&'static str>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    description: String,
    default: bool,
}

impl DevicesArgs {
    #[expect(clippy::unused_self, reason = "one signature for all commands")]
    pub(super) fn run(self, printer: &mut Printer) -> Result<()> {
        let devices: Vec<Entry> = device::list()
            .into_iter()
            .enumerate()
            .map(|(index, found)| Entry {
                name: found.name,
                description: found.description,
                default: index == 0,
            })
            .collect();
        let listed = Listed { devices, not_compiled_in: device::not_compiled() };
        let look = Look::detect();
        printer.result(&listed, || {
            let rows: Vec<Vec<String>> = listed
                .devices
                .iter()
                .map(|entry| {
                    let default = if entry.default { "default" } else { "" };
                    vec![entry.name.clone(), entry.description.clone(), default.to_owned()]
                })
                .collect();
            let mut text = table(look, &["device", "Burn calls it", ""], &rows);
            text += &format!(
                "\nnot compiled in: {} (`cargo build --release --features {}`)",
                listed.not_compiled_in.join(", "),
                listed.not_compiled_in.first().unwrap_or(&"NAME")
            );
            text
        })
    }
}
