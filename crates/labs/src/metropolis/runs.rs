//! The samplers run on the targets of the options, and what their draws are worth.

use burn::tensor::Device;

use super::Metropolis;
use super::samplers::{Chains, Hamiltonian, Length, random_walk};
use super::target::{Part, Target};
use crate::number;
use converge_metrics::chains::{
    bulk_effective_sample_size, effective_sample_size, rank_normalized_r_hat,
};

/// Some chains, and what they are worth.
pub(super) struct Run {
    /// The name of the sampler, short: `scale 0.5`.
    pub name: String,
    pub chains: Chains,
    /// The proposals' standard deviation; none for Hamiltonian Monte Carlo.
    pub scale: Option<f64>,
    pub mean: f64,
    pub r_hat: f64,
    /// Effective sample size for the mean.
    pub ess: f64,
    pub bulk_ess: f64,
}

impl Run {
    pub(super) fn new(name: String, scale: Option<f64>, chains: Chains) -> Self {
        let draws = &chains.draws;
        let count = draws.iter().map(Vec::len).sum::<usize>() as f64;
        Self {
            name,
            scale,
            mean: draws.iter().flatten().sum::<f64>() / count,
            r_hat: rank_normalized_r_hat(draws),
            ess: effective_sample_size(draws),
            bulk_ess: bulk_effective_sample_size(draws),
            chains,
        }
    }

    pub(super) fn draws(&self) -> f64 {
        self.chains.draws.iter().map(Vec::len).sum::<usize>() as f64
    }
}

/// The fraction of the right-hand mode of the mixture.
pub(super) const RIGHT: f64 = 0.7;

impl Metropolis {
    pub(super) fn length(&self) -> Length {
        Length { burn_in: self.burn_in, samples: self.samples }
    }

    pub(super) fn mixture(&self) -> Target {
        let part = |weight, mean| Part { weight, mean, deviation: 1.0 };
        Target { parts: vec![part(1.0 - RIGHT, -self.separation), part(RIGHT, self.separation)] }
    }

    /// Starts spread wider than the target, so that chains that have not arrived differ.
    pub(super) fn starts(&self, target: &Target) -> Vec<f64> {
        let (low, high) = target.extent(3.0);
        let fraction = |chain| (chain as f64 + 0.5) / self.chains as f64;
        (0..self.chains).map(|chain| low + (high - low) * fraction(chain)).collect()
    }

    pub(super) fn walk(&self, target: &Target, starts: &[f64], scale: f64) -> Run {
        let chains = random_walk(target, starts, scale, self.length(), self.seed);
        Run::new(format!("scale {}", number(scale)), Some(scale), chains)
    }

    pub(super) fn hamiltonian<'a>(&self, target: &'a Target, device: &Device) -> Hamiltonian<'a> {
        Hamiltonian {
            target,
            step: self.step_size,
            leaps: self.leapfrog_steps,
            device: device.clone(),
        }
    }

    pub(super) fn follow(&self, sampler: &Hamiltonian<'_>, starts: &[f64]) -> Run {
        Run::new("Hamiltonian".to_owned(), None, sampler.chains(starts, self.length(), self.seed))
    }
}
