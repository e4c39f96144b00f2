//! Simulated runs of a model, and what fits make of them.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::ConvergenceCurve;
use converge_diagnosis::{CurveFit, CurveModel, standard_errors_at};

pub(super) const MODELS: [CurveModel; 2] = [CurveModel::Exponential, CurveModel::PowerLaw];

/// A curve as it was seen.
pub(super) type Points = Vec<(f64, f64)>;

/// What was made of one simulated run.
pub(super) struct Simulated {
    /// The fit of the model that made it, and its two intervals of the floor.
    pub fit: CurveFit,
    pub linear: (f64, f64),
    pub profile: (f64, f64),
    /// Whether Akaike's criterion chose the model that made it.
    pub chosen: bool,
}

/// All runs of one model.
pub(super) struct Study {
    pub model: CurveModel,
    pub truth: [f64; 3],
    /// The first run, and its fits by both models.
    pub points: Points,
    pub fits: Vec<CurveFit>,
    pub runs: Vec<Simulated>,
    /// Runs that could not be fitted: they have no interval, and do not count as covered.
    pub failed: usize,
}

impl Study {
    pub(super) fn count(&self) -> usize {
        self.runs.len() + self.failed
    }

    /// The fraction of runs whose interval holds the true floor.
    pub(super) fn coverage(&self, interval: fn(&Simulated) -> (f64, f64)) -> f64 {
        let held = self.runs.iter().filter(|run| {
            let (low, high) = interval(run);
            (low..=high).contains(&self.truth[0])
        });
        held.count() as f64 / self.count() as f64
    }

    pub(super) fn chosen(&self) -> f64 {
        self.runs.iter().filter(|run| run.chosen).count() as f64 / self.count() as f64
    }

    /// The mean and the standard deviation of the floors that were found.
    pub(super) fn floors(&self) -> (f64, f64) {
        let count = self.runs.len() as f64;
        let mean = self.runs.iter().map(|run| run.fit.floor).sum::<f64>() / count;
        let squares = self.runs.iter().map(|run| (run.fit.floor - mean).powi(2)).sum::<f64>();
        (mean, (squares / (count - 1.0)).sqrt())
    }
}

/// What a fit of the first epochs says of the floor.
pub(super) struct Seen {
    pub epochs: usize,
    pub floor: f64,
    pub interval: (f64, f64),
}

impl ConvergenceCurve {
    pub(super) fn truth(&self, model: CurveModel) -> [f64; 3] {
        let rate = match model {
            CurveModel::Exponential => self.rate,
            CurveModel::PowerLaw => self.exponent,
        };
        [self.floor, self.amplitude, rate]
    }

    pub(super) fn simulate(&self, model: CurveModel, random: &mut ChaCha8Rng) -> Points {
        let truth = self.truth(model);
        let point = |epoch: usize| {
            let time = epoch as f64;
            let noise: f64 = StandardNormal.sample(random);
            (time, model.value(truth, time) + self.noise * noise)
        };
        (1..=self.epochs).map(point).collect()
    }

    pub(super) fn study(&self, model: CurveModel) -> Study {
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
    pub(super) fn bound(&self, model: CurveModel) -> f64 {
        standard_errors_at(model, &self.truth(model), self.epochs, self.noise)[0]
    }

    /// The first run, fitted after ever more of its epochs.
    pub(super) fn sooner(&self, study: &Study) -> Vec<Seen> {
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
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
