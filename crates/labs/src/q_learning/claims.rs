//! What `q-learning` claims: learners come near their goals, and the optimum is one.

use super::QLearning;
use super::traces::{EXPECTED_SARSA, FALLING, Q_LEARNING, Results, SARSA, distance, start_value};
use super::value_iteration::{greatest, score, values_of_greedy};
use crate::training::mean;
use crate::{Claim, Findings, number};

impl QLearning {
    pub(super) fn compare(&self, result: &Results, findings: &mut Findings) {
        let Results { environment, optimum, soft, traces } = result;
        let title = environment.title;
        let best = score(environment, &optimum.q, 0.0);
        let exploring = score(environment, &optimum.q, self.epsilon);
        let size = distance(&vec![0.0; optimum.q.len()], &optimum.q, &exploring.visits);
        self.check_optimum(result, findings);

        let last = |learner: usize| traces[learner].scores.last().unwrap_or(&best);
        let lived = |learner: usize| mean(traces[learner].last_returns());
        // The falling rate still moves by about a tenth of α after 10 000 updates of a pair.
        let (kind, reached, goal) = if environment.is_lake() {
            ("success rate", last(FALLING).success, best.success - 0.05)
        } else {
            let goal = best.episode_return - 0.05 * best.episode_return.abs();
            ("return", last(FALLING).episode_return, goal)
        };
        findings.claims.push(Claim::at_least(
            format!(
                "{title}: Q-learning with a falling rate acts within 5 % of the optimum ({kind})"
            ),
            reached,
            goal,
        ));
        if environment.is_random() {
            findings.claims.push(Claim::at_most(
                format!("{title}: the values of Q-learning come nearer to Q* with a falling rate than with a constant one"),
                traces[FALLING].end_distance(),
                traces[Q_LEARNING].end_distance(),
            ));
        } else {
            // Every pair must have been tried some hundred times: (1 - α) to that power is left.
            findings.claims.push(Claim::at_most(
                format!("{title}: without chance the values of Q-learning arrive at Q* (distance, as a fraction of the size of Q*)"),
                traces[Q_LEARNING].end_distance() / size,
                1e-4,
            ));
        }
        let start = traces[EXPECTED_SARSA].start_values.last().copied().unwrap_or_default();
        let [to_best, to_soft] = [optimum, soft].map(|goal| start_value(environment, &goal.q));
        if (to_best - to_soft).abs() > 0.05 * to_best.abs() {
            findings.claims.push(Claim::at_most(
                format!(
                    "{title}: expected SARSA values the start more like Q_ε, {}, than like Q*, {} (difference to Q_ε, to Q*)",
                    number(to_soft),
                    number(to_best)
                ),
                (start - to_soft).abs(),
                (start - to_best).abs(),
            ));
        }
        let of_greedy = exploring.episode_return;
        let of_soft = score(environment, &soft.q, self.epsilon).episode_return;
        if of_soft > of_greedy + 0.1 * of_greedy.abs() {
            findings.claims.push(Claim::at_least(
                format!(
                    "{title}: while exploring, SARSA earns more than Q-learning, as {} an episode for Q_ε against {} for Q* predict",
                    number(of_soft), number(of_greedy)
                ),
                lived(SARSA),
                lived(Q_LEARNING),
            ));
        }
        self.tell(result, &best, size, findings);
    }

    pub(super) fn check_optimum(&self, result: &Results, findings: &mut Findings) {
        let Results { environment, optimum, .. } = result;
        let title = environment.title;
        // Below a millionth of the first change rounding has its part in the ratio.
        let floor = 1e-6 * optimum.changes.first().copied().unwrap_or_default();
        let slowest = optimum
            .changes
            .windows(2)
            .filter(|pair| pair[1] > floor)
            .map(|pair| pair[1] / pair[0])
            .fold(0.0, f64::max);
        findings.claims.push(Claim::at_most(
            format!("{title}: every sweep of value iteration shrinks the largest change to γ times the one before or less"),
            slowest,
            self.gamma + 1e-9,
        ));
        if let Some(values) = values_of_greedy(environment, &optimum.q, self.gamma) {
            let error = environment
                .reachable()
                .into_iter()
                .map(|state| {
                    (values[state]
                        - greatest(
                            &optimum.q[state * environment.actions..][..environment.actions],
                        ))
                    .abs()
                })
                .fold(0.0, f64::max);
            // The last sweep still moved by 1e-12, and 1 / (1 - γ) of that may be left.
            findings.claims.push(Claim::at_most(
                format!("{title}: the optimum is the value of its own greedy policy by linear equations (largest difference)"),
                error,
                1e-9 + 1e-11 / (1.0 - self.gamma),
            ));
        }
    }
}
