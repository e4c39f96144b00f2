//! A comparison as CSV: a row for each run, all keys and scores.

use super::Comparison;
use crate::error::ReportError;

impl Comparison {
    /// A header and a row for each run; what a run does not have is blank. Numbers are whole.
    pub fn csv(&self) -> Result<String, ReportError> {
        let mut names: Vec<&String> =
            self.runs.iter().flat_map(|run| run.evaluation.keys()).collect();
        names.sort();
        names.dedup();
        let mut writer = csv::Writer::from_writer(vec![]);
        let fixed = ["run", "path", "group", "seed", "state", "verdict", "confidence", "points"];
        let header = fixed.iter().copied().chain(self.keys.iter().map(String::as_str));
        let score = self.score.iter().map(|score| score.name.as_str());
        let written =
            writer.write_record(header.chain(score).chain(names.iter().map(|name| name.as_str())));
        written.map_err(|error| ReportError::write("CSV", &error))?;
        for run in &self.runs {
            let number =
                |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            let state = serde_json::to_value(run.state).ok();
            let state = state.and_then(|state| state.as_str().map(str::to_owned));
            let mut row = vec![
                run.name.clone(),
                run.path.display().to_string(),
                run.group.to_string(),
                run.seed.map(|seed| seed.to_string()).unwrap_or_default(),
                state.unwrap_or_default(),
                run.verdict.name().to_owned(),
                run.confidence.to_string(),
                run.epochs.to_string(),
            ];
            row.extend(run.values.iter().map(|value| value.clone().unwrap_or_default()));
            row.extend(self.score.iter().map(|_| number(run.score)));
            row.extend(names.iter().map(|name| number(run.evaluation.get(*name).copied())));
            writer.write_record(row).map_err(|error| ReportError::write("CSV", &error))?;
        }
        let bytes = writer.into_inner().map_err(|error| ReportError::write("CSV", &error))?;
        String::from_utf8(bytes).map_err(|error| ReportError::write("CSV", &error))
    }
}
