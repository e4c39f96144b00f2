//! Learning rates from too small to too large, on two parabolas, against the stability limit.

mod figures;

use self::figures::{losses, stability};
use super::options::{COUNT, not_empty};
use super::parabola::{CURVATURE, Parabola, SHIFTED, SQUARE, factor};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Path, Progress, Theme, number,
    value_and_gradient,
};
use converge_figures::figure::Grid;
use converge_settings::ranges::{FINITE, POSITIVE};
use converge_settings::settings;

settings! {
    /// Gradient descent at several learning rates.
    pub struct LearningRate {
        /// The learning rates η
        learning_rate: Vec<f64> = vec![0.01, 0.1, 0.5, 0.95, 1.05] => POSITIVE,
        /// Where to start
        start: f64 = 4.0 => FINITE,
        /// Steps
        steps: usize = 20 => COUNT,
    }
    check |lab| not_empty([("learning_rate", lab.learning_rate.len())])
}

impl Lab for LearningRate {
    const ABOUT: About = About {
        theme: Theme::Descent,
        title: "The learning rate",
        question: "What do learning rates that are too small, right and too large do, and where is \
                   the limit?",
        method: "Near a minimum of curvature L = f″(x*) a step of gradient descent multiplies the distance \
to the minimum:

    x − x* ← (1 − ηL) (x − x*)

So η < 1/L approaches from one side, η = 1/L arrives in one step, 1/L < η < 2/L jumps from side to side \
and still converges, η = 2/L jumps for ever, and beyond it every step leads further away. Both functions, \
x² and x² + 2x + 1, have L = 2. The limit is also found without that knowledge: by bisection between rates \
whose paths shrink and rates whose paths grow.",
        sources: &[
            "Nesterov, Lectures on Convex Optimization, 2018, section 1.2.3",
            "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 4.3",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let mut findings = Findings::default();
        let mut descents = vec![];
        for (index, parabola) in [SQUARE, SHIFTED].into_iter().enumerate() {
            progress.at(index, 3, parabola.name);
            findings.claims.push(curvature(parabola)?);
            for (series, &rate) in self.learning_rate.iter().enumerate() {
                let path = parabola.descend(rate, self.start, self.steps)?;
                descents.push(Descent { parabola, rate, series, path });
            }
        }
        progress.at(2, 3, "the limit of stability");
        let limit = measured_limit()?;
        let factors = Grid::even(0.02, 1.2, 60)
            .into_iter()
            .map(|rate| Ok((rate, measured_factor(rate)?)))
            .collect::<Result<Vec<_>, LabError>>()?;

        findings.sentences = self.sentences(&descents, limit);
        findings.tables.push(self.table(&descents));
        findings.claims.extend(descents.iter().flat_map(|descent| descent.claims(self.start)));
        findings.claims.push(Claim::close(
            "x²: the largest stable rate is 2/L (bisection)",
            limit,
            2.0 / CURVATURE,
            1e-4,
        ));
        let worst = factors.iter().map(|&(rate, found)| (found - factor(rate).abs()).abs());
        findings.claims.push(Claim::at_most(
            "x²: 60 rates from 0.02 to 1.2 multiply the distance by |1 − ηL| a step (largest \
             difference)",
            worst.fold(0.0, f64::max),
            1e-5,
        ));
        findings.figures = vec![
            self.curves(&descents, SQUARE, "paths"),
            self.curves(&descents, SHIFTED, "paths-shifted"),
            losses(&descents),
            stability(&factors, &self.learning_rate),
        ];
        findings.data = vec![self.data(&descents), factor_data(&factors)];
        Ok(findings)
    }
}

/// Gradient descent at one rate on one parabola.
struct Descent {
    parabola: Parabola,
    rate: f64,
    /// The place of the rate in the options, for its colour.
    series: usize,
    path: Path,
}

/// What theory says that a rate does.
fn kind(rate: f64) -> &'static str {
    match factor(rate) {
        factor if factor > 0.0 => "approaches from one side",
        factor if factor > -1.0 && factor < 0.0 => "oscillates and converges",
        factor if factor < -1.0 => "oscillates and diverges",
        factor if factor < 0.0 => "oscillates for ever",
        _ => "arrives in one step",
    }
}

impl Descent {
    /// What the path did, seen from its places alone.
    fn behaviour(&self) -> &'static str {
        let offsets: Vec<f64> =
            self.path.places.iter().flatten().map(|x| x - self.parabola.minimum).collect();
        let [first, second, ..] = offsets.as_slice() else {
            return "leaves all finite numbers at once";
        };
        let last = offsets.last().copied().unwrap_or_default();
        match second / first {
            fraction if fraction.abs() < 1e-6 => "arrives in one step",
            fraction if fraction > 0.0 => "approaches from one side",
            _ if (last.abs() / first.abs() - 1.0).abs() < 1e-6 => "oscillates for ever",
            _ if last.abs() < first.abs() => "oscillates and converges",
            _ => "oscillates and diverges",
        }
    }

    fn claims(&self, start: f64) -> Vec<Claim> {
        let Self { parabola, rate, .. } = *self;
        let name = format!("{}, η = {rate}", parabola.name);
        let error = parabola.rounding_errors(rate, start, &parabola.distances(&self.path));
        let mut claims = vec![Claim::at_most(
            format!(
                "{name}: the distance is |x₀ − x*| |1 − ηL|ᵗ at every step (difference by what \
                 rounding in single precision may make)"
            ),
            error,
            1.0,
        )];
        // A start on the minimum, or a rate within rounding of a border, shows nothing.
        let border = [0.5, 1.0].map(|border| (rate - border).abs());
        let clear = border.iter().all(|&far| far == 0.0 || far > 1e-5);
        let shown = self.path.steps() > 0 && (start - parabola.minimum).abs() > 1e-3 && rate > 1e-6;
        if shown && clear {
            let (found, expected) = (self.behaviour(), kind(rate));
            claims.push(Claim::that(
                format!("{name}: the path {expected}"),
                format!("it {found}; η is {} of the limit 2/L", number(rate * CURVATURE / 2.0)),
                found == expected,
            ));
        }
        claims
    }
}

/// L by autodiff: the gradient of a parabola rises by L from any x to x + 1.
fn curvature(parabola: Parabola) -> Result<Claim, LabError> {
    let slope = |x: f64| value_and_gradient(parabola.on_tensors(), &[x]);
    let (_, low) = slope(0.25)?;
    let (_, high) = slope(1.25)?;
    let found = high.iter().zip(&low).map(|(high, low)| high - low).sum();
    let says = format!("{}: the curvature L, by autodiff", parabola.name);
    Ok(Claim::close(says, found, CURVATURE, 1e-12))
}

/// By how much a step of `rate` multiplies the distance on x², measured over one step.
fn measured_factor(rate: f64) -> Result<f64, LabError> {
    let distances = SQUARE.distances(&SQUARE.descend(rate, 1.0, 1)?);
    Ok(distances.last().copied().unwrap_or(f64::NAN))
}

/// The rate between those whose paths shrink and those whose paths grow over 100 steps on x².
fn measured_limit() -> Result<f64, LabError> {
    let (mut stable, mut unstable) = (0.1, 10.0);
    while unstable - stable > 1e-5 {
        let middle = f64::midpoint(stable, unstable);
        let distances = SQUARE.distances(&SQUARE.descend(middle, 1.0, 100)?);
        let grew = distances.len() <= 100 || distances.last().is_some_and(|&last| last > 1.0);
        *(if grew { &mut unstable } else { &mut stable }) = middle;
    }
    Ok(f64::midpoint(stable, unstable))
}

impl LearningRate {
    fn sentences(&self, descents: &[Descent], limit: f64) -> Vec<String> {
        let mut sentences: Vec<String> = descents
            .iter()
            .take(self.learning_rate.len())
            .map(|descent| {
                let ends = descent.path.places.last().and_then(|place| place.first());
                format!(
                    "η = {} {}: from {} it gets to {} in {} steps on x².",
                    descent.rate,
                    descent.behaviour(),
                    number(self.start),
                    number(ends.copied().unwrap_or_default()),
                    descent.path.steps(),
                )
            })
            .collect();
        sentences.push(format!(
            "Paths shrink up to η = {} and grow above it; theory puts the limit at 2/L = 1, and the \
             best rate at half of it.",
            number((limit * 1e4).round() / 1e4)
        ));
        sentences
    }

    fn table(&self, descents: &[Descent]) -> FindingsTable {
        let row = |descent: &Descent| {
            let Descent { parabola, rate, path, .. } = descent;
            let distances = parabola.distances(path);
            vec![
                parabola.name.to_owned(),
                number(*rate),
                number(factor(*rate)),
                descent.behaviour().to_owned(),
                path.steps().to_string(),
                number(distances.last().copied().unwrap_or_default()),
                number(parabola.closed_form(*rate, self.start, path.steps())),
            ]
        };
        FindingsTable::new(
            "What each rate does",
            &["function", "rate", "1 − ηL", "the path", "steps", "distance at the end", "theory"],
            descents.iter().map(row).collect(),
        )
    }

    fn data(&self, descents: &[Descent]) -> DataFile {
        let rows = descents.iter().flat_map(|Descent { parabola, rate, path, .. }| {
            let places = path.places.iter().flatten().zip(&path.values);
            places.enumerate().map(move |(step, (x, value))| {
                let closed = parabola.closed_form(*rate, self.start, step);
                vec![parabola.minimum, *rate, step as f64, *x, *value, closed]
            })
        });
        let header = ["minimum", "learning_rate", "step", "x", "loss", "closed_form_distance"];
        DataFile::of_numbers("paths", &header, rows)
    }
}

fn factor_data(factors: &[(f64, f64)]) -> DataFile {
    let rows = factors.iter().map(|&(rate, found)| vec![rate, found, factor(rate).abs()]);
    DataFile::of_numbers("stability", &["learning_rate", "measured_factor", "theory"], rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn found(learning_rate: &[f64], start: f64) -> Findings {
        let learning_rate = learning_rate.to_vec();
        LearningRate { learning_rate, start, steps: 20 }.run(&mut Silent).unwrap()
    }

    #[test]
    fn ends_and_the_limit_are_those_of_theory() {
        let findings = found(&[0.01, 0.1, 0.5, 0.95, 1.05], 4.0);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        let ends: Vec<f64> =
            findings.tables[0].rows.iter().map(|row| row[5].parse().unwrap()).collect();
        // 4 and 5 times 0.98^20, 0.8^20, 0, 0.9^20, 1.1^20, by Python.
        let known = [2.670_431_887, 0.046_116_860, 0.0, 0.486_306_618, 26.91];
        for (row, known) in known.into_iter().enumerate() {
            assert!((ends[row] - known).abs() < 1e-5 * known.max(1e-3), "{row}: {}", ends[row]);
            assert!((ends[row + 5] - 1.25 * known).abs() < 1e-5 * known.max(0.1));
        }
        let limit = findings.claims.iter().find(|claim| claim.says.contains("bisection")).unwrap();
        assert!(limit.evidence.starts_with("1.0000") || limit.evidence.starts_with("0.9999"));
    }

    #[test]
    fn odd_rates_and_starts_are_told_as_they_are() {
        for (rates, start) in [(&[1.0, 1e30, 1e-9][..], 4.0), (&[0.3], 0.0), (&[0.3], -1.0)] {
            let findings = found(rates, start);
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        }
        assert!(found(&[1.0], 4.0).sentences[0].contains("for ever"));
    }
}
