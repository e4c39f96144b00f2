use super::{both, curve, metric, noisy, series, training, validation};
use crate::history::{History, Series};
use crate::verdict::{Finding, Options, Severity, Verdict, judge};

fn verdict(history: &History) -> Verdict {
    judge(history, &Options::default())
}

fn find(history: &History, name: &str) -> Option<Finding> {
    verdict(history).findings.into_iter().find(|finding| finding.name == name)
}

fn message(history: &History, name: &str) -> String {
    find(history, name).map(|finding| finding.message).unwrap_or_default()
}

fn settled(n: usize) -> Vec<f64> {
    noisy(n, 0.003, 1, |t| 0.4 + 2.0 * (-0.3 * t).exp())
}

#[test]
fn a_healthy_run_has_no_warning() {
    for seed in 1..20 {
        let losses = noisy(60, 0.003, seed, |t| 0.4 + 2.0 * (-0.1 * t).exp());
        let train = curve(60, |t| 0.38 + 2.0 * (-0.1 * t).exp());
        let history = both(&train, &losses);
        let warned = verdict(&history).findings.into_iter().find(|f| f.severity > Severity::Info);
        assert_eq!(warned, None);
    }
}

#[test]
fn spikes_are_counted_and_located() {
    let mut losses = settled(60);
    losses[29] = 3.0;
    losses[49] = 5.0;
    let said = message(&validation(&losses), "spikes");
    assert!(
        said.starts_with("2 spikes of `val_loss`") && said.ends_with("neighbours at 50."),
        "{said}"
    );
    assert_eq!(find(&validation(&settled(60)), "spikes"), None);
}

#[test]
fn a_jump_that_stays_is_told_from_a_spike() {
    let losses = noisy(60, 0.003, 2, |t| if t < 40.0 { 0.5 } else { 0.7 } + 2.0 * (-0.3 * t).exp());
    assert!(message(&training(&losses), "jump").contains("worse from one point to the next at 40"));
    let mut spiked = settled(60);
    spiked[39] = 3.0;
    assert_eq!(find(&training(&spiked), "jump"), None);
}

#[test]
fn a_jump_at_a_step_of_the_rate_is_the_schedules() {
    let losses = noisy(60, 0.003, 2, |t| if t < 40.0 { 0.9 } else { 0.5 } + 2.0 * (-0.3 * t).exp());
    let rate = series("lr", &curve(60, |t| if t < 40.0 { 0.1 } else { 0.01 }));
    assert!(find(&training(&losses), "jump").is_some());
    let stepped = History { learning_rate: Some(rate), ..training(&losses) };
    assert_eq!(find(&stepped, "jump"), None);
}

#[test]
fn a_step_of_the_rate_that_did_nothing_is_named_with_its_rates() {
    let rate = series("lr", &curve(60, |t| if t < 40.0 { 0.1 } else { 0.01 }));
    let history = History { learning_rate: Some(rate), ..training(&settled(60)) };
    let said = message(&history, "idle_rate_step");
    assert!(
        said.starts_with("Lowering the learning rate from 0.1 to 0.01 at 40 brought "),
        "{said}"
    );
}

#[test]
fn flat_at_a_rate_that_was_never_lowered_asks_for_a_drop() {
    let rate = series("lr", &[0.1; 60]);
    let history = History { learning_rate: Some(rate), ..training(&settled(60)) };
    assert!(find(&history, "plateau_under_rate").is_some());
    assert_eq!(find(&training(&settled(60)), "plateau_under_rate"), None);
}

#[test]
fn zeros_at_the_end_are_left_out_and_reported() {
    let mut losses = settled(60);
    losses.extend([0.0, 0.0]);
    let found = verdict(&validation(&losses));
    assert_eq!((found.points, found.findings[0].name.as_str()), (60, "zeros_at_end"));
    assert_eq!(found.findings[0].severity, Severity::Error);
    // A loss that comes down to zero is a loss of zero.
    let exact = curve(60, |t| if t < 50.0 { (-t).exp() } else { 0.0 });
    assert_eq!(verdict(&training(&exact)).points, 60);
}

#[test]
fn side_series_without_numbers_are_named() {
    let others = vec![series("val_auc", &[f64::NAN; 60]), series("fine", &[1.0; 60])];
    let history = History { others, ..validation(&settled(60)) };
    let said = message(&history, "not_finite");
    assert_eq!(said, "`val_auc` is not a finite number at 60 of 60 points (all), first at 1.");
}

#[test]
fn a_loss_at_that_of_guessing_names_the_classes() {
    let losses = noisy(40, 0.001, 3, |_| 10f64.ln());
    let said = message(&training(&losses), "chance_level");
    assert!(
        said.contains("of ln 10 = 2.303, the cross-entropy of guessing among 10 classes"),
        "{said}"
    );
}

#[test]
fn overfitting_in_the_loss_only_is_told() {
    let train = curve(40, |t| 2.0 * (-0.1 * t).exp());
    let losses = curve(40, |t| 0.6 + (-0.4 * t).exp() + 0.01 * t);
    let accuracy = metric("val_accuracy", &curve(40, |t| 0.9 - 0.5 * (-0.2 * t).exp()));
    let history = History { metric: Some(accuracy), ..both(&train, &losses) };
    assert!(find(&history, "overfitting_in_loss_only").is_some());
}

#[test]
fn overfitting_in_the_metric_only_is_a_warning() {
    let falling = curve(60, |t| 0.9 - 0.5 * (-0.3 * t).exp() - 0.004 * t);
    let history = History {
        metric: Some(metric("val_accuracy", &falling)),
        ..both(&curve(60, |t| 0.38 + 2.0 * (-0.3 * t).exp()), &settled(60))
    };
    let found = find(&history, "overfitting_in_metric_only");
    assert_eq!(found.map(|finding| finding.severity), Some(Severity::Warning));
}

#[test]
fn gaps_are_told_in_both_directions() {
    let (low, high) =
        (curve(60, |t| 0.3 + (-0.3 * t).exp()), curve(60, |t| 0.5 + (-0.3 * t).exp()));
    assert!(find(&both(&low, &high), "generalisation_gap").is_some());
    assert!(find(&both(&high, &low), "validation_easier").is_some());
    // Quantities of different kinds have no gap.
    let other: Vec<f64> = low.iter().map(|loss| -loss).collect();
    let names: Vec<String> =
        verdict(&both(&low, &other)).findings.into_iter().map(|f| f.name).collect();
    assert!(!names.contains(&"generalisation_gap".to_owned()), "{names:?}");
}

#[test]
fn a_run_that_stops_early_is_told_by_how_much() {
    let said =
        message(&both(&curve(40, |t| 1.0 / t), &curve(40, |t| 1.0 / t)), "stopped_too_early");
    assert!(
        said.starts_with("It stopped at least ") && said.contains(" epochs early, worth about 0.0"),
        "{said}"
    );
}

#[test]
fn a_run_that_stops_late_is_told_how_much_came_after_the_best() {
    let mut losses = settled(60);
    losses[25] = 0.39;
    let mut history = both(&curve(60, |t| 0.38 + 2.0 * (-0.3 * t).exp()), &losses);
    history.x = Some("epoch".to_owned());
    let said = message(&history, "stopped_too_late");
    assert_eq!(said, "34 of 60 epochs came after the best, 0.39 at 26.");
}

#[test]
fn noise_of_a_tenth_of_the_level_is_told() {
    let losses = noisy(60, 0.2, 4, |t| 1.0 + 2.0 * (-0.3 * t).exp());
    assert!(find(&validation(&losses), "noisy_validation").is_some());
}

#[test]
fn a_straight_quiet_fall_hints_at_a_rate_too_low_and_an_explosion_at_one_too_high() {
    assert!(find(&training(&curve(50, |t| 5.0 - 0.04 * t)), "rate_too_low").is_some());
    let exploded = curve(60, |t| if t < 40.0 { 0.2 + 2.0 / t } else { 5.0 });
    assert!(find(&training(&exploded), "rate_too_high").is_some());
}

#[test]
fn a_metric_that_never_moves_is_a_warning() {
    let stuck = metric("val_accuracy", &[0.5; 60]);
    let history = History { metric: Some(stuck), ..validation(&settled(60)) };
    assert!(
        message(&history, "metric_never_moves")
            .starts_with("`val_accuracy` is 0.5 at all 60 points")
    );
}

#[test]
fn checks_that_the_log_does_not_allow_are_named() {
    let names: Vec<String> =
        verdict(&training(&settled(60))).skipped.into_iter().map(|skipped| skipped.check).collect();
    assert_eq!(names, ["overfitting", "disagreement of loss and metric", "schedule"]);
    let short = Series { name: "loss".into(), x: vec![1.0], y: vec![1.0] };
    let history = History { train_loss: Some(short), ..History::default() };
    assert_eq!(verdict(&history).skipped[0].check, "all gates but divergence");
}
