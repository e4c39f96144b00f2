//! Claims about how the samplers compute: the leapfrog integrator, and logarithms of densities.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::Metropolis;
use super::samplers::{Hamiltonian, accepts};
use super::target::Target;
use crate::{Claim, Findings};

impl Metropolis {
    /// The leapfrog integrator on the normal target: its gradient, its order, its way back.
    pub(super) fn judge_mechanics(&self, findings: &mut Findings, sampler: &Hamiltonian<'_>) {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut draw = || -> f64 { StandardNormal.sample(&mut random) };
        let places: Vec<f64> = (0..64).map(|_| self.mean + self.deviation * draw()).collect();
        let momenta: Vec<f64> = (0..64).map(|_| draw()).collect();
        let (_, gradients) = sampler.log_densities(&places);
        let closed = |x: &f64| (self.mean - x) / self.deviation.powi(2);
        let error = gradients.iter().zip(&places).map(|(found, x)| (found - closed(x)).abs());
        findings.claims.push(Claim::at_most(
            "autodiff's gradient of ln π is (μ − x)/σ² (largest difference, in units of 1/σ)",
            error.fold(0.0, f64::max) * self.deviation,
            1e-12,
        ));

        let start = sampler.phase(&places, &momenta);
        // A fifth of σ for every leap, over 2σ: well inside stability, and the same path at half of it.
        let step = 0.2 * self.deviation;
        let energy_error = |step: f64, leaps: usize| {
            let end = sampler.trajectory(start.clone(), step, leaps);
            (0..places.len())
                .map(|chain| (end.energy(chain) - start.energy(chain)).abs())
                .fold(0.0, f64::max)
        };
        findings.claims.push(Claim::close(
            "half the step size leaves a quarter of the energy error (order 2)",
            energy_error(step, 10) / energy_error(step / 2.0, 20),
            4.0,
            0.2,
        ));

        let mut end = sampler.trajectory(start.clone(), step, 10);
        end.momenta.iter_mut().for_each(|momentum| *momentum = -*momentum);
        let back = sampler.trajectory(end, step, 10);
        let distance = back.places.iter().zip(&places).map(|(found, x)| (found - x).abs());
        findings.claims.push(Claim::at_most(
            "a path run back with reversed momentum ends where it began (largest distance, in σ)",
            distance.fold(0.0, f64::max) / self.deviation,
            1e-12 * (1.0 + self.mean.abs() / self.deviation),
        ));
    }

    /// A chain that starts where the density is 0 in floating point, with densities and logarithms.
    pub(super) fn judge_logarithms(&self, findings: &mut Findings) {
        let target = Target::normal(self.mean, self.deviation);
        let start = self.mean + 60.0 * self.deviation;
        let steps = 1000;
        let walk = |by_logarithms: bool| {
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            let mut x = start;
            for step in 0..steps {
                let jump: f64 = StandardNormal.sample(&mut random);
                let proposal = x + self.deviation * jump;
                let [from, to] = [x, proposal].map(|x| target.log_density(x));
                let difference =
                    if by_logarithms { to - from } else { (to.exp() / from.exp()).ln() };
                if accepts(difference, &mut random) {
                    x = proposal;
                }
                if (x - self.mean).abs() < 3.0 * self.deviation {
                    return Some(step + 1);
                }
            }
            None
        };
        let text = |arrival: Option<usize>| match arrival {
            Some(step) => format!("arrives after {step} steps"),
            None => format!("does not arrive in {steps} steps"),
        };
        let (logarithms, densities) = (walk(true), walk(false));
        findings.claims.push(Claim::that(
            "from 60σ away, a walk by differences of log-densities arrives within 3σ; one by ratios of densities, \
             which are 0/0, does not",
            format!("by logarithms it {}, by ratios it {}", text(logarithms), text(densities)),
            logarithms.is_some() && densities.is_none(),
        ));
    }
}
