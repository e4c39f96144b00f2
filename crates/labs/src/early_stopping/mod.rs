//! Early stopping: where each criterion stops an over-fitting run, and what that costs or saves.

mod claims;
mod criteria;
mod figures;
mod problem;
mod training;

use self::claims::check;
use self::criteria::{Family, Judged};
use self::figures::trade_off;
use self::training::Curves;
use super::options::{COUNT, between, not_empty};
use super::training::mean;
use super::{About, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme};
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// A network on a small noisy set, and criteria that stop it.
    pub struct EarlyStopping {
        /// Epochs of each run, from 20 to 5000
        epochs: usize = 300 => between!(20, 5000),
        /// Runs with data and weights of their own, from 1 to 100
        runs: usize = 8 => between!(1, 100),
        /// The learning rate of Adam
        learning_rate: f64 = 0.01 => POSITIVE,
        /// Epochs of patience, separated by commas
        patience: Vec<usize> = vec![5, 20, 50] => COUNT,
        /// The least improvement that counts, for each patience once more
        min_delta: f64 = 0.01 => POSITIVE,
        /// Thresholds of GL, in percent, separated by commas
        generalization_loss: Vec<f64> = vec![2.0, 5.0, 10.0, 20.0] => POSITIVE,
        /// Thresholds of PQ, separated by commas
        progress_quotient: Vec<f64> = vec![0.1, 0.3, 1.0] => POSITIVE,
        /// Numbers of strips of UP, separated by commas
        up: Vec<usize> = vec![2, 3, 4] => COUNT,
        /// Epochs of a strip
        strip: usize = 5 => COUNT,
        /// The seed of data, weights and order
        seed: u64 = 42,
    }
    check |lab| not_empty([
        ("patience", lab.patience.len()),
        ("generalization_loss", lab.generalization_loss.len()),
        ("progress_quotient", lab.progress_quotient.len()),
        ("up", lab.up.len()),
    ])
}

impl Lab for EarlyStopping {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "Early stopping",
        question: "When should training stop, and what does stopping too early or too late cost?",
        method: "A network with one hidden layer of 64 ReLU units is trained with Adam on 100 noisy samples: the \
training loss E_tr falls to the end, the validation loss E_va falls and then rises. Each criterion watches the \
losses, stops somewhere, and the weights of the best epoch so far are kept.

patience p, min delta δ: p epochs went by without an improvement of E_va by more than δ. This is the rule of \
`train`.

GL α, generalisation loss: the first epoch t with

    GL(t) = 100 (E_va(t) / min E_va − 1) > α

PQ α, generalisation loss by progress, over strips of k epochs: the first end of a strip with

    GL(t) / P(t) > α,   P(t) = 1000 (mean E_tr / min E_tr − 1) over the strip

UP s: the first end of a strip at which E_va has risen over each of the last s strips.

The cost of stopping early is the test loss of the weights kept, beyond that of the best epoch of the whole run; \
the saving is the epochs not trained. Prechelt found, over 12 tasks, that slower criteria give about 4% less \
test error for about four times the time.",
        sources: &[
            "L. Prechelt, Early stopping - but when?, in Neural Networks: Tricks of the Trade, 1998",
            "Keras, EarlyStopping, https://keras.io/api/callbacks/early_stopping",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let runs = self.runs;
        let mut curves = vec![];
        for run in 0..runs {
            progress.at(run, runs + 1, &format!("run {} of {runs}", run + 1));
            curves.push(self.train(self.seed.wrapping_add(run as u64))?);
        }
        progress.at(runs, runs + 1, "criteria");
        let families = self.families(&curves);
        let mut findings = Findings {
            sentences: self.tell(&curves, &families),
            claims: check(&curves, &families),
            tables: vec![self.table(&families)],
            ..Findings::default()
        };
        if let Some(first) = curves.first() {
            findings.figures =
                vec![self.stops(first, &families), self.quantities(first), trade_off(&families)];
        }
        findings.data = data(&curves, &families);
        Ok(findings)
    }
}

impl EarlyStopping {
    fn tell(&self, curves: &[Curves], families: &[Family]) -> Vec<String> {
        let best = curves.iter().map(|run| (run.best(run.epochs()) + 1) as f64);
        let best = mean(&best.collect::<Vec<_>>());
        let waste = curves
            .iter()
            .map(|run| run.test[run.epochs() - 1] / run.test[run.best(run.epochs())] - 1.0);
        let waste = mean(&waste.collect::<Vec<_>>());
        let mut sentences = vec![format!(
            "The best epoch is {best:.0} on average; after all {} epochs the test loss is {:.0}% above that of the best.",
            self.epochs,
            100.0 * waste
        )];
        let judged = families.iter().flat_map(|family| &family.judged);
        let within = judged.filter(|judged| judged.mean_excess() <= 0.01);
        if let Some(found) = within.min_by(|a, b| a.mean_epoch().total_cmp(&b.mean_epoch())) {
            sentences.push(format!(
                "The quickest criterion within 1% of the best test loss is {}, after {:.0} epochs on average.",
                found.criterion.name(),
                found.mean_epoch()
            ));
        }
        let first = families.iter().filter_map(|family| family.judged.first());
        if let Some(found) = first.min_by(|a, b| a.mean_epoch().total_cmp(&b.mean_epoch())) {
            sentences.push(format!(
                "The hastiest, {}, stops after {:.0} epochs and costs {:.1}% of test loss.",
                found.criterion.name(),
                found.mean_epoch(),
                100.0 * found.mean_excess()
            ));
        }
        sentences
    }

    fn table(&self, families: &[Family]) -> FindingsTable {
        let row = |judged: &Judged| {
            vec![
                judged.criterion.name(),
                format!("{} of {}", judged.stopped, judged.epochs.len()),
                format!("{:.1}", judged.mean_epoch()),
                format!("{:.0}%", 100.0 * (1.0 - judged.mean_epoch() / self.epochs as f64)),
                format!("{:.2}%", 100.0 * judged.mean_excess()),
                format!(
                    "{:.2}%",
                    100.0 * judged.excess.iter().copied().fold(f64::NEG_INFINITY, f64::max)
                ),
            ]
        };
        FindingsTable::new(
            "What each criterion saves and costs, over all runs",
            &[
                "criterion",
                "runs stopped",
                "mean epoch of the stop",
                "epochs saved",
                "test loss beyond the best, mean",
                "worst run",
            ],
            families.iter().flat_map(|family| &family.judged).map(row).collect(),
        )
    }
}

fn data(curves: &[Curves], families: &[Family]) -> Vec<DataFile> {
    let epochs = curves.iter().enumerate().flat_map(|(index, run)| {
        (0..run.epochs()).map(move |epoch| {
            let losses = [&run.training, &run.validation, &run.test].map(|losses| losses[epoch]);
            let mut row = vec![index as f64, (epoch + 1) as f64];
            row.extend(losses);
            row
        })
    });
    let stops = families.iter().flat_map(|family| &family.judged).flat_map(|judged| {
        let runs = judged.epochs.iter().zip(&judged.excess).enumerate();
        runs.map(|(run, (epoch, excess))| {
            vec![judged.criterion.name(), run.to_string(), epoch.to_string(), excess.to_string()]
        })
    });
    vec![
        DataFile::of_numbers("curves", &["run", "epoch", "loss", "val_loss", "test_loss"], epochs),
        DataFile {
            name: "stops".to_owned(),
            header: ["criterion", "run", "epoch", "test_loss_excess"].map(str::to_owned).to_vec(),
            rows: stops.collect(),
        },
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::problem::Split;
    use super::*;
    use crate::Silent;

    fn lab(seed: u64) -> EarlyStopping {
        EarlyStopping {
            epochs: 300,
            runs: 2,
            learning_rate: 0.01,
            patience: vec![20, 5],
            min_delta: 0.01,
            generalization_loss: vec![1.0, 5.0],
            progress_quotient: vec![0.1, 3.0],
            up: vec![2, 6],
            strip: 5,
            seed,
        }
    }

    #[test]
    fn runs_over_fit_and_thresholds_are_ordered() {
        let findings = lab(42).run(&mut Silent).unwrap();
        // All but the last are certain for any runs; the last is a mean over more of them.
        let (_, certain) = findings.claims.split_last().unwrap();
        assert!(certain.iter().all(|claim| claim.holds), "{certain:#?}");
        assert_eq!(findings.tables[0].rows.len(), 10);
        assert_eq!(findings.tables[0].rows[0][0], "patience 5");
    }

    #[test]
    fn a_run_depends_on_its_seed_alone() {
        let lab = EarlyStopping { epochs: 20, ..lab(7) };
        let (a, b) = (lab.train(7).unwrap(), lab.train(7).unwrap());
        assert_eq!(a.validation, b.validation);
        assert_ne!(a.validation, lab.train(8).unwrap().validation);
    }

    #[test]
    fn the_noise_is_the_floor_of_the_test_loss() {
        // The variance of the noise is 0.25, and the targets' 1.2: Var sin 2X = (1 − e⁻⁸)/2, plus ¼,
        // ¼ and ¼.
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let split = Split::draw(20_000, &mut random);
        let targets = split.targets.iter().map(|&target| f64::from(target));
        let variance = targets.clone().map(|target| target * target).sum::<f64>() / 20_000.0;
        assert!((variance - 1.2498).abs() < 0.05, "{variance}");
    }
}
