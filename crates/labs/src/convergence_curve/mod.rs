//! The convergence curve: where a loss is going, from what was seen of it.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::options::between;
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number,
};
use converge_diagnosis::{CurveFit, CurveModel, standard_errors_at};
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Place, Plot};
use converge_settings::ranges::{FINITE, FRACTION, POSITIVE};
use converge_settings::settings;

settings! {
    /// Curves that level off, under noise, and what fits say of their floor.
    pub struct ConvergenceCurve {
        /// Epochs seen, from 10 to 2000
        epochs: usize = 100 => between!(10, 2000),
        /// The floor L∞ of both curves
        floor: f64 = 0.3 => FINITE,
        /// The amplitude a
        amplitude: f64 = 2.0 => POSITIVE,
        /// The rate b of the exponential, by epoch
        rate: f64 = 0.05 => POSITIVE,
        /// The exponent b of the power law
        exponent: f64 = 0.7 => POSITIVE,
        /// The standard deviation of the noise
        noise: f64 = 0.03 => POSITIVE,
        /// Simulated runs of each model, from 20 to 5000
        simulations: usize = 200 => between!(20, 5000),
        /// The level of the intervals
        level: f64 = 0.95 => FRACTION,
        /// The seed of the noise
        seed: u64 = 42,
    }
}

impl Lab for ConvergenceCurve {
    const ABOUT: About = About {
        theme: Theme::Gradients,
        title: "The convergence curve",
        question: "Where will this loss level off, and how sure can one be before it has?",
        method: "Two models of how a loss approaches its floor L∞ are fitted by least squares:

    L(t) = L∞ + a exp(−bt)

    L(t) = L∞ + a t⁻ᵇ

For a fixed b both are linear in L∞ and a, so that b alone is searched for (variable projection), and Levenberg and \
Marquardt's method finishes. With n points, residuals of variance s² = S / (n − 3) and the matrix J of \
derivatives, the covariance of the parameters is s² (JᵀJ)⁻¹. Two intervals of the floor follow:

linear: L∞ ± t · standard error, with Student's t of n − 3 degrees of freedom;

profile: all L for which the best fit with the floor at L has a sum of squares S(L) with

    S(L) − S ≤ s² t²

The first takes the curve for linear in its parameters, the second does not. A 95% interval is right if it holds the \
true floor in 95% of runs: the runs are simulated, with independent normal noise, to count. Akaike's criterion, \
corrected for small samples, chooses between the models.",
        sources: &[
            "G. H. Golub, V. Pereyra, The differentiation of pseudo-inverses and nonlinear least squares \
             problems whose variables separate, 1973",
            "D. M. Bates, D. G. Watts, Nonlinear Regression Analysis and Its Applications, 1988, chapters 2 and 6",
            "J. Hestness et al., Deep learning scaling is predictable, empirically, 2017, \
             https://arxiv.org/abs/1712.00409",
            "T. Domhan, J. T. Springenberg, F. Hutter, Speeding up automatic hyperparameter optimization of deep \
             neural networks by extrapolation of learning curves, 2015",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let mut findings = Findings::default();
        let mut studies = vec![];
        for (index, model) in MODELS.into_iter().enumerate() {
            progress.at(index, 3, &format!("{} runs of the {}", self.simulations, model.name()));
            studies.push(self.study(model));
        }
        progress.at(2, 3, "how soon the floor is known");
        findings.claims = studies.iter().flat_map(|study| self.check(study)).collect();
        findings.sentences = studies.iter().map(|study| self.tell(study)).collect();
        findings.tables = vec![first_fits(&studies), self.coverage(&studies)];
        let sooner: Vec<Vec<Seen>> = studies.iter().map(|study| self.sooner(study)).collect();
        findings.figures =
            vec![self.fits(&studies), self.intervals(&studies), self.how_soon(&studies, &sooner)];
        findings.data = data(&studies, &sooner);
        Ok(findings)
    }
}

const MODELS: [CurveModel; 2] = [CurveModel::Exponential, CurveModel::PowerLaw];

/// A curve as it was seen.
type Points = Vec<(f64, f64)>;

/// What was made of one simulated run.
struct Simulated {
    /// The fit of the model that made it, and its two intervals of the floor.
    fit: CurveFit,
    linear: (f64, f64),
    profile: (f64, f64),
    /// Whether Akaike's criterion chose the model that made it.
    chosen: bool,
}

/// All runs of one model.
struct Study {
    model: CurveModel,
    truth: [f64; 3],
    /// The first run, and its fits by both models.
    points: Points,
    fits: Vec<CurveFit>,
    runs: Vec<Simulated>,
    /// Runs that could not be fitted: they have no interval, and do not count as covered.
    failed: usize,
}

impl Study {
    fn count(&self) -> usize {
        self.runs.len() + self.failed
    }

    /// The share of runs whose interval holds the true floor.
    fn coverage(&self, interval: fn(&Simulated) -> (f64, f64)) -> f64 {
        let held = self.runs.iter().filter(|run| {
            let (low, high) = interval(run);
            (low..=high).contains(&self.truth[0])
        });
        held.count() as f64 / self.count() as f64
    }

    fn chosen(&self) -> f64 {
        self.runs.iter().filter(|run| run.chosen).count() as f64 / self.count() as f64
    }

    /// The mean and the standard deviation of the floors that were found.
    fn floors(&self) -> (f64, f64) {
        let count = self.runs.len() as f64;
        let mean = self.runs.iter().map(|run| run.fit.floor).sum::<f64>() / count;
        let squares = self.runs.iter().map(|run| (run.fit.floor - mean).powi(2)).sum::<f64>();
        (mean, (squares / (count - 1.0)).sqrt())
    }
}

/// What a fit of the first epochs says of the floor.
struct Seen {
    epochs: usize,
    floor: f64,
    interval: (f64, f64),
}

impl ConvergenceCurve {
    fn truth(&self, model: CurveModel) -> [f64; 3] {
        let rate = match model {
            CurveModel::Exponential => self.rate,
            CurveModel::PowerLaw => self.exponent,
        };
        [self.floor, self.amplitude, rate]
    }

    fn simulate(&self, model: CurveModel, random: &mut ChaCha8Rng) -> Points {
        let truth = self.truth(model);
        let point = |epoch: usize| {
            let time = epoch as f64;
            let noise: f64 = StandardNormal.sample(random);
            (time, model.value(truth, time) + self.noise * noise)
        };
        (1..=self.epochs).map(point).collect()
    }

    fn study(&self, model: CurveModel) -> Study {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(u64::from(model == CurveModel::PowerLaw));
        let points = self.simulate(model, &mut random);
        let fits = |points: &Points| -> Vec<CurveFit> {
            MODELS.into_iter().filter_map(|model| CurveFit::new(model, points).ok()).collect()
        };
        let mut study = Study {
            model,
            truth: self.truth(model),
            fits: fits(&points),
            points,
            runs: vec![],
            failed: 0,
        };
        for index in 0..self.simulations {
            let drawn =
                if index == 0 { study.points.clone() } else { self.simulate(model, &mut random) };
            let fits = fits(&drawn);
            let best = fits
                .iter()
                .min_by(|a, b| a.information_criterion().total_cmp(&b.information_criterion()));
            let chosen = best.is_some_and(|fit| fit.model == model);
            match fits.into_iter().find(|fit| fit.model == model) {
                Some(fit) => study.runs.push(Simulated {
                    linear: fit.linear_interval(self.level),
                    profile: fit.interval(&drawn, self.level),
                    fit,
                    chosen,
                }),
                None => study.failed += 1,
            }
        }
        study
    }

    /// The standard error of the floor that (JᵀJ)⁻¹ gives at the true parameters: no unbiased estimate
    /// varies less (Cramér and Rao).
    fn bound(&self, model: CurveModel) -> f64 {
        standard_errors_at(model, &self.truth(model), self.epochs, self.noise)[0]
    }

    fn check(&self, study: &Study) -> Vec<Claim> {
        let name = study.model.name();
        let count = study.count() as f64;
        // Three standard deviations of a share of so many runs.
        let tolerance = 3.0 * (self.level * (1.0 - self.level) / count).sqrt();
        let mut claims = vec![Claim::close(
            format!(
                "{name}: the share of profile intervals that hold the true floor is their level"
            ),
            study.coverage(|run| run.profile),
            self.level,
            tolerance,
        )];
        let bound = self.bound(study.model);
        if study.runs.len() > 1 && bound.is_finite() {
            let (_, deviation) = study.floors();
            claims.push(Claim::close(
                format!(
                    "{name}: floors that are found vary as Cramér and Rao's bound says (standard deviation by bound)"
                ),
                deviation / bound,
                1.0,
                // Three standard deviations of a standard deviation, and a tenth for the curvature.
                3.0 / (2.0 * count).sqrt() + 0.1,
            ));
        }
        claims
    }

    fn tell(&self, study: &Study) -> String {
        let (mean, deviation) = study.floors();
        format!(
            "{}: over {} runs of {} epochs the floor, {}, is found as {mean:.4} ± {deviation:.4}; {:.1}% of profile \
             intervals at {}% hold it, of linear ones {:.1}%; the right model is chosen in {:.0}%.",
            capital(study.model.name()),
            study.count(),
            self.epochs,
            self.floor,
            100.0 * study.coverage(|run| run.profile),
            number(100.0 * self.level),
            100.0 * study.coverage(|run| run.linear),
            100.0 * study.chosen()
        )
    }

    fn coverage(&self, studies: &[Study]) -> FindingsTable {
        let row = |study: &Study| {
            let (mean, deviation) = study.floors();
            let share = |share: f64| format!("{:.1}%", 100.0 * share);
            vec![
                study.model.name().to_owned(),
                study.count().to_string(),
                study.failed.to_string(),
                format!("{mean:.5}"),
                format!("{deviation:.5}"),
                format!("{:.5}", self.bound(study.model)),
                share(study.coverage(|run| run.profile)),
                share(study.coverage(|run| run.linear)),
                share(study.chosen()),
            ]
        };
        FindingsTable::new(
            &format!("Simulated runs: floor {}, level {}%", self.floor, number(100.0 * self.level)),
            &[
                "model",
                "runs",
                "not fitted",
                "mean floor",
                "standard deviation",
                "Cramér-Rao bound",
                "profile intervals hold it",
                "linear ones",
                "model chosen right",
            ],
            studies.iter().map(row).collect(),
        )
    }

    /// The first run, fitted after ever more of its epochs.
    fn sooner(&self, study: &Study) -> Vec<Seen> {
        let all = study.points.len();
        let step = (all / 20).max(1);
        let seen = |epochs: usize| {
            let points = &study.points[..epochs];
            let fit = CurveFit::new(study.model, points).ok()?;
            let interval = fit.interval(points, self.level);
            Some(Seen { epochs, floor: fit.floor, interval })
        };
        (step..=all).step_by(step).filter(|&epochs| epochs >= 5).filter_map(seen).collect()
    }

    fn fits(&self, studies: &[Study]) -> Figure {
        let panel = |study: &Study| {
            let last = self.epochs as f64;
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for (_, loss) in &study.points {
                (low, high) = (low.min(*loss), high.max(*loss));
            }
            let low = low.min(self.floor) - 0.1 * (high - low);
            let mut plot = Plot::new(
                &format!("Made by the {}", study.model.name()),
                Axis::linear("epoch"),
                Axis::linear("loss").between(low, high),
            );
            if let Some(run) = study.runs.first() {
                let (bottom, top) = run.profile;
                plot = plot.with(Layer::Band {
                    name: format!("floor, {}% interval", number(100.0 * self.level)),
                    points: vec![
                        (1.0, bottom.max(low), top.min(high)),
                        (2.0 * last, bottom.max(low), top.min(high)),
                    ],
                    color: Color::Series(2),
                });
            }
            plot = plot.with(Layer::Points {
                name: "seen".to_owned(),
                points: study.points.clone(),
                color: Color::Neutral,
                radius: 2.0,
            });
            for (series, fit) in study.fits.iter().enumerate() {
                let times = Grid::even(1.0, 2.0 * last, 400);
                let points = times.into_iter().map(|time| (time, fit.value(time))).collect();
                plot =
                    plot.with(Layer::line(&format!("{} fitted", fit.model.name()), series, points));
            }
            let floor = Place::Y(self.floor);
            plot = plot.with(Layer::Reference {
                label: "true floor".to_owned(),
                at: floor,
                color: Color::Ink,
            });
            Panel::Plot(plot.with(Layer::Reference {
                label: "last epoch seen".to_owned(),
                at: Place::X(last),
                color: Color::Neutral,
            }))
        };
        Figure {
            name: "fits".to_owned(),
            title: "Noisy curves, fitted and extrapolated to twice the epochs".to_owned(),
            caption: "The wrong model is sure of a wrong floor; one that cannot bend as the curve does is left out. The \
                      interval is that of the right model."
                .to_owned(),
            panels: studies.iter().map(panel).collect(),
            columns: 2,
        }
    }

    /// Intervals of up to 100 runs, sorted by their estimate: those that miss stand out.
    fn intervals(&self, studies: &[Study]) -> Figure {
        let panel = |study: &Study| {
            let mut runs: Vec<&Simulated> = study.runs.iter().take(100).collect();
            runs.sort_by(|a, b| a.fit.floor.total_cmp(&b.fit.floor));
            let holds =
                |run: &Simulated| run.profile.0 <= self.floor && self.floor <= run.profile.1;
            let bars = |held: bool| {
                let chosen = runs.iter().enumerate().filter(move |(_, run)| holds(run) == held);
                chosen
                    .flat_map(|(index, run)| {
                        let x = index as f64;
                        // An interval is a line; the point without a value parts it from the next.
                        [(x, run.profile.0), (x, run.profile.1), (x, f64::NAN)]
                    })
                    .collect()
            };
            Panel::Plot(
                Plot::new(
                    &format!(
                        "{}: {:.1}% of {} hold it",
                        capital(study.model.name()),
                        100.0 * study.coverage(|run| run.profile),
                        study.count()
                    ),
                    Axis::linear("run, sorted by its estimate"),
                    Axis::linear("floor L∞"),
                )
                .with(Layer::line("holds the true floor", 0, bars(true)))
                .with(Layer::line("misses it", 1, bars(false)))
                .with(Layer::Reference {
                    label: "true floor".to_owned(),
                    at: Place::Y(self.floor),
                    color: Color::Ink,
                }),
            )
        };
        Figure {
            name: "intervals".to_owned(),
            title: format!("{}% intervals of the floor, run by run", number(100.0 * self.level)),
            caption:
                "Up to a hundred of the simulated runs. About one in twenty should miss at 95%."
                    .to_owned(),
            panels: studies.iter().map(panel).collect(),
            columns: 2,
        }
    }

    fn how_soon(&self, studies: &[Study], sooner: &[Vec<Seen>]) -> Figure {
        let panel = |(study, seen): (&Study, &Vec<Seen>)| {
            let first = study.points.first().map_or(1.0, |(_, loss)| *loss);
            let reach = (first - self.floor).abs();
            let (low, high) = (self.floor - reach, self.floor + reach);
            let band = seen.iter().map(|seen| {
                let (bottom, top) = seen.interval;
                (seen.epochs as f64, bottom.clamp(low, high), top.clamp(low, high))
            });
            let line = seen.iter().map(|seen| (seen.epochs as f64, seen.floor)).collect();
            Panel::Plot(
                Plot::new(
                    &capital(study.model.name()),
                    Axis::linear("epochs seen"),
                    Axis::linear("floor L∞").between(low, high),
                )
                .with(Layer::Band {
                    name: format!("{}% interval", number(100.0 * self.level)),
                    points: band.collect(),
                    color: Color::Series(0),
                })
                .with(Layer::line("floor", 0, line))
                .with(Layer::Points {
                    name: "loss seen".to_owned(),
                    points: study.points.clone(),
                    color: Color::Neutral,
                    radius: 1.5,
                })
                .with(Layer::Reference {
                    label: "true floor".to_owned(),
                    at: Place::Y(self.floor),
                    color: Color::Ink,
                }),
            )
        };
        Figure {
            name: "how-soon".to_owned(),
            title: "How soon the floor is known".to_owned(),
            caption: "The floor by the epochs seen so far. Until the curve bends clearly, the interval says that nothing \
                      is known yet."
                .to_owned(),
            panels: studies.iter().zip(sooner).map(panel).collect(),
            columns: 2,
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn first_fits(studies: &[Study]) -> FindingsTable {
    let rows = studies.iter().flat_map(|study| {
        let best =
            study.fits.iter().map(CurveFit::information_criterion).fold(f64::INFINITY, f64::min);
        study.fits.iter().map(move |fit| {
            let errors = fit.standard_errors();
            let with_error = |value: f64, error: f64| format!("{value:.4} ± {error:.4}");
            vec![
                study.model.name().to_owned(),
                fit.model.name().to_owned(),
                with_error(fit.floor, errors[0]),
                with_error(fit.amplitude, errors[1]),
                with_error(fit.rate, errors[2]),
                format!("{:.4}", fit.noise()),
                format!("{:.1}", fit.information_criterion() - best),
            ]
        })
    });
    FindingsTable::new(
        "The first run of each model, fitted by both (± standard error)",
        &["made by", "fitted", "floor L∞", "a", "b", "noise", "AICc beyond the best"],
        rows.collect(),
    )
}

fn data(studies: &[Study], sooner: &[Vec<Seen>]) -> Vec<DataFile> {
    let file = |name: &str, header: &[&str], rows: Vec<(usize, Vec<f64>)>| DataFile {
        name: name.to_owned(),
        header: std::iter::once("model").chain(header.iter().copied()).map(str::to_owned).collect(),
        rows: rows
            .into_iter()
            .map(|(study, numbers)| {
                let numbers = numbers.iter().map(f64::to_string);
                std::iter::once(MODELS[study].name().to_owned()).chain(numbers).collect()
            })
            .collect(),
    };
    let of = |rows: &dyn Fn(&Study) -> Vec<Vec<f64>>| -> Vec<(usize, Vec<f64>)> {
        let studies = studies.iter().enumerate();
        studies
            .flat_map(|(index, study)| rows(study).into_iter().map(move |row| (index, row)))
            .collect()
    };
    let points = of(&|study| study.points.iter().map(|&(time, loss)| vec![time, loss]).collect());
    let runs = of(&|study| {
        let row = |run: &Simulated| {
            let (linear, profile) = (run.linear, run.profile);
            vec![run.fit.floor, linear.0, linear.1, profile.0, profile.1]
        };
        study.runs.iter().map(row).collect()
    });
    let seen = sooner.iter().enumerate().flat_map(|(index, seen)| {
        let row = |seen: &Seen| {
            (index, vec![seen.epochs as f64, seen.floor, seen.interval.0, seen.interval.1])
        };
        seen.iter().map(row).collect::<Vec<_>>()
    });
    vec![
        file("curves", &["epoch", "loss"], points),
        file(
            "intervals",
            &["floor", "linear_low", "linear_high", "profile_low", "profile_high"],
            runs,
        ),
        file("how-soon", &["epochs", "floor", "low", "high"], seen.collect()),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab(seed: u64) -> ConvergenceCurve {
        ConvergenceCurve {
            epochs: 100,
            floor: 0.3,
            amplitude: 2.0,
            rate: 0.05,
            exponent: 0.7,
            noise: 0.03,
            simulations: 200,
            level: 0.95,
            seed,
        }
    }

    #[test]
    fn every_claim_holds_on_any_seed() {
        for seed in [42, 1, 2] {
            let findings = lab(seed).run(&mut Silent).unwrap();
            let failed: Vec<_> = findings.claims.iter().filter(|claim| !claim.holds).collect();
            assert!(failed.is_empty(), "seed {seed}: {failed:#?}");
        }
    }

    #[test]
    fn pure_noise_is_no_panic() {
        let lab = ConvergenceCurve { noise: 1e6, simulations: 20, epochs: 10, ..lab(1) };
        lab.run(&mut Silent).unwrap();
    }
}
