//! The synthetic stand-in for California housing: districts drawn around two cities.
//!
//! With `N` a standard normal and `U` a uniform number, each district has
//!
//! ```text
//! city         c = (34.05, -118.25) with probability 0.6, else (37.60, -122.20)
//! distance     d = 1.2 |N|, in a direction drawn from all
//! Latitude       = c0 + d sin(direction),  Longitude = c1 + d cos(direction)
//! MedInc         = clip(exp(1.25 + 0.45 N - 0.15 d), 0.5, 15)
//! HouseAge       = clip(36 - 8 d + 10 N, 1, 52)
//! AveRooms       = 3.5 + 0.45 MedInc + 0.5 |N|
//! AveBedrms      = 1 + 0.15 |N|
//! AveOccup       = 2 + 1.2 U + 0.6 / MedInc
//! Population     = exp(7 + 0.7 N)
//! target         = clip(0.35 + 0.42 MedInc + 1.3 exp(-(d / 0.5)^2) + 0.006 HouseAge
//!                       - 0.35 (AveOccup - 2.8) + 0.25 (MedInc - 3) exp(-d) + 0.3 N, 0.15, 5)
//! ```
//!
//! So income explains most, as in the real data, and the rest needs the non-linear distance from
//! the cities: a linear model leaves what a network can still gain.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::{Inputs, Samples, Targets};

const SEED: u64 = 1990;

/// Draws so many districts.
pub(super) fn draw(districts: usize) -> Samples {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut inputs = Vec::with_capacity(districts * super::FEATURE_NAMES.len());
    let mut targets = Vec::with_capacity(districts);
    for _ in 0..districts {
        let (features, target) = district(&mut random);
        inputs.extend(features.map(|feature| feature as f32));
        targets.push(target as f32);
    }
    Samples {
        shape: vec![super::FEATURE_NAMES.len()],
        inputs: Inputs::Floats(inputs),
        targets: Targets::Values(targets),
    }
}

fn district(random: &mut ChaCha8Rng) -> ([f64; 8], f64) {
    let mut normal = || -> f64 { StandardNormal.sample(random) };
    let (distance, income, age) = (1.2 * normal().abs(), normal(), normal());
    let (rooms, bedrooms, population, noise) = (normal().abs(), normal().abs(), normal(), normal());
    let centre = if random.random_bool(0.6) { (34.05, -118.25) } else { (37.60, -122.20) };
    let (sine, cosine) = random.random_range(0.0..std::f64::consts::TAU).sin_cos();
    let crowding: f64 = random.random();

    let income = (1.25 + 0.45 * income - 0.15 * distance).exp().clamp(0.5, 15.0);
    let age = (36.0 - 8.0 * distance + 10.0 * age).clamp(1.0, 52.0);
    let occupants = 2.0 + 1.2 * crowding + 0.6 / income;
    let target = 0.35 + 0.42 * income + 1.3 * (-(distance / 0.5).powi(2)).exp() + 0.006 * age
        - 0.35 * (occupants - 2.8)
        + 0.25 * (income - 3.0) * (-distance).exp()
        + 0.3 * noise;
    let features = [
        income,
        age,
        3.5 + 0.45 * income + 0.5 * rooms,
        1.0 + 0.15 * bedrooms,
        (7.0 + 0.7 * population).exp(),
        occupants,
        centre.0 + distance * sine,
        centre.1 + distance * cosine,
    ];
    (features, target.clamp(0.15, 5.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stand_in_is_the_same_every_time_and_in_range() {
        let samples = draw(500);
        assert_eq!(samples, draw(500));
        assert!(matches!(&samples.targets, Targets::Values(values)
            if values.iter().all(|value| (0.15..=5.0).contains(value))));
        assert!(matches!(&samples.inputs, Inputs::Floats(values)
            if values.iter().all(|value| value.is_finite())));
    }
}
