//! Activation functions and their derivatives, by Burn's autodiff against the closed forms.

use burn::tensor::{DType, Tensor, TensorData};

use super::activation_function::{Activation, NEGATIVE_SLOPE};
use super::options::not_empty;
use super::training::numbers;
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, device, number,
};
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Place, Plot};
use converge_settings::ranges::Range;
use converge_settings::settings;

settings! {
    /// Sigmoid, tanh, `ReLU` and its smooth relatives, and what they do to a gradient.
    pub struct Activations {
        /// Which activation functions to show
        #[one_of(Activation)]
        activations: Vec<Activation> = Activation::ALL.to_vec(),
        /// Inputs reach from minus this to this
        range: f64 = 6.0 => INPUT_RANGE,
    }
    check |lab| not_empty([("activations", lab.activations.len())])
}

/// Places of the grid: an odd number, so that 0 is one of them.
const POINTS: usize = 1201;
/// Beyond the largest range a power of e would no longer be a double.
const INPUT_RANGE: Range<f64> =
    Range::new("above 0 and at most 700", |&range| range > 0.0 && range <= 700.0);

impl Lab for Activations {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "Activation functions and their derivatives",
        question: "What does an activation function do to a signal, and to the gradient that comes back?",
        method: "Each function is computed by Burn in double precision, its derivative by autodiff, and both \
are compared with the closed forms:

    σ(x) = 1/(1 + e⁻ˣ), σ′ = σ(1 − σ);   tanh′ = 1 − tanh²;   ReLU(x) = max(x, 0), ReLU′ = [x > 0];   \
leaky ReLU(x) = max(x, 0.01 x);   GELU(x) = x Φ(x), GELU′ = Φ + x φ;   SiLU(x) = x σ(x), SiLU′ = σ (1 + x (1 − σ))

with Φ and φ the distribution and the density of a standard normal. At the kink of ReLU and leaky ReLU any \
slope between those of both sides will do; there nothing is compared. Backwards through a layer the gradient is \
multiplied by the derivative. Its mean square over a standard normal input z, E φ′(z)², says what is left of \
the square of a gradient after one layer; the gain 1/√(E φ(z)²) is what weights of variance 1/fan-in must be \
multiplied by to keep the mean square of the signal.",
        sources: &[
            "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998",
            "Glorot, Bordes and Bengio, Deep Sparse Rectifier Neural Networks, 2011",
            "Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models, 2013",
            "Hendrycks and Gimpel, Gaussian Error Linear Units, arXiv:1606.08415",
            "Ramachandran, Zoph and Le, Searching for Activation Functions, arXiv:1710.05941",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let places = Grid::even(-self.range, self.range, POINTS);
        let mut findings = Findings::default();
        let (mut table, mut data, mut curves) = (vec![], vec![], vec![]);
        for (index, &activation) in self.activations.iter().enumerate() {
            progress.at(index, self.activations.len(), activation.name());
            let curve = Curve::of(activation, &places)?;
            findings.claims.push(Claim::at_most(
                format!(
                    "{}: value and derivative by autodiff are those of the closed forms",
                    activation.name()
                ),
                curve.error(activation),
                1e-12,
            ));
            findings.claims.extend(curve.extremum(activation));
            let steepest = curve.slopes.iter().map(|slope| slope.abs()).fold(0.0, f64::max);
            let kept = activation.derivative_mean_square(1.0);
            table.push(vec![
                activation.name().to_owned(),
                number(curve.slopes.get(POINTS / 2).copied().unwrap_or(f64::NAN)),
                number(steepest),
                format!("{kept:.4}"),
                format!("{:.1e}", kept.sqrt().powi(20)),
                format!("{:.4}", activation.mean_square(1.0).sqrt().recip()),
            ]);
            let rows = curve.points().zip(&curve.slopes);
            data.extend(rows.map(|((x, value), &slope)| vec![index as f64, x, value, slope]));
            curves.push((activation, curve));
        }
        findings.sentences = sentences(&self.activations);
        findings.tables.push(FindingsTable::new(
            "Derivatives and means over a standard normal input z",
            &["activation", "derivative at 0", "steepest", "E φ′(z)²", "√(E φ′(z)²)²⁰", "gain"],
            table,
        ));
        findings.figures = vec![self.values_and_derivatives(&curves), self.saturation(&curves)];
        findings.data.push(DataFile::of_numbers(
            "activations",
            &["activation", "x", "value", "derivative"],
            data,
        ));
        Ok(findings)
    }
}

impl Activations {
    fn values_and_derivatives(&self, curves: &[(Activation, Curve)]) -> Figure {
        let x = || Axis::linear("input x").between(-self.range, self.range);
        let mut values = Plot::new("Values", x(), Axis::linear("φ(x)").between(-1.2, 3.2));
        let mut slopes = Plot::new("Derivatives", x(), Axis::linear("φ′(x)").between(-0.2, 1.2));
        for (index, (activation, curve)) in curves.iter().enumerate() {
            values = values.with(Layer::line(activation.name(), index, curve.points().collect()));
            slopes = slopes.with(Layer::line(activation.name(), index, curve.slope_points()));
        }
        Figure {
            name: "activations".to_owned(),
            title: "Activation functions and their derivatives".to_owned(),
            caption: "A derivative below 1 takes from the gradient. That of the sigmoid is 0.25 at most; that of \
                      ReLU is 1 for every positive input."
                .to_owned(),
            panels: vec![Panel::Plot(values), Panel::Plot(slopes)],
            columns: 2,
        }
    }

    fn saturation(&self, curves: &[(Activation, Curve)]) -> Figure {
        let mut plot = Plot::new(
            "",
            Axis::linear("input x").between(-self.range, self.range),
            Axis::log("|φ′(x)|").between(1e-4, 2.0),
        );
        for (index, (activation, curve)) in curves.iter().enumerate() {
            let sizes = curve.slope_points().into_iter().map(|(x, slope)| (x, slope.abs()));
            // Zeros are left out of a logarithmic axis: the line must not bridge them.
            let sizes = sizes.map(|(x, size)| (x, if size > 0.0 { size } else { f64::NAN }));
            plot = plot.with(Layer::line(activation.name(), index, sizes.collect()));
        }
        plot = plot.with(Layer::Reference {
            label: "1 % of the gradient is left".to_owned(),
            at: Place::Y(0.01),
            color: Color::Neutral,
        });
        Figure {
            name: "saturation".to_owned(),
            title: "How much of a gradient passes".to_owned(),
            caption: "The size of the derivative on a logarithmic scale. Sigmoid and tanh saturate on both sides, \
                      the relatives of ReLU on the left only; that of ReLU itself is 0 there. In the notches the \
                      derivatives of GELU and SiLU change their sign."
                .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        }
    }
}

/// A function over the grid, as Burn computes it.
struct Curve {
    places: Vec<f64>,
    values: Vec<f64>,
    slopes: Vec<f64>,
}

impl Curve {
    fn of(activation: Activation, places: &[f64]) -> Result<Self, LabError> {
        let device = device()?.autodiff();
        let input =
            Tensor::<1>::from_data(TensorData::from(places), (&device, DType::F64)).require_grad();
        let output = activation.apply(input.clone());
        let slopes = input.grad(&output.clone().sum().backward()).map(numbers).unwrap_or_default();
        Ok(Self { places: places.to_vec(), values: numbers(output), slopes })
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.places.iter().copied().zip(self.values.iter().copied())
    }

    fn slope_points(&self) -> Vec<(f64, f64)> {
        self.places.iter().copied().zip(self.slopes.iter().copied()).collect()
    }

    /// The largest distance from the closed forms; infinite where there is no derivative.
    fn error(&self, activation: Activation) -> f64 {
        let apart = |computed: f64, closed: f64| {
            let distance = (computed - closed).abs() / closed.abs().max(1.0);
            if distance.is_nan() { f64::INFINITY } else { distance }
        };
        let values = self.points().map(|(x, value)| apart(value, activation.value(x)));
        let smooth = |&(x, _): &(f64, f64)| x != 0.0 || !activation.has_kink();
        let slopes = self.slope_points().into_iter().filter(smooth);
        let slopes = slopes.map(|(x, slope)| apart(slope, activation.derivative(x)));
        values.chain(slopes).fold(0.0, f64::max)
    }

    /// The known largest derivative of a smooth function, if it lies on the grid.
    fn extremum(&self, activation: Activation) -> Option<Claim> {
        // Where the second derivative is 0: for GELU (2 − x²) φ(x) = 0; for SiLU 2 = x tanh(x/2).
        let (place, expected) = match activation {
            Activation::Sigmoid => (0.0, 0.25),
            Activation::Tanh => (0.0, 1.0),
            Activation::Gelu => (std::f64::consts::SQRT_2, 1.128_904_145_185_155),
            Activation::Silu => (2.399_357_280_515_467_5, 1.099_839_320_128_866_8),
            Activation::Relu | Activation::LeakyRelu => return None,
        };
        let reaches = self.places.last().is_some_and(|&last| last >= place);
        let spacing = self.places.windows(2).next().map_or(0.0, |pair| pair[1] - pair[0]);
        let steepest = self.slopes.iter().copied().fold(0.0, f64::max);
        // The nearest place is at most half a spacing off, and |φ‴| at most 2 there.
        (reaches && spacing <= 0.05).then(|| {
            Claim::close(
                format!("{}: the largest derivative, at x = {place:.4}", activation.name()),
                steepest,
                expected,
                spacing * spacing / 4.0 + 1e-12,
            )
        })
    }
}

fn sentences(activations: &[Activation]) -> Vec<String> {
    let kept = |activation: Activation| activation.derivative_mean_square(1.0).sqrt().powi(20);
    let mut sentences = vec![];
    if activations.contains(&Activation::Sigmoid) {
        sentences.push(format!(
            "The sigmoid passes on at most a quarter of a gradient, so 20 of them in a row leave at most \
             0.25²⁰ = {:.1e} of it, and {:.1e} for typical inputs.",
            0.25_f64.powi(20),
            kept(Activation::Sigmoid)
        ));
    }
    if activations.contains(&Activation::Relu) {
        sentences.push(
            "ReLU passes all of a gradient or nothing. Over inputs as often negative as positive half of its \
             square is left, which weights of variance 2/fan-in (He) make up for exactly."
                .to_owned(),
        );
    }
    if activations.contains(&Activation::LeakyRelu) {
        sentences.push(format!(
            "Leaky ReLU leaves {} of the gradient where ReLU leaves nothing: a unit cannot die.",
            number(NEGATIVE_SLOPE)
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;
    use crate::Silent;

    #[test]
    fn values_and_derivatives_are_those_of_pytorch() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../tests/golden/lab_activations.json"))
                .unwrap();
        let read = |value: &Value| serde_json::from_value::<Vec<f64>>(value.clone()).unwrap();
        for &activation in Activation::ALL {
            let curve = Curve::of(activation, &read(&golden["places"])).unwrap();
            let expected = &golden[activation.name()];
            for (found, expected) in
                [(&curve.values, &expected["values"]), (&curve.slopes, &expected["derivatives"])]
            {
                for ((x, found), expected) in curve.places.iter().zip(found).zip(read(expected)) {
                    // At its kink Burn's leaky ReLU has the slope from the right, PyTorch's from the left.
                    let free = activation == Activation::LeakyRelu && *x == 0.0;
                    let near = (found - expected).abs() < 1e-13;
                    assert!(near || free, "{} at {x}: {found} {expected}", activation.name());
                }
            }
        }
    }

    #[test]
    fn all_claims_hold_over_any_range() {
        let run =
            |range| Activations { activations: Activation::ALL.to_vec(), range }.run(&mut Silent);
        for (range, claims) in [(6.0, 10), (0.3, 8), (700.0, 6)] {
            let findings = run(range).unwrap();
            assert_eq!(findings.claims.len(), claims);
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        }
        assert!(run(1e9).is_err());
    }
}
