//! `Taxi`: a passenger to be fetched and brought to one of four places.

use super::environment::{Environment, Outcome};
use super::steps::{DOWN, LEFT, RIGHT, Step, UP, moved};

/// The walls of Taxi: a move between two cells passes where there is a colon between them.
pub(super) const TAXI_MAP: [&[u8; 11]; 5] =
    [b"|R: | : :G|", b"| : | : : |", b"| : : : : |", b"| | : | : |", b"|Y| : |B: |"];

/// Where passengers wait and want to go: red, green, yellow, blue.
pub(super) const TAXI_PLACES: [(usize, usize); 4] = [(0, 0), (0, 4), (4, 0), (4, 3)];

/// The passenger's place while in the taxi.
pub(super) const IN_TAXI: usize = 4;

pub(super) fn taxi_moved(place: (usize, usize), step: Step) -> (usize, usize) {
    let open = |at: usize| TAXI_MAP[place.0][at] == b':';
    match step {
        RIGHT if !open(2 * place.1 + 2) => place,
        LEFT if !open(2 * place.1) => place,
        _ => moved(place, step, 5, 5),
    }
}

/// Taxi; in the rain a move that is possible goes astray to either side with a chance of 0.1 each.
pub(super) fn taxi(rainy: bool) -> Environment {
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
