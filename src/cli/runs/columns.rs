//! How the list of runs looks: a table, or a paragraph for each run where that is too wide.

use std::time::Duration;

use super::super::width::wrapped;
use super::listed::Listed;
use converge_figures::{Look, numbers, table};

const COLUMNS: usize = 13;
const HEADER: [&str; COLUMNS] = [
    "run",
    "status",
    "verdict",
    "data",
    "optimizer",
    "rate",
    "seed",
    "differs",
    "epochs",
    "best",
    "test",
    "time",
    "note",
];
/// What a column of text takes when its cells wrap.
const WRAPPED: usize = 16;

/// The list of `runs`.
pub(super) fn text(look: Look, runs: &[Listed]) -> String {
    shown(look, &runs.iter().map(row).collect::<Vec<_>>())
}

/// A table of the columns in which a row says anything, or a paragraph for each row where that is too wide.
fn shown(look: Look, rows: &[[String; COLUMNS]]) -> String {
    let narrow = look.width.map(usize::from).filter(|width| least_width(rows) > *width);
    if let Some(width) = narrow {
        return rows.iter().map(|row| listed(row, width) + "\n").collect();
    }
    let used = used(rows);
    let header: Vec<&str> = used.iter().map(|&column| HEADER[column]).collect();
    let cells = |row: &[String; COLUMNS]| used.iter().map(|&column| row[column].clone()).collect();
    table(look, &header, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// The columns in which a row says anything.
fn used(rows: &[[String; COLUMNS]]) -> Vec<usize> {
    (0..COLUMNS).filter(|&column| rows.iter().any(|row| !row[column].is_empty())).collect()
}

/// The characters across that a table of `rows` takes in which no path is broken.
fn least_width(rows: &[[String; COLUMNS]]) -> usize {
    let widths = used(rows).into_iter().map(|column| {
        let name = HEADER[column];
        let cells = rows.iter().map(|row| row[column].chars().count());
        let width = cells.chain([name.len()]).max().unwrap_or(0);
        let wraps = matches!(name, "data" | "differs" | "best" | "note");
        2 + if wraps { width.min(WRAPPED) } else { width }
    });
    widths.sum()
}

/// A run on lines of its own, for terminals of a `width` too narrow for the table: its path, then the
/// rest, indented and broken between words.
fn listed(row: &[String; COLUMNS], width: usize) -> String {
    let [
        run,
        status,
        verdict,
        data,
        optimizer,
        rate,
        seed,
        differs,
        epochs,
        best,
        test,
        time,
        note,
    ] = row;
    let plural = if epochs == "1" { "" } else { "s" };
    let mut paragraph = format!("{run}\n");
    let stands = format!("{status}, {epochs} epoch{plural} in {time}");
    let verdict = verdict.replace('_', " ");
    let trained = format!("{optimizer} at {rate}, seed {seed}");
    let test = if test.is_empty() { String::new() } else { format!("test {test}") };
    let lines = [&stands, &verdict, data, &trained, differs, best, &test, note];
    for more in lines.into_iter().filter(|more| !more.is_empty()) {
        paragraph += &format!("{}\n", wrapped(&format!("  {more}"), width, 4));
    }
    paragraph
}

fn row(run: &Listed) -> [String; COLUMNS] {
    let record = &run.record;
    let best = record.best.as_ref().map_or_else(String::new, |best| {
        format!("{} {} (epoch {})", best.monitor, numbers::significant(best.value, 4), best.epoch)
    });
    let test = run.test.as_ref().map_or_else(String::new, |score| {
        format!("{} {}", score.name, numbers::significant(score.value, 4))
    });
    [
        run.path.display().to_string(),
        run.status().to_owned(),
        run.verdict.map_or_else(String::new, |label| label.name().to_owned()),
        record.data.label(),
        run.optimizer.clone().unwrap_or_default(),
        run.learning_rate.map_or_else(String::new, |rate| rate.to_string()),
        record.seed.map_or_else(String::new, |seed| seed.to_string()),
        run.differs.shown().to_owned(),
        record.epochs_done.to_string(),
        best,
        test,
        numbers::duration(Duration::try_from_secs_f64(record.seconds).unwrap_or_default()),
        run.notes.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> [String; COLUMNS] {
        [
            "artifacts/mnist-20261122-101500",
            "interrupted",
            "not_learning",
            "MNIST (synthetic), which is a long name for what it is and goes over the edge",
            "adam",
            "0.001",
            "42",
            "batch_size 64, hidden [256, 128]",
            "12",
            "val_loss 0.1234 (epoch 11)",
            "accuracy 0.97",
            "2m 3s",
            "[paper] not good",
        ]
        .map(str::to_owned)
    }

    #[test]
    fn a_run_in_a_narrow_terminal_is_a_paragraph_whose_path_is_whole() {
        let text = listed(&row(), 60);
        assert!(
            text.starts_with(
                "artifacts/mnist-20261122-101500\n  interrupted, 12 epochs in 2m 3s\n  not learning\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("\n  adam at 0.001, seed 42\n  batch_size 64, hidden [256, 128]\n"),
            "{text}"
        );
        assert!(text.ends_with("  test accuracy 0.97\n  [paper] not good\n"), "{text}");
        assert!(least_width(&[row()]) > 60);
    }

    #[test]
    fn every_width_of_60_to_200_characters_is_kept_with_paths_that_can_be_copied() {
        let mut short = row();
        for column in [3, 7, 9, 12] {
            short[column] = String::new();
        }
        for width in 60..=200 {
            let look = Look { width: Some(width), rules: true, styled: false };
            for rows in [vec![row(), short.clone()], vec![short.clone()]] {
                let text = shown(look, &rows);
                let widest = text.lines().map(|line| line.chars().count()).max();
                assert!(widest <= Some(usize::from(width)), "{width}:\n{text}");
                let paths = text.matches("artifacts/mnist-20261122-101500").count();
                assert_eq!(paths, rows.len(), "{width}:\n{text}");
            }
        }
        let look = Look { width: Some(200), ..Look::PLAIN };
        let text = shown(look, &[short]);
        assert!(text.starts_with("run ") && !text.contains("note"), "{text}");
    }
}
