//! The figures of `local-minimum-detection`.

use super::outcomes::Outcome;
use crate::value_and_gradient;
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Place, Plot};

pub(super) fn curves(outcomes: &[Outcome]) -> Figure {
    let panel = |outcome: &Outcome| {
        let shown = outcome
            .stalled
            .map_or(outcome.path.steps(), |step| (step + step / 3).min(outcome.path.steps()));
        let every = (shown / 500).max(1);
        let points = |values: &[f64]| {
            let steps = values.iter().take(shown + 1).enumerate().step_by(every);
            // Zero has no place on a logarithmic axis.
            steps.map(|(step, &value)| (step as f64, value.max(1e-14))).collect::<Vec<_>>()
        };
        let mut plot = Plot::new(outcome.case.name, Axis::linear("step"), Axis::log("value"))
            .with(Layer::line("loss", 0, points(&outcome.path.values)))
            .with(Layer::line("gradient norm", 1, points(&outcome.path.gradient_norms)));
        if let Some(step) = outcome.stalled {
            plot = plot.with(Layer::Reference {
                label: "stalled".to_owned(),
                at: Place::X(step as f64),
                color: Color::Ink,
            });
        }
        Panel::Plot(plot)
    };
    Figure {
        name: "curves".to_owned(),
        title: "Six losses that stop changing".to_owned(),
        caption: "Loss and norm of the gradient alone look alike at a minimum, a saddle and a plateau. With a tiny \
                  learning rate the loss rests while the gradient is large."
            .to_owned(),
        panels: outcomes.iter().map(panel).collect(),
        columns: 3,
    }
}

/// The loss along the directions of the extreme eigenvalues through the place of the stall.
pub(super) fn profiles(outcomes: &[Outcome]) -> Figure {
    let panel = |outcome: &Outcome| {
        let spectrum = outcome.spectrum.as_ref()?;
        let profile = |direction: &[f64]| {
            let along = |distance: f64| {
                let place = outcome.place().iter().zip(direction).map(|(x, v)| x + distance * v);
                let place: Vec<f64> = place.collect();
                let (value, _) = value_and_gradient(&outcome.case.loss, &place).ok()?;
                Some((distance, value))
            };
            Grid::even(-1.0, 1.0, 61).into_iter().filter_map(along).collect::<Vec<_>>()
        };
        let (greatest, least) =
            (profile(&spectrum.greatest_direction), profile(&spectrum.least_direction));
        let losses = greatest.iter().chain(&least).map(|(_, loss)| *loss);
        let (low, high) = losses.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), loss| {
            (low.min(loss), high.max(loss))
        });
        let mut axis = Axis::linear("loss");
        if high - low < 0.01 {
            axis = axis.between(low - 0.5, high + 0.5);
        }
        let plot = Plot::new(outcome.case.name, Axis::linear("distance along the direction"), axis)
            .with(Layer::line("greatest eigenvalue", 0, greatest))
            .with(Layer::line("least eigenvalue", 1, least));
        Some(Panel::Plot(plot))
    };
    Figure {
        name: "profiles".to_owned(),
        title: "The loss across the place where descent stalled".to_owned(),
        caption: "Along the directions of the greatest and the least eigenvalue: up both ways at a minimum, down along \
                  the least at a saddle, level on a plateau."
            .to_owned(),
        panels: outcomes.iter().filter_map(panel).collect(),
        columns: 3,
    }
}
