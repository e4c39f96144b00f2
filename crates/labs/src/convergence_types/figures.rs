//! The figures of `convergence-types`.

use burn::tensor::{Tensor, TensorData};

use super::runs::{KNOWN, Kinds, Run};
use super::xor::{POINTS, TARGETS, outputs};
use crate::{LabError, device};
use converge_figures::figure::{Axis, Color, ColorScale, Figure, Grid, Layer, Panel, Place, Plot};

pub(super) fn histogram(runs: &[Run]) -> Figure {
    let mut plot =
        Plot::new("", Axis::linear("loss at the end").between(-0.01, 0.27), Axis::linear("runs"));
    let bins = Grid::even(-0.0025, 0.2625, 54);
    let bars = bins.windows(2).map(|ends| {
        let inside = runs.iter().filter(|run| (ends[0]..ends[1]).contains(&run.loss()));
        (ends[0], ends[1], inside.count() as f64)
    });
    plot.layers.push(Layer::Bars {
        name: String::new(),
        bars: bars.collect(),
        color: Color::Series(0),
    });
    for (loss, name) in KNOWN {
        plot.layers.push(Layer::Reference {
            label: name.to_owned(),
            at: Place::X(loss),
            color: Color::Neutral,
        });
    }
    Figure {
        name: "ends".to_owned(),
        title: format!("The loss at the end, from {} starts", runs.len()),
        caption: "Training comes to rest at four losses only: those at which the network fits all, two, one or none of \
                  the points and gives the rest their mean."
            .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    }
}

/// The curves are drawn so far; nothing happens later.
pub(super) const SHOWN_STEPS: usize = 200;

pub(super) fn curves(kinds: &Kinds) -> Figure {
    let points = |run: &Run, steps: usize| {
        let losses = run.losses.iter().enumerate().take(steps);
        losses.map(|(step, &loss)| (step as f64, loss.max(1e-12))).collect::<Vec<_>>()
    };
    let shown = SHOWN_STEPS;
    let panel = |title: &str, axis: Axis| {
        let mut plot = Plot::new(title, Axis::linear("step"), axis);
        if let Some(run) = kinds.global {
            plot = plot.with(Layer::line("global", 0, points(run, shown)));
        }
        if let Some(run) = kinds.local {
            plot = plot.with(Layer::line("local", 1, points(run, shown)));
        }
        if let Some((run, step)) = kinds.premature {
            plot = plot.with(Layer::theory("premature, had it gone on", points(run, shown)));
            plot = plot.with(Layer::line("premature", 2, points(run, step + 1)));
            let at = (step as f64, run.losses[step]);
            plot = plot.with(Layer::points("stopped here", 2, vec![at]));
        }
        Panel::Plot(plot)
    };
    Figure {
        name: "curves".to_owned(),
        title: "Three ways to converge".to_owned(),
        caption: "On a linear axis all three curves go flat. On a logarithmic axis the global one goes on falling; the \
                  premature one was stopped on a shelf that it would have left."
            .to_owned(),
        panels: vec![
            panel("As usually drawn", Axis::linear("loss")),
            panel("Logarithmic", Axis::log("loss")),
        ],
        columns: 2,
    }
}

/// What each network answers over the plane.
pub(super) fn answers(kinds: &Kinds) -> Result<Option<Figure>, LabError> {
    let axis = Grid::even(-0.5, 1.5, 61);
    let places: Vec<[f64; 2]> =
        axis.iter().flat_map(|&y| axis.iter().map(move |&x| [x, y])).collect();
    let device = device()?;
    let chosen = [
        ("Global", kinds.global.map(Run::end)),
        ("Local", kinds.local.map(Run::end)),
        ("Premature", kinds.premature.map(|(run, step)| run.places[step].as_slice())),
    ];
    let mut panels = vec![];
    for (title, parameters) in chosen {
        let Some(parameters) = parameters else { continue };
        let parameters = TensorData::from(parameters);
        let parameters = Tensor::from_data(parameters, (&device, burn::tensor::DType::F64));
        let outputs = outputs(parameters, &places).into_data();
        // Beyond the points the output grows without bound, and would take all the colours.
        let values = outputs.iter::<f64>().map(|value| value.clamp(-0.5, 1.5)).collect();
        let class = |one: bool| {
            let points =
                POINTS.iter().zip(TARGETS).filter(move |(_, target)| (*target > 0.5) == one);
            points.map(|(point, _)| (point[0], point[1])).collect()
        };
        let (zeros, ones) = (class(false), class(true));
        let dots = |name: &str, points, color| Layer::Points {
            name: name.to_owned(),
            points,
            color,
            radius: 7.0,
        };
        panels.push(Panel::Plot(
            Plot::new(title, Axis::linear("x₁"), Axis::linear("x₂"))
                .with(Layer::HeatMap {
                    grid: Grid { x: axis.clone(), y: axis.clone(), values },
                    label: "output".to_owned(),
                    colors: ColorScale::Diverging { middle: 0.5 },
                    written: false,
                })
                .with(dots("target 0", zeros, Color::Ink))
                .with(dots("target 1", ones, Color::Series(1))),
        ));
    }
    Ok((!panels.is_empty()).then(|| Figure {
        name: "answers".to_owned(),
        title: "What each network has learnt of XOR".to_owned(),
        caption: "The output over the plane, and the four points. The local one fits some of them and gives the others \
                  their mean. Each panel has a colour scale of its own."
            .to_owned(),
        columns: panels.len(),
        panels,
    }))
}
