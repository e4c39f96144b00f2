//! Tables whose names need more than reading: without a header, or with a column for each run.

use super::table::Table;

/// Says what the columns of a table without names may be.
pub(super) fn label_without_header(table: &mut Table) {
    let mut counter = false;
    let mut loss = false;
    for column in &mut table.columns {
        let rising =
            column.values.windows(2).filter(|pair| matches!(pair, [a, b] if b > a)).count();
        let whole = column.values.iter().all(|value| value.fract() == 0.0);
        if !counter && !loss && whole && 2 * rising + 2 > column.len() {
            counter = true;
            column.label = Some("step".to_owned());
        } else if !loss && column.len() > 0 {
            loss = true;
            column.label = Some("loss".to_owned());
        }
    }
}

/// Whether all columns but the first are `RUN - METRIC`.
pub(super) fn is_side_by_side(names: &[&str]) -> bool {
    names.len() > 1 && names.iter().skip(1).all(|name| name.contains(" - "))
}

/// Exports of W&B hold a column for each run, `RUN - METRIC`, beside its least and greatest value
/// in a pixel of the chart.
pub(super) fn side_by_side(table: Table) -> Vec<Table> {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    if !is_side_by_side(&names) {
        return vec![table];
    }
    let mut tables: Vec<Table> = vec![];
    let mut columns = table.columns.into_iter();
    let Some(counter) = columns.next() else { return vec![] };
    for mut column in columns {
        let Some((run, metric)) = column.name.rsplit_once(" - ") else { continue };
        if metric.ends_with("__MIN") || metric.ends_with("__MAX") {
            continue;
        }
        let run = run.to_owned();
        column.label = Some(metric.to_owned());
        if let Some(known) = tables.iter_mut().find(|known| known.name == run) {
            known.columns.push(column);
        } else {
            let columns = vec![counter.clone(), column];
            tables.push(Table { name: run, rows: table.rows, columns, ..Table::default() });
        }
    }
    tables
}
