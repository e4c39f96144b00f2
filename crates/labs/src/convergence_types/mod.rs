//! Global, local and premature convergence of one small network.

mod claims;
mod figures;
mod runs;
mod xor;

use self::figures::{answers, curves, histogram};
use self::runs::{KNOWN, Kinds, Run, gradient_at};
use self::xor::{PARAMETERS, total};
use super::curvature::lanczos;
use super::options::{COUNT, between};
use super::{About, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme};
use converge_settings::ranges::{FRACTION, POSITIVE};
use converge_settings::settings;

settings! {
    /// XOR with two hidden units, from many starts.
    pub struct ConvergenceTypes {
        /// The learning rate
        learning_rate: f64 = 0.1 => POSITIVE,
        /// The momentum
        momentum: f64 = 0.9 => FRACTION,
        /// How many starts, from 20 to 1000
        starts: usize = 200 => between!(20, 1000),
        /// Steps from each, from 10 to 5000
        steps: usize = 1000 => between!(10, 5000),
        /// Steps without improvement after which the impatient run is stopped
        patience: usize = 10 => COUNT,
        /// What the impatient run calls an improvement of the loss
        min_delta: f64 = 0.005 => POSITIVE,
        /// The seed of the starts
        seed: u64 = 42,
    }
}

impl Lab for ConvergenceTypes {
    const ABOUT: About = About {
        theme: Theme::Landscapes,
        title: "Global, local and premature convergence",
        question: "A loss curve is flat: is this the best there is, the best nearby, or did it stop too soon?",
        method: "A network of two inputs, two hidden ReLU units and one output learns XOR by gradient descent on the \
mean squared error of all four points. The same network, the same data and the same optimizer converge in three \
ways:

global: the loss 0, which this network can reach: y = relu(x₁ + x₂) − 2 relu(x₁ + x₂ − 1);

local: a loss above 0 where the gradient is zero and no direction leads down. Where units are dead or see only \
some of the points, the best that is left is to fit these and to give the others their mean. With k points left, \
of which m have target 1, the loss is m (k − m) / 4k: for all four points 1/4, for three 1/6, for two 1/8;

premature: the loss stopped changing by more than the stopping rule's min_delta for its patience, but the \
gradient is not zero, and the same run continued goes down.

The curve alone does not tell them apart. The norm of the gradient separates premature from the others; the least \
eigenvalue of the Hessian, and kicks from which descent comes back, confirm a minimum; only other starts show that \
it was not the best one.",
        sources: &[
            "L. G. C. Hamey, XOR has no local minima: a case study in neural network error surface analysis, \
             Neural Networks 11, 1998",
            "G. Swirszcz, W. M. Czarnecki, R. Pascanu, Local minima in training of neural networks, 2016, \
             https://arxiv.org/abs/1611.06310",
            "L. Prechelt, Early stopping - but when?, 1998",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        progress.at(0, 3, "training from all starts");
        let runs = self.train()?;
        progress.at(1, 3, "kicks and curvature");
        let kinds = Kinds::choose(self, &runs);
        let mut findings = Findings {
            sentences: self.tell(&runs, &kinds),
            claims: self.check(&runs, &kinds)?,
            ..Findings::default()
        };
        progress.at(2, 3, "figures");
        findings.tables = vec![ends(&runs), self.compare(&kinds)?];
        findings.figures = vec![curves(&kinds), histogram(&runs)];
        findings.figures.extend(answers(&kinds)?);
        findings.data = data(&runs, &kinds);
        Ok(findings)
    }
}

impl ConvergenceTypes {
    fn tell(&self, runs: &[Run], kinds: &Kinds) -> Vec<String> {
        let count =
            |known: usize| runs.iter().filter(|run| run.known_loss() == Some(known)).count();
        let local: usize = (1..KNOWN.len()).map(count).sum();
        let mut sentences = vec![format!(
            "Of {} starts, {} reach the loss 0, and {local} end in a local minimum, with the same data and the same \
             optimizer.",
            runs.len(),
            count(0)
        )];
        let stopped = runs.iter().filter(|run| run.known_loss() == Some(0));
        let stopped = stopped
            .filter(|run| self.stopped(&run.losses).is_some_and(|step| run.losses[step] > 0.01));
        sentences.push(format!(
            "A patience of {} steps with a min_delta of {} would have stopped {} of the {} global runs at a loss above \
             0.01.",
            self.patience,
            self.min_delta,
            stopped.count(),
            count(0)
        ));
        if let Some((run, step)) = kinds.premature {
            sentences.push(format!(
                "The highest of these halts was at a loss of {:.4}, step {step}; continued, the same run reaches {:.1e}.",
                run.losses[step],
                run.loss()
            ));
        }
        sentences
    }

    /// The three runs side by side, by what tells them apart.
    fn compare(&self, kinds: &Kinds) -> Result<FindingsTable, LabError> {
        let mut rows = vec![];
        let last = |run: &Run| run.losses.len().saturating_sub(1);
        let chosen = [
            ("global", kinds.global.map(|run| (run, last(run)))),
            ("local", kinds.local.map(|run| (run, last(run)))),
            ("premature", kinds.premature),
        ];
        for (kind, chosen) in chosen {
            let Some((run, step)) = chosen else { continue };
            let spectrum = lanczos(total, &run.places[step], PARAMETERS, self.seed)?;
            rows.push(vec![
                kind.to_owned(),
                step.to_string(),
                format!("{:.2e}", run.losses[step]),
                format!("{:.2e}", gradient_at(run, step)?),
                format!("{:.2e}", spectrum.least()),
                format!("{:.2e}", spectrum.greatest()),
                format!("{:.2e}", run.loss()),
            ]);
        }
        Ok(FindingsTable::new(
            "What tells the three apart",
            &[
                "convergence",
                "step",
                "loss",
                "gradient norm",
                "least eigenvalue",
                "greatest eigenvalue",
                "loss after all steps",
            ],
            rows,
        ))
    }
}

fn ends(runs: &[Run]) -> FindingsTable {
    let whats =
        ["global minimum", "two points fitted", "one point fitted", "none fitted: the mean"];
    let count = |known: Option<usize>| runs.iter().filter(|run| run.known_loss() == known).count();
    let row = |loss: &str, what: &str, count: usize| {
        let fraction = 100.0 * count as f64 / runs.len() as f64;
        vec![loss.to_owned(), what.to_owned(), count.to_string(), format!("{fraction:.1}%")]
    };
    let known = KNOWN.iter().zip(whats).enumerate();
    let mut rows: Vec<_> =
        known.map(|(index, ((_, loss), what))| row(loss, what, count(Some(index)))).collect();
    rows.push(row("another", "still moving", count(None)));
    FindingsTable::new(
        "Where training ends, over all starts",
        &["loss", "what it is", "runs", "fraction"],
        rows,
    )
}

fn data(runs: &[Run], kinds: &Kinds) -> Vec<DataFile> {
    let ends = runs.iter().enumerate();
    let ends = ends.map(|(start, run)| vec![start as f64, run.loss(), run.gradient]);
    let chosen = [kinds.global, kinds.local, kinds.premature.map(|(run, _)| run)];
    let curves = chosen.into_iter().enumerate().flat_map(|(kind, run)| {
        let losses = run.map(|run| run.losses.as_slice()).unwrap_or_default();
        losses.iter().enumerate().map(move |(step, &loss)| vec![kind as f64, step as f64, loss])
    });
    vec![
        DataFile::of_numbers("ends", &["start", "loss", "gradient_norm"], ends),
        DataFile::of_numbers("curves", &["kind", "step", "loss"], curves),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use burn::tensor::Tensor;

    use super::runs::runs_of;
    use super::*;
    use crate::{Silent, descend};

    fn lab(seed: u64) -> ConvergenceTypes {
        ConvergenceTypes {
            learning_rate: 0.1,
            momentum: 0.9,
            starts: 200,
            steps: 1000,
            patience: 10,
            min_delta: 5e-3,
            seed,
        }
    }

    #[test]
    fn every_claim_holds_on_any_seed() {
        for seed in [42, 1, 3] {
            let findings = lab(seed).run(&mut Silent).unwrap();
            let failed: Vec<_> = findings.claims.iter().filter(|claim| !claim.holds).collect();
            assert!(failed.is_empty(), "seed {seed}: {failed:#?}");
        }
    }

    #[test]
    fn training_goes_as_in_pytorch() {
        let golden = include_str!("../../../../tests/golden/lab_convergence_types.json");
        let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
        let expected: Vec<Vec<f64>> = serde_json::from_value(golden["losses"].clone()).unwrap();
        let start: Vec<f64> = (0..6 * PARAMETERS).map(|i| 0.8 * (2.3 * i as f64).sin()).collect();
        let path = descend(total, &start, &lab(0).sgd(), 200).unwrap();
        let runs = runs_of(&path).unwrap();
        assert_eq!(expected.len(), 5);
        for (step, losses) in [0, 10, 50, 100, 200].into_iter().zip(expected) {
            assert_eq!(losses.len(), runs.len());
            for (run, loss) in runs.iter().zip(losses) {
                // Single precision here, double there.
                assert!(
                    (run.losses[step] - loss).abs() < 2e-5,
                    "step {step}: {}",
                    run.losses[step]
                );
            }
        }
    }

    #[test]
    fn the_network_can_be_xor_itself() {
        // relu(x₁ + x₂) − 2 relu(x₁ + x₂ − 1)
        let device = crate::device().unwrap();
        let exact = [1.0_f32, 1.0, 1.0, 1.0, 0.0, -1.0, 1.0, -2.0, 0.0];
        assert_eq!(total(Tensor::from_data(exact, &device)).into_scalar::<f32>(), 0.0);
    }

    #[test]
    fn a_rate_that_diverges_is_no_panic() {
        let _ = ConvergenceTypes { learning_rate: 1e20, ..lab(1) }.run(&mut Silent);
    }
}
