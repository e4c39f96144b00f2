//! The page of one training: the verdict first, then the curves, then all that made it.

mod configuration;
mod evaluation;
mod head;
mod origin;
mod time;
mod verdict;

use crate::chart::{by_epoch, by_step, heat_maps, other_series};
use crate::error::ReportError;
use crate::page::Page;
use crate::training::Training;

/// The page of `training`, as HTML.
pub fn report(training: &Training) -> Result<String, ReportError> {
    let mut page = Page::new(&training.name);
    head::section(&mut page, training);
    verdict::section(&mut page, training);
    page.section("Learning curves");
    page.charts(by_epoch(training));
    page.charts(by_step(training));
    let (others, more) = other_series(&training.history);
    if !others.is_empty() {
        page.section("Other series of the log");
        page.charts(others);
        if more > 0 {
            page.add(&format!("<p class=\"muted\">{more} more series are not drawn.</p>\n"));
        }
    }
    let maps = heat_maps(&training.steps);
    if !maps.is_empty() {
        page.section("Layers over time");
        page.charts(maps);
    }
    time::section(&mut page, training);
    evaluation::section(&mut page, training);
    configuration::section(&mut page, training);
    origin::section(&mut page, training);
    page.html()
}
