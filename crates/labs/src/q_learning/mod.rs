//! Learning to act from rewards: Q-learning and its kin, against the optimum by value iteration.

mod claims;
mod environment;
mod environments;
mod figures;
mod grid_worlds;
mod learning;
mod steps;
mod taxi;
mod traces;
mod value_iteration;

use self::environment::Environment;
pub use self::environments::EnvironmentName;
use self::traces::{FALLING, LEARNERS, Q_LEARNING, Results, SARSA, start_value};
use self::value_iteration::{Score, value_iteration};
use super::options::{COUNT, not_empty};
use super::training::mean;
use super::{About, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number};
use converge_settings::ranges::{FRACTION, POSITIVE_FRACTION};
use converge_settings::settings;

settings! {
    /// Q-learning, SARSA, expected SARSA and double Q on Gymnasium's tabular environments.
    pub struct QLearning {
        /// The environments, apart by commas
        #[one_of(EnvironmentName)]
        environment: Vec<EnvironmentName> = EnvironmentName::ALL.to_vec(),
        /// Whether the ground is slippery (in Taxi: whether it rains) [default: as Gymnasium has it: the
        /// lakes are, the others are not]
        slippery: Option<bool> = None,
        /// The learning rate α, above 0 to 1
        learning_rate: f64 = 0.1 => POSITIVE_FRACTION,
        /// The discount γ
        gamma: f64 = 0.99 => FRACTION,
        /// The probability ε of a random action; where it decays, the one it decays to
        epsilon: f64 = 0.1 => FRACTION,
        /// Episodes of training
        episodes: usize = 100_000 => COUNT,
        /// The seed of chance
        seed: u64 = 42,
    }
    check |lab| not_empty([("environment", lab.environment.len())])
}

impl Lab for QLearning {
    const ABOUT: About = About {
        theme: Theme::BeyondSupervisedLearning,
        title: "Q-learning and its kin",
        question: "How near do values learnt from rewards alone come to the optimum, and what do they cost on the way?",
        method: "The value Q(s,a) is the sum of discounted rewards that follow when action a is taken in state s and \
all goes for the best after. After a step to s′ with reward r a learner moves its value by the learning rate α \
towards a target:

    Q(s,a) ← Q(s,a) + α (target − Q(s,a))

    Q-learning: r + γ max Q(s′,·)

    SARSA: r + γ Q(s′,a′) for the action a′ taken next

    expected SARSA: r + γ [(1 − ε) max Q(s′,·) + ε mean Q(s′,·)]

    double Q: r + γ B(s′, argmax A(s′,·)) with two tables A and B that take turns by lot

It acts greedily, but at random with probability ε. ε is constant for one learner and falls in the first half of \
training from 1 to that constant for the others. One learner has a rate that falls with the number n of updates of \
a pair, α · 1000 / (1000 + n): what the theorem of Watkins and Dayan asks for.

The optimum Q* comes from the model by value iteration: Q ← Σ p (r + γ max Q) until nothing moves, each sweep \
shrinking the error at least by γ. SARSA heads for Q_ε instead, the values of the best policy that acts at random \
with probability ε. Policies are scored exactly, by carrying the probabilities of all states forward from the start. \
The distance to Q* is a root mean square over pairs of state and action, weighted by how often the optimal policy with \
these random actions meets them.",
        sources: &[
            "Watkins and Dayan, Q-learning, Machine Learning 8, 1992, https://doi.org/10.1007/BF00992698",
            "Sutton and Barto, Reinforcement Learning: An Introduction, 2nd edition, 2018, chapters 4 and 6; \
             CliffWalking is its example 6.6",
            "van Seijen et al., A Theoretical and Empirical Analysis of Expected Sarsa, 2009",
            "van Hasselt, Double Q-learning, NeurIPS 2010",
            "Towers et al., Gymnasium, 2024, https://arxiv.org/abs/2407.17032: the environments",
            "Dietterich, Hierarchical Reinforcement Learning with the MAXQ Value Function Decomposition, 2000: Taxi",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let mut findings = Findings::default();
        let mut results = vec![];
        let mut names: Vec<EnvironmentName> = vec![];
        for &name in &self.environment {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let total = names.len() * LEARNERS.len();
        for (index, &name) in names.iter().enumerate() {
            let environment = Environment::new(name, self.slippery);
            let optimum = value_iteration(&environment, self.gamma, 0.0);
            let soft = value_iteration(&environment, self.gamma, self.epsilon);
            let traces = (0..LEARNERS.len())
                .map(|learner| {
                    let done = index * LEARNERS.len() + learner;
                    let part = format!("{}: {}", environment.title, LEARNERS[learner]);
                    progress.at(done, total, &part);
                    self.trace(&environment, &optimum, learner)
                })
                .collect();
            let result = Results { environment, optimum, soft, traces };
            self.compare(&result, &mut findings);
            results.push(result);
        }
        findings.figures = figures::all(&results, &LEARNERS, self.gamma);
        findings.data = data(&results);
        Ok(findings)
    }
}

impl QLearning {
    fn tell(&self, result: &Results, best: &Score, size: f64, findings: &mut Findings) {
        let Results { environment, optimum, traces, .. } = result;
        let title = environment.title;
        let is_lake = environment.is_lake();
        let last = |learner: usize| traces[learner].scores.last().unwrap_or(best);
        let lived = |learner: usize| mean(traces[learner].last_returns());
        findings.sentences.push(format!(
            "{title}: the optimal policy {}; after {} episodes Q-learning's {}, with a falling rate {}. Its values are {:.2} % of the \
             optimum's size away from it at the constant rate, {:.2} % at the falling one.",
            told(best, is_lake), self.episodes, told(last(Q_LEARNING), is_lake), told(last(FALLING), is_lake),
            100.0 * traces[Q_LEARNING].end_distance() / size, 100.0 * traces[FALLING].end_distance() / size
        ));
        if lived(SARSA) > lived(Q_LEARNING) + 0.1 * lived(Q_LEARNING).abs() {
            findings.sentences.push(format!(
                "{title}: with ε = {} Q-learning earns {:.1} an episode while it learns, SARSA {:.1}: SARSA counts in its own \
                 random steps and keeps away from what they would cost.",
                self.epsilon, lived(Q_LEARNING), lived(SARSA)
            ));
        }
        let row = |name: &str, score: &Score, distance: f64, start: f64, lived: String| {
            vec![
                name.to_owned(),
                format!("{:.4}", score.success),
                format!("{:.3}", score.episode_return),
                number(distance),
                format!("{start:.4}"),
                lived,
            ]
        };
        let mut rows =
            vec![row("optimum", best, 0.0, start_value(environment, &optimum.q), String::new())];
        for (learner, trace) in traces.iter().enumerate() {
            let lived = format!("{:.3}", lived(learner));
            rows.push(row(
                LEARNERS[learner],
                last(learner),
                trace.end_distance(),
                trace.start_values.last().copied().unwrap_or_default(),
                lived,
            ));
        }
        findings.tables.push(FindingsTable::new(
            &format!(
                "{title}: greedy policies, scored exactly, and values after {} episodes",
                self.episodes
            ),
            &[
                "learner",
                "success",
                "return",
                "distance of Q to Q*",
                "value of the start",
                "return while learning (last tenth)",
            ],
            rows,
        ));
    }
}

fn told(score: &Score, is_lake: bool) -> String {
    if is_lake {
        format!("reaches the goal in {:.1} % of episodes", 100.0 * score.success)
    } else {
        format!("earns {:.2} an episode", score.episode_return)
    }
}

fn data(results: &[Results]) -> Vec<DataFile> {
    let mut learning = vec![];
    let mut values = vec![];
    for (index, result) in results.iter().enumerate() {
        for (learner, trace) in result.traces.iter().enumerate() {
            for (at, &episode) in trace.episodes.iter().enumerate() {
                let score = &trace.scores[at];
                learning.push(vec![
                    index as f64,
                    learner as f64,
                    episode as f64,
                    trace.distances[at],
                    trace.start_values[at],
                    score.success,
                    score.episode_return,
                ]);
            }
        }
        let actions = result.environment.actions;
        for at in 0..result.optimum.q.len() {
            let mut row = vec![
                index as f64,
                (at / actions) as f64,
                (at % actions) as f64,
                result.optimum.q[at],
                result.soft.q[at],
            ];
            row.extend(result.traces.iter().map(|trace| trace.q[at]));
            values.push(row);
        }
    }
    vec![
        DataFile::of_numbers(
            "learning",
            &["environment", "learner", "episode", "distance", "start_value", "success", "return"],
            learning,
        ),
        DataFile::of_numbers(
            "values",
            &[
                "environment",
                "state",
                "action",
                "optimum",
                "optimum_epsilon",
                "q_learning_epsilon_constant",
                "q_learning",
                "q_learning_rate_falling",
                "sarsa",
                "expected_sarsa",
                "double_q",
            ],
            values,
        ),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    fn lab(seed: u64) -> QLearning {
        QLearning {
            environment: vec![EnvironmentName::FrozenLake4x4, EnvironmentName::CliffWalking],
            slippery: None,
            learning_rate: 0.1,
            gamma: 0.99,
            epsilon: 0.1,
            episodes: 100_000,
            seed,
        }
    }

    #[test]
    fn claims_hold_and_optima_are_those_of_gymnasium() {
        let findings = lab(7).run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        // Success, return and value of the start by tests/golden/make_lab_q_learning.py.
        assert_eq!(findings.tables[0].rows[0][1..3], ["0.7402", "0.740"]);
        assert_eq!(findings.tables[0].rows[0][4], "0.5420");
        assert_eq!(findings.tables[1].rows[0][1..3], ["1.0000", "-13.000"]);
        assert_eq!(findings.tables[1].rows[0][4], "-12.2479");
    }

    #[test]
    fn any_options_give_findings() {
        for (episodes, gamma, epsilon, slippery) in
            [(1, 0.0, 0.0, Some(true)), (2, 0.5, 0.99, Some(false)), (300, 0.9, 0.0, None)]
        {
            let all = [EnvironmentName::FrozenLake8x8, EnvironmentName::Taxi];
            let lab = QLearning {
                environment: all.to_vec(),
                episodes,
                gamma,
                epsilon,
                slippery,
                ..lab(1)
            };
            let findings = lab.run(&mut Silent).unwrap();
            assert_eq!(findings.tables.len(), 2);
        }
        // Beyond a rate of 1 values need not stay bounded.
        for (learning_rate, accepted) in [(1.1, false), (0.0, false), (1.0, true)] {
            let lab = QLearning { learning_rate, episodes: 1, ..lab(1) };
            assert_eq!(lab.run(&mut Silent).is_ok(), accepted, "{learning_rate}");
        }
    }
}
