use super::{curve, validation};
use crate::verdict::probabilities::{confidence, first_two, probabilities};
use crate::verdict::{Label, Options, judge, margins};

fn of(margins: [f64; 6]) -> std::collections::BTreeMap<Label, f64> {
    let gates = Label::ALL.into_iter().filter(|label| *label != Label::Converged);
    probabilities(&gates.zip(margins).collect::<Vec<_>>())
}

#[test]
fn probabilities_sum_to_one_and_hold_every_label() {
    for margins in [[0.0; 6], [3.0; 6], [-3.0; 6], [-3.0, 1.0, 0.2, -0.5, 2.0, 3.0]] {
        let found = of(margins);
        assert_eq!(found.len(), 7);
        assert!((found.values().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(found.values().all(|p| *p > 0.0));
    }
}

#[test]
fn what_passes_all_gates_has_converged_and_the_first_that_fits_wins() {
    assert_eq!(first_two(&of([-3.0; 6]))[0].0, Label::Converged);
    assert_eq!(first_two(&of([3.0; 6]))[0].0, Label::Diverged);
    assert_eq!(first_two(&of([-3.0, -3.0, -3.0, 3.0, 3.0, -3.0]))[0].0, Label::Overfitting);
}

#[test]
fn confidence_is_no_less_than_the_probability_of_the_label() {
    assert_eq!(confidence(1.0), 1.0);
    for p in [0.2, 0.5, 0.9] {
        assert!(confidence(p) >= p && confidence(p) < 1.0);
    }
}

#[test]
fn a_verdict_is_its_most_probable_label() {
    let verdict = judge(&validation(&curve(30, |t| 1.0 / t)), &Options::default());
    let most = verdict.probabilities.values().copied().fold(0.0, f64::max);
    assert_eq!(verdict.probabilities[&verdict.verdict], most);
    assert!(verdict.runner_up.is_some_and(|next| next.probability <= most));
}

#[test]
fn margins_come_in_the_order_of_the_gates() {
    let found = margins(&validation(&curve(30, |t| 1.0 / t)), &Options::default());
    let labels: Vec<Label> = found.iter().map(|(label, _)| *label).collect();
    assert_eq!(
        labels,
        [
            Label::Diverged,
            Label::NotLearning,
            Label::Unstable,
            Label::Overfitting,
            Label::Improving,
            Label::Undecidable
        ]
    );
}
