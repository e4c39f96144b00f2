//! `converge train --cross-validate`: how the scores of the folds are shown.

use anyhow::Result;

use super::printer::Printer;
use converge_core::cross_validation::{CrossValidation, FoldScores};
use converge_figures::{Look, numbers, table};

/// Prints the scores of every fold and their means.
pub(super) fn print(result: &CrossValidation, printer: &mut Printer) -> Result<()> {
    let look = Look::detect();
    printer.result(result, || {
        let shown = |value| numbers::significant(value, 4);
        let row = |FoldScores { fold, run, scores }: &FoldScores| {
            vec![fold.to_string(), shown(scores.rmse), shown(scores.mae), run.clone()]
        };
        let mut rows: Vec<Vec<String>> = result.folds.iter().map(row).collect();
        let (rmse, mae) = (shown(result.mean_rmse), shown(result.mean_mae));
        rows.push(vec!["mean".into(), rmse, mae, String::new()]);
        table(look, &["fold", "RMSE", "MAE", "run"], &rows)
    })?;
    if result.is_synthetic {
        printer.warning("the scores are of synthetic data");
    }
    Ok(())
}
