//! Gradient descent on a parabola, against its closed form.

use super::options::COUNT;
use super::parabola::{CURVATURE, Parabola, SHIFTED, SQUARE, factor};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Path, Progress, Theme, number,
};
use converge_figures::figure::{Axis, Figure, Layer, Panel, Plot};
use converge_settings::ranges::{FINITE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Gradient descent on x² and on x² + 2x + 1.
    pub struct GradientDescent {
        /// The learning rate η on x²
        learning_rate: f64 = 0.1 => POSITIVE,
        /// Where to start on x²
        start: f64 = 5.0 => FINITE,
        /// Steps on x²
        steps: usize = 50 => COUNT,
    }
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

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let settings = [
            Setting {
                name: "x²",
                parabola: SQUARE,
                rate: self.learning_rate,
                start: self.start,
                steps: self.steps,
                tolerance: None,
            },
            Setting {
                name: "x² + 2x + 1",
                parabola: SHIFTED,
                rate: 0.1,
                start: 3.0,
                steps: 10,
                tolerance: None,
            },
            Setting {
                name: "x², stopped by tolerance",
                parabola: SQUARE,
                rate: 0.01,
                start: 2.0,
                steps: 1000,
                tolerance: Some(1e-6),
            },
        ];
        let mut descents = vec![];
        for (index, setting) in settings.into_iter().enumerate() {
            progress.at(index, 3, setting.name);
            descents.push(setting.descend()?);
        }
        Ok(Findings {
            sentences: vec![self.sentence(&descents)],
            tables: vec![table(&descents)],
            claims: descents.iter().flat_map(Descent::claims).collect(),
            figures: vec![curves(&descents), distances(&descents)],
            data: vec![data(&descents)],
            ..Findings::default()
        })
    }
}

impl GradientDescent {
    fn sentence(&self, descents: &[Descent]) -> String {
        let factor = factor(self.learning_rate);
        let steps = descents.first().map_or(0, |descent| descent.path.steps());
        let outcome = match factor.abs() {
            size if size < 1.0 => {
                "a straight line down on a logarithmic scale, which is called linear convergence"
            }
            size if size > 1.0 => "the path diverges",
            _ => "the path neither approaches the minimum nor leaves it",
        };
        format!(
            "On x² with η = {} every step multiplies x by {}: {outcome}. {steps} steps were taken.",
            self.learning_rate,
            number(factor)
        )
    }
}

/// What to descend on, and how.
struct Setting {
    name: &'static str,
    parabola: Parabola,
    rate: f64,
    start: f64,
    steps: usize,
    /// The gradient at which descent has arrived.
    tolerance: Option<f64>,
}

impl Setting {
    fn descend(self) -> Result<Descent, LabError> {
        let mut path = self.parabola.descend(self.rate, self.start, self.steps)?;
        let arrived = self
            .tolerance
            .and_then(|tolerance| path.gradient_norms.iter().position(|&norm| norm <= tolerance));
        if let Some(arrived) = arrived {
            path.places.truncate(arrived + 1);
        }
        let distances = self.parabola.distances(&path);
        Ok(Descent { setting: self, path, distances })
    }

    fn closed_form(&self, step: usize) -> f64 {
        self.parabola.closed_form(self.rate, self.start, step)
    }
}

/// A setting and where it went.
struct Descent {
    setting: Setting,
    path: Path,
    /// |x − x*| at the start and after every step.
    distances: Vec<f64>,
}

impl Descent {
    fn claims(&self) -> Vec<Claim> {
        let Setting { name, parabola, rate, start, tolerance, .. } = self.setting;
        let mut claims = vec![Claim::at_most(
            format!(
                "{name}: the distance is |x₀ − x*| |1 − 2η|ᵗ at every step (difference by what \
                 rounding in single precision may make)"
            ),
            parabola.rounding_errors(rate, start, &self.distances),
            1.0,
        )];
        if let Some(tolerance) = tolerance {
            let gradient = CURVATURE * (start - parabola.minimum).abs();
            claims.push(Claim::close(
                format!("{name}: steps until the gradient is at most {tolerance}"),
                self.path.steps() as f64,
                ((tolerance / gradient).ln() / factor(rate).abs().ln()).ceil(),
                1.0,
            ));
        }
        claims
    }
}

fn table(descents: &[Descent]) -> FindingsTable {
    let row = |Descent { setting, path, distances }: &Descent| {
        vec![
            setting.name.to_owned(),
            number(setting.rate),
            number(setting.start),
            path.steps().to_string(),
            number(distances.last().copied().unwrap_or_default()),
            number(setting.closed_form(path.steps())),
        ]
    };
    FindingsTable::new(
        "Distance to the minimum",
        &["function", "learning rate", "start", "steps", "distance at the end", "closed form"],
        descents.iter().map(row).collect(),
    )
}

fn curves(descents: &[Descent]) -> Figure {
    let panel = |(index, descent): (usize, &Descent)| {
        let Setting { name, parabola, rate, .. } = descent.setting;
        Panel::Plot(parabola.plot(&format!("{name}, η = {rate}"), index, &descent.path))
    };
    Figure {
        name: "paths".to_owned(),
        title: "Gradient descent: the path on the curve".to_owned(),
        caption: "Every dot is a step. Steps shorten as the slope does.".to_owned(),
        panels: descents.iter().take(2).enumerate().map(panel).collect(),
        columns: 2,
    }
}

fn distances(descents: &[Descent]) -> Figure {
    let panel = |first: usize, descents: &[Descent]| {
        let mut plot = Plot::new("", Axis::linear("step"), Axis::log("distance to the minimum"));
        for (index, Descent { setting, path, distances }) in descents.iter().enumerate() {
            let measured = distances.iter().enumerate().map(|(step, &far)| (step as f64, far));
            let theory = (0..=path.steps()).map(|step| (step as f64, setting.closed_form(step)));
            let last = if index + 1 == descents.len() { "closed form" } else { "" };
            plot = plot
                .with(Layer::line(setting.name, first + index, measured.collect()))
                .with(Layer::theory(last, theory.collect()));
        }
        Panel::Plot(plot)
    };
    let (few, many) = descents.split_at(2.min(descents.len()));
    Figure {
        name: "distance".to_owned(),
        title: "Gradient descent on a parabola".to_owned(),
        caption: "Straight lines on a logarithmic scale: each step multiplies the distance by the \
                  same number."
            .to_owned(),
        panels: vec![panel(0, few), panel(2, many)],
        columns: 2,
    }
}

fn data(descents: &[Descent]) -> DataFile {
    let rows =
        descents.iter().enumerate().flat_map(|(index, Descent { setting, distances, .. })| {
            distances.iter().enumerate().map(move |(step, &distance)| {
                vec![index as f64, step as f64, distance, setting.closed_form(step)]
            })
        });
    DataFile::of_numbers("distance", &["setting", "step", "distance", "closed_form"], rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    #[test]
    fn distances_are_those_of_the_closed_form() {
        let lab = GradientDescent { learning_rate: 0.1, start: 5.0, steps: 50 };
        let findings = lab.run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        // 5 · 0.8^50 and 4 · 0.8^10
        let distance = |row: usize| findings.tables[0].rows[row][4].parse::<f64>().unwrap();
        assert!((distance(0) - 7.136_238_5e-5).abs() < 1e-9);
        assert!((distance(1) - 0.429_496_73).abs() < 1e-6);
        assert_eq!(findings.tables[0].rows[2][3], "753");
    }

    #[test]
    fn other_options_are_judged_by_the_same_closed_form() {
        for (learning_rate, start) in [(0.5, 5.0), (1.0, -3.0), (40.0, 5.0), (0.1, 0.0)] {
            let findings =
                GradientDescent { learning_rate, start, steps: 300 }.run(&mut Silent).unwrap();
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        }
    }
}
