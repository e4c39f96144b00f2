//! What `adaptive-rates` claims: states and steps by the formulas, and what they do for rare features.

use super::state::{Trace, difference, sums};
use super::{ADAGRAD, ADAM, ADAMW, AdaptiveRates, RMSPROP, Runs, SGD, Traces};
use crate::Claim;
use crate::regression_problem::Training;

impl AdaptiveRates {
    /// The parameters after each step by the formula: those before it, shrunk by `decay`, less the
    /// effective rate times the direction.
    fn stepped(training: &Training, rates: &Trace, directions: &Trace, decay: f64) -> Trace {
        let step = |((before, rates), directions): ((&Vec<f64>, &Vec<f64>), &Vec<f64>)| {
            let parts = before.iter().zip(rates.iter().zip(directions));
            parts.map(|(w, (rate, direction))| w * (1.0 - decay) - rate * direction).collect()
        };
        training.parameters.iter().zip(rates).zip(directions).map(step).collect()
    }

    pub(super) fn state_claims(&self, runs: &Runs, traces: &Traces) -> Vec<Claim> {
        if runs.trainings.iter().any(|(_, training)| training.gradients.is_empty()) {
            return vec![];
        }
        let training = |index: usize| &runs.trainings[index].1;
        let [beta1, beta2] = self.adam().betas;
        let alpha = self.rmsprop().alpha;
        // Sums of thousands of numbers in single precision are good to about 1e-4.
        let same = |says: &str, found: &Trace, expected: &Trace, tolerance: f64| {
            let says = format!("{says} (largest relative difference)");
            Claim::at_most(says, difference(found, expected), tolerance)
        };
        let moments = |index, beta, power| sums(training(index), beta, 1.0 - beta, power);
        let mut claims = vec![
            same(
                "AdaGrad's state is Σ g²",
                &traces.sums,
                &sums(training(ADAGRAD), 1.0, 1.0, 2),
                2e-4,
            ),
            same(
                "RMSprop's state is the moving average of g²",
                &traces.squares,
                &moments(RMSPROP, alpha, 2),
                2e-4,
            ),
            same("Adam's first moment is that of g", &traces.first, &moments(ADAM, beta1, 1), 2e-4),
            same(
                "Adam's second moment is that of g²",
                &traces.second,
                &moments(ADAM, beta2, 2),
                2e-4,
            ),
        ];
        let corrected = |first: &Trace| -> Trace {
            let step = |(step, moments): (usize, &Vec<f64>)| {
                let correction = 1.0 - beta1.powf((step + 1) as f64);
                moments.iter().map(|moment| moment / correction).collect()
            };
            first.iter().enumerate().map(step).collect()
        };
        let decay = self.adam_rate * self.weight_decay;
        for (index, directions, decay, says) in [
            (ADAGRAD, training(ADAGRAD).gradients.clone(), 0.0, "AdaGrad: w ← w − η g/(√s + ε)"),
            (RMSPROP, training(RMSPROP).gradients.clone(), 0.0, "RMSprop: w ← w − η g/(√v + ε)"),
            (ADAM, corrected(&traces.first), 0.0, "Adam: w ← w − η m̂/(√v̂ + ε)"),
            (
                ADAMW,
                corrected(&traces.decoupled_first),
                decay,
                "AdamW: w ← (1 − ηλ) w − η m̂/(√v̂ + ε)",
            ),
        ] {
            let rates = self.rates(index, traces);
            let expected = Self::stepped(training(index), &rates, &directions, decay);
            let after = training(index).parameters.get(1..).unwrap_or_default().to_vec();
            // Weights are rounded to 6e-8 of themselves, and small ones move by more than they are.
            claims.push(same(&format!("{says} at every step"), &after, &expected, 1e-4));
        }
        let first: Vec<f64> =
            training(ADAM).parameters.iter().skip(1).take(1).flatten().copied().collect();
        let off = first.iter().map(|w| (w.abs() / self.adam_rate - 1.0).abs()).fold(0.0, f64::max);
        claims.push(Claim::at_most(
            "Adam's first step is η for every parameter (largest relative difference)",
            off,
            1e-3,
        ));
        let rates = self.rates(ADAGRAD, traces);
        let rises = rates.windows(2).map(|pair| {
            pair[0].iter().zip(&pair[1]).filter(|(before, after)| after > before).count()
        });
        claims.push(Claim::at_most(
            "AdaGrad's effective rates never rise (times that one does)",
            rises.sum::<usize>() as f64,
            0.0,
        ));
        claims
    }

    pub(super) fn sparse_claims(&self, runs: &Runs, traces: &Traces) -> Vec<Claim> {
        let curvature = runs.problem.hessian[(0, 0)];
        let plain = &runs.trainings[SGD].1;
        let expected = (1.0 - self.sgd_rate * curvature).powf(plain.gradients.len() as f64);
        let mut claims = vec![];
        let (_, sharpest) = runs.problem.curvatures();
        let stable = runs.problem.stationary_excess(self.sgd_rate, self.batch_size).is_some();
        if stable && self.sgd_rate * sharpest < 0.5 && expected > 0.05 {
            // The other weights and the noise of batches disturb it by a few percent.
            claims.push(Claim::close(
                "sparse features: plain descent has (1 − ηH₁₁)ᵗ of the rarest weight's error left",
                Self::left(runs, SGD),
                expected,
                0.05,
            ));
            // An adaptive step is about as long as its rate: fewer steps need not bring it far.
            let adaptive = [ADAGRAD, RMSPROP, ADAM].into_iter();
            for index in adaptive.filter(|_| plain.gradients.len() >= 1000) {
                claims.push(Claim::at_most(
                    format!(
                        "sparse features: {} leaves at most half of that (as a fraction of it)",
                        runs.trainings[index].0
                    ),
                    Self::left(runs, index) / Self::left(runs, SGD),
                    0.5,
                ));
            }
        }
        // √(H₅₅/H₁₁) would be the ratio if the errors behind all gradients were alike; a third allows
        // for those that are not. AdaGrad and Adam also remember the large gradients of the start.
        let expected = (runs.problem.hessian[(4, 4)] / curvature).sqrt();
        if runs.trainings[RMSPROP].1.gradients.len() >= 1000 {
            claims.push(Claim::at_least(
                "sparse features, RMSprop: the rarest weight has several times the rate of the weight \
                 that is always there (as a fraction of √(H₅₅/H₁₁))",
                self.advantage(RMSPROP, runs, traces) / expected,
                1.0 / 3.0,
            ));
        }
        claims
    }
}
