//! Gymnasium's tabular environments as tables of what may happen: `FrozenLake`, `CliffWalking`, `Taxi`.
//!
//! States, actions, rewards and ends are numbered and defined as Gymnasium 1.4 does it (its tables
//! `P`), so that values and policies can be compared entry by entry.

use super::environment::Environment;
use super::grid_worlds::{cliff_walking, frozen_lake};
use super::taxi::taxi;

use converge_settings::one_of;

one_of! {
    /// Which environment.
    pub enum EnvironmentName {
        /// A lake of 4 by 4 cells with four holes
        "frozen-lake-4x4" => FrozenLake4x4,
        /// A lake of 8 by 8 cells with ten holes
        "frozen-lake-8x8" => FrozenLake8x8,
        /// Along a cliff of 12 cells, or round it
        "cliff-walking" => CliffWalking,
        /// Fetch a passenger and bring them to one of four places
        "taxi" => Taxi,
    }
}

impl Environment {
    /// The environment of that name; `slippery` as Gymnasium's `is_slippery` (`is_rainy` of Taxi),
    /// by its default where none is given.
    pub(super) fn new(name: EnvironmentName, slippery: Option<bool>) -> Self {
        match name {
            EnvironmentName::FrozenLake4x4 => {
                let map = ["SFFF", "FHFH", "FFFH", "HFFG"];
                frozen_lake("FrozenLake 4×4", &map, slippery.unwrap_or(true), 100)
            }
            EnvironmentName::FrozenLake8x8 => {
                let map = [
                    "SFFFFFFF", "FFFFFFFF", "FFFHFFFF", "FFFFFHFF", "FFFHFFFF", "FHHFFFHF",
                    "FHFFHFHF", "FFFHFFFG",
                ];
                frozen_lake("FrozenLake 8×8", &map, slippery.unwrap_or(true), 200)
            }
            EnvironmentName::CliffWalking => cliff_walking(slippery.unwrap_or(false)),
            EnvironmentName::Taxi => taxi(slippery.unwrap_or(false)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// By `tests/golden/make_lab_q_learning.py`, from Gymnasium.
    fn golden() -> Value {
        serde_json::from_str(include_str!("../../../../tests/golden/lab_q_learning.json")).unwrap()
    }

    #[test]
    fn every_table_is_that_of_gymnasium() {
        for case in golden()["environments"].as_array().unwrap() {
            let name: EnvironmentName = serde_json::from_value(case["name"].clone()).unwrap();
            let environment = Environment::new(name, Some(case["slippery"].as_bool().unwrap()));
            let rows: Vec<[f64; 6]> = (0..environment.states)
                .flat_map(|state| (0..environment.actions).map(move |action| (state, action)))
                .flat_map(|(state, action)| {
                    environment.outcomes(state, action).iter().map(move |outcome| {
                        let terminated = f64::from(outcome.terminated);
                        let next = outcome.next as f64;
                        [
                            state as f64,
                            action as f64,
                            outcome.probability,
                            next,
                            outcome.reward,
                            terminated,
                        ]
                    })
                })
                .collect();
            assert_eq!(rows.len() as u64, case["count"].as_u64().unwrap(), "{name:?}");
            for kept in case["transitions"].as_array().unwrap() {
                let index = kept[0].as_u64().unwrap() as usize;
                for (column, value) in rows[index].iter().enumerate() {
                    let expected = kept[column + 1].as_f64().unwrap();
                    assert!((value - expected).abs() < 1e-12, "{name:?} {index} {column}");
                }
            }
            // Sums in which every entry has a weight of its own.
            for (column, expected) in case["checksums"].as_array().unwrap().iter().enumerate() {
                let sum: f64 = rows
                    .iter()
                    .enumerate()
                    .map(|(index, row)| row[column + 2] * (1 + index * 7 % 1009) as f64)
                    .sum();
                let expected = expected.as_f64().unwrap();
                assert!((sum - expected).abs() < 1e-6, "{name:?}: {sum} {expected}");
            }
            let starts: u64 = environment.starts.iter().map(|&start| start as u64).sum();
            assert_eq!(
                environment.starts.len() as u64,
                case["starts"].as_u64().unwrap(),
                "{name:?}"
            );
            assert_eq!(starts, case["sum_of_starts"].as_u64().unwrap(), "{name:?}");
        }
    }

    #[test]
    fn steps_fall_as_the_table_says() {
        let environment = Environment::new(EnvironmentName::FrozenLake4x4, None);
        let mut random: ChaCha8Rng = rand::SeedableRng::seed_from_u64(1);
        let mut counts = [0; 16];
        for _ in 0..30_000 {
            counts[environment.step(6, 1, &mut random).next] += 1;
        }
        // Down from state 6: 10, or astray to the holes 5 and 7; a third each.
        for state in [5, 7, 10] {
            assert!((counts[state] - 10_000_i32).abs() < 400, "{counts:?}");
        }
    }

    #[test]
    fn states_within_reach_are_those_gymnasium_documents() {
        let count = |name| Environment::new(name, None).reachable().len();
        // 11 cells without holes and goal; 53; 3 rows of 12 and the start; 400 of Taxi.
        assert_eq!(count(EnvironmentName::FrozenLake4x4), 11);
        assert_eq!(count(EnvironmentName::FrozenLake8x8), 53);
        assert_eq!(count(EnvironmentName::CliffWalking), 37);
        assert_eq!(count(EnvironmentName::Taxi), 400);
    }
}
