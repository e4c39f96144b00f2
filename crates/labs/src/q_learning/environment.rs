//! A finite Markov decision process as a table of what may happen.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

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
    /// What may follow, by state and action: `state * actions + action`.
    pub outcomes: Vec<Vec<Outcome>>,
}

impl Environment {
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
