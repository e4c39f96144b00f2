//! `FrozenLake` and `CliffWalking`: maps on which ice may lead astray.

use super::environment::{Environment, Map, Outcome};
use super::steps::{DOWN, LEFT, RIGHT, UP, moved, slips};

pub(super) fn frozen_lake(
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

pub(super) fn cliff_walking(slippery: bool) -> Environment {
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
