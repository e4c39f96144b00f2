//! Random-walk Metropolis, and Hamiltonian Monte Carlo by autodiff.

use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::target::Target;
use crate::training::numbers;

/// Draws of several chains after burn-in, and how often their proposals were accepted.
pub(super) struct Chains {
    pub draws: Vec<Vec<f64>>,
    pub acceptance: f64,
}

/// How long a chain is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    /// Steps that are thrown away first.
    pub burn_in: usize,
    /// Draws that are kept.
    pub samples: usize,
}

/// A stream of random numbers of its own for every chain of a seed.
fn stream(seed: u64, chain: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(chain as u64);
    random
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}

/// Whether to accept at this difference of log-densities; NaN is never accepted.
pub(super) fn accepts(difference: f64, random: &mut ChaCha8Rng) -> bool {
    let uniform: f64 = random.random();
    uniform.ln() < difference
}

/// Random-walk Metropolis from every start, with proposals N(x, scale²).
pub(super) fn random_walk(
    target: &Target,
    starts: &[f64],
    scale: f64,
    length: Length,
    seed: u64,
) -> Chains {
    let mut accepted = 0;
    let mut chain = |(index, &start): (usize, &f64)| {
        let mut random = stream(seed, index);
        let (mut x, mut log_density) = (start, target.log_density(start));
        let mut draws = Vec::with_capacity(length.samples);
        for step in 0..length.burn_in + length.samples {
            let proposal = x + scale * normal(&mut random);
            let proposed = target.log_density(proposal);
            let accept = accepts(proposed - log_density, &mut random);
            if accept {
                (x, log_density) = (proposal, proposed);
            }
            if step >= length.burn_in {
                draws.push(x);
                accepted += usize::from(accept);
            }
        }
        draws
    };
    let draws = starts.iter().enumerate().map(&mut chain).collect();
    let acceptance = accepted as f64 / (starts.len() * length.samples) as f64;
    Chains { draws, acceptance }
}

/// Hamiltonian Monte Carlo (Neal, 2011) on a target whose gradient autodiff gives.
pub(super) struct Hamiltonian<'a> {
    pub target: &'a Target,
    /// Step size ε of the leapfrog integrator.
    pub step: f64,
    /// Leapfrog steps L of a proposal.
    pub leaps: usize,
    /// A device with autodiff.
    pub device: Device,
}

/// Places and momenta of all chains, with log-densities and their gradients at the places.
#[derive(Clone)]
pub(super) struct Phase {
    pub places: Vec<f64>,
    pub momenta: Vec<f64>,
    log_densities: Vec<f64>,
    gradients: Vec<f64>,
}

impl Phase {
    /// The total energy of chain `index`: −ln density + momentum² / 2.
    pub(super) fn energy(&self, index: usize) -> f64 {
        0.5 * self.momenta[index].powi(2) - self.log_densities[index]
    }
}

impl Hamiltonian<'_> {
    /// Log-densities and their gradients at `places`, all at once, in double precision.
    pub(super) fn log_densities(&self, places: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let places = Tensor::<1>::from_data(TensorData::from(places), (&self.device, DType::F64));
        let places = places.require_grad();
        let values = self.target.log_densities(&places);
        // Every value depends on its own place only, so the gradient of the sum has all of theirs.
        let gradients = values.clone().sum().backward();
        let gradients = places.grad(&gradients).map(numbers).unwrap_or_default();
        (numbers(values), gradients)
    }

    pub(super) fn phase(&self, places: &[f64], momenta: &[f64]) -> Phase {
        let (log_densities, gradients) = self.log_densities(places);
        Phase { places: places.to_vec(), momenta: momenta.to_vec(), log_densities, gradients }
    }

    /// L leapfrog steps of size ε: half a step of the momentum, a step of the place, half a step of
    /// the momentum.
    pub(super) fn trajectory(&self, mut phase: Phase, step: f64, leaps: usize) -> Phase {
        let kick = |momenta: &mut [f64], gradients: &[f64]| {
            for (momentum, gradient) in momenta.iter_mut().zip(gradients) {
                *momentum += 0.5 * step * gradient;
            }
        };
        for _ in 0..leaps {
            kick(&mut phase.momenta, &phase.gradients);
            for (place, momentum) in phase.places.iter_mut().zip(&phase.momenta) {
                *place += step * momentum;
            }
            (phase.log_densities, phase.gradients) = self.log_densities(&phase.places);
            kick(&mut phase.momenta, &phase.gradients);
        }
        phase
    }

    /// Chains from every start, all in one tensor.
    pub(super) fn chains(&self, starts: &[f64], length: Length, seed: u64) -> Chains {
        let mut streams: Vec<ChaCha8Rng> =
            (0..starts.len()).map(|chain| stream(seed, chain)).collect();
        let mut phase = self.phase(starts, &vec![0.0; starts.len()]);
        let mut draws = vec![Vec::with_capacity(length.samples); starts.len()];
        let mut accepted = 0;
        for step in 0..length.burn_in + length.samples {
            phase.momenta = streams.iter_mut().map(normal).collect();
            let end = self.trajectory(phase.clone(), self.step, self.leaps);
            for (chain, random) in streams.iter_mut().enumerate() {
                let accept = accepts(phase.energy(chain) - end.energy(chain), random);
                if accept {
                    phase.places[chain] = end.places[chain];
                    phase.log_densities[chain] = end.log_densities[chain];
                    phase.gradients[chain] = end.gradients[chain];
                }
                if step >= length.burn_in {
                    draws[chain].push(phase.places[chain]);
                    accepted += usize::from(accept);
                }
            }
        }
        let acceptance = accepted as f64 / (starts.len() * length.samples) as f64;
        Chains { draws, acceptance }
    }
}
