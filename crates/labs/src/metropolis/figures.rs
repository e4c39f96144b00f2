//! The figures of the chains, and the numbers behind them.

use super::runs::Run;
use super::target::Target;
use super::{Metropolis, theory};
use crate::{DataFile, Findings, number};
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Place, Plot};
use converge_metrics::chains::{autocorrelation, rank_normalized_r_hat};

/// Draws of a trace that are drawn as a line.
const TRACE: usize = 400;
/// Draws of a chain that are drawn as dots.
const SCATTER: usize = 400;
/// Lags of autocorrelations that are drawn.
const LAGS: usize = 100;

/// All figures: of `runs` on the normal target, and of `mixed` on that with two modes.
pub(super) fn add(
    findings: &mut Findings,
    lab: &Metropolis,
    (normal, runs): (&Target, &[Run]),
    (mixture, mixed): (&Target, &[Run]),
) {
    findings.figures.push(Figure {
        name: "traces".to_owned(),
        title: format!("Chains on N({}, {}²)", number(lab.mean), number(lab.deviation)),
        caption: "Two chains each, after burn-in. Small steps wander, large ones stand still; a good chain looks like \
                  noise, and so does the other."
            .to_owned(),
        panels: runs.iter().map(|run| trace(normal, run)).collect(),
        columns: 3,
    });
    findings.figures.push(Figure {
        name: "distributions".to_owned(),
        title: "Draws of all chains against the target density".to_owned(),
        caption: "Bars are draws, the dashed line is the density they should have.".to_owned(),
        panels: runs.iter().map(|run| histogram(normal, run)).collect(),
        columns: 3,
    });
    let every = (lab.samples / SCATTER).max(1);
    let dots = mixed.iter().map(|run| scatter(mixture, run, every));
    findings.figures.push(Figure {
        name: "two-modes".to_owned(),
        title: "Chains on two modes".to_owned(),
        caption: "Above, two chains each, one from either mode: those of small steps never meet. Below, the draws of \
                  all chains: without crossings each mode is shown as often as chains began there."
            .to_owned(),
        panels: dots.chain(mixed.iter().map(|run| histogram(mixture, run))).collect(),
        columns: mixed.len(),
    });
    for (figure, data) in [correlations(runs), r_hats(runs)] {
        findings.figures.push(figure);
        findings.data.push(data);
    }
    findings.figures.push(efficiency(lab, runs));
    let drawn = |runs: &[Run], every: usize, count: usize| -> Vec<Vec<f64>> {
        let chains = runs.iter().enumerate().flat_map(|(index, run)| {
            let chains = run.chains.draws.iter().take(2).enumerate();
            chains.map(move |(chain, draws)| (index as f64, chain as f64, draws))
        });
        let rows = chains.flat_map(|(run, chain, draws)| {
            let draws = draws.iter().enumerate().step_by(every).take(count);
            draws.map(move |(draw, &x)| vec![run, chain, draw as f64, x])
        });
        rows.collect()
    };
    let header = ["sampler", "chain", "draw", "x"];
    findings.data.push(DataFile::of_numbers("traces", &header, drawn(runs, 1, TRACE)));
    findings.data.push(DataFile::of_numbers("two-modes", &header, drawn(mixed, every, SCATTER)));
}

/// The first draws of the first two chains, as lines.
fn trace(target: &Target, run: &Run) -> Panel {
    let (low, high) = target.extent(4.0);
    let mut plot =
        Plot::new(&title(run), Axis::linear("draw"), Axis::linear("x").between(low, high));
    for (chain, draws) in run.chains.draws.iter().take(2).enumerate() {
        let points = draws.iter().enumerate().take(TRACE);
        let points = points.map(|(draw, &x)| (draw as f64, x)).collect();
        plot = plot.with(Layer::line("", chain, points));
    }
    Panel::Plot(plot)
}

/// Every `every`th draw of the first two chains, as dots.
fn scatter(target: &Target, run: &Run, every: usize) -> Panel {
    let (low, high) = target.extent(4.0);
    let mut plot =
        Plot::new(&title(run), Axis::linear("draw"), Axis::linear("x").between(low, high));
    for (chain, draws) in run.chains.draws.iter().take(2).enumerate() {
        let points = draws.iter().enumerate().step_by(every).take(SCATTER);
        plot = plot.with(Layer::Points {
            name: String::new(),
            points: points.map(|(draw, &x)| (draw as f64, x)).collect(),
            color: Color::Series(chain),
            radius: 1.8,
        });
    }
    Panel::Plot(plot)
}

fn title(run: &Run) -> String {
    format!("{}: {:.0}% accepted", run.name, 100.0 * run.chains.acceptance)
}

/// The fraction of draws by place, as a density, under the density of the target.
fn histogram(target: &Target, run: &Run) -> Panel {
    let (low, high) = target.extent(4.0);
    let bins = 50;
    let width = (high - low) / bins as f64;
    let mut counts = vec![0.0; bins];
    for &x in run.chains.draws.iter().flatten() {
        // A negative place is bin 0 as an integer, so it is looked at first.
        if let Some(count) =
            (x >= low).then(|| counts.get_mut(((x - low) / width) as usize)).flatten()
        {
            *count += 1.0 / (run.draws() * width);
        }
    }
    let bars = counts.iter().enumerate().map(|(bin, &height)| {
        let left = low + bin as f64 * width;
        (left, left + width, height)
    });
    let density = Grid::even(low, high, 300);
    let density = density.into_iter().map(|x| (x, target.log_density(x).exp())).collect();
    let plot = Plot::new(&run.name, Axis::linear("x"), Axis::linear("density"));
    let bars = Layer::Bars { name: String::new(), bars: bars.collect(), color: Color::Series(0) };
    Panel::Plot(plot.with(bars).with(Layer::theory("", density)))
}

/// Autocorrelations by lag, the mean over chains.
fn correlations(runs: &[Run]) -> (Figure, DataFile) {
    let of = |run: &Run| -> Vec<f64> {
        let chains: Vec<Vec<f64>> =
            run.chains.draws.iter().map(|chain| autocorrelation(chain, LAGS)).collect();
        let mean =
            |lag: usize| chains.iter().map(|chain| chain[lag]).sum::<f64>() / chains.len() as f64;
        (0..=LAGS).map(mean).collect()
    };
    by_sampler(
        Figure {
            name: "autocorrelation".to_owned(),
            title: "How long a chain remembers".to_owned(),
            caption: "Correlation of a draw with the one so many draws later, mean over the chains. The sooner it \
                      reaches 0, the more a draw is worth."
                .to_owned(),
            panels: vec![],
            columns: 1,
        },
        Plot::new("", Axis::linear("lag (draws)"), Axis::linear("autocorrelation")),
        runs.iter().map(|run| of(run).into_iter().enumerate().map(|(lag, value)| (lag as f64, value)).collect()),
        runs,
    )
}

/// R-hat of the first draws, as more come in.
fn r_hats(runs: &[Run]) -> (Figure, DataFile) {
    let of = |run: &Run| -> Vec<(f64, f64)> {
        let total = run.chains.draws.first().map_or(0, Vec::len);
        let counts = (0..).map(|power| (50.0 * 1.3_f64.powi(power)) as usize);
        let counts = counts.take_while(|&count| count < total).chain([total]);
        let r_hat = |count: usize| {
            let first: Vec<&[f64]> = run.chains.draws.iter().map(|chain| &chain[..count]).collect();
            (count as f64, rank_normalized_r_hat(&first) - 1.0)
        };
        counts.map(r_hat).collect()
    };
    let limit =
        Layer::Reference { label: "1.01".to_owned(), at: Place::Y(0.01), color: Color::Neutral };
    by_sampler(
        Figure {
            name: "r-hat".to_owned(),
            title: "Rank-normalised split R-hat as draws come in".to_owned(),
            caption: "Chains agree to the extent that R-hat is near 1. The less a draw is worth, the later that is; \
                      below 1.0001 lines are cut."
                .to_owned(),
            panels: vec![],
            columns: 1,
        },
        Plot::new("", Axis::log("draws of a chain"), Axis::log("R-hat − 1").between(1e-4, 5.0)).with(limit),
        runs.iter().map(of),
        runs,
    )
}

/// `figure` of one panel with a line for every sampler, and the lines as data.
fn by_sampler(
    mut figure: Figure,
    mut plot: Plot,
    lines: impl Iterator<Item = Vec<(f64, f64)>>,
    runs: &[Run],
) -> (Figure, DataFile) {
    let lines: Vec<Vec<(f64, f64)>> = lines.collect();
    let header: Vec<&str> = [plot.x.label.as_str()]
        .into_iter()
        .chain(runs.iter().map(|run| run.name.as_str()))
        .collect();
    let abscissae = lines.first().map(Vec::as_slice).unwrap_or_default();
    let rows = abscissae.iter().enumerate().map(|(row, &(x, _))| {
        let values = lines.iter().map(|line| line.get(row).map_or(f64::NAN, |point| point.1));
        [x].into_iter().chain(values).collect()
    });
    let data = DataFile::of_numbers(&figure.name, &header, rows);
    for (index, (run, line)) in runs.iter().zip(lines).enumerate() {
        plot = plot.with(Layer::line(&run.name, index, line));
    }
    figure.panels.push(Panel::Plot(plot));
    (figure, data)
}

/// Acceptance and effective draws by the scale of proposals, measured and by theory.
fn efficiency(lab: &Metropolis, runs: &[Run]) -> Figure {
    let measured = |of: &dyn Fn(&Run) -> f64| -> Vec<(f64, f64)> {
        runs.iter().filter_map(|run| Some((run.scale?, of(run)))).collect()
    };
    // From a sixteenth of σ to forty of them; small scales need a fine grid.
    let scales: Vec<f64> = (0..=25).map(|index| 0.0625 * 1.3_f64.powi(index)).collect();
    let accepted = scales
        .iter()
        .map(|scale| (scale * lab.deviation, theory::random_walk_acceptance(1.0, *scale)));
    let worth = scales.iter().filter_map(|&scale| {
        Some((
            scale * lab.deviation,
            1.0 / theory::autocorrelation_time(scale, if scale < 0.13 { 401 } else { 201 })?,
        ))
    });
    let mut worth_plot = Plot::new(
        "What a draw is worth",
        Axis::log("scale of proposals"),
        Axis::log("effective draws per draw"),
    )
    .with(Layer::theory("Poisson's equation", worth.collect()))
    .with(Layer::points("measured", 0, measured(&|run| run.ess / run.draws())));
    if let Some(run) = runs.iter().find(|run| run.scale.is_none() && run.ess.is_finite()) {
        worth_plot = worth_plot.with(Layer::Reference {
            label: run.name.clone(),
            at: Place::Y(run.ess / run.draws()),
            color: Color::Series(1),
        });
    }
    let accepted_plot = Plot::new(
        "Proposals accepted",
        Axis::log("scale of proposals"),
        Axis::linear("fraction accepted").between(0.0, 1.0),
    )
    .with(Layer::theory("(2/π) arctan(2σ/s)", accepted.collect()))
    .with(Layer::points("measured", 0, measured(&|run| run.chains.acceptance)));
    Figure {
        name: "efficiency".to_owned(),
        title: "The scale of a random walk's proposals".to_owned(),
        caption: "Steps too small are accepted and lead nowhere, steps too large are rejected; draws are worth most in \
                  between, at 2.4σ."
            .to_owned(),
        panels: vec![Panel::Plot(accepted_plot), Panel::Plot(worth_plot)],
        columns: 2,
    }
}
