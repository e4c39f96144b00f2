//! What `trajectories` claims: every step is that of the optimizer's formula.

use super::Trajectories;
use super::measures::pair;
use super::runner::Runner;
use crate::{Claim, LabError, Path, number};
use converge_core::optim::{OptimizerSettings, Sgd};

impl Trajectories {
    /// What theory says of the steps of one optimizer.
    pub(super) fn check(&self, runner: &Runner, path: &Path) -> Result<Vec<Claim>, LabError> {
        let name = &runner.name;
        let mut claims = vec![];
        match &runner.settings {
            OptimizerSettings::Sgd(sgd) => claims.push(Claim::at_most(
                format!("{name}: every step is that of the formula (error by length of the step)"),
                self.step_error(sgd, path)?,
                // Places are rounded to 6e-8 of their size.
                1e-3,
            )),
            OptimizerSettings::Adam(adam) => {
                let [beta_1, beta_2] = adam.betas;
                let fraction = (1.0 - beta_1) / (1.0 - beta_2).sqrt();
                let moves = path.places.windows(2).flat_map(|pair| {
                    pair[0].iter().zip(&pair[1]).map(|(before, after)| (after - before).abs())
                });
                let longest = moves.clone().fold(0.0, f64::max);
                claims.push(Claim::at_most(
                    format!(
                        "{name}: no step along a coordinate is longer than η (1 − β₁)/√(1 − β₂)"
                    ),
                    longest,
                    adam.learning_rate * fraction.max(1.0) * (1.0 + 1e-5),
                ));
                let first = moves.take(2).map(|moved| (moved / adam.learning_rate - 1.0).abs());
                // A coordinate without a gradient does not move.
                let [gx, gy] =
                    self.gradient(pair(path.places.first().map_or(&[], Vec::as_slice)))?;
                if path.steps() > 0 && gx.abs().min(gy.abs()) > 1e-3 {
                    claims.push(Claim::at_most(
                        format!(
                            "{name}: the first step is η along each coordinate (relative error)"
                        ),
                        first.fold(0.0, f64::max),
                        1e-3,
                    ));
                }
            }
            _ => {}
        }
        if let (Some(&start), Some(&end)) = (path.values.first(), path.values.last()) {
            claims.push(Claim::that(
                format!("{name}: the loss ends below where it started"),
                format!("{} at the start, {} at the end", number(start), number(end)),
                end < start,
            ));
        }
        Ok(claims)
    }

    pub(super) fn gradient(&self, place: [f64; 2]) -> Result<[f64; 2], LabError> {
        Ok(self.surface.gradients(&[place])?.first().copied().unwrap_or([f64::NAN; 2]))
    }

    /// The greatest error of a step against the formula, from gradients in double precision at the
    /// places of `path`, by the length of the longest step.
    pub(super) fn step_error(&self, sgd: &Sgd, path: &Path) -> Result<f64, LabError> {
        let places: Vec<[f64; 2]> = path.places.iter().map(|place| pair(place)).collect();
        let gradients = self.surface.gradients(&places)?;
        let mut buffer: Option<[f64; 2]> = None;
        let (mut greatest, mut longest) = (0.0_f64, 0.0_f64);
        for (ends, gradient) in places.windows(2).zip(&gradients) {
            let both = |a: [f64; 2], b: [f64; 2], fraction: f64| {
                [a[0] + fraction * b[0], a[1] + fraction * b[1]]
            };
            let velocity = buffer.map_or(*gradient, |old| both(*gradient, old, sgd.momentum));
            buffer = Some(velocity);
            let step =
                if sgd.nesterov { both(*gradient, velocity, sgd.momentum) } else { velocity };
            let expected = both(ends[0], step, -sgd.learning_rate);
            greatest = greatest.max((expected[0] - ends[1][0]).hypot(expected[1] - ends[1][1]));
            longest = longest.max((ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]));
        }
        Ok(if longest > 0.0 { greatest / longest } else { 0.0 })
    }
}
