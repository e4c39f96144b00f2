//! Gradient descent, heavy ball and Nesterov's momentum on quadratics, against the rates of theory.

mod figures;
mod method;
mod stability;

use self::figures::{paths, scaling};
use self::method::{Method, descend_quadratic};
use self::stability::StabilityMap;
use super::options::{COUNT, between, not_empty};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number,
};
use converge_figures::figure::Grid;
use converge_settings::ranges::Range;
use converge_settings::settings;

settings! {
    /// Momentum on quadratics.
    pub struct Momentum {
        /// The condition numbers κ = L/m of the quadratics, the largest curvature by the smallest
        condition_number: Vec<f64> = vec![10.0, 100.0, 1000.0] => CONDITION_NUMBER,
        /// The dimensions of the quadratics, whose curvatures are spread evenly on a logarithmic scale
        dimensions: usize = 20 => between!(2, 1000),
        /// The most steps that a method may take
        steps: usize = 20_000 => COUNT,
    }
    check |lab| not_empty([("condition_number", lab.condition_number.len())])
}

/// Condition numbers that single precision can tell from 1 and from infinity.
const CONDITION_NUMBER: Range<f64> =
    Range::new("from 1.01 to 1e5", |value| (1.01..=1e5).contains(value));

/// A path ends when theory has it here, as a fraction of the distance at the start.
const END: f64 = 1e-12;
/// The distance at which a path has arrived, as a fraction of the distance at the start.
const ARRIVED: f64 = 1e-6;

impl Lab for Momentum {
    const ABOUT: About = About {
        theme: Theme::Descent,
        title: "Momentum",
        question: "How much faster is descent with momentum on badly conditioned problems, and which \
                   rates and momenta are stable?",
        method: "On a quadratic ½ Σ λᵢ xᵢ² with curvatures from m to L, κ = L/m, each method with momentum μ \
is a linear recurrence for every coordinate, and the best constants balance the largest and the smallest \
curvature. Distances then shrink by a factor ρ a step, in the long run:

    gradient descent: x ← x − η f′(x), η = 2/(L + m), ρ = (κ − 1)/(κ + 1)

    heavy ball: b ← μ b + f′(x), x ← x − η b, η = 4/(√L + √m)², μ = ρ², ρ = (√κ − 1)/(√κ + 1)

    Nesterov: b ← μ b + f′(x), x ← x − η (f′(x) + μ b), η = 4/(3L + m), \
μ = (√(3κ + 1) − 2)/(√(3κ + 1) + 2), ρ = 1 − 2/√(3κ + 1)

Written so, as training's `sgd` has it, x is the point of Nesterov's method at which gradients are taken. \
To come near by a given fraction takes about κ steps without momentum and √κ with it. Near its end a \
path with momentum shrinks like t ρᵗ, as the best constants make double roots; the measured rate is \
ln(‖xₜ‖/t), fitted over the last half of the path.

Heavy ball is stable for 0 < η < 2 (1 + μ)/L. The map shows its measured factor on a grid of rates \
and momenta, with the worse of the two curvatures m and L.",
        sources: &[
            "Polyak, Some methods of speeding up the convergence of iteration methods, 1964, \
             https://doi.org/10.1016/0041-5553(64)90137-5",
            "Lessard, Recht and Packard, Analysis and design of optimization algorithms via integral \
             quadratic constraints, 2016, proposition 1, https://arxiv.org/abs/1408.3595",
            "Goh, Why momentum really works, Distill, 2017, https://doi.org/10.23915/distill.00006",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let least = self.condition_number.iter().copied().fold(f64::INFINITY, f64::min);
        let parts = self.condition_number.len() + 2;
        let mut runs = vec![];
        for (index, &condition) in self.condition_number.iter().enumerate() {
            progress.at(index, parts, &format!("condition number {condition}"));
            let curvatures = self.curvatures(condition);
            for method in Method::ALL {
                runs.push(Run::of(method, condition, &curvatures, self.steps)?);
            }
        }
        progress.at(parts - 2, parts, "the stability map");
        let map = StabilityMap::measure(least)?;
        progress.at(parts - 1, parts, "paths in two dimensions");
        let paths = paths(least)?;

        let mut claims: Vec<Claim> = runs.iter().filter_map(Run::claim).collect();
        claims.extend(map.claims());
        Ok(Findings {
            sentences: sentences(&runs),
            tables: vec![table(&runs)],
            claims,
            figures: vec![self.distances(&runs), scaling(&runs), map.figure(), paths],
            data: vec![data(&runs), map.data()],
            ..Findings::default()
        })
    }
}

impl Momentum {
    /// From 1/κ to 1, evenly on a logarithmic scale.
    fn curvatures(&self, condition: f64) -> Vec<f64> {
        let powers = Grid::even(-1.0, 0.0, self.dimensions);
        powers.into_iter().map(|power| condition.powf(power)).collect()
    }
}

/// A method with its best constants on one quadratic.
struct Run {
    method: Method,
    condition: f64,
    /// ‖xₜ‖ / ‖x₀‖.
    distances: Vec<f64>,
}

impl Run {
    fn of(
        method: Method,
        condition: f64,
        curvatures: &[f64],
        most: usize,
    ) -> Result<Self, LabError> {
        let rho = method.rate(condition);
        let steps = (END.ln() / rho.ln()).ceil().min(most as f64) as usize;
        let path = descend_quadratic(method.sgd(condition), curvatures, 1.0, steps)?;
        let norm = |place: &Vec<f64>| place.iter().map(|x| x * x).sum::<f64>().sqrt();
        let start = path.places.first().map_or(1.0, norm);
        let distances = path.places.iter().map(|place| norm(place) / start).collect();
        Ok(Self { method, condition, distances })
    }

    /// The factor of a step in the long run, and whether the path is long enough to tell.
    fn measured(&self) -> Option<f64> {
        let steps = self.distances.len().checked_sub(1)?;
        let rho = self.method.rate(self.condition);
        // Fewer than 15 steps show no long run, nor does a path cut off before it shrank much.
        if steps < 15 || rho.powf(steps as f64) > 1e-3 {
            return None;
        }
        let doubled = f64::from(u8::from(self.method != Method::Plain));
        let logs = self.distances.iter().enumerate().skip(steps / 2);
        let points: Vec<(f64, f64)> =
            logs.map(|(t, far)| (t as f64, far.ln() - doubled * (t as f64).ln())).collect();
        Some(slope(&points).exp())
    }

    fn claim(&self) -> Option<Claim> {
        let rho = self.method.rate(self.condition);
        let says = format!(
            "κ = {}, {}: −ln of the factor a step is that of theory (as a fraction of it)",
            self.condition,
            self.method.name()
        );
        // What is left of the start, and what oscillates, bends the line by a few percent.
        Some(Claim::close(says, self.measured()?.ln() / rho.ln(), 1.0, 0.05))
    }

    fn arrived(&self) -> Option<usize> {
        self.distances.iter().position(|&distance| distance <= ARRIVED)
    }
}

/// The slope of the straight line that fits `points` best.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len().max(1) as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let products: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let squares: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    products / squares
}

fn sentences(runs: &[Run]) -> Vec<String> {
    let mut sentences = vec![];
    for chunk in runs.chunks(Method::ALL.len()) {
        let steps: Vec<String> = chunk
            .iter()
            .map(|run| {
                let steps = run.arrived().map_or("too many".to_owned(), |steps| steps.to_string());
                format!("{steps} steps with {}", run.method.name())
            })
            .collect();
        if let Some(run) = chunk.first() {
            sentences.push(format!(
                "κ = {}: a millionth of the distance is reached in {}.",
                run.condition,
                steps.join(", ")
            ));
        }
    }
    sentences.push(
        "In theory the steps grow like κ without momentum and like √κ with it; on quadratics heavy \
         ball needs 1/√3 of the steps of Nesterov's method, which in turn has guarantees beyond them."
            .to_owned(),
    );
    sentences
}

fn table(runs: &[Run]) -> FindingsTable {
    let row = |run: &Run| {
        let sgd = run.method.sgd(run.condition);
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        vec![
            number(run.condition),
            run.method.name().to_owned(),
            format!("{:.4}", sgd.learning_rate),
            format!("{:.4}", sgd.momentum),
            or_dash(run.measured().map(|found| format!("{found:.5}"))),
            format!("{:.5}", run.method.rate(run.condition)),
            or_dash(run.arrived().map(|steps| steps.to_string())),
        ]
    };
    FindingsTable::new(
        "The best constants (with L = 1) and what they give",
        &["κ", "method", "rate η", "momentum μ", "factor measured", "ρ of theory", "steps to 1e-6"],
        runs.iter().map(row).collect(),
    )
}

fn data(runs: &[Run]) -> DataFile {
    let rows = runs.iter().flat_map(|run| {
        let rho = run.method.rate(run.condition);
        run.distances.iter().enumerate().map(move |(step, &distance)| {
            let series = run.method.series() as f64;
            vec![run.condition, series, step as f64, distance, rho.powf(step as f64)]
        })
    });
    DataFile::of_numbers("distance", &["condition", "method", "step", "distance", "theory"], rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    #[test]
    fn measured_rates_and_the_border_of_stability_are_those_of_theory() {
        let lab = Momentum { condition_number: vec![10.0, 100.0], dimensions: 20, steps: 20_000 };
        let findings = lab.run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        assert_eq!(findings.claims.len(), 8);
        // (κ − 1)/(κ + 1), (√κ − 1)/(√κ + 1) and 1 − 2/√(3κ + 1), by Python.
        let known = [0.818_181_8, 0.519_493_8, 0.640_789_4, 0.980_198_0, 0.818_181_8, 0.884_721_9];
        for (row, known) in findings.tables[0].rows.iter().zip(known) {
            assert!((row[5].parse::<f64>().unwrap() - known).abs() < 1e-5, "{row:?}");
            assert!((row[4].parse::<f64>().unwrap().ln() / known.ln() - 1.0).abs() < 0.05);
        }
    }

    #[test]
    fn hard_options_leave_claims_out_instead_of_failing() {
        for (condition, steps) in [(1.01, 20_000), (1e5, 50), (2.0, 1)] {
            let lab = Momentum { condition_number: vec![condition], dimensions: 2, steps };
            let findings = lab.run(&mut Silent).unwrap();
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        }
    }
}
