//! The learning rate of every step of a run: `converge schedule` draws it before there is a run.
//!
//! One panel on a linear scale. Where more than a quarter of the steps run so low that it shows
//! nothing of them, a second one on a logarithmic scale stands below.

use super::ReportError;
use super::axis::Axis;
use super::canvas::{Anchor, svg, write};
use super::panel::{Curve, Frame, LANE, Mark, Panel, name_marks, place_marks};
use super::style::{INK, LABEL_SIZE, NEUTRAL, SMALL_SIZE, TITLE_SIZE, TRAINING, VALIDATION, fit};

/// What [`draw_rates`] draws.
#[derive(Debug, Clone, PartialEq)]
pub struct RatesFigure {
    /// The title.
    pub title: String,
    /// The learning rate of every optimizer step.
    pub rates: Vec<f64>,
    /// Optimizer steps in an epoch.
    pub steps_per_epoch: usize,
    /// Steps of warm-up.
    pub warmup_steps: usize,
    /// What else has to be said, one line each.
    pub notes: Vec<String>,
}

const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 24.0;
const LEFT: f64 = 120.0;
const RIGHT: f64 = WIDTH - 50.0;
const TITLE_HEIGHT: f64 = 64.0;
const PANEL_HEIGHT: f64 = 330.0;
const PANEL_GAP: f64 = 52.0;
const NOTE_LINE: f64 = 25.0;
/// Points drawn at most: more than pixels.
const MOST_POINTS: usize = 2400;
/// Rates below this share of the highest show nothing on a linear scale.
const INVISIBLE: f64 = 0.05;
/// Rates below this share of the highest are left out on a logarithmic scale.
const LOWEST: f64 = 1e-6;

/// Draws the learning rates as an SVG of 1200 pixels width with a white background.
pub fn draw_rates(figure: &RatesFigure) -> Result<String, ReportError> {
    if figure.rates.is_empty() {
        return Err(ReportError::NoEpochs);
    }
    let steps = Axis::epochs(1, figure.rates.len(), 10);
    let panels = panels(&figure.rates);
    let warmup_ends = figure.warmup_steps > 0 && figure.warmup_steps < figure.rates.len();
    let mark = warmup_ends.then(|| Mark {
        epoch: (figure.warmup_steps + 1) as f64,
        label: format!("warm-up ends: step {}", figure.warmup_steps + 1),
        color: VALIDATION,
        dashed: true,
    });
    let marks: Vec<Mark> = mark.into_iter().collect();
    let mut frame = Frame { left: LEFT, right: RIGHT, top: 0.0, bottom: TITLE_HEIGHT };
    let name = panels.first().map_or("", |panel| panel.name.as_str());
    let places = place_marks(frame, &steps, &marks, name);
    let highest_lane = places.iter().map(|(_, lane)| *lane).max().unwrap_or_default();
    frame.bottom += LANE * highest_lane as f64;
    let panels_height = panels.len() as f64 * (PANEL_GAP + PANEL_HEIGHT);
    let steps_label = frame.bottom + panels_height + 56.0;
    let height = steps_label + 30.0 + NOTE_LINE * figure.notes.len() as f64;

    svg(WIDTH, height, |canvas| {
        let title = fit(&figure.title, TITLE_SIZE, WIDTH - 2.0 * MARGIN);
        write(canvas, &title, (MARGIN, MARGIN + 18.0), Anchor::Start, TITLE_SIZE, INK)?;
        for (index, panel) in panels.iter().enumerate() {
            frame.top = frame.bottom + PANEL_GAP;
            frame.bottom = frame.top + panel.height;
            panel.draw(canvas, frame, &steps, &marks, index + 1 == panels.len())?;
            if index == 0 {
                name_marks(canvas, frame, &marks, &places)?;
            }
        }
        let middle = (f64::midpoint(LEFT, RIGHT), steps_label);
        let label = format!("optimizer step ({} per epoch)", figure.steps_per_epoch);
        write(canvas, &label, middle, Anchor::Middle, LABEL_SIZE, INK)?;
        for (line, note) in figure.notes.iter().enumerate() {
            let note = fit(note, SMALL_SIZE, WIDTH - 2.0 * MARGIN);
            let at = (MARGIN, steps_label + 34.0 + NOTE_LINE * line as f64);
            write(canvas, &note, at, Anchor::Start, SMALL_SIZE, NEUTRAL)?;
        }
        Ok(())
    })
}

fn panels(rates: &[f64]) -> Vec<Panel> {
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let invisible = rates.iter().filter(|&&rate| rate < INVISIBLE * highest).count();
    let panel = |log_decades: f64, lowest: f64| {
        let points = thinned(rates)
            .into_iter()
            .map(|(step, rate)| (step as f64, (rate >= lowest).then_some(rate)))
            .collect();
        let curve = Curve { name: "", color: TRAINING, width: 2.6, dots: true, points };
        Panel::new("learning rate", vec![curve], log_decades, PANEL_HEIGHT)
    };
    let mut linear = panel(f64::INFINITY, 0.0);
    // From 0, so that heights compare.
    linear.axis = Axis::new(&[0.0, highest], f64::INFINITY, 8);
    if highest > 0.0 && invisible * 4 > rates.len() {
        vec![linear, panel(1.0, highest * LOWEST)]
    } else {
        vec![linear]
    }
}

/// Steps, from 1, and their rates: all of them, or the lowest and the highest of each stretch, so
/// that no peak is lost.
fn thinned(rates: &[f64]) -> Vec<(usize, f64)> {
    let stretch =
        if rates.len() <= MOST_POINTS { 1 } else { rates.len().div_ceil(MOST_POINTS / 2) };
    let numbered: Vec<(usize, f64)> = (1..).zip(rates.iter().copied()).collect();
    let extremes = |stretch: &[(usize, f64)]| {
        let by_rate = |one: &&(usize, f64), other: &&(usize, f64)| one.1.total_cmp(&other.1);
        let mut found: Vec<(usize, f64)> = stretch
            .iter()
            .min_by(by_rate)
            .into_iter()
            .chain(stretch.iter().max_by(by_rate))
            .copied()
            .collect();
        found.sort_by_key(|&(step, _)| step);
        found.dedup();
        found
    };
    numbered.chunks(stretch).flat_map(extremes).collect()
}

/// The rates in one line of `width` characters, eight heights from 0 to the highest.
pub fn sparkline(rates: &[f64], width: usize) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let columns = width.min(rates.len());
    (0..columns)
        .map(|column| {
            let first = column * rates.len() / columns;
            let end = ((column + 1) * rates.len() / columns).max(first + 1).min(rates.len());
            let stretch = rates.get(first..end).unwrap_or_default();
            let mean = stretch.iter().sum::<f64>() / stretch.len().max(1) as f64;
            let share = if highest > 0.0 { mean / highest } else { 0.0 };
            HEIGHTS[((share * 8.0) as usize).min(7)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn figure(rates: Vec<f64>) -> RatesFigure {
        let notes = vec!["a note".to_owned()];
        let title = "cifar10: cosine".to_owned();
        RatesFigure { title, rates, steps_per_epoch: 1250, warmup_steps: 10, notes }
    }

    #[test]
    fn the_figure_names_everything_that_it_shows() {
        let rates = (0..100).map(|step| 0.9_f64.powi(step)).collect();
        let svg = draw_rates(&figure(rates)).unwrap();
        for text in [
            "cifar10: cosine",
            "learning rate",
            "learning rate, log scale",
            "optimizer step (1250 per epoch)",
            "warm-up ends: step 11",
            "a note",
        ] {
            assert!(svg.lines().any(|line| line == text), "`{text}` is missing");
        }
        let constant = draw_rates(&figure(vec![0.1; 50])).unwrap();
        assert!(!constant.contains("log scale"));
        assert!(draw_rates(&figure(vec![])).is_err());
    }

    #[test]
    fn thinning_keeps_every_peak() {
        let mut rates = vec![0.1; 100_000];
        rates[54_321] = 1.0;
        rates[77_777] = 0.0;
        let points = thinned(&rates);
        assert!(points.len() <= MOST_POINTS);
        assert!(points.contains(&(54_322, 1.0)) && points.contains(&(77_778, 0.0)));
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_sparkline_goes_from_low_to_high() {
        let rates: Vec<f64> = (0..80).map(f64::from).collect();
        assert_eq!(sparkline(&rates, 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[0.0], 8), "▁");
        assert_eq!(sparkline(&[], 8), "");
    }

    proptest! {
        #[test]
        fn no_rates_panic(rates in prop::collection::vec(0.0..1e100_f64, 0..300), width in 0..100_usize) {
            let _ = sparkline(&rates, width);
            let _ = draw_rates(&figure(rates));
        }
    }
}
