//! Gradient clipping: on vectors alone, and where a recurrent network needs it.

mod recurrent;

use burn::grad_clipping::GradientClipping;
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use self::recurrent::{Run, Task};
use super::options::COUNT;
use crate::training::norm;
use crate::training::{numbers, points, series_file};
use crate::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, device, number,
};
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// Clipping of random vectors, and a recurrent network with and without it.
    pub struct ExplodingGradients {
        /// The norm that gradients are clipped to, for the vectors
        norm: f64 = 5.0 => POSITIVE,
        /// How many numbers a vector has
        length: usize = 1000 => COUNT,
        /// The standard deviation of these numbers
        deviation: f64 = 10.0 => POSITIVE,
        /// How many steps the recurrent network must remember
        memory: usize = 50 => COUNT,
        /// The norm that the gradients of the recurrent network are clipped to
        recurrent_norm: f64 = 1.0 => POSITIVE,
        /// Its learning rate
        learning_rate: f64 = 0.01 => POSITIVE,
        /// Its training steps
        steps: usize = 300 => COUNT,
        /// The seed of vectors, weights and data
        seed: u64 = 42,
    }
}

/// Vectors drawn.
const VECTORS: usize = 200;
/// Gains of the linear recurrences.
const GAINS: [f64; 3] = [0.9, 1.0, 1.1];

impl Lab for ExplodingGradients {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "Exploding gradients and clipping",
        question: "What does clipping do to a gradient that is far too long, and when is it needed?",
        method: "Clipping by norm shortens a gradient g that is longer than c and keeps its direction:

    g ← g · min(1, c / ‖g‖)

A vector of n numbers from N(0, s²) has a norm of about s √n, with mean s √2 Γ((n + 1)/2) / Γ(n/2). Such gradients \
occur in recurrent networks: the gradient of a loss after T steps with respect to the state k steps before is a \
product of k matrices. In the linear recurrence hₜ = g Q hₜ₋₁ + xₜ with an orthogonal Q its norm is

    ‖∂L/∂hₜ₋ₖ‖ = gᵏ ‖∂L/∂hₜ‖

so it vanishes below g = 1 and explodes above. Last, a recurrent network of 16 ReLU units that start as the identity \
is trained by plain gradient descent to name, after a long time with small noise, the sign that it saw first \
(synthetic data; a network that remembers nothing has a loss of 1), with and without clipping of all gradients \
together.",
        sources: &[
            "Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, 2013",
            "Le, Jaitly and Hinton, A Simple Way to Initialize Recurrent Networks of Rectified Linear Units, \
             arXiv:1504.00941",
            "Bengio, Simard and Frasconi, Learning long-term dependencies with gradient descent is difficult, 1994",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let device = device()?;
        let mut findings = Findings::default();
        progress.at(0, 4, "vectors");
        self.vectors(&mut findings, &device);
        progress.at(1, 4, "linear recurrences");
        self.recurrences(&mut findings, &device.clone().autodiff());
        let task =
            Task { memory: self.memory, learning_rate: self.learning_rate, steps: self.steps };
        progress.at(2, 4, "a recurrent network without clipping");
        let without = task.train(None, self.seed, &device.clone().autodiff());
        progress.at(3, 4, "the same with clipping");
        let with = task.train(Some(self.recurrent_norm), self.seed, &device.autodiff());
        self.training(&mut findings, &without, &with);
        Ok(findings)
    }
}

/// The mean norm of `length` standard normal numbers, √2 Γ((n + 1)/2) / Γ(n/2), by the recurrence
/// c₁ = √(2/π), cₙ₊₁ = n / cₙ, which follows from Γ(x + 1) = x Γ(x).
fn mean_norm(length: usize) -> f64 {
    (1..length).fold((2.0 / std::f64::consts::PI).sqrt(), |mean, count| count as f64 / mean)
}

impl ExplodingGradients {
    fn vectors(&self, findings: &mut Findings, device: &Device) {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let clipping = GradientClipping::Norm(self.norm as f32);
        let (mut before, mut after, mut turned) = (vec![], vec![], 0.0_f64);
        for _ in 0..VECTORS {
            let normal = StandardNormal.sample_iter(&mut random).take(self.length);
            let drawn: Vec<f64> = normal.map(|number: f64| self.deviation * number).collect();
            let tensor = TensorData::new(drawn, [self.length]).convert::<f32>();
            let tensor = Tensor::<1>::from_data(tensor, device);
            let drawn = numbers(tensor.clone());
            let clipped = numbers(clipping.clip_gradient(tensor));
            let dot: f64 = drawn.iter().zip(&clipped).map(|(a, b)| a * b).sum();
            turned = turned.max(1.0 - dot / norm(&drawn) / norm(&clipped));
            before.push(norm(&drawn));
            after.push(norm(&clipped));
        }
        let mean = before.iter().sum::<f64>() / VECTORS as f64;
        let expected = self.deviation * mean_norm(self.length);
        let longest = after.iter().copied().fold(0.0, f64::max);
        findings.sentences.push(format!(
            "{VECTORS} vectors of {} numbers from N(0, {}²) have a mean norm of {mean:.2}; clipped to {} they keep their \
             direction and {:.2} % of their length.",
            self.length,
            number(self.deviation),
            number(self.norm),
            100.0 * after.iter().sum::<f64>() / before.iter().sum::<f64>()
        ));
        // The norm of many normal numbers has a variance of about s² / 2.
        let error = 4.0 * self.deviation / (2.0 * VECTORS as f64).sqrt();
        findings.claims.extend([
            Claim::close(
                "the mean norm of the vectors is s √2 Γ((n + 1)/2) / Γ(n/2)",
                mean,
                expected,
                error,
            ),
            Claim::at_most("no clipped vector is longer", longest, self.norm * (1.0 + 1e-5)),
            Claim::at_most("none has turned (1 − cosine)", turned, 1e-5),
        ]);
        findings.tables.push(FindingsTable::new(
            &format!("{VECTORS} vectors of {} numbers", self.length),
            &["", "least norm", "mean", "greatest"],
            [("drawn", &before), ("clipped", &after)]
                .map(|(name, norms)| summary(name, norms))
                .into(),
        ));
        let rows = before.iter().zip(&after).map(|(&before, &after)| vec![before, after]);
        findings.data.push(DataFile::of_numbers("vectors", &["norm", "clipped_norm"], rows));
    }

    /// Gradients of a linear recurrence by the number of steps that they go back.
    fn recurrences(&self, findings: &mut Findings, device: &Device) {
        const WIDTH: usize = 16;
        device.seed(self.seed);
        let mut plot = Plot::new(
            "",
            Axis::linear("steps back, k"),
            Axis::log("‖∂L/∂h‖ over that at the last step"),
        );
        let mut series = vec![];
        for (index, gain) in GAINS.into_iter().enumerate() {
            let matrix =
                Initializer::Orthogonal { gain }.init::<2, _>([WIDTH, WIDTH], device).val();
            let mut state = Tensor::<2>::ones([1, WIDTH], device);
            let mut probes = vec![];
            for _ in 0..=self.memory {
                let probe = Tensor::<2>::zeros([1, WIDTH], device).require_grad();
                probes.push(probe.clone());
                state = state.matmul(matrix.clone()) + probe;
            }
            let gradients = state.sum().backward();
            let lengths = probes.iter().rev().filter_map(|probe| probe.grad(&gradients));
            let lengths: Vec<f64> = lengths.map(|gradient| norm(&numbers(gradient))).collect();
            let last = lengths.first().copied().unwrap_or(f64::NAN);
            let ratios: Vec<f64> = lengths.iter().map(|length| length / last).collect();
            let theory: Vec<f64> = (0..ratios.len()).map(|lag| gain.powf(lag as f64)).collect();
            let error =
                ratios.iter().zip(&theory).map(|(ratio, theory)| (ratio / theory - 1.0).abs());
            // Each product rounds by about 1e-6; beyond 1e±30 single precision ends.
            if self.memory as f64 * gain.log10().abs() < 30.0 {
                findings.claims.push(Claim::at_most(
                    format!("linear recurrence of gain {gain}: the gradient k steps back is {gain}ᵏ (relative error)"),
                    error.fold(0.0, f64::max),
                    1e-6 * (self.memory + 100) as f64,
                ));
            }
            plot = plot.with(Layer::line(&format!("gain {gain}"), index, points(&ratios, 0))).with(
                Layer::theory(if index + 1 == GAINS.len() { "gᵏ" } else { "" }, points(&theory, 0)),
            );
            series.push((format!("gain {gain}"), ratios));
        }
        findings.figures.push(Figure {
            name: "recurrence".to_owned(),
            title: "Gradients of a linear recurrence".to_owned(),
            caption: "Through every step back the gradient is multiplied by the gain: below 1 it vanishes, above it \
                      explodes."
                .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        });
        findings.data.push(series_file(
            "recurrence",
            &["recurrence", "steps_back", "gradient"],
            0,
            series,
        ));
    }

    fn training(&self, findings: &mut Findings, without: &Run, with: &Run) {
        let (lost, kept) = (without.last_loss(), with.last_loss());
        let longest = without.norms.iter().copied().fold(0.0, f64::max);
        findings.sentences.push(format!(
            "The recurrent network without clipping meets gradients as long as {longest:.1e} and {}; with clipping to \
             {} its loss is {kept:.3} after {} steps, against 1 for one that remembers nothing.",
            if lost.is_finite() {
                format!("ends with a loss of {lost:.3}")
            } else {
                format!("is lost after {} steps", without.losses.len().saturating_sub(1))
            },
            number(self.recurrent_norm),
            self.steps
        ));
        // The claims are about this task where the network can learn it.
        let learns = (20..=100).contains(&self.memory)
            && self.steps >= 200
            && (0.005..=0.02).contains(&self.learning_rate)
            && (0.5..=2.0).contains(&self.recurrent_norm);
        if learns {
            let lost = if lost.is_finite() { lost } else { f64::INFINITY };
            findings.claims.extend([
                Claim::at_most("with clipping the recurrent network remembers (loss)", kept, 0.2),
                Claim::at_least("without it it does not", lost, 0.9),
                Claim::at_least(
                    "and meets a gradient that is too long to follow (norm)",
                    longest,
                    1e3,
                ),
            ]);
        }
        findings.tables.push(FindingsTable::new(
            &format!("A recurrent network that must remember {} steps", self.memory),
            &["", "steps taken", "median gradient norm", "longest", "loss at the end"],
            [("without clipping", without), ("with clipping", with)]
                .map(|(name, run)| run.row(name))
                .into(),
        ));
        let mut losses = Plot::new(
            "Loss",
            Axis::linear("step"),
            Axis::log("mean squared error").between(1e-3, 1e3),
        );
        let mut norms =
            Plot::new("Gradient", Axis::linear("step"), Axis::log("norm before clipping"));
        for (series, (name, run)) in
            [("without clipping", without), ("with clipping", with)].into_iter().enumerate()
        {
            losses = losses.with(Layer::line(name, series, points(&run.losses, 0)));
            norms = norms.with(Layer::line(name, series, points(&run.norms, 0)));
        }
        losses = losses.with(Layer::Reference {
            label: "remembers nothing".to_owned(),
            at: Place::Y(1.0),
            color: Color::Neutral,
        });
        norms = norms.with(Layer::Reference {
            label: "clipped to this".to_owned(),
            at: Place::Y(self.recurrent_norm),
            color: Color::Neutral,
        });
        findings.figures.push(Figure {
            name: "clipping".to_owned(),
            title: format!("A recurrent network that must remember {} steps", self.memory),
            caption: "One step along an exploded gradient throws the weights far away. Clipping keeps the step short, \
                      and the direction."
                .to_owned(),
            panels: vec![Panel::Plot(losses), Panel::Plot(norms)],
            columns: 2,
        });
        let header = ["run", "step", "value"];
        let runs = [("without clipping", without), ("with clipping", with)];
        let series = |values: fn(&Run) -> &Vec<f64>| {
            runs.map(|(name, run)| (name.to_owned(), values(run).clone()))
        };
        findings.data.extend([
            series_file("losses", &header, 0, series(|run| &run.losses)),
            series_file("gradient-norms", &header, 0, series(|run| &run.norms)),
        ]);
    }
}

fn summary(name: &str, norms: &[f64]) -> Vec<String> {
    let least = norms.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = norms.iter().copied().fold(0.0, f64::max);
    let mean = norms.iter().sum::<f64>() / norms.len().max(1) as f64;
    let numbers = [least, mean, greatest].map(|norm| format!("{norm:.4}"));
    std::iter::once(name.to_owned()).chain(numbers).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab() -> ExplodingGradients {
        ExplodingGradients {
            norm: 5.0,
            length: 1000,
            deviation: 10.0,
            memory: 50,
            recurrent_norm: 1.0,
            learning_rate: 0.01,
            steps: 200,
            seed: 42,
        }
    }

    #[test]
    fn clipping_keeps_directions_and_lets_a_network_remember() {
        let findings = lab().run(&mut Silent).unwrap();
        assert_eq!(findings.claims.len(), 9);
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
    }

    #[test]
    fn the_mean_norm_is_that_of_the_chi_distribution() {
        // scipy.stats.chi(n).mean(), scipy 1.17.1
        for (length, mean) in [
            (1, 0.797_884_560_803),
            (2, 1.253_314_137_316),
            (10, 3.084_327_759_800),
            (1_000, 31.614_871_896_968),
        ] {
            assert!((mean_norm(length) - mean).abs() < 1e-9 * mean, "{length}");
        }
    }

    #[test]
    fn other_options_are_no_error() {
        let lab =
            ExplodingGradients { length: 1, memory: 1, steps: 2, learning_rate: 1e30, ..lab() };
        assert!(lab.run(&mut Silent).is_ok());
    }
}
