//! Fits the constants of verdicts and shows how well they do on runs that they were not fitted on.
//!
//! ```text
//! fit_verdict RUNS LABELS > crates/diagnosis/src/verdict/constants.rs
//! ```
//!
//! RUNS is a folder of tables `PROBLEM__OPTIMIZER__lrRATE__sSEED.csv` with the columns `epoch`,
//! `loss` and `val_loss`, the untrained epoch 0 first: the train and test losses that `DeepOBS`
//! (`github.com/fsschneider/DeepOBS_Baselines`, MIT; Schneider et al., ICLR 2019) recorded.
//!
//! LABELS is a file of `GROUP,LABEL,SECOND,MARGIN…` lines: what an expert says of a log, and the
//! margins of the gates on it in their order (`judge_csv --margins` prints them). A group is never
//! split between fitting and checking. Beside each log of twenty points or more stand five variants
//! of it in the same group: without its last, its last three and its first points, and with noise
//! of one and of two percent. An expert would say the same of most of them, and margins that
//! thresholds were chosen by look too sure.
//!
//! The constants go to standard output, how well they do to standard error.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "constants and scores go to the terminal"
)]

mod forecast;
mod labels;
mod regression;
mod scores;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [runs, labelled] = arguments.as_slice() else {
        return Err("give the folder of runs and the file of labels".into());
    };
    let forecast = forecast::fit(&forecast::cuts(Path::new(runs))?);
    let (labels, doubt) = labels::fit(&labels::read(Path::new(labelled))?);
    for line in [
        "Constants of forecasts and of probabilities: made by `examples/fit_verdict`, not by hand.",
        "",
        "Forecasts are fitted on runs of `DeepOBS` (Schneider et al., ICLR 2019), probabilities of",
        "labels on logs of public repositories that experts labelled.",
    ] {
        println!("{}", format!("//! {line}").trim_end());
    }
    println!();
    println!("/// Intercept and weights of the log-odds of a gain worth having.");
    print_array("PROBABILITY", &forecast.probability);
    println!("/// Intercept and weights of sinh⁻¹(expected gain / worthwhile).");
    print_array("GAIN", &forecast.gain);
    println!("/// Quantiles of (gain − expected gain) / (worthwhile + expected gain + noise).");
    print_array("INTERVAL", &forecast.interval);
    println!("/// The probability between them.");
    println!("pub(super) const INTERVAL_LEVEL: f64 = {:?};", forecast::LEVEL);
    println!();
    println!("/// Steepness of each gate: log-odds per unit of its margin.");
    print_array("STEEPNESS", &labels[..labels.len() - 1]);
    println!("/// The probability that is shared evenly among all labels.");
    println!("pub(super) const SHARED: f64 = {:.3};", labels[labels.len() - 1]);
    println!();
    println!(
        "/// The part of the doubt about a label that remains when an expert's second counts too."
    );
    println!("pub(super) const DOUBT: f64 = {doubt:.3};");
    Ok(())
}

fn print_array(name: &str, values: &[f64]) {
    let list: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
    println!("pub(super) const {name}: [f64; {}] = [{}];\n", values.len(), list.join(", "));
}
