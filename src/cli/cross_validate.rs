//! `converge train --cross-validate`: one run for every published fold, each scored on its own
//! test split.

use anyhow::{Result, bail};
use serde::Serialize;

use super::evaluate::{Scores, score};
use super::printer::{Printer, message};
use super::progress::Downloads;
use super::train::TrainArgs;
use converge_core::train::evaluation::Trained;
use converge_core::train::{StopRequest, same_source};
use converge_data::Parts;
use converge_figures::{Look, numbers, table};
use converge_metrics::RegressionScores;
use converge_record::Status;

/// The folds that MovieLens publishes.
const FOLDS: usize = 5;

#[derive(Serialize)]
struct Fold {
    #[serde(rename = "fold")]
    number: usize,
    run: String,
    #[serde(flatten)]
    scores: RegressionScores,
}

#[derive(Serialize)]
struct CrossValidation {
    folds: Vec<Fold>,
    mean_rmse: f64,
    mean_mae: f64,
}

/// Trains and scores every fold, and tells the mean.
pub(super) fn cross_validate(args: &TrainArgs, printer: &mut Printer) -> Result<()> {
    let mut data = args.experiment()?.data.clone();
    data.set_fold(1)?;
    let stop_request = StopRequest::default();
    let (mut folds, mut synthetic) = (vec![], false);
    for fold in 1..=FOLDS {
        message(&format!("fold {fold} of {FOLDS}"));
        data.set_fold(fold)?;
        let experiment = args.experiment()?.with(|settings| settings.data = data.clone())?;
        let outcome = args.train(experiment, printer, stop_request.clone(), fold == 1)?;
        let run = outcome.run.path().display().to_string();
        if outcome.run.record.status != Status::Completed {
            bail!("fold {fold} ended before its time: {}; see {run}", outcome.stop.message);
        }
        let trained = Trained::load(&outcome.run, None, &args.device.open()?)?;
        let options = args.data_options().load_options()?;
        let data = same_source(&trained.experiment.data, outcome.run.record.data.origin)?;
        synthetic |= outcome.run.record.data.is_synthetic();
        let test = data.load(Parts::Test, &options, &mut Downloads::new())?;
        let Scores::Regression { scores, .. } = score(&trained, test)? else {
            bail!("cross-validation is for ratings");
        };
        folds.push(Fold { number: fold, run, scores });
    }
    let mean = |of: fn(&RegressionScores) -> f64| {
        folds.iter().map(|fold| of(&fold.scores)).sum::<f64>() / folds.len() as f64
    };
    let (mean_rmse, mean_mae) = (mean(|scores| scores.rmse), mean(|scores| scores.mae));
    let result = CrossValidation { folds, mean_rmse, mean_mae };
    let look = Look::detect();
    printer.result(&result, || {
        let shown = |value| numbers::significant(value, 4);
        let mut rows: Vec<Vec<String>> = result
            .folds
            .iter()
            .map(|Fold { number, scores, run }| {
                vec![number.to_string(), shown(scores.rmse), shown(scores.mae), run.clone()]
            })
            .collect();
        rows.push(vec!["mean".into(), shown(mean_rmse), shown(mean_mae), String::new()]);
        table(look, &["fold", "RMSE", "MAE", "run"], &rows)
    })?;
    if synthetic {
        printer.warning("the scores are of synthetic data");
    }
    Ok(())
}
