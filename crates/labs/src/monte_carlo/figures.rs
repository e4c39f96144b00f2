//! What the lab shows of importance sampling.

use super::Trial;
use super::weights::Normal;
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Place, Plot};

/// All figures.
pub(super) fn all(target: Normal, trials: &[Trial]) -> Vec<Figure> {
    let normals = || [target].into_iter().chain(trials.iter().map(|trial| trial.proposal));
    let low = normals().map(|normal| normal.mean - 3.0 * normal.deviation).fold(f64::MAX, f64::min);
    let high =
        normals().map(|normal| normal.mean + 3.0 * normal.deviation).fold(f64::MIN, f64::max);
    let density = |normal: Normal| -> Vec<(f64, f64)> {
        Grid::even(low, high, 400).into_iter().map(|x| (x, normal.log_density(x).exp())).collect()
    };
    let mut densities =
        Plot::new("", Axis::linear("x"), Axis::linear("density")).with(Layer::Band {
            name: format!("target {}", target.name()),
            points: density(target).into_iter().map(|(x, y)| (x, 0.0, y)).collect(),
            color: Color::Neutral,
        });
    let sizes = || Axis::log("samples n");
    let mut errors = Plot::new("", sizes(), Axis::log("root mean square error of the mean"));
    let mut effective = Plot::new("", sizes(), Axis::log("effective samples / n"));
    let mut coverage =
        Plot::new("", sizes(), Axis::linear("fraction that holds the true mean").between(0.0, 1.0));
    coverage.layers.push(reference("95 %", 0.95));
    let mut running = vec![];
    for (index, trial) in trials.iter().enumerate() {
        let name = trial.proposal.name();
        let line = |values: &[f64]| -> Vec<(f64, f64)> {
            trial.sizes.iter().map(|&size| size as f64).zip(values.iter().copied()).collect()
        };
        densities.layers.push(Layer::line(&name, index, density(trial.proposal)));
        if let Some(theory) = trial.theory {
            let law = |&size: &usize| (size as f64, (theory.variance / size as f64).sqrt());
            let label = if index == 0 { "by theory, if finite" } else { "" };
            errors.layers.push(Layer::theory(label, trial.sizes.iter().map(law).collect()));
            let fraction = 1.0 / theory.second_moment;
            let ends = [trial.sizes[0], trial.sizes[trial.sizes.len() - 1]]
                .map(|size| (size as f64, fraction));
            effective.layers.push(Layer::theory(label, ends.to_vec()));
        }
        errors.layers.push(Layer::line(&name, index, line(&trial.errors)));
        effective.layers.push(Layer::line(&name, index, line(&trial.effective)));
        coverage.layers.push(Layer::line(&name, index, line(&trial.coverage)));
        let band = trial.sizes.iter().zip(&trial.first).map(|(&size, estimate)| {
            let half = 1.96 * estimate.standard_error;
            (size as f64, estimate.mean - half, estimate.mean + half)
        });
        let means: Vec<f64> = trial.first.iter().map(|estimate| estimate.mean).collect();
        let range = 2.5 * target.deviation;
        let y =
            Axis::linear("estimate of the mean").between(target.mean - range, target.mean + range);
        running.push(Panel::Plot(
            Plot::new(&name, sizes(), y)
                .with(Layer::Band {
                    name: String::new(),
                    points: band.collect(),
                    color: Color::Series(index),
                })
                .with(Layer::line("", index, line(&means)))
                .with(reference("true mean", target.mean)),
        ));
    }
    let figure = |name: &str, title: String, caption: &str, panels, columns| Figure {
        name: name.to_owned(),
        title,
        caption: caption.to_owned(),
        panels,
        columns,
    };
    vec![
        figure(
            "densities",
            format!("The target {} and what samples are drawn from", target.name()),
            "A good proposal is wide where the target is. Samples far from it have small weights; a proposal that ends too early \
             leaves the few samples in its tails with huge ones.",
            vec![Panel::Plot(densities)],
            1,
        ),
        figure(
            "errors",
            "The error falls like 1/√n, if the variance is finite".to_owned(),
            "The root mean square error over all replications, with the law of theory dashed. It holds for many effective samples: a proposal far from the \
             target has too few yet. Where the variance is infinite there is \
             no such law, and more samples help little.",
            vec![Panel::Plot(errors)],
            1,
        ),
        figure(
            "diagnostics",
            "What the weights tell of themselves".to_owned(),
            "Left the effective fraction of the samples, by theory dashed; right how many intervals of 1.96 standard errors hold the true \
             mean. Too narrow a proposal looks well by its weights, and its intervals miss.",
            vec![Panel::Plot(effective), Panel::Plot(coverage)],
            2,
        ),
        figure(
            "running",
            "One estimate of each as samples come in".to_owned(),
            "The estimate with its interval of 1.96 standard errors. A jump is a sample with a weight as great as all before.",
            running,
            trials.len().min(3),
        ),
    ]
}

fn reference(label: &str, at: f64) -> Layer {
    Layer::Reference { label: label.to_owned(), at: Place::Y(at), color: Color::Neutral }
}
