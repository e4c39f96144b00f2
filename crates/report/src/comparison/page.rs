//! The page of a comparison.

use converge_figures::numbers::significant;

use super::charts::{by_epoch, by_step, slices};
use super::text::standing;
use super::{Comparison, Outcome};
use crate::chart::dash;
use crate::error::ReportError;
use crate::page::{Page, escape, marked, sentences, share, synthetic_banner, table};
use crate::training::Training;

/// The cells of a group that was compared with the reference.
const JUDGED: usize = 7;

/// What curves of the group at `place` look like.
fn swatch(place: usize) -> String {
    let style = if dash(place) == "solid" { "solid" } else { "dashed" };
    format!(
        "<span class=\"swatch\" style=\"border-top-color:var(--s{});border-top-style:{style}\"></span>",
        place % 7
    )
}

impl Comparison {
    /// The page of the comparison as HTML, of the `trainings` that it was made of.
    pub fn page(&self, trainings: &[Training]) -> Result<String, ReportError> {
        let ordered = self.ordered(trainings);
        let title = format!("{} runs compared", self.runs.len());
        let mut page = Page::new(&title);
        let synthetic = self.runs.iter().filter(|run| run.synthetic).count();
        if synthetic > 0 {
            let which = format!("in {synthetic} of {} runs.", self.runs.len());
            page.add(&synthetic_banner(&which));
        }
        page.add(&format!("<h1>{}</h1>\n", escape(&title)));
        self.differences_section(&mut page);
        page.section("Curves");
        page.charts(by_epoch(self, &ordered));
        page.charts(by_step(self, &ordered));
        let slices = slices(self);
        if !slices.is_empty() {
            page.section("Scores against what differs");
            page.charts(slices);
        }
        self.runs_section(&mut page);
        self.missing_section(&mut page, &ordered);
        page.html()
    }

    fn differences_section(&self, page: &mut Page) {
        page.section("Which differences are real");
        let (header, rows) = self.group_table();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let rows: Vec<Vec<String>> = rows
            .iter()
            .enumerate()
            .map(|(place, row)| {
                let mut cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
                let outcome = self.differences.iter().find(|one| one.group == place);
                let class = match outcome.map(|one| one.outcome) {
                    Some(Outcome::Better) => "better",
                    Some(Outcome::Worse) => "worse",
                    Some(Outcome::CannotTell) | None => "muted",
                };
                cells[0] = format!("{}{}", swatch(place), cells[0]);
                let judged = outcome.filter(|_| row.len() == JUDGED);
                if let (Some(last), Some(_)) = (cells.last_mut(), judged) {
                    *last = format!("<span class=\"{class}\">{last}</span>");
                }
                cells
            })
            .collect();
        page.add(&table(&header, &rows));
        match self.differences.as_slice() {
            [] if self.groups.len() == 1 => {
                page.add("<p>There is nothing to tell apart: one group only.</p>\n");
            }
            [] => page.add("<p>There are no two groups with a score to tell apart.</p>\n"),
            [only] => page.add(&format!("<p>{}</p>\n", marked(&only.sentence))),
            _ => {}
        }
        page.add(&sentences(&self.notes));
    }

    /// Every run, sortable by every column.
    fn runs_section(&self, page: &mut Page) {
        page.section("Runs");
        let mut header: Vec<&str> = vec!["run"];
        header.extend(self.keys.iter().map(String::as_str));
        header.extend(["seed", "verdict", "sure", "points"]);
        header.extend(self.score.iter().map(|score| score.name.as_str()));
        let mut evaluated: Vec<&String> =
            self.runs.iter().flat_map(|run| run.evaluation.keys()).collect();
        evaluated.sort();
        evaluated.dedup();
        header.extend(evaluated.iter().map(|name| name.as_str()));
        let header: String = header
            .iter()
            .map(|name| {
                let name = escape(name);
                format!("<th scope=\"col\" aria-sort=\"none\"><button>{name}</button></th>")
            })
            .collect();
        let shown = |value: Option<f64>| {
            value.map_or_else(|| "–".to_owned(), |value| significant(value, 5))
        };
        let rows: String = self
            .runs
            .iter()
            .map(|run| {
                let value =
                    |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
                let mut cells = vec![run.name.clone()];
                cells.extend(run.values.iter().map(value));
                cells.push(run.seed.map_or_else(|| "–".to_owned(), |seed| seed.to_string()));
                cells.push(standing(run));
                cells.push(share(run.confidence));
                cells.push(run.epochs.to_string());
                cells.extend(self.score.iter().map(|_| shown(run.score)));
                cells
                    .extend(evaluated.iter().map(|name| shown(run.evaluation.get(*name).copied())));
                let cells: String =
                    cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
                format!("<tr>{cells}</tr>\n")
            })
            .collect();
        page.add(&format!(
            "<div class=\"wide\"><table class=\"sortable\"><thead><tr>{header}</tr></thead>\n<tbody>\n\
             {rows}</tbody></table></div>\n"
        ));
    }

    /// What single runs do not have.
    fn missing_section(&self, page: &mut Page, trainings: &[&Training]) {
        let missing: Vec<String> = trainings
            .iter()
            .zip(&self.runs)
            .flat_map(|(training, run)| {
                let all = training.missing.iter().chain(&training.notes);
                all.map(|sentence| format!("`{}`: {sentence}", run.name))
            })
            .collect();
        if !missing.is_empty() {
            page.section("What is not here, and how logs were read");
            page.add(&sentences(missing));
        }
    }
}
