//! What each learner does in an environment, beside the optimum there.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::QLearning;
use super::environment::Environment;
use super::learning::{Learner, Method, Rate};
use super::value_iteration::{Optimum, Score, greatest, score};

/// The learners, in the order of the figures.
pub(super) const LEARNERS: [&str; 6] = [
    "Q-learning, ε constant",
    "Q-learning",
    "Q-learning, α falling",
    "SARSA",
    "expected SARSA",
    "double Q",
];

pub(super) const Q_LEARNING: usize = 1;
pub(super) const FALLING: usize = 2;
pub(super) const SARSA: usize = 3;
pub(super) const EXPECTED_SARSA: usize = 4;
pub(super) const DOUBLE_Q: usize = 5;

/// What one learner did.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace {
    /// The sum of rewards of every episode.
    pub returns: Vec<f64>,
    /// After how many episodes the entries of the following were taken.
    pub episodes: Vec<usize>,
    /// The root mean square distance of its values to the optimum.
    pub distances: Vec<f64>,
    /// The value it gives the start.
    pub start_values: Vec<f64>,
    /// What its greedy policy earns.
    pub scores: Vec<Score>,
    /// Its values at the end.
    pub q: Vec<f64>,
}

impl Trace {
    /// The returns of the last tenth of the episodes, at least of one.
    pub(super) fn last_returns(&self) -> &[f64] {
        let count = (self.returns.len() / 10).max(1).min(self.returns.len());
        &self.returns[self.returns.len() - count..]
    }

    /// The distance to the optimum at the end.
    pub(super) fn end_distance(&self) -> f64 {
        self.distances.last().copied().unwrap_or(f64::NAN)
    }
}

/// All of one environment.
pub(super) struct Results {
    /// The environment.
    pub environment: Environment,
    /// Q*.
    pub optimum: Optimum,
    /// The values of the best policy that acts at random with probability ε.
    pub soft: Optimum,
    /// What each learner did.
    pub traces: Vec<Trace>,
}

impl QLearning {
    pub(super) fn learner(&self, learner: usize) -> Learner {
        let method = match learner {
            SARSA => Method::Sarsa,
            EXPECTED_SARSA => Method::ExpectedSarsa,
            DOUBLE_Q => Method::DoubleQ,
            _ => Method::QLearning,
        };
        let rate = self.learning_rate;
        Learner {
            method,
            rate: if learner == FALLING { Rate::Falling(rate) } else { Rate::Constant(rate) },
            first_epsilon: if learner == 0 { self.epsilon } else { 1.0 },
            last_epsilon: self.epsilon,
            gamma: self.gamma,
        }
    }

    /// Trains one learner and keeps what the figures show, at about 120 numbers of episodes that
    /// are evenly spaced on a logarithmic scale.
    pub(super) fn trace(
        &self,
        environment: &Environment,
        optimum: &Optimum,
        learner: usize,
    ) -> Trace {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(learner as u64);
        let weights = score(environment, &optimum.q, self.epsilon).visits;
        let mut trace = Trace::default();
        let mut next = 1.0;
        trace.returns =
            self.learner(learner).learn(environment, self.episodes, &mut random, |done, q| {
                if (done as f64) < next && done < self.episodes {
                    return;
                }
                next = done as f64 * (self.episodes as f64).powf(1.0 / 120.0);
                trace.episodes.push(done);
                trace.distances.push(distance(q, &optimum.q, &weights));
                trace.start_values.push(start_value(environment, q));
                trace.scores.push(score(environment, q, 0.0));
                if done == self.episodes {
                    q.clone_into(&mut trace.q);
                }
            });
        trace
    }
}

/// The root of the weighted mean of the squares of the differences.
pub(super) fn distance(q: &[f64], other: &[f64], weights: &[f64]) -> f64 {
    let differences = q.iter().zip(other).map(|(value, other)| (value - other).powi(2));
    let squares: f64 = differences.zip(weights).map(|(square, weight)| square * weight).sum();
    (squares / weights.iter().sum::<f64>()).sqrt()
}

/// The mean over the starts of the greatest value there.
pub(super) fn start_value(environment: &Environment, q: &[f64]) -> f64 {
    let value = |&start: &usize| greatest(&q[start * environment.actions..][..environment.actions]);
    environment.starts.iter().map(value).sum::<f64>() / environment.starts.len() as f64
}
