//! The synthetic stand-in for ratings, of the size of MovieLens 100K.
//!
//! Users and items come by Zipf's law with exponent 0.5, no pair twice. With `N` a standard normal
//! number drawn once per user `u`, item `i` and dimension, and `ε` one per rating,
//!
//! ```text
//! rating = clip(3 + 0.35 N_u + 0.40 N_i + 0.45 / √4 Σ₁⁴ N_ud N_id + 0.5 ε, 1, 5)
//! ```
//!
//! So the biases alone leave a root mean squared error of about 0.67, and no model can do better
//! than the noise: 0.5, or a little less, as one rating in fifty is clipped.

use std::collections::HashSet;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal, Zipf};

const SEED: u64 = 1998;
const USERS: usize = 943;
const ITEMS: usize = 1682;
const DIMENSIONS: usize = 4;
/// The exponent of Zipf's law.
const EXPONENT: f32 = 0.5;
/// Ratings drawn.
pub(crate) const RATINGS: usize = 100_000;
/// The ratings there can be.
pub(crate) const RANGE: [f32; 2] = [1.0, 5.0];

/// A drawn rating: the numbers of user and item, from 1, and the rating.
pub(crate) type Drawn = (usize, usize, f32);

/// Draws all ratings, in no particular order.
pub(crate) fn draw() -> Vec<Drawn> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let users = people(USERS, &mut random);
    let items = people(ITEMS, &mut random);
    let mut seen = HashSet::with_capacity(RATINGS);
    let mut drawn = Vec::with_capacity(RATINGS);
    while drawn.len() < RATINGS {
        let (user, item) = (zipf(USERS, &mut random), zipf(ITEMS, &mut random));
        let noise: f32 = StandardNormal.sample(&mut random);
        if !seen.insert((user, item)) {
            continue;
        }
        let ([user_bias, tastes @ ..], [item_bias, traits @ ..]) = (users[user], items[item]);
        let product: f32 = tastes.iter().zip(traits).map(|(taste, other)| taste * other).sum();
        let preference = 0.45 / (DIMENSIONS as f32).sqrt() * product;
        let rating = 3.0 + 0.35 * user_bias + 0.40 * item_bias + preference + 0.5 * noise;
        drawn.push((user + 1, item + 1, rating.clamp(RANGE[0], RANGE[1])));
    }
    drawn
}

/// A bias and a vector each, all standard normal.
fn people(count: usize, random: &mut ChaCha8Rng) -> Vec<[f32; 1 + DIMENSIONS]> {
    (0..count).map(|_| std::array::from_fn(|_| StandardNormal.sample(&mut *random))).collect()
}

/// A number below `count`, low ones more often.
fn zipf(count: usize, random: &mut ChaCha8Rng) -> usize {
    // Both parameters are constants in range.
    let rank = Zipf::new(count as f32, EXPONENT).map_or(1.0, |law| law.sample(random));
    (rank as usize).clamp(1, count) - 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_lossless)]

    use super::*;

    #[test]
    fn ratings_are_the_same_every_time_distinct_and_in_range() {
        let drawn = draw();
        assert_eq!(drawn, draw());
        assert_eq!(drawn.len(), RATINGS);
        let pairs: HashSet<_> = drawn.iter().map(|&(user, item, _)| (user, item)).collect();
        assert_eq!(pairs.len(), RATINGS);
        assert!(drawn.iter().all(|(user, item, rating)| {
            (1..=USERS).contains(user) && (1..=ITEMS).contains(item) && (1.0..=5.0).contains(rating)
        }));
        let clipped = drawn.iter().filter(|(.., rating)| *rating <= 1.0 || *rating >= 5.0).count();
        assert!((500..4_000).contains(&clipped), "{clipped}");
    }

    #[test]
    fn few_items_have_many_ratings() {
        let mut counts = vec![0_u32; ITEMS + 1];
        for (_, item, _) in draw() {
            counts[item] += 1;
        }
        assert!(counts[1] > 5 * counts[ITEMS / 2], "{} {}", counts[1], counts[ITEMS / 2]);
        assert!(counts[1..].iter().all(|count| *count > 0));
    }
}
