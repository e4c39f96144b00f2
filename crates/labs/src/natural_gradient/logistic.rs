//! Logistic regression on badly scaled features.

use burn::tensor::{Tensor, TensorData};
use nalgebra::{DMatrix, DVector};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::{NaturalGradient, natural};
use crate::descend::sgd;
use crate::{
    Claim, DataFile, Findings, FindingsTable, LabError, descend, number, value_and_gradient,
};
use converge_figures::figure::{Axis, Color, Figure, LINE_WIDTH, Layer, Panel, Plot};

const ROWS: usize = 500;
/// The true weights; the last is the bias.
const WEIGHTS: [f64; 4] = [1.0, -0.1, 2.0, 0.5];
const PLAIN_STEPS: usize = 1000;
const NATURAL_STEPS: usize = 60;

/// Rows of features with a 1 at the end, and labels 0 or 1.
pub(super) struct Data {
    features: DMatrix<f64>,
    labels: DVector<f64>,
}

/// The loss above its minimum by step, of one method.
struct Curve {
    name: String,
    gaps: Vec<(f64, f64)>,
    /// For mixed features, whose line may lie on that of the features as they are.
    dashed: bool,
}

pub(super) fn run(lab: &NaturalGradient, findings: &mut Findings) -> Result<(), LabError> {
    let data = Data::draw(lab.seed);
    let zero = DVector::zeros(WEIGHTS.len());
    // Newton's method, to rounding.
    let newton = data.descend(&zero, 1.0, 0.0, 20)?;
    let optimum = newton.last().unwrap_or(&zero).clone();
    let least = data.loss_at(&optimum)?;
    let distance = |weights: &DVector<f64>| (weights - &optimum).norm();

    let (fisher, hessian) = (data.fisher(&optimum), data.hessian(&optimum)?);
    findings.claims.push(Claim::at_most(
        "logistic regression: the Fisher matrix is the Hessian by differences of autodiff's gradient (relative)",
        (&fisher - &hessian).norm() / fisher.norm(),
        1e-6,
    ));
    let arrival = newton.iter().position(|weights| distance(weights) <= 1e-8 * optimum.norm());
    findings.claims.push(Claim::at_most(
        "logistic regression: steps at η = 1 without damping, which is Newton's method, to eight digits",
        arrival.map_or(f64::INFINITY, |steps| steps as f64),
        10.0,
    ));

    let eigenvalues = fisher.symmetric_eigenvalues();
    let (smallest, largest) = (eigenvalues.min(), eigenvalues.max());
    let (rate, damping) = (lab.learning_rate, lab.damping);
    let path = data.descend(&zero, rate, damping, NATURAL_STEPS)?;
    let shrinkage = 1.0 - rate * smallest / (smallest + damping);
    // Late, where the slowest part is all that is left, but before rounding.
    let late =
        path.windows(2).rfind(|pair| (1e-9..1e-2).contains(&(distance(&pair[1]) / optimum.norm())));
    // At nearly 1 the steps are Newton's, which shrink the error by its square first.
    if let (Some([before, after]), true) = (late, shrinkage >= 0.1) {
        findings.claims.push(Claim::close(
            "logistic regression: late natural gradient leaves 1 − η f/(f + λ) of the error in a step, f the least \
             eigenvalue of the Fisher matrix",
            distance(after) / distance(before),
            shrinkage,
            0.02,
        ));
    }

    let plain_rate = 1.0 / data.steepest();
    let plain = data.plain(&zero, plain_rate, PLAIN_STEPS)?;
    // The same regression with features mixed by a regular matrix: weights A⁻¹ w give the same model.
    let mixing = data.mixing(lab.seed);
    let mixed = Data { features: &data.features * &mixing, labels: data.labels.clone() };
    let undamped = data.descend(&zero, rate, 0.0, NATURAL_STEPS)?;
    let mixed_natural = mixed.descend(&zero, rate, 0.0, NATURAL_STEPS)?;
    let mixed_plain = mixed.plain(&zero, 1.0 / mixed.steepest(), PLAIN_STEPS)?;
    let apart = |one: &[DVector<f64>], other: &[DVector<f64>]| {
        let predictions = one
            .iter()
            .zip(other)
            .map(|(one, other)| (&data.features * one - &mixed.features * other).amax());
        predictions.fold(0.0, f64::max)
    };
    findings.claims.push(Claim::at_most(
        "logistic regression: mixed features leave the natural gradient's predictions as they are at every step \
         (largest difference of the logits)",
        apart(&undamped, &mixed_natural),
        1e-6,
    ));
    findings.claims.push(Claim::at_least(
        "logistic regression: the same for plain gradient descent, whose predictions change",
        apart(&plain, &mixed_plain),
        0.1,
    ));

    let gaps = |data: &Data, path: &[DVector<f64>]| -> Result<Vec<(f64, f64)>, LabError> {
        let gap = |(step, weights): (usize, &DVector<f64>)| {
            Ok((step as f64, data.loss_at(weights)? - least))
        };
        path.iter().enumerate().map(gap).collect()
    };
    let line = |name: String, data: &Data, path: &[DVector<f64>], dashed: bool| {
        Ok::<_, LabError>(Curve { name, gaps: gaps(data, path)?, dashed })
    };
    let damped_name = format!("natural, η = {}, λ = {}", number(rate), number(damping));
    let undamped_name = format!("natural, η = {}, λ = 0", number(rate));
    let lines = [
        line("plain, rate 1/L".to_owned(), &data, &plain, false)?,
        line("plain, mixed features".to_owned(), &mixed, &mixed_plain, true)?,
        line(damped_name, &data, &path, false)?,
        line(undamped_name, &data, &undamped, false)?,
        line("natural, mixed features, λ = 0".to_owned(), &mixed, &mixed_natural, true)?,
        line("natural, η = 1, λ = 0 (Newton)".to_owned(), &data, &newton, false)?,
    ];
    let reached = lines[0].gaps.last().map_or(f64::NAN, |gap| gap.1);
    let natural = arrival_text(&lines[2].gaps, reached);
    findings.sentences.push(format!(
        "The logistic regression's Fisher matrix has eigenvalues from {} to {}. Loss above the least after {} steps of \
         plain gradient descent: {}; steps of natural gradient to the same: {natural}.",
        number(smallest),
        number(largest),
        plain.len() - 1,
        number(reached),
    ));
    draw(findings, &lines);
    Ok(())
}

/// The first step that is at most `gap` above the least loss; a dash if there is none.
fn arrival_text(line: &[(f64, f64)], gap: f64) -> String {
    let arrival = line.iter().find(|point| point.1 <= gap);
    arrival.map_or("-".to_owned(), |point| number(point.0))
}

fn draw(findings: &mut Findings, lines: &[Curve]) {
    // Steps from 1, so that the first ones can be told apart on a logarithmic axis.
    let y = Axis::log("loss above its minimum (nats)").between(1e-14, 1.0);
    let mut plot = Plot::new("", Axis::log("step, the start at 1"), y);
    let mut rows = vec![];
    let mut data = vec![];
    for (series, Curve { name, gaps, dashed }) in lines.iter().enumerate() {
        plot = plot.with(Layer::Line {
            name: name.clone(),
            points: gaps.iter().map(|&(step, gap)| (step + 1.0, gap)).collect(),
            color: Color::Series(series),
            width: LINE_WIDTH,
            dashed: *dashed,
        });
        rows.push(vec![
            name.clone(),
            arrival_text(gaps, 1e-3),
            arrival_text(gaps, 1e-6),
            arrival_text(gaps, 1e-12),
        ]);
        data.extend(gaps.iter().map(|&(step, gap)| vec![series as f64, step, gap]));
    }
    findings.tables.push(FindingsTable::new(
        "Logistic regression: steps until the loss is so much above its minimum",
        &["method", "1e-3", "1e-6", "1e-12"],
        rows,
    ));
    findings.data.push(DataFile::of_numbers("logistic", &["method", "step", "gap"], data));
    findings.figures.push(Figure {
        name: "logistic".to_owned(),
        title: "Logistic regression on badly scaled features".to_owned(),
        caption: "Plain gradient descent crawls, and mixing the features changes its way. Natural gradient shrinks all \
                  errors alike, and mixing changes nothing; damping slows the parts of small eigenvalues."
            .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    });
}

impl Data {
    fn draw(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(1);
        let mut features = DMatrix::zeros(ROWS, WEIGHTS.len());
        let mut labels = DVector::zeros(ROWS);
        for row in 0..ROWS {
            let [a, b, c]: [f64; 3] = [(); 3].map(|()| StandardNormal.sample(&mut random));
            // One feature ten times as large, one nearly the first.
            for (column, value) in [a, 10.0 * b, a + 0.2 * c, 1.0].into_iter().enumerate() {
                features[(row, column)] = value;
            }
            let logit: f64 = features.row(row).iter().zip(WEIGHTS).map(|(x, w)| x * w).sum();
            let uniform: f64 = random.random();
            labels[row] = f64::from(u8::from(uniform < sigmoid(logit)));
        }
        Self { features, labels }
    }

    /// A regular matrix of moderate condition: the identity and half of numbers in ±1, made
    /// diagonally dominant.
    fn mixing(&self, seed: u64) -> DMatrix<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let count = self.features.ncols();
        DMatrix::from_fn(count, count, |row, column| {
            let off: f64 = 0.5 * random.random_range(-1.0..1.0);
            if row == column { 2.0 + off } else { off }
        })
    }

    /// The mean of −ln p(label), as a function of weights for autodiff.
    fn loss(&self) -> impl Fn(Tensor<1>) -> Tensor<1> {
        let shape = [self.features.nrows(), self.features.ncols()];
        // nalgebra keeps columns together, Burn rows.
        let rows: Vec<f64> = self.features.transpose().iter().copied().collect();
        let signs: Vec<f64> = self.labels.iter().map(|label| 2.0 * label - 1.0).collect();
        move |weights: Tensor<1>| {
            let (device, kind) = (weights.device(), weights.dtype());
            let features =
                Tensor::<2>::from_data(TensorData::new(rows.clone(), shape), (&device, kind));
            let signs = TensorData::from(signs.as_slice());
            let signs = Tensor::<1>::from_data(signs, (&device, kind));
            let logits = features.matmul(weights.unsqueeze_dim(1)).squeeze_dim::<1>(1);
            // ln(1 + e^−z) = max(−z, 0) + ln(1 + e^−|z|), which does not overflow
            let margin = (logits * signs).neg();
            let soft = margin.clone().abs().neg().exp().log1p();
            (margin.clamp_min(0.0) + soft).mean()
        }
    }

    fn loss_at(&self, weights: &DVector<f64>) -> Result<f64, LabError> {
        Ok(value_and_gradient(self.loss(), weights.as_slice())?.0)
    }

    fn gradient(&self, weights: &DVector<f64>) -> Result<DVector<f64>, LabError> {
        Ok(DVector::from_vec(value_and_gradient(self.loss(), weights.as_slice())?.1))
    }

    /// Xᵀ diag(p (1 − p)) X / n
    fn fisher(&self, weights: &DVector<f64>) -> DMatrix<f64> {
        let probabilities = (&self.features * weights).map(sigmoid);
        let mut scaled = self.features.clone();
        for (mut row, p) in scaled.row_iter_mut().zip(&probabilities) {
            row *= p * (1.0 - p);
        }
        self.features.transpose() * scaled / self.features.nrows() as f64
    }

    fn hessian(&self, weights: &DVector<f64>) -> Result<DMatrix<f64>, LabError> {
        let step = 1e-5;
        let mut hessian = DMatrix::zeros(weights.len(), weights.len());
        for index in 0..weights.len() {
            let mut beside = [weights.clone(), weights.clone()];
            beside[0][index] -= step;
            beside[1][index] += step;
            let difference = self.gradient(&beside[1])? - self.gradient(&beside[0])?;
            hessian.set_column(index, &(difference / (2.0 * step)));
        }
        Ok(hessian)
    }

    /// The greatest curvature anywhere: the largest eigenvalue of `XᵀX / 4n`.
    fn steepest(&self) -> f64 {
        let gram = self.features.transpose() * &self.features;
        gram.symmetric_eigenvalues().max() / (4.0 * self.features.nrows() as f64)
    }

    /// Natural gradient; ends early where the matrix is singular or numbers end.
    fn descend(
        &self,
        start: &DVector<f64>,
        rate: f64,
        damping: f64,
        steps: usize,
    ) -> Result<Vec<DVector<f64>>, LabError> {
        let mut path = vec![start.clone()];
        let mut weights = start.clone();
        for _ in 0..steps {
            let gradient = self.gradient(&weights)?;
            let Some(step) = natural(&self.fisher(&weights), &gradient, damping) else { break };
            weights -= rate * step;
            if weights.iter().any(|weight| !weight.is_finite()) {
                break;
            }
            path.push(weights.clone());
        }
        Ok(path)
    }

    fn plain(
        &self,
        start: &DVector<f64>,
        learning_rate: f64,
        steps: usize,
    ) -> Result<Vec<DVector<f64>>, LabError> {
        let optimizer = sgd(learning_rate, 0.0);
        let path = descend(self.loss(), start.as_slice(), &optimizer, steps)?;
        Ok(path.places.into_iter().map(DVector::from_vec).collect())
    }
}

fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn newton_s_method_ends_at_the_weights_of_scikit_learn() {
        let json = include_str!("../../../../tests/golden/lab_natural_gradient.json");
        let golden: serde_json::Value = serde_json::from_str(json).unwrap();
        let numbers = |key: &str| -> Vec<f64> {
            serde_json::from_value(golden["logistic"][key].clone()).unwrap()
        };
        let labels = DVector::from_vec(numbers("labels"));
        let rows = numbers("features");
        let columns = rows.len() / labels.len();
        let features = DMatrix::from_row_slice(labels.len(), columns, &rows);
        let data = Data { features, labels };
        let path = data.descend(&DVector::zeros(columns), 1.0, 0.0, 15).unwrap();
        for (found, expected) in path.last().unwrap().iter().zip(numbers("weights")) {
            assert!(
                (found - expected).abs() < 1e-6 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }
}
