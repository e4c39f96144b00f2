//! Early stopping: where each criterion stops an over-fitting run, and what that costs or saves.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::options::{COUNT, between, not_empty};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number,
};
use converge_core::models::{InputSpec, MlpSettings, Model, ModelSettings};
use converge_core::optim::{Adam, OptimizerSettings};
use converge_core::train::{Descent, Objective as _};
use converge_diagnosis::{Criterion, generalization_losses, training_progress};
use converge_figures::figure::{Axis, Color, Figure, Layer, Panel, Place, Plot};
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

/// The mean squared errors of a run after every epoch.
struct Curves {
    training: Vec<f64>,
    validation: Vec<f64>,
    test: Vec<f64>,
}

impl Curves {
    /// The index of the least validation loss of the first `epochs`.
    fn best(&self, epochs: usize) -> usize {
        let losses = self.validation.iter().take(epochs).enumerate();
        losses.min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(index, _)| index)
    }

    fn epochs(&self) -> usize {
        self.validation.len()
    }
}

/// One criterion over all runs.
struct Judged {
    criterion: Criterion,
    /// The epoch after which each run was stopped: the last where none was.
    epochs: Vec<usize>,
    /// How many runs it stopped.
    stopped: usize,
    /// The test loss of the weights kept by that of the best epoch of the whole run, less 1.
    excess: Vec<f64>,
}

impl Judged {
    fn new(criterion: Criterion, curves: &[Curves], strip: usize) -> Self {
        let stops: Vec<Option<usize>> = curves
            .iter()
            .map(|run| criterion.stop(&run.training, &run.validation, strip))
            .collect();
        let epochs: Vec<usize> =
            stops.iter().zip(curves).map(|(stop, run)| stop.unwrap_or(run.epochs())).collect();
        let excess = curves.iter().zip(&epochs);
        let excess = excess.map(|(run, &epochs)| {
            run.test[run.best(epochs)] / run.test[run.best(run.epochs())] - 1.0
        });
        Self {
            criterion,
            excess: excess.collect(),
            stopped: stops.iter().flatten().count(),
            epochs,
        }
    }

    fn mean_epoch(&self) -> f64 {
        self.epochs.iter().sum::<usize>() as f64 / self.epochs.len() as f64
    }

    fn mean_excess(&self) -> f64 {
        mean(&self.excess)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Criteria that differ in their threshold alone, the fastest first.
struct Family {
    name: String,
    judged: Vec<Judged>,
}

/// Inputs and targets of one split.
struct Split {
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

const INPUTS: usize = 5;
const TRAINING: usize = 100;
const BATCH: usize = 20;

impl Split {
    /// y = sin 2x₁ + x₂ x₃ / 2 + x₄ / 2 + noise of standard deviation ½, from standard normal inputs;
    /// x₅ says nothing.
    fn draw(samples: usize, random: &mut ChaCha8Rng) -> Self {
        let mut split = Self { inputs: vec![], targets: vec![] };
        for _ in 0..samples {
            let x: [f32; INPUTS] = std::array::from_fn(|_| StandardNormal.sample(random));
            let noise: f32 = StandardNormal.sample(random);
            let target = (2.0 * x[0]).sin() + 0.5 * x[1] * x[2] + 0.5 * x[3] + 0.5 * noise;
            split.inputs.extend(x);
            split.targets.push(target);
        }
        split
    }

    /// The samples of `rows` as tensors `[rows, inputs]` and `[rows, 1]`.
    fn tensors(&self, rows: &[usize], device: &Device) -> [Tensor<2>; 2] {
        let inputs = rows.iter().flat_map(|&row| &self.inputs[row * INPUTS..(row + 1) * INPUTS]);
        let inputs: Vec<f32> = inputs.copied().collect();
        let targets: Vec<f32> = rows.iter().map(|&row| self.targets[row]).collect();
        [(inputs, INPUTS), (targets, 1)].map(|(values, columns)| {
            Tensor::from_data(TensorData::new(values, [rows.len(), columns]), device)
        })
    }
}

/// Draws the parameters of dense layers as PyTorch does, uniform in ±1/√inputs, from a generator of
/// its own: the device's is shared with whatever else runs.
struct Draw<'a> {
    random: &'a mut ChaCha8Rng,
    limit: f32,
}

impl ModuleMapper for Draw<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.val().dims();
        // A bias follows the weights of its layer, [inputs, outputs].
        if let [inputs, _] = shape.as_slice() {
            self.limit = (*inputs as f32).powf(-0.5);
        }
        let count = shape.iter().product();
        let values: Vec<f32> =
            (0..count).map(|_| self.random.random_range(-self.limit..self.limit)).collect();
        param.map(|old| {
            let fresh = Tensor::from_data(TensorData::new(values, shape), &old.device());
            fresh.set_require_grad(old.is_require_grad())
        })
    }
}

impl EarlyStopping {
    fn train(&self, seed: u64) -> Result<Curves, LabError> {
        let device = super::device()?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let [training, validation, test] =
            [TRAINING, TRAINING, 1000].map(|samples| Split::draw(samples, &mut random));
        let whole = [&training, &validation, &test]
            .map(|split| split.tensors(&(0..split.targets.len()).collect::<Vec<_>>(), &device));
        let on_tape = device.clone().autodiff();
        let settings =
            ModelSettings::Mlp(MlpSettings { hidden: vec![64], ..MlpSettings::default() });
        let model = settings.init(&InputSpec::of_shape(&[INPUTS]), 1, &on_tape);
        let model = model.map(&mut Draw { random: &mut random, limit: 1.0 });
        let adam = Adam { learning_rate: self.learning_rate, ..Adam::default() };
        let mut descent = Descent::new(model, &OptimizerSettings::Adam(adam));
        let loss = |model: &Model, [inputs, targets]: &[Tensor<2>; 2]| {
            mean_squared_error(model, inputs.clone(), targets.clone())
        };
        let mut order: Vec<usize> = (0..TRAINING).collect();
        let mut curves = Curves { training: vec![], validation: vec![], test: vec![] };
        for _ in 0..self.epochs {
            order.shuffle(&mut random);
            for rows in order.chunks(BATCH) {
                let batch = training.tensors(rows, &on_tape);
                let (_, gradients) = loss.gradients(&descent.model, &batch);
                descent = descent.step(self.learning_rate, gradients);
            }
            let evaluated = descent.model.valid();
            let mut losses = whole.iter().map(|[inputs, targets]| {
                let loss = mean_squared_error(&evaluated, inputs.clone(), targets.clone());
                loss.into_data().iter::<f64>().next().unwrap_or(f64::NAN)
            });
            for curve in [&mut curves.training, &mut curves.validation, &mut curves.test] {
                curve.extend(losses.next());
            }
            if curves.training.last().is_none_or(|loss| !loss.is_finite()) {
                return Err(LabError::NotFinite { what: "the training loss".to_owned() });
            }
        }
        Ok(curves)
    }

    fn families(&self, curves: &[Curves]) -> Vec<Family> {
        let sorted = |thresholds: &[f64]| {
            let mut thresholds = thresholds.to_vec();
            thresholds.sort_by(f64::total_cmp);
            thresholds
        };
        let whole = |thresholds: &[usize]| {
            let mut thresholds = thresholds.to_vec();
            thresholds.sort_unstable();
            thresholds
        };
        let patience = |min_delta: f64| {
            let of = |patience| Criterion::Patience { patience, min_delta };
            whole(&self.patience).into_iter().map(of).collect::<Vec<_>>()
        };
        let families: [(String, Vec<Criterion>); 5] = [
            ("patience".to_owned(), patience(0.0)),
            (format!("patience, min delta {}", self.min_delta), patience(self.min_delta)),
            (
                "GL".to_owned(),
                sorted(&self.generalization_loss)
                    .into_iter()
                    .map(Criterion::GeneralizationLoss)
                    .collect(),
            ),
            (
                "PQ".to_owned(),
                sorted(&self.progress_quotient)
                    .into_iter()
                    .map(Criterion::ProgressQuotient)
                    .collect(),
            ),
            ("UP".to_owned(), whole(&self.up).into_iter().map(Criterion::Up).collect()),
        ];
        families
            .into_iter()
            .map(|(name, criteria)| {
                let judge = |criterion| Judged::new(criterion, curves, self.strip);
                Family { name, judged: criteria.into_iter().map(judge).collect() }
            })
            .collect()
    }

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

    /// One run with a criterion of each family.
    fn stops(&self, run: &Curves, families: &[Family]) -> Figure {
        let points = |losses: &[f64]| {
            losses.iter().enumerate().map(|(index, &loss)| (index as f64 + 1.0, loss)).collect()
        };
        let mut plot = Plot::new("", Axis::linear("epoch"), Axis::log("mean squared error"))
            .with(Layer::line("training", 0, points(&run.training)))
            .with(Layer::line("validation", 1, points(&run.validation)))
            .with(Layer::line("test", 2, points(&run.test)));
        for family in families {
            // A minimal delta hardly moves the stop: its label would lie on that of patience.
            let Some(judged) = family.judged.get(family.judged.len() / 2).filter(|judged| {
                !matches!(judged.criterion, Criterion::Patience { min_delta, .. } if min_delta > 0.0)
            }) else {
                continue;
            };
            let stop = judged.criterion.stop(&run.training, &run.validation, self.strip);
            if let Some(stop) = stop {
                plot = plot.with(Layer::Reference {
                    label: judged.criterion.name(),
                    at: Place::X(stop as f64),
                    color: Color::Ink,
                });
            }
        }
        let best = run.best(run.epochs());
        plot = plot.with(Layer::points(
            "best epoch",
            3,
            vec![(best as f64 + 1.0, run.validation[best])],
        ));
        Figure {
            name: "stops".to_owned(),
            title: "An over-fitting run, and where criteria stop it".to_owned(),
            caption: "The training loss falls to the end; the validation loss turns. One criterion of each class is \
                      drawn, with a threshold from the middle of its list."
                .to_owned(),
            panels: vec![Panel::Plot(plot)],
            columns: 1,
        }
    }

    /// What the criteria of Prechelt look at, in the same run.
    fn quantities(&self, run: &Curves) -> Figure {
        let panel = |title: &str, label: &str, points: Vec<(f64, f64)>, thresholds: &[f64]| {
            let bottom = thresholds.iter().copied().fold(f64::INFINITY, f64::min);
            let finite = points.iter().map(|(_, value)| *value).filter(|value| value.is_finite());
            let top = finite.chain(thresholds.iter().copied()).fold(bottom, f64::max);
            // What is far below every threshold would take most of the panel.
            let axis = Axis::log(label).between(0.25 * bottom, 2.0 * top);
            let mut plot =
                Plot::new(title, Axis::linear("epoch"), axis).with(Layer::line("", 0, points));
            for threshold in thresholds {
                plot = plot.with(Layer::Reference {
                    label: number(*threshold),
                    at: Place::Y(*threshold),
                    color: Color::Neutral,
                });
            }
            Panel::Plot(plot)
        };
        let losses = generalization_losses(&run.validation);
        let strips: Vec<usize> =
            (1..=run.epochs()).filter(|epoch| epoch.is_multiple_of(self.strip)).collect();
        let quotients = strips.iter().map(|&epoch| {
            let quotient = losses[epoch - 1] / training_progress(&run.training, epoch, self.strip);
            (epoch as f64, quotient)
        });
        let by_epoch = losses.iter().enumerate().map(|(index, &loss)| (index as f64 + 1.0, loss));
        Figure {
            name: "quantities".to_owned(),
            title: "What the criteria look at".to_owned(),
            caption: "A criterion stops where its quantity first crosses its threshold. Early on, chance alone makes \
                      GL cross low thresholds; PQ forgives that while training progresses."
                .to_owned(),
            panels: vec![
                panel("Generalisation loss", "GL (%)", by_epoch.collect(), &self.generalization_loss),
                panel("By progress", "PQ", quotients.collect(), &self.progress_quotient),
            ],
            columns: 2,
        }
    }
}

fn check(curves: &[Curves], families: &[Family]) -> Vec<Claim> {
    let over_fits = |run: &Curves| {
        let (best, end) = (run.best(run.epochs()), run.epochs() - 1);
        run.validation[end] > 1.05 * run.validation[best]
            && run.training[end] < 0.5 * run.training[best]
    };
    let over_fitted = curves.iter().filter(|run| over_fits(run)).count();
    let mut claims = vec![Claim::that(
        "every run over-fits: the validation loss ends 5% above its least, the training loss at less than half of \
         what it was there",
        format!("{over_fitted} of {} runs", curves.len()),
        over_fitted == curves.len(),
    )];
    for family in families {
        let inversions = family.judged.windows(2).flat_map(|pair| {
            pair[0].epochs.iter().zip(&pair[1].epochs).filter(|(fast, slow)| slow < fast)
        });
        claims.push(Claim::at_most(
            format!("{}: a larger threshold never stops earlier (exceptions)", family.name),
            inversions.count() as f64,
            0.0,
        ));
    }
    let late = families[0].judged.iter().flat_map(|judged| {
        let Criterion::Patience { patience, .. } = judged.criterion else { return vec![] };
        let runs = judged.epochs.iter().zip(curves);
        runs.filter(|(epochs, run)| {
            **epochs < run.epochs() && **epochs != run.best(**epochs) + 1 + patience
        })
        .collect()
    });
    claims.push(Claim::at_most(
        "patience p stops p epochs after the best one (exceptions)",
        late.count() as f64,
        0.0,
    ));
    let ends = |slow: bool, value: fn(&Judged) -> f64| {
        let chosen = families
            .iter()
            .filter_map(|family| if slow { family.judged.last() } else { family.judged.first() });
        mean(&chosen.map(value).collect::<Vec<_>>())
    };
    claims.push(Claim::that(
        "slow criteria keep better weights than fast ones, as Prechelt found (mean over families and runs)",
        format!(
            "test loss {:.2}% beyond the best after {:.0} epochs, {:.2}% after {:.0}",
            100.0 * ends(true, Judged::mean_excess),
            ends(true, Judged::mean_epoch),
            100.0 * ends(false, Judged::mean_excess),
            ends(false, Judged::mean_epoch)
        ),
        ends(true, Judged::mean_excess) <= ends(false, Judged::mean_excess),
    ));
    claims
}

fn mean_squared_error(model: &Model, inputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    (model.forward(inputs) - targets).powi_scalar(2).mean()
}

fn trade_off(families: &[Family]) -> Figure {
    let mut plot = Plot::new(
        "",
        Axis::linear("mean epoch of the stop"),
        Axis::linear("mean test loss beyond the best (%)"),
    );
    for (series, family) in families.iter().enumerate() {
        let points: Vec<_> = family
            .judged
            .iter()
            .map(|judged| (judged.mean_epoch(), 100.0 * judged.mean_excess()))
            .collect();
        plot = plot.with(Layer::line("", series, points.clone()));
        plot = plot.with(Layer::points(&family.name, series, points));
    }
    Figure {
        name: "trade-off".to_owned(),
        title: "Time against quality".to_owned(),
        caption: "Each dot is a criterion, averaged over all runs; along a line its threshold grows. Down and to the \
                  left is better."
            .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
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
