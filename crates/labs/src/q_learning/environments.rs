//! Gymnasium's tabular environments as tables of what may happen: `FrozenLake`, `CliffWalking`, `Taxi`.
//!
//! States, actions, rewards and ends are numbered and defined as Gymnasium 1.4 does it (its tables
//! `P`), so that values and policies can be compared entry by entry.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

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

/// One thing that may follow an action.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    /// How likely it is.
    pub probability: f64,
    /// The state that follows.
    pub next: usize,
    /// The reward.
    pub reward: f64,
    /// Whether the episode ends.
    pub terminated: bool,
    /// Whether it ends as it should: on the goal, with the passenger delivered.
    pub success: bool,
}

/// The cells of an environment that is a map, row by row from the top.
#[derive(Debug, Clone)]
pub(super) struct Map {
    /// How many rows.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
    /// What each cell is: `S`tart, `G`oal, `H`ole, `C`liff or another letter for the rest.
    pub cells: Vec<u8>,
    /// An arrow for every action.
    pub arrows: [&'static str; 4],
}

/// A finite Markov decision process.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    /// The name as people read it.
    pub title: &'static str,
    /// How many states there are.
    pub states: usize,
    /// How many actions there are in every state.
    pub actions: usize,
    /// Where an episode may start, with equal chances.
    pub starts: Vec<usize>,
    /// After how many steps an episode is cut off. Gymnasium has no limit for `CliffWalking`; there
    /// it is 500, so that a policy that goes in circles ends.
    pub step_limit: usize,
    /// The map, where a state is a cell of one.
    pub map: Option<Map>,
    outcomes: Vec<Vec<Outcome>>,
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

    /// What may follow `action` in `state`; the probabilities sum to 1.
    pub(super) fn outcomes(&self, state: usize, action: usize) -> &[Outcome] {
        &self.outcomes[state * self.actions + action]
    }

    /// Whether it is a `FrozenLake`, where the only reward is for reaching the goal.
    pub(super) fn is_lake(&self) -> bool {
        self.title.starts_with("Frozen")
    }

    /// Whether the outcome of some action is left to chance.
    pub(super) fn is_random(&self) -> bool {
        self.outcomes.iter().any(|outcomes| {
            outcomes.iter().any(|outcome| {
                (outcome.next, outcome.terminated) != (outcomes[0].next, outcomes[0].terminated)
            })
        })
    }

    /// A start by chance.
    pub(super) fn start(&self, random: &mut ChaCha8Rng) -> usize {
        self.starts[random.random_range(0..self.starts.len())]
    }

    /// An outcome by chance.
    pub(super) fn step(&self, state: usize, action: usize, random: &mut ChaCha8Rng) -> Outcome {
        let outcomes = self.outcomes(state, action);
        let mut left: f64 = random.random();
        for &outcome in outcomes {
            left -= outcome.probability;
            if left < 0.0 {
                return outcome;
            }
        }
        outcomes[outcomes.len() - 1]
    }

    /// The states in which an episode can be before it ends, in order.
    pub(super) fn reachable(&self) -> Vec<usize> {
        let mut seen = vec![false; self.states];
        let mut open = self.starts.clone();
        while let Some(state) = open.pop() {
            if std::mem::replace(&mut seen[state], true) {
                continue;
            }
            for action in 0..self.actions {
                let going_on = self.outcomes(state, action).iter().filter(|next| !next.terminated);
                open.extend(going_on.map(|outcome| outcome.next));
            }
        }
        (0..self.states).filter(|&state| seen[state]).collect()
    }
}

type Step = (isize, isize);
const LEFT: Step = (0, -1);
const DOWN: Step = (1, 0);
const RIGHT: Step = (0, 1);
const UP: Step = (-1, 0);

/// A step on a map of `rows` by `columns`; its border holds back.
fn moved((row, column): (usize, usize), step: Step, rows: usize, columns: usize) -> (usize, usize) {
    (
        row.saturating_add_signed(step.0).min(rows - 1),
        column.saturating_add_signed(step.1).min(columns - 1),
    )
}

/// The action itself, or on ice also the two beside it, all equally likely.
fn slips(action: usize, slippery: bool) -> Vec<usize> {
    if slippery { vec![(action + 3) % 4, action, (action + 1) % 4] } else { vec![action] }
}

fn frozen_lake(
    title: &'static str,
    map: &[&str],
    slippery: bool,
    step_limit: usize,
) -> Environment {
    let cells: Vec<u8> = map.concat().into_bytes();
    let (rows, columns) = (map.len(), cells.len() / map.len());
    let steps = [LEFT, DOWN, RIGHT, UP];
    let mut outcomes = vec![];
    for state in 0..cells.len() {
        for action in 0..4 {
            if b"GH".contains(&cells[state]) {
                let stays = Outcome {
                    probability: 1.0,
                    next: state,
                    reward: 0.0,
                    terminated: true,
                    success: false,
                };
                outcomes.push(vec![stays]);
                continue;
            }
            let ways = slips(action, slippery);
            let probability = 1.0 / ways.len() as f64;
            let outcome = |way: usize| {
                let place = moved((state / columns, state % columns), steps[way], rows, columns);
                let next = place.0 * columns + place.1;
                let success = cells[next] == b'G';
                let terminated = b"GH".contains(&cells[next]);
                Outcome { probability, next, reward: f64::from(success), terminated, success }
            };
            outcomes.push(ways.into_iter().map(outcome).collect());
        }
    }
    let arrows = ["←", "↓", "→", "↑"];
    let map = Some(Map { rows, columns, cells, arrows });
    let states = rows * columns;
    Environment { title, states, actions: 4, starts: vec![0], step_limit, map, outcomes }
}

fn cliff_walking(slippery: bool) -> Environment {
    let (rows, columns) = (4, 12);
    let start = 3 * columns;
    let cells = format!("{}S{}G", "F".repeat(start), "C".repeat(10)).into_bytes();
    let steps = [UP, RIGHT, DOWN, LEFT];
    let mut outcomes = vec![];
    for state in 0..rows * columns {
        for action in 0..4 {
            let ways = slips(action, slippery);
            let probability = 1.0 / ways.len() as f64;
            let outcome = |way: usize| {
                let place = moved((state / columns, state % columns), steps[way], rows, columns);
                let cell = place.0 * columns + place.1;
                let falls = cells[cell] == b'C';
                let success = cells[cell] == b'G';
                Outcome {
                    probability,
                    next: if falls { start } else { cell },
                    reward: if falls { -100.0 } else { -1.0 },
                    terminated: success,
                    success,
                }
            };
            outcomes.push(ways.into_iter().map(outcome).collect());
        }
    }
    let map = Some(Map { rows, columns, cells, arrows: ["↑", "→", "↓", "←"] });
    Environment {
        title: "CliffWalking",
        states: rows * columns,
        actions: 4,
        starts: vec![start],
        step_limit: 500,
        map,
        outcomes,
    }
}

/// The walls of Taxi: a move between two cells passes where there is a colon between them.
const TAXI_MAP: [&[u8; 11]; 5] =
    [b"|R: | : :G|", b"| : | : : |", b"| : : : : |", b"| | : | : |", b"|Y| : |B: |"];

/// Where passengers wait and want to go: red, green, yellow, blue.
const TAXI_PLACES: [(usize, usize); 4] = [(0, 0), (0, 4), (4, 0), (4, 3)];

/// The passenger's place while in the taxi.
const IN_TAXI: usize = 4;

fn taxi_moved(place: (usize, usize), step: Step) -> (usize, usize) {
    let open = |at: usize| TAXI_MAP[place.0][at] == b':';
    match step {
        RIGHT if !open(2 * place.1 + 2) => place,
        LEFT if !open(2 * place.1) => place,
        _ => moved(place, step, 5, 5),
    }
}

/// Taxi; in the rain a move that is possible goes astray to either side with a chance of 0.1 each.
fn taxi(rainy: bool) -> Environment {
    let encode = |(row, column): (usize, usize), passenger: usize, destination: usize| {
        ((row * 5 + column) * 5 + passenger) * 4 + destination
    };
    let steps = [DOWN, UP, RIGHT, LEFT];
    let sides = [[RIGHT, LEFT], [LEFT, RIGHT], [UP, DOWN], [DOWN, UP]];
    let mut outcomes = vec![];
    let mut starts = vec![];
    for state in 0..500 {
        let place = (state / 100, state / 20 % 5);
        let (passenger, destination) = (state / 4 % 5, state % 4);
        if passenger != IN_TAXI && passenger != destination {
            starts.push(state);
        }
        let outcome = |probability, next, reward| Outcome {
            probability,
            next,
            reward,
            terminated: false,
            success: false,
        };
        for (step, sides) in steps.into_iter().zip(sides) {
            let to = |place, probability| {
                outcome(probability, encode(place, passenger, destination), -1.0)
            };
            let ahead = taxi_moved(place, step);
            outcomes.push(if !rainy {
                vec![to(ahead, 1.0)]
            } else if ahead == place {
                vec![to(place, 0.8), to(place, 0.1), to(place, 0.1)]
            } else {
                let [left, right] = sides.map(|side| taxi_moved(place, side));
                vec![to(ahead, 0.8), to(left, 0.1), to(right, 0.1)]
            });
        }
        let waits_here = passenger != IN_TAXI && place == TAXI_PLACES[passenger];
        outcomes.push(vec![if waits_here {
            outcome(1.0, encode(place, IN_TAXI, destination), -1.0)
        } else {
            outcome(1.0, state, -10.0)
        }]);
        let here = TAXI_PLACES.iter().position(|&at| at == place && passenger == IN_TAXI);
        outcomes.push(vec![match here {
            Some(at) if at == destination => Outcome {
                terminated: true,
                success: true,
                ..outcome(1.0, encode(place, at, destination), 20.0)
            },
            Some(at) => outcome(1.0, encode(place, at, destination), -1.0),
            None => outcome(1.0, state, -10.0),
        }]);
    }
    Environment {
        title: "Taxi",
        states: 500,
        actions: 6,
        starts,
        step_limit: 200,
        map: None,
        outcomes,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

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
