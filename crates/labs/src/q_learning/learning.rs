//! Temporal-difference learning of action values from single steps, without the model.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::environment::Environment;
use super::value_iteration::greatest;
use crate::training::mean;

/// What a value is moved towards after a step from `s` by `a` to `s′` with reward r.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// `r + γ max Q(s′,·)` (Watkins 1989).
    QLearning,
    /// `r + γ Q(s′,a′)` for the action a′ that is taken next (Rummery and Niranjan 1994).
    Sarsa,
    /// `r + γ [(1 − ε) max Q(s′,·) + ε mean Q(s′,·)]` (van Seijen et al. 2009).
    ExpectedSarsa,
    /// `r + γ B(s′, argmax A(s′,·))` for one of two tables A, B by the toss of a coin (van Hasselt
    /// 2010).
    DoubleQ,
}

/// The learning rate of a pair of state and action at its nth update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rate {
    /// Always the same.
    Constant(f64),
    /// α c / (c + n) with c = [`SEARCH`]: its sum diverges, that of its squares does not.
    Falling(f64),
}

/// After how many updates a falling rate has halved.
const SEARCH: f64 = 1000.0;

impl Rate {
    fn at(self, update: u32) -> f64 {
        match self {
            Self::Constant(rate) => rate,
            Self::Falling(rate) => rate * SEARCH / (SEARCH + f64::from(update)),
        }
    }
}

/// How to learn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Learner {
    /// The target.
    pub method: Method,
    /// The learning rate.
    pub rate: Rate,
    /// The probability of a random action in the first episode; it falls linearly and reaches
    /// `last_epsilon` in the middle of training.
    pub first_epsilon: f64,
    /// The probability of a random action in the second half.
    pub last_epsilon: f64,
    /// The discount of what comes a step later.
    pub gamma: f64,
}

impl Learner {
    fn epsilon(&self, episode: usize, episodes: usize) -> f64 {
        let left = (1.0 - 2.0 * episode as f64 / episodes as f64).max(0.0);
        self.last_epsilon + (self.first_epsilon - self.last_epsilon) * left
    }

    /// Lives `episodes`, from values of 0, and returns the sum of rewards of each; `watch` sees the
    /// number of episodes done and the values (of double Q the mean of both tables) after each.
    /// An episode that is cut off by the limit of steps is no end: its last target looks ahead.
    pub(super) fn learn(
        &self,
        environment: &Environment,
        episodes: usize,
        random: &mut ChaCha8Rng,
        mut watch: impl FnMut(usize, &[f64]),
    ) -> Vec<f64> {
        let actions = environment.actions;
        let mut q = vec![0.0; environment.states * actions];
        let mut tables = [q.clone(), q.clone()];
        let mut updates = vec![0_u32; q.len()];
        let mut returns = Vec::with_capacity(episodes);
        for episode in 0..episodes {
            let epsilon = self.epsilon(episode, episodes);
            let mut state = environment.start(random);
            let mut planned = None;
            let mut sum = 0.0;
            for _ in 0..environment.step_limit {
                let row = |state: usize| state * actions..(state + 1) * actions;
                let action = match planned.take() {
                    Some(action) => action,
                    None => choose(&q[row(state)], epsilon, random),
                };
                let outcome = environment.step(state, action, random);
                sum += outcome.reward;
                let at = row(state).start + action;
                let coin = usize::from(self.method == Method::DoubleQ && random.random::<bool>());
                let ahead = if outcome.terminated {
                    0.0
                } else {
                    let next = &q[row(outcome.next)];
                    match self.method {
                        Method::QLearning => greatest(next),
                        Method::ExpectedSarsa => {
                            (1.0 - epsilon) * greatest(next) + epsilon * mean(next)
                        }
                        Method::Sarsa => {
                            let action = choose(next, epsilon, random);
                            planned = Some(action);
                            next[action]
                        }
                        Method::DoubleQ => {
                            let best = choose(&tables[coin][row(outcome.next)], 0.0, random);
                            tables[1 - coin][row(outcome.next).start + best]
                        }
                    }
                };
                let rate = self.rate.at(updates[at]);
                updates[at] = updates[at].saturating_add(1);
                let target = outcome.reward + self.gamma * ahead;
                if self.method == Method::DoubleQ {
                    tables[coin][at] += rate * (target - tables[coin][at]);
                    q[at] = f64::midpoint(tables[0][at], tables[1][at]);
                } else {
                    q[at] += rate * (target - q[at]);
                }
                if outcome.terminated {
                    break;
                }
                state = outcome.next;
            }
            returns.push(sum);
            watch(episode + 1, &q);
        }
        returns
    }
}

/// A random action with probability `epsilon`, else one of the greatest value, by lot among equals.
fn choose(row: &[f64], epsilon: f64, random: &mut ChaCha8Rng) -> usize {
    if epsilon > 0.0 && random.random::<f64>() < epsilon {
        return random.random_range(0..row.len());
    }
    let mut best = 0;
    let mut equals = 1;
    for action in 1..row.len() {
        if row[action] > row[best] {
            (best, equals) = (action, 1);
        } else if row[action] >= row[best] {
            equals += 1;
            if random.random_range(0..equals) == 0 {
                best = action;
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;
    use crate::q_learning::environments::EnvironmentName;
    use crate::q_learning::value_iteration::value_iteration;

    fn distance(method: Method, epsilon: f64, goal: f64) -> f64 {
        let lake = Environment::new(EnvironmentName::FrozenLake4x4, Some(false));
        let learner = Learner {
            method,
            rate: Rate::Constant(0.5),
            first_epsilon: epsilon,
            last_epsilon: epsilon,
            gamma: 0.9,
        };
        let optimum = value_iteration(&lake, 0.9, goal);
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut last = vec![];
        learner.learn(&lake, 20_000, &mut random, |_, q| last = q.to_vec());
        lake.reachable()
            .into_iter()
            .flat_map(|state| state * 4..state * 4 + 4)
            .map(|at| (last[at] - optimum.q[at]).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn without_chance_each_method_finds_its_fixed_point() {
        // Q-learning and double Q the optimum even from random actions; expected SARSA the values
        // of the best policy with as many random actions.
        assert!(distance(Method::QLearning, 0.9, 0.0) < 1e-6);
        assert!(distance(Method::DoubleQ, 0.9, 0.0) < 1e-6);
        assert!(distance(Method::ExpectedSarsa, 0.5, 0.5) < 1e-6);
        // The next action of SARSA is left to chance: only near it.
        assert!(distance(Method::Sarsa, 0.5, 0.5) < 0.5);
    }

    #[test]
    fn equal_values_are_chosen_equally_often() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let mut counts = [0_i32; 4];
        for _ in 0..9000 {
            counts[choose(&[1.0, 0.0, 1.0, 1.0], 0.0, &mut random)] += 1;
        }
        assert!(counts[1] == 0 && [0, 2, 3].iter().all(|&at| (counts[at] - 3000).abs() < 250));
    }
}
