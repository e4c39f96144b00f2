//! What the lab shows of Q-learning.

use super::environment::{Environment, Map};
use super::traces::{FALLING, Results, SARSA, Trace};
use super::value_iteration::{greatest, greedy, score};
use crate::training::mean;
use converge_figures::figure::{Axis, Color, ColorScale, Figure, Grid, Layer, Panel, Place, Plot};

/// All figures, for any number of environments.
pub(super) fn all(results: &[Results], learners: &[&str], gamma: f64) -> Vec<Figure> {
    let mut figures = vec![
        Figure {
            name: "distance".to_owned(),
            title: "How far learnt values are from the optimum".to_owned(),
            caption: "The root mean square of Q − Q* over pairs of state and action, each as often as the optimal policy with random \
                actions meets it. At a constant rate values on ice keep moving with chance; a falling rate averages it out. SARSA heads \
                for other values: those of a policy that explores."
                .to_owned(),
            panels: panels(results, learners, |result| {
                let axes = (episodes(result), Axis::log("distance of Q to Q*"));
                (axes, |trace: &Trace| points(trace, &trace.distances), Vec::new())
            }),
            columns: results.len().min(2),
        },
        Figure {
            name: "policy".to_owned(),
            title: "What the policy learnt so far earns".to_owned(),
            caption: "The greedy policy, scored exactly, as training goes on (means of seven looks): its success rate on FrozenLake, its mean return on the others, where it is not \
                far below. It is as good as the optimal one long before its values are. Optimal is the \
                discounted return; the rate of success within the limit of steps of an episode can be greater by a little."
                .to_owned(),
            panels: panels(results, learners, |result| {
                let best = score(&result.environment, &result.optimum.q, 0.0);
                let lake = result.environment.is_lake();
                let label = if lake { "probability of reaching the goal" } else { "return of an episode" };
                let axis = Axis::linear(label);
                let axis = if lake { axis.between(0.0, 1.0) } else { axis.between(lowest(result), best.episode_return.max(0.0) + 5.0) };
                let best = if lake { best.success } else { best.episode_return };
                let mark = reference("optimal policy", best);
                let curve = move |trace: &Trace| {
                    let values: Vec<f64> =
                        trace.scores.iter().map(|score| if lake { score.success } else { score.episode_return }).collect();
                    points(trace, &steadied(&values))
                };
                ((episodes(result), axis), curve, vec![mark])
            }),
            columns: results.len().min(2),
        },
        Figure {
            name: "returns".to_owned(),
            title: "What learners earn while they learn".to_owned(),
            caption: "Means of the sum of rewards over a fiftieth of training each, random actions included. On the cliff SARSA learns to \
                keep away from the edge that its random steps would fall off, and earns more."
                .to_owned(),
            panels: panels(results, learners, |result| {
                let best = score(&result.environment, &result.optimum.q, 0.0).episode_return;
                let axis = Axis::linear("return of an episode");
                let axis = if result.environment.is_lake() { axis } else { axis.between(lowest(result), best.max(0.0) + 5.0) };
                ((Axis::linear("episodes"), axis), smoothed, vec![reference("optimal policy", best)])
            }),
            columns: results.len().min(2),
        },
        Figure {
            name: "start-value".to_owned(),
            title: "What learners think the start is worth".to_owned(),
            caption: "The greatest value at the start (the mean over all starts) against that of the optimum, Q*, and of the best policy that \
                explores, Q_ε. Q-learning heads for the first, SARSA for the second. Double Q does not choose and judge with the same \
                noise, which makes maxima too high, but errs low where noise makes its tables disagree on the best action."
                .to_owned(),
            panels: panels(results, learners, |result| {
                let best = super::start_value(&result.environment, &result.optimum.q);
                let soft = super::start_value(&result.environment, &result.soft.q);
                // While SARSA explores much, its values can be far below all that is of interest.
                let room = (best - soft).abs().max(0.2 * best.abs());
                let y = Axis::linear("value of the start");
                let y = if result.environment.is_lake() { y } else { y.between(soft - 3.0 * room, best.max(0.0) + room) };
                let axes = (episodes(result), y);
                let marks = vec![reference("Q*", best), reference("Q_ε", soft)];
                (axes, |trace: &Trace| points(trace, &trace.start_values), marks)
            }),
            columns: results.len().min(2),
        },
        value_iteration_figure(results, gamma),
    ];
    for result in results {
        let Some(map) = &result.environment.map else { continue };
        let slug: String = result
            .environment
            .title
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let panel = |title: &str, q: &[f64]| map_panel(title, map, &result.environment, q);
        figures.push(Figure {
            name: format!("map-{slug}"),
            title: format!("{}: values and greedy actions", result.environment.title),
            caption: "The greatest value of each cell, and an arrow for the action that has it. S start, G goal, H hole, C cliff."
                .to_owned(),
            panels: vec![
                panel("optimum", &result.optimum.q),
                panel(learners[FALLING], &result.traces[FALLING].q),
                panel(learners[SARSA], &result.traces[SARSA].q),
            ],
            columns: if map.columns > 8 { 1 } else { 3 },
        });
    }
    figures
}

/// The end of the axis of returns: learners begin far below.
fn lowest(result: &Results) -> f64 {
    (1.5 * score(&result.environment, &result.optimum.q, 0.0).episode_return).min(-100.0)
}

/// A logarithmic axis of episodes without the first thousandth, in which little happens.
fn episodes(result: &Results) -> Axis {
    let last = result.traces.first().map_or(0, |trace| trace.returns.len());
    let axis = Axis::log("episodes");
    if last < 1000 { axis } else { axis.between(last as f64 / 1000.0, last as f64) }
}

/// Means of each with three before and three after it.
fn steadied(values: &[f64]) -> Vec<f64> {
    let around = |index: usize| &values[index.saturating_sub(3)..(index + 4).min(values.len())];
    (0..values.len()).map(|index| mean(around(index))).collect()
}

fn reference(label: &str, at: f64) -> Layer {
    Layer::Reference { label: label.to_owned(), at: Place::Y(at), color: Color::Neutral }
}

/// A panel for every environment with a line for every learner.
fn panels<Curve: Fn(&Trace) -> Vec<(f64, f64)>>(
    results: &[Results],
    learners: &[&str],
    what: impl Fn(&Results) -> ((Axis, Axis), Curve, Vec<Layer>),
) -> Vec<Panel> {
    let panel = |result: &Results| {
        let ((x, y), curve, marks) = what(result);
        let mut plot = Plot::new(result.environment.title, x, y);
        plot.layers = marks;
        for (learner, trace) in result.traces.iter().enumerate() {
            plot.layers.push(Layer::line(learners[learner], learner, curve(trace)));
        }
        Panel::Plot(plot)
    };
    results.iter().map(panel).collect()
}

fn points(trace: &Trace, values: &[f64]) -> Vec<(f64, f64)> {
    trace.episodes.iter().map(|&episode| episode as f64).zip(values.iter().copied()).collect()
}

fn smoothed(trace: &Trace) -> Vec<(f64, f64)> {
    let width = (trace.returns.len() / 50).max(1);
    let place = |index: usize, chunk: &[f64]| (index * width) as f64 + 0.5 * chunk.len() as f64;
    trace
        .returns
        .chunks(width)
        .enumerate()
        .map(|(index, chunk)| (place(index, chunk), mean(chunk)))
        .collect()
}

fn value_iteration_figure(results: &[Results], gamma: f64) -> Figure {
    let mut plot = Plot::new("", Axis::linear("sweep"), Axis::log("largest change of a value"));
    for (index, result) in results.iter().enumerate() {
        let changes = result.optimum.changes.iter().enumerate();
        let line = changes.map(|(sweep, &change)| ((sweep + 1) as f64, change)).collect();
        plot = plot.with(Layer::line(result.environment.title, index, line));
    }
    let sweeps = results.iter().map(|result| result.optimum.changes.len()).max().unwrap_or(1);
    if gamma > 0.0 {
        let bound =
            (1..=sweeps).map(|sweep| (sweep as f64, gamma.powf(sweep as f64 - 1.0))).collect();
        plot = plot.with(Layer::theory("γᵏ⁻¹", bound));
    }
    Figure {
        name: "value-iteration".to_owned(),
        title: "Value iteration".to_owned(),
        caption: "No sweep shrinks the largest change by less than γ: all lines fall at least as steeply as the dashed one. Where \
            episodes end by themselves, it goes faster."
            .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    }
}

fn map_panel(title: &str, map: &Map, environment: &Environment, q: &[f64]) -> Panel {
    let rows = map.rows;
    let numbers = |count: usize| (0..count).map(|index| index.to_string());
    let y = Axis::categories("row", numbers(rows).collect::<Vec<_>>().into_iter().rev());
    let mut plot = Plot::new(title, Axis::categories("column", numbers(map.columns)), y);
    let row_of = |state: usize| &q[state * environment.actions..][..environment.actions];
    let is_end = |cell: usize| b"GHC".contains(&map.cells[cell]);
    let grid = Grid::of(
        Grid::even(0.0, map.columns as f64 - 1.0, map.columns),
        Grid::even(0.0, rows as f64 - 1.0, rows),
        |x, y| {
            let cell = (rows - 1 - y as usize) * map.columns + x as usize;
            if is_end(cell) { f64::NAN } else { greatest(row_of(cell)) }
        },
    );
    plot = plot.with(Layer::HeatMap {
        grid,
        label: "greatest value".to_owned(),
        colors: ColorScale::Sequential { log: false },
        written: false,
    });
    for (cell, &letter) in map.cells.iter().enumerate() {
        let text = if is_end(cell) {
            char::from(letter).to_string()
        } else {
            map.arrows[greedy(row_of(cell))].to_owned()
        };
        let at = ((cell % map.columns) as f64, (rows - 1 - cell / map.columns) as f64);
        plot = plot.with(Layer::Text { text, at, color: Color::Ink });
    }
    Panel::Plot(plot)
}
