//! The optimum from the model: value iteration, and exact scores of policies.

use nalgebra::{DMatrix, DVector};

use super::environment::Environment;
use crate::training::mean;

/// Values of all actions in all states, `state * actions + action`, and how they were found.
#[derive(Debug, Clone)]
pub(super) struct Optimum {
    /// The values.
    pub q: Vec<f64>,
    /// The largest change of a value in every sweep.
    pub changes: Vec<f64>,
}

/// A sweep whose largest change is at most this is the last.
const TOLERANCE: f64 = 1e-12;

/// The fixed point of
///
/// ```text
/// Q(s,a) = Σ p (r + γ [(1 − ε) max Q(s′,·) + ε mean Q(s′,·)])
/// ```
///
/// for `epsilon` 0 the optimum Q* (Bellman's optimality equation; Sutton and Barto, section 4.4),
/// above it the values of the best of all policies that act at random with probability ε: what
/// SARSA and expected SARSA head for.
pub(super) fn value_iteration(environment: &Environment, gamma: f64, epsilon: f64) -> Optimum {
    let actions = environment.actions;
    let mut q = vec![0.0; environment.states * actions];
    let mut changes = vec![];
    while changes.len() < 100_000 {
        let values: Vec<f64> = q
            .chunks(actions)
            .map(|row| (1.0 - epsilon) * greatest(row) + epsilon * mean(row))
            .collect();
        let mut change: f64 = 0.0;
        for (index, entry) in q.iter_mut().enumerate() {
            let outcomes = environment.outcomes(index / actions, index % actions).iter();
            let new = outcomes
                .map(|outcome| {
                    let ahead = if outcome.terminated { 0.0 } else { gamma * values[outcome.next] };
                    outcome.probability * (outcome.reward + ahead)
                })
                .sum::<f64>();
            change = change.max((new - *entry).abs());
            *entry = new;
        }
        changes.push(change);
        if change <= TOLERANCE {
            break;
        }
    }
    Optimum { q, changes }
}

/// The greatest of a row of values.
pub(super) fn greatest(row: &[f64]) -> f64 {
    row.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The action of the greatest value; the first of those within 1e-9 of it.
pub(super) fn greedy(row: &[f64]) -> usize {
    let greatest = greatest(row);
    row.iter().position(|&value| value >= greatest - 1e-9).unwrap_or(0)
}

/// How likely every action is under the policy that is greedy by `q`, or at random with probability
/// `epsilon`.
fn policy(environment: &Environment, q: &[f64], epsilon: f64) -> Vec<f64> {
    let actions = environment.actions;
    let mut chances = vec![epsilon / actions as f64; q.len()];
    for (state, row) in q.chunks(actions).enumerate() {
        chances[state * actions + greedy(row)] += 1.0 - epsilon;
    }
    chances
}

/// The value of every state under the policy greedy by `q`, from its linear equations
/// `(1 − γ P) v = r`; `None` where they have no single solution.
pub(super) fn values_of_greedy(
    environment: &Environment,
    q: &[f64],
    gamma: f64,
) -> Option<Vec<f64>> {
    let states = environment.states;
    let mut equations = DMatrix::<f64>::identity(states, states);
    let mut rewards = DVector::<f64>::zeros(states);
    for (state, row) in q.chunks(environment.actions).enumerate() {
        for outcome in environment.outcomes(state, greedy(row)) {
            rewards[state] += outcome.probability * outcome.reward;
            if !outcome.terminated {
                equations[(state, outcome.next)] -= gamma * outcome.probability;
            }
        }
    }
    equations.lu().solve(&rewards).map(|values| values.as_slice().to_vec())
}

/// What a policy earns within the limit of steps of an episode.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Score {
    /// The probability of reaching the goal.
    pub success: f64,
    /// The mean of the sum of rewards, not discounted.
    pub episode_return: f64,
    /// How often each pair of state and action is met in an episode, on average.
    pub visits: Vec<f64>,
}

/// The exact score of the policy that is greedy by `q`, or at random with probability `epsilon`:
/// the probabilities of all states are carried forward from the starts, step by step.
pub(super) fn score(environment: &Environment, q: &[f64], epsilon: f64) -> Score {
    let actions = environment.actions;
    let chances = policy(environment, q, epsilon);
    let mut here = vec![0.0; environment.states];
    for &start in &environment.starts {
        here[start] += 1.0 / environment.starts.len() as f64;
    }
    let mut score = Score { success: 0.0, episode_return: 0.0, visits: vec![0.0; q.len()] };
    for _ in 0..environment.step_limit {
        let mut there = vec![0.0; environment.states];
        for (index, chance) in chances.iter().enumerate() {
            let weight = here[index / actions] * chance;
            if weight == 0.0 {
                continue;
            }
            score.visits[index] += weight;
            for outcome in environment.outcomes(index / actions, index % actions) {
                let probability = weight * outcome.probability;
                score.episode_return += probability * outcome.reward;
                if outcome.success {
                    score.success += probability;
                }
                if !outcome.terminated {
                    there[outcome.next] += probability;
                }
            }
        }
        here = there;
    }
    score
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;
    use crate::q_learning::environments::EnvironmentName;

    #[test]
    fn optima_and_scores_are_those_of_numpy_on_gymnasiums_tables() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../../tests/golden/lab_q_learning.json"))
                .unwrap();
        for case in golden["environments"].as_array().unwrap() {
            let name: EnvironmentName = serde_json::from_value(case["name"].clone()).unwrap();
            let environment = Environment::new(name, case["slippery"].as_bool());
            let close = |computed: f64, key: &str, tolerance: f64| {
                let expected = case[key].as_f64().unwrap();
                assert!(
                    (computed - expected).abs() < tolerance,
                    "{} {key}: {computed} {expected}",
                    environment.title
                );
            };
            let starts = |q: &[f64]| {
                let value = |&state: &usize| {
                    greatest(&q[state * environment.actions..][..environment.actions])
                };
                environment.starts.iter().map(value).sum::<f64>() / environment.starts.len() as f64
            };
            let optimum = value_iteration(&environment, 0.99, 0.0);
            close(starts(&optimum.q), "optimal_start_value", 1e-9);
            close(optimum.q.iter().sum(), "sum_of_q", 1e-5);
            let soft = value_iteration(&environment, 0.99, 0.1);
            close(starts(&soft.q), "soft_start_value", 1e-9);
            let optimal = score(&environment, &optimum.q, 0.0);
            close(optimal.success, "optimal_success", 1e-9);
            close(optimal.episode_return, "optimal_return", 1e-7);
            let soft = score(&environment, &soft.q, 0.1);
            close(soft.episode_return, "soft_return", 1e-7);
            // Every step is one visit.
            let rewards = (0..soft.visits.len()).map(|at| {
                let outcomes =
                    environment.outcomes(at / environment.actions, at % environment.actions);
                soft.visits[at]
                    * outcomes
                        .iter()
                        .map(|outcome| outcome.probability * outcome.reward)
                        .sum::<f64>()
            });
            close(rewards.sum(), "soft_return", 1e-7);
        }
    }
}
