//! What made a run: data, versions, machine; and how to repeat it.

use converge_diagnosis::command::quoted;
use converge_figures::numbers;
use converge_record::{RunRecord, SourceFile};

use crate::page::{Page, commands, escape, marked, table};
use crate::training::{State, Training};

pub(super) fn section(page: &mut Page, training: &Training) {
    if let Some(record) = &training.record {
        origin(page, record);
    }
    repeat(page, training);
}

/// Data, versions, machine.
fn origin(page: &mut Page, record: &RunRecord) {
    page.section("Data, versions, machine");
    page.add(&format!(
        "<p>{}. {}: {} training and {} validation samples.</p>\n",
        marked(&record.data.label()),
        marked(&record.data.description),
        numbers::count(record.training_samples as u64),
        numbers::count(record.validation_samples as u64)
    ));
    if !record.data.files.is_empty() {
        let rows: Vec<Vec<String>> = record.data.files.iter().map(file).collect();
        page.add(&table(&["file", "size", "SHA-256", "is"], &rows));
    }
    let mut rows = vec![
        ("Converge", record.versions.converge.clone()),
        ("Burn", record.versions.burn.clone()),
        ("device", record.device.clone()),
        ("parameters", numbers::count(record.parameters as u64)),
    ];
    if let Some(compute) = &record.compute {
        rows.push(("threads", compute.threads.to_string()));
        rows.push(("kernels", if compute.kernels { "on" } else { "off" }.to_owned()));
        rows.push(("vector instructions", compute.instructions.clone()));
    }
    rows.push(("begun", record.started.clone()));
    rows.extend(record.finished.iter().map(|at| ("finished", at.clone())));
    rows.extend(record.resumed.iter().map(|one| {
        (
            "taken up again",
            format!("{} after {} epochs, on {}", one.at, one.epochs_done, one.device),
        )
    }));
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(name, value)| vec![name.to_owned(), escape(&value)]).collect();
    page.add(&table(&["", ""], &rows));
}

/// A row of the table of files.
fn file(file: &SourceFile) -> Vec<String> {
    let official = match file.official {
        Some(true) => "the published file",
        Some(false) => "another than the published file",
        None => "nothing published to compare with",
    };
    vec![
        escape(&file.path.display().to_string()),
        numbers::bytes(file.bytes),
        format!("<code class=\"hash\">{}</code>", escape(&file.sha256)),
        official.to_owned(),
    ]
}

/// How to repeat it.
fn repeat(page: &mut Page, training: &Training) {
    page.section("How to repeat it");
    let path = quoted(&training.path);
    if let Some(by) = training.trained_by() {
        let by = escape(by);
        page.add(&format!("<p>{by} trained it and can repeat it; here is what it recorded.</p>\n"));
    }
    if training.record.is_none() || training.trained_by().is_some() {
        page.add(&commands(&[
            format!("converge diagnose {path}"),
            format!("converge report {path}"),
        ]));
        return;
    }
    page.add("<p>The run holds its experiment with every default and its seed.</p>\n");
    let experiment = quoted(&training.path.join("experiment.toml"));
    let mut lines = vec![format!("converge train {experiment}")];
    if matches!(training.state, State::Killed | State::Interrupted) {
        lines.push(format!("converge train --resume {path}"));
    }
    lines.push(format!("converge evaluate {path}"));
    lines.push(format!("converge diagnose {path}"));
    lines.push(format!("converge report {path}"));
    page.add(&commands(&lines));
}
