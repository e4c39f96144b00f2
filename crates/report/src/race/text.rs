//! A race in the terminal, and as CSV.

use std::time::Duration;

use converge_figures::numbers::{duration, significant};
use converge_figures::{Look, table};

use super::{Judgement, Standing};
use crate::ReportError;

impl Judgement {
    /// The table of contenders and a sentence for each pair that the first one is in.
    pub fn text(&self, look: Look) -> String {
        let known =
            |value: Option<f64>| value.map_or("–".to_owned(), |value| significant(value, 4));
        let row = |(place, one): (usize, &Standing)| {
            let seconds = one.seconds_to_target.and_then(|s| Duration::try_from_secs_f64(s).ok());
            vec![
                (place + 1).to_string(),
                one.label.clone(),
                known(one.mean),
                known(one.deviation),
                one.diverged.to_string(),
                format!("{}/{}", one.reached(), one.scores.len()),
                one.epochs_to_target.map_or("–".to_owned(), |epochs| epochs.to_string()),
                seconds.map_or("–".to_owned(), duration),
            ]
        };
        let rows: Vec<Vec<String>> = self.standings.iter().enumerate().map(row).collect();
        let score = format!("best {}", self.metric);
        let header =
            ["", "contender", &score, "± over seeds", "diverged", "at target", "epochs", "time"];
        let mut text = table(look, &header, &rows) + "\n";
        if let Some(target) = self.target {
            let of = self
                .target_of
                .as_ref()
                .map_or(String::new(), |label| format!(", the mean score of `{label}`"));
            text += &format!("Target: {} {}{of}.\n", self.metric, significant(target, 4));
        }
        text += "\n";
        let first = self.standings.first().map(|one| &one.label);
        let of_first = self
            .pairs
            .iter()
            .filter(|pair| first == Some(&pair.better) || first == Some(&pair.worse));
        for pair in of_first {
            text += &format!("{}\n", pair.sentence);
        }
        if self.pairs.len() > 1 {
            text += &format!(
                "Seeds are paired (Student's t); over all {} pairs, the probability of any wrong claim \
                 is held below 5 % (Holm).\n",
                self.pairs.len()
            );
        }
        text + &format!("\n{}", self.quote)
    }

    /// A row for each contender, seed and epoch.
    pub fn csv(&self) -> Result<String, ReportError> {
        let wrong = |error: &dyn ToString| ReportError::write("the curves", &error.to_string());
        let mut writer = csv::Writer::from_writer(vec![]);
        writer
            .write_record(["contender", "seed", "epoch", &self.metric])
            .map_err(|error| wrong(&error))?;
        for one in &self.standings {
            for run in &one.runs {
                for (epoch, value) in run.curve.iter().enumerate() {
                    let (seed, epoch) = (run.seed.to_string(), (epoch + 1).to_string());
                    writer
                        .write_record([&one.label, &seed, &epoch, &value.to_string()])
                        .map_err(|error| wrong(&error))?;
                }
            }
        }
        let bytes = writer.into_inner().map_err(|error| wrong(&error))?;
        String::from_utf8(bytes).map_err(|error| wrong(&error))
    }
}
