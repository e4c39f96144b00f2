//! The figures of `mini-batches`, but for the counts.

use super::SAMPLES;
use super::trainings::Trained;
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Plot};

pub(super) fn orders_figure(shuffled: &[Vec<Vec<usize>>], drawn: &[Vec<usize>]) -> Figure {
    let panel = |title: &str, series: usize, order: Vec<usize>| {
        let points = order.iter().enumerate().map(|(place, &sample)| (place as f64, sample as f64));
        let plot = Plot::new(title, Axis::linear("place in the epoch"), Axis::linear("sample"));
        Panel::Plot(plot.with(Layer::Points {
            name: String::new(),
            points: points.collect(),
            color: Color::Series(series),
            radius: 1.8,
        }))
    };
    let epoch = |index: usize| shuffled.get(index).map(|epoch| epoch.concat()).unwrap_or_default();
    let second = usize::from(shuffled.len() > 1);
    Figure {
        name: "orders".to_owned(),
        title: "Which sample comes when".to_owned(),
        caption:
            "Shuffled, every row and every column has one dot: each sample comes once, in an order \
                  of its own every epoch. With replacement rows are empty or have several."
                .to_owned(),
        panels: vec![
            panel("as stored", 2, (0..SAMPLES).collect()),
            panel("shuffled, first epoch", 0, epoch(0)),
            panel(&format!("shuffled, epoch {}", second + 1), 0, epoch(second)),
            panel("with replacement", 1, drawn.first().cloned().unwrap_or_default()),
        ],
        columns: 2,
    }
}

pub(super) fn losses(trainings: &[Trained]) -> Figure {
    let mut plot = Plot::new("", Axis::linear("epoch"), Axis::log("loss above the least"));
    for (series, trained) in trainings.iter().enumerate() {
        let points =
            trained.excess.iter().enumerate().map(|(epoch, &excess)| (epoch as f64, excess));
        plot = plot.with(Layer::line(trained.name, series, points.collect()));
    }
    Figure {
        name: "loss".to_owned(),
        title: "The same training on four kinds of batches".to_owned(),
        caption:
            "Losses after each epoch, above that of least squares. An epoch ends with its smallest \
                  and noisiest batch. Sorted samples end it pulled towards the largest residuals."
                .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    }
}
