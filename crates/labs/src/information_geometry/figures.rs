//! The figures of the plane of normal distributions.

use std::f64::consts::{SQRT_2, TAU};

use super::InformationGeometry;
use super::half_plane::{Geodesic, Pair, inner, shoot, transport};
use crate::{DataFile, Findings, number};
use converge_figures::figure::{Axis, Color, Figure, Grid, LINE_WIDTH, Layer, Panel, Plot};

/// All figures; errors by steps of a geodesic and by the step of differences come from the lab.
pub(super) fn add(
    findings: &mut Findings,
    lab: &InformationGeometry,
    by_steps: Vec<(f64, f64)>,
    by_step: Vec<(f64, f64)>,
) {
    let pairs = |pairs: &[(f64, f64)]| -> Vec<Vec<f64>> {
        pairs.iter().map(|&(x, y)| vec![x, y]).collect()
    };
    findings.data.push(DataFile::of_numbers(
        "geodesic-error",
        &["steps", "error"],
        pairs(&by_steps),
    ));
    findings.data.push(DataFile::of_numbers(
        "christoffel-error",
        &["step_over_sigma", "error_times_sigma"],
        pairs(&by_step),
    ));
    let geodesic = Geodesic::between(lab.start(), lab.end());
    let way = Grid::even(0.0, 1.0, 101).into_iter().map(|time| {
        let (place, velocity) = geodesic.at(time);
        [&[time][..], &place, &velocity].concat()
    });
    findings.data.push(DataFile::of_numbers(
        "geodesic",
        &["time", "mean", "deviation", "mean_velocity", "deviation_velocity"],
        way,
    ));
    findings.figures.push(plane(lab, &geodesic));
    findings.figures.push(densities(lab, &geodesic));
    findings.figures.push(carried(lab, &geodesic));
    findings.figures.push(errors(by_steps, by_step));
}

fn line(name: &str, color: Color, points: Vec<(f64, f64)>) -> Layer {
    Layer::Line { name: name.to_owned(), points, color, width: LINE_WIDTH, dashed: false }
}

/// All places at the distance `radius` from `center`: in the half-plane they are a circle too, of
/// another centre.
fn circle([mean, deviation]: Pair, radius: f64) -> Vec<(f64, f64)> {
    let radius = radius / SQRT_2;
    let place = |index: i32| {
        let angle = TAU * f64::from(index) / 120.0;
        (
            mean + SQRT_2 * deviation * radius.sinh() * angle.cos(),
            deviation * (radius.cosh() + radius.sinh() * angle.sin()),
        )
    };
    (0..=120).map(place).collect()
}

/// The vector of this length at this angle to the axis of means.
fn direction([_, deviation]: Pair, angle: f64, length: f64) -> Pair {
    [length * deviation * angle.cos(), length * deviation * angle.sin() / SQRT_2]
}

/// Distances around the start, and the way to the end.
fn plane(lab: &InformationGeometry, geodesic: &Geodesic) -> Figure {
    let (start, end) = (lab.start(), lab.end());
    let axes = |title: &str| Plot::new(title, Axis::linear("mean μ"), Axis::linear("deviation σ"));
    let mut around = axes("Geodesics from the start, to distances 1 and 2");
    for index in 0..16 {
        let velocity = direction(start, TAU * f64::from(index) / 16.0, 2.0);
        let ray = Geodesic::new(start, velocity);
        let ray = Grid::even(0.0, 1.0, 60).into_iter().map(|time| ray.at(time).0.into()).collect();
        around = around.with(line(if index == 0 { "geodesic" } else { "" }, Color::Neutral, ray));
    }
    for radius in [1.0, 2.0] {
        around = around.with(Layer::line(
            &format!("distance {radius}"),
            radius as usize - 1,
            circle(start, radius),
        ));
    }
    let mut way = axes("The way from the start to the end");
    // Small circles show how the metric shrinks and stretches along both ways.
    let stations = Grid::even(0.0, 1.0, 7);
    let straight =
        |time: f64| [0, 1].map(|index| start[index] + time * (end[index] - start[index]));
    for (series, stations) in [
        stations.iter().map(|&time| geodesic.at(time).0).collect::<Vec<_>>(),
        stations.iter().map(|&time| straight(time)).collect(),
    ]
    .into_iter()
    .enumerate()
    {
        for station in stations {
            way = way.with(line("", Color::Series(series), circle(station, 0.15)));
        }
    }
    let closed = Grid::even(0.0, 1.0, 200).into_iter().map(|time| geodesic.at(time).0.into());
    let numerical = shoot(start, geodesic.at(0.0).1, 24);
    let numerical = numerical.into_iter().map(|(place, _)| place.into()).collect();
    let way = way
        .with(Layer::line("geodesic, closed form", 0, closed.collect()))
        .with(Layer::line("straight in (μ, σ)", 1, vec![start.into(), end.into()]))
        .with(Layer::points("24 Runge-Kutta steps", 2, numerical));
    Figure {
        name: "half-plane".to_owned(),
        title: "The plane of normal distributions with the Fisher metric".to_owned(),
        caption: "Left: equally far from the start. Right: the geodesic to another mean rises to wider distributions, \
                  where means are nearer to each other: the small ellipses all have radius 0.15 in the metric."
            .to_owned(),
        panels: vec![Panel::Plot(around), Panel::Plot(way)],
        columns: 2,
    }
}

/// The densities at stations of the geodesic and of the straight line.
fn densities(lab: &InformationGeometry, geodesic: &Geodesic) -> Figure {
    let (start, end) = (lab.start(), lab.end());
    let straight =
        |time: f64| [0, 1].map(|index| start[index] + time * (end[index] - start[index]));
    let low = (start[0] - 3.0 * start[1]).min(end[0] - 3.0 * end[1]);
    let high = (start[0] + 3.0 * start[1]).max(end[0] + 3.0 * end[1]);
    let panel = |title: &str, at: &dyn Fn(f64) -> Pair| {
        let mut plot = Plot::new(title, Axis::linear("x"), Axis::linear("density"));
        for (series, time) in [0.0, 0.25, 0.5, 0.75, 1.0].into_iter().enumerate() {
            let [mean, deviation] = at(time);
            let density =
                |x: f64| (-0.5 * ((x - mean) / deviation).powi(2)).exp() / (deviation * TAU.sqrt());
            let points = Grid::even(low, high, 300).into_iter().map(|x| (x, density(x))).collect();
            let name = format!("{}% of the way", number(100.0 * time));
            plot = plot.with(Layer::line(&name, series, points));
        }
        Panel::Plot(plot)
    };
    Figure {
        name: "densities".to_owned(),
        title: "Distributions on the way".to_owned(),
        caption: "Along the geodesic the distribution widens first; neighbours overlap more than along the straight \
                  line."
            .to_owned(),
        panels: vec![
            panel("Along the geodesic", &|time| geodesic.at(time).0),
            panel("Along the straight line in (μ, σ)", &straight),
        ],
        columns: 2,
    }
}

/// A vector carried along the geodesic, beside one that keeps its components.
fn carried(lab: &InformationGeometry, geodesic: &Geodesic) -> Figure {
    // A unit vector at 60° to the geodesic.
    let heading = geodesic.at(0.0).1;
    let angle = (SQRT_2 * heading[1]).atan2(heading[0]) + TAU / 6.0;
    let vector = direction(lab.start(), angle, 1.0);
    let turned = transport(|time| geodesic.at(time), vector, lab.steps);
    let way = Grid::even(0.0, 1.0, 200).into_iter().map(|time| geodesic.at(time).0.into());
    let mut map = Plot::new("On the plane", Axis::linear("mean μ"), Axis::linear("deviation σ"))
        .with(line("geodesic", Color::Neutral, way.collect()));
    let mut lengths = [vec![], vec![]];
    let stations = 10;
    for station in 0..=stations {
        let time = f64::from(station) / f64::from(stations);
        let step = (time * lab.steps as f64).round();
        let (place, _) = geodesic.at(step / lab.steps as f64);
        let Some(&transported) = turned.get(step as usize) else { continue };
        for (series, (name, vector)) in
            [("carried without turning", transported), ("components kept", vector)]
                .into_iter()
                .enumerate()
        {
            let tip = (place[0] + 0.5 * vector[0], place[1] + 0.5 * vector[1]);
            let name = if station == 0 { name } else { "" };
            map =
                map.with(Layer::line(name, series, vec![place.into(), tip])).with(Layer::Points {
                    name: String::new(),
                    points: vec![tip],
                    color: Color::Series(series),
                    radius: 3.0,
                });
            lengths[series].push((time, inner(place, vector, vector).sqrt()));
        }
    }
    let mut plot = Plot::new(
        "Length in the metric",
        Axis::linear("fraction of the way"),
        Axis::linear("length"),
    );
    for (series, (name, lengths)) in
        ["carried without turning", "components kept"].into_iter().zip(lengths).enumerate()
    {
        plot = plot.with(Layer::line(name, series, lengths));
    }
    Figure {
        name: "parallel-transport".to_owned(),
        title: "A unit vector on its way along the geodesic".to_owned(),
        caption: "Carried parallel, the vector changes its components and keeps its length, and its angle with the \
                  geodesic; with its components kept it does neither. Vectors are drawn at half their size."
            .to_owned(),
        panels: vec![Panel::Plot(map), Panel::Plot(plot)],
        columns: 2,
    }
}

/// Errors of the numerical geodesic and of the Christoffel symbols from differences.
fn errors(by_steps: Vec<(f64, f64)>, by_step: Vec<(f64, f64)>) -> Figure {
    // A line of this slope through the middle one of the points that rounding does not touch.
    let order = |points: &[(f64, f64)], power: f64, sound: &dyn Fn(f64, f64) -> bool| {
        let sound: Vec<(f64, f64)> =
            points.iter().copied().filter(|&(x, error)| sound(x, error)).collect();
        let middle = sound.get(sound.len() / 2).copied().unwrap_or((1.0, 1.0));
        let height = |x: f64| middle.1 * (x / middle.0).powf(power);
        sound.iter().map(|&(x, _)| (x, height(x))).collect::<Vec<_>>()
    };
    let of_steps = order(&by_steps, -4.0, &|_, error| error > 1e-12 && error < 1e-2);
    let of_step = order(&by_step, 2.0, &|step, error| step > 1e-4 && error < 0.1);
    let geodesic = Plot::new(
        "End of the numerical geodesic",
        Axis::log("Runge-Kutta steps"),
        Axis::log("distance from the end"),
    )
    .with(Layer::theory("steps⁻⁴", of_steps))
    .with(Layer::points("measured", 0, by_steps));
    let christoffel = Plot::new(
        "Christoffel symbols from differences",
        Axis::log("step of the differences (σ)"),
        Axis::log("largest error (1/σ)"),
    )
    .with(Layer::theory("step²", of_step))
    .with(Layer::points("measured", 0, by_step));
    Figure {
        name: "errors".to_owned(),
        title: "How exact the numerical geometry is".to_owned(),
        caption: "Both follow the order of their method until rounding takes over: for differences that is soon, since \
                  it is divided by the step."
            .to_owned(),
        panels: vec![Panel::Plot(geodesic), Panel::Plot(christoffel)],
        columns: 2,
    }
}
