//! Gradient descent on a parabola, against its closed form.

use burn::tensor::Tensor;
use clap::Args;

use super::options::{count, finite, positive};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, descend, number,
};
use crate::optim::{OptimizerSettings, Sgd};
use crate::report::figure::{Axis, Figure, Layer, Panel, Plot};

/// Gradient descent on x² and on x² + 2x + 1.
#[derive(Debug, Clone, Args)]
pub struct GradientDescent {
    /// The learning rate η
    #[arg(long, default_value = "0.1", value_parser = positive)]
    learning_rate: f64,
    /// Where to start on x²
    #[arg(long, default_value = "5", value_parser = finite, allow_hyphen_values = true)]
    start: f64,
    /// Steps on x²
    #[arg(long, default_value = "50", value_parser = count)]
    steps: usize,
}

impl Lab for GradientDescent {
    const ABOUT: About = About {
        theme: Theme::Descent,
        title: "Gradient descent on a parabola",
        question: "How fast does gradient descent approach a minimum, and when has it arrived?",
        method: "A step goes against the gradient, by the learning rate η times its length:

    x ← x − η f′(x)

On f(x) = x² the gradient is 2x, so a step multiplies the distance to the minimum by 1 − 2η, and after t \
steps x = x₀ (1 − 2η)ᵗ. On x² + 2x + 1 = (x + 1)² the same holds for the distance to −1. Descent that stops \
at a gradient of at most a tolerance ε on x² has taken the least t with 2 |x₀| (1 − 2η)ᵗ ≤ ε.",
        sources: &[
            "A.-L. Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées, \
             Comptes rendus 25, 1847",
            "Boyd and Vandenberghe, Convex Optimization, 2004, section 9.3",
        ],
    };

    fn run(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let settings = [
            Setting { name: "x²", minimum: 0.0, rate: self.learning_rate, start: self.start, steps: self.steps },
            Setting { name: "x² + 2x + 1", minimum: -1.0, rate: 0.1, start: 3.0, steps: 10 },
            Setting { name: "x², stopped by tolerance", minimum: 0.0, rate: 0.01, start: 2.0, steps: 1000 },
        ];
        let mut findings = Findings::default();
        let mut rows = vec![];
        let mut data = vec![];
        let mut plot = Plot::new(
            "",
            Axis::linear("step"),
            Axis::log("distance to the minimum"),
        );
        for (index, setting) in settings.iter().enumerate() {
            progress.at(index, settings.len(), setting.name);
            let path = setting.descend()?;
            let tolerance = (index == 2).then_some(TOLERANCE);
            let end = tolerance.and_then(|tolerance| {
                path.gradient_norms.iter().position(|&norm| norm <= tolerance)
            });
            let steps = end.unwrap_or(path.steps());
            let distances: Vec<f64> =
                path.places.iter().take(steps + 1).map(|place| (place[0] - setting.minimum).abs()).collect();
            let closed = |step: usize| (setting.start - setting.minimum).abs() * setting.factor().powi(step as i32);
            // Single precision resolves places to 2^-24 of their size.
            let resolution = setting.minimum.abs().max(1e-30) * 2e-7;
            let error = distances
                .iter()
                .enumerate()
                .map(|(step, distance)| ((distance - closed(step)).abs() - resolution).max(0.0) / closed(step))
                .fold(0.0, f64::max);
            findings.claims.push(Claim::at_most(
                format!("{}: the distance is |x₀ − x*| |1 − 2η|ᵗ at every step (relative error)", setting.name),
                error,
                1e-4,
            ));
            if let (Some(end), Some(tolerance)) = (end, tolerance) {
                let predicted =
                    ((tolerance / (2.0 * setting.start)).ln() / setting.factor().ln()).ceil();
                findings.claims.push(Claim::close(
                    format!("{}: steps until the gradient is at most {tolerance}", setting.name),
                    end as f64,
                    predicted,
                    1.0,
                ));
            }
            let last = distances.last().copied().unwrap_or_default();
            rows.push(vec![
                setting.name.to_owned(),
                number(setting.rate),
                number(setting.start),
                steps.to_string(),
                number(last),
                number(closed(steps)),
            ]);
            let steps_and_distances: Vec<(f64, f64)> =
                distances.iter().enumerate().map(|(step, &distance)| (step as f64, distance)).collect();
            data.extend(
                steps_and_distances.iter().map(|&(step, distance)| vec![index as f64, step, distance, closed(step as usize)]),
            );
            let theory = (0..=steps).map(|step| (step as f64, closed(step))).collect();
            plot = plot.with(Layer::line(setting.name, index, steps_and_distances)).with(Layer::theory(
                if index == 0 { "closed form" } else { "" },
                theory,
            ));
        }
        findings.sentences.push(format!(
            "On x² with η = {} every step multiplies the distance to the minimum by {}: a straight line on a \
             logarithmic scale, which is called linear convergence.",
            self.learning_rate,
            number(settings[0].factor())
        ));
        findings.tables.push(FindingsTable::new(
            "Distance to the minimum",
            &["function", "learning rate", "start", "steps", "distance at the end", "closed form"],
            rows,
        ));
        findings.figures.push(Figure {
            name: "distance".to_owned(),
            title: "Gradient descent on a parabola".to_owned(),
            caption: "Straight lines on a logarithmic scale: each step takes the same share off the distance."
                .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        });
        findings.data.push(DataFile::of_numbers(
            "distance",
            &["setting", "step", "distance", "closed_form"],
            data,
        ));
        Ok(findings)
    }
}

/// The gradient at which the third setting has arrived.
const TOLERANCE: f64 = 1e-6;

/// (x − minimum)², and how to descend on it.
struct Setting {
    name: &'static str,
    minimum: f64,
    rate: f64,
    start: f64,
    steps: usize,
}

impl Setting {
    fn factor(&self) -> f64 {
        (1.0 - 2.0 * self.rate).abs()
    }

    fn descend(&self) -> Result<super::Path, LabError> {
        let optimizer = OptimizerSettings::Sgd(Sgd { learning_rate: self.rate, ..Sgd::default() });
        let minimum = self.minimum;
        let function = move |x: Tensor<1>| (x - minimum).powi_scalar(2).sum();
        descend(function, &[self.start], &optimizer, self.steps)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::labs::Silent;

    #[test]
    fn distances_are_those_of_the_closed_form() {
        let lab = GradientDescent { learning_rate: 0.1, start: 5.0, steps: 50 };
        let findings = lab.run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        // 5 · 0.8^50 and 4 · 0.8^10
        assert!((findings.tables[0].rows[0][4].parse::<f64>().unwrap() - 7.136_238_5e-5).abs() < 1e-9);
        assert!((findings.tables[0].rows[1][4].parse::<f64>().unwrap() - 0.429_496_73).abs() < 1e-6);
        assert_eq!(findings.tables[0].rows[2][3], "753");
    }
}
