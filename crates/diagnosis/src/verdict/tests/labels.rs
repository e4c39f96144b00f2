use super::{both, curve, metric, noisy, series, training, validation};
use crate::history::{History, Metric, Series};
use crate::verdict::{Kind, Label, Options, judge};

fn label(history: &History) -> Label {
    judge(history, &Options::default()).verdict
}

#[test]
fn a_log_without_series_is_undecidable() {
    let verdict = judge(&History::default(), &Options::default());
    assert_eq!(verdict.verdict, Label::Undecidable);
    assert_eq!((verdict.points, verdict.forecast, verdict.judged), (0, None, None));
    assert!(verdict.confidence > 0.9);
}

#[test]
fn fewer_than_five_points_are_undecidable() {
    assert_eq!(label(&validation(&[3.0, 2.0, 1.0, 0.5])), Label::Undecidable);
    assert_ne!(label(&validation(&[3.0, 2.0, 1.0, 0.5, 0.25])), Label::Undecidable);
}

#[test]
fn a_loss_that_is_no_number_to_the_end_diverged() {
    assert_eq!(label(&training(&[f64::NAN; 3])), Label::Diverged);
    assert_eq!(label(&training(&[2.0, 1.5, 1.2, 1.1, 1.0, f64::INFINITY])), Label::Diverged);
    let mut losses = curve(30, |t| 1.0 / t);
    losses.extend([f64::NAN, f64::NAN]);
    assert_eq!(label(&both(&curve(32, |t| 1.0 / t), &losses)), Label::Diverged);
}

#[test]
fn a_single_missing_validation_at_the_end_is_no_divergence() {
    let mut losses = curve(30, |t| 0.3 + (-0.5 * t).exp());
    losses.push(f64::NAN);
    assert_eq!(label(&validation(&losses)), Label::Converged);
}

#[test]
fn a_training_loss_that_explodes_and_stays_diverged() {
    let losses = curve(60, |t| if t < 40.0 { 0.2 + 2.0 / t } else { 5.0 + 0.01 * t });
    assert_eq!(label(&training(&losses)), Label::Diverged);
    assert_eq!(label(&both(&losses, &losses)), Label::Diverged);
}

#[test]
fn a_bump_that_comes_back_is_no_divergence() {
    let bump = |t: f64| 0.3 * (-(t - 30.0).powi(2) / 8.0).exp();
    let losses = noisy(150, 0.002, 9, |t| 0.2 + 2.0 * (-0.3 * t).exp() + bump(t));
    assert_eq!(label(&training(&losses)), Label::Converged);
}

#[test]
fn noise_around_the_start_is_not_learning() {
    assert_eq!(label(&training(&noisy(60, 0.05, 1, |_| 2.3))), Label::NotLearning);
}

#[test]
fn a_loss_at_that_of_guessing_is_not_learning_even_if_it_drifts() {
    let losses = curve(40, |t| 10f64.ln() * (1.0 + 0.02 * (-0.2 * t).exp()));
    assert_eq!(label(&training(&losses)), Label::NotLearning);
    // The same course elsewhere is not.
    let elsewhere: Vec<f64> = losses.iter().map(|loss| loss * 0.8).collect();
    assert_ne!(label(&training(&elsewhere)), Label::NotLearning);
}

/// `train mnist --set optimizer.name=sgd --set optimizer.learning_rate=1000`.
#[test]
fn a_loss_far_above_that_of_guessing_has_learnt_nothing_even_if_it_fell() {
    let losses = [462.5, 389.5, 576.9, 437.5, 474.5, 459.0];
    let known = Options { classes: Some(10), ..Options::default() };
    let verdict = judge(&training(&losses), &known);
    assert_eq!(verdict.verdict, Label::NotLearning);
    let guessing = "best loss, against that of guessing among 10 classes";
    assert!(verdict.evidence.iter().any(|one| one.name == guessing), "{:?}", verdict.evidence);
}

#[test]
fn a_number_of_classes_that_is_known_is_the_one_that_counts() {
    let losses = curve(40, |t| 7f64.ln() * (1.0 + 0.02 * (-0.2 * t).exp()));
    let known = Options { classes: Some(7), ..Options::default() };
    assert_eq!(judge(&training(&losses), &known).verdict, Label::NotLearning);
    assert_ne!(judge(&training(&losses), &Options::default()).verdict, Label::NotLearning);
}

#[test]
fn a_small_fall_that_is_clear_and_over_is_convergence_over_a_constant() {
    let losses = curve(80, |t| 85.0 + 0.06 * (-0.4 * t).exp());
    assert_eq!(label(&training(&losses)), Label::Converged);
}

#[test]
fn a_metric_that_never_moves_is_not_learning() {
    let rewards = Metric { series: series("reward", &[0.0; 40]), higher_is_better: true };
    let history = History { metric: Some(rewards), ..History::default() };
    assert_eq!(label(&history), Label::NotLearning);
    // Accuracy of one class of five, and a loss that came down to ln 5.
    let losses = curve(12, |t| 1.65 + 2.0 * (-t).exp());
    let stuck = History { metric: Some(metric("val_accuracy", &[0.2; 12])), ..validation(&losses) };
    assert_eq!(label(&stuck), Label::NotLearning);
}

#[test]
fn a_metric_that_is_perfect_throughout_leaves_nothing_to_judge() {
    let history = History { metric: Some(metric("confidence", &[1.0; 9])), ..History::default() };
    assert_eq!(label(&history), Label::Undecidable);
}

#[test]
fn swings_as_large_as_all_progress_are_unstable() {
    let losses = curve(60, |t| 2.0 + (0.7 * t).sin() - 0.004 * t);
    assert_eq!(label(&validation(&losses)), Label::Unstable);
}

#[test]
fn a_rough_start_that_settles_is_not_unstable() {
    let rough = |t: f64| if t < 20.0 { (2.1 * t).sin() } else { 0.0 };
    let losses = curve(80, |t| 1.0 + 2.0 * (-0.15 * t).exp() + rough(t));
    assert_ne!(label(&validation(&losses)), Label::Unstable);
}

#[test]
fn validation_that_rises_while_training_falls_is_overfitting() {
    let train = curve(40, |t| 2.0 * (-0.1 * t).exp());
    let losses = noisy(40, 0.005, 2, |t| 0.6 + (-0.4 * t).exp() + 0.01 * t);
    let verdict = judge(&both(&train, &losses), &Options::default());
    assert_eq!(verdict.verdict, Label::Overfitting);
    assert!(verdict.best.is_some_and(|best| (6.0..16.0).contains(&best.x)));
}

#[test]
fn a_rise_within_noise_is_not_overfitting() {
    let train = curve(60, |t| 0.2 + 2.0 * (-0.1 * t).exp());
    let overfitting = (0..100)
        .map(|seed| label(&both(&train, &noisy(60, 0.03, seed, |t| 0.6 + (-0.3 * t).exp()))))
        .filter(|label| *label == Label::Overfitting)
        .count();
    assert!(overfitting <= 15, "{overfitting} of 100");
}

#[test]
fn a_curve_that_falls_as_a_power_of_time_is_improving() {
    let losses = noisy(50, 0.004, 4, |t| 3.0 * t.powf(-0.4));
    let verdict = judge(&validation(&losses), &Options::default());
    assert_eq!(verdict.verdict, Label::Improving);
    assert!(verdict.forecast.is_some_and(|forecast| forecast.probability > 0.9));
}

#[test]
fn a_curve_that_settles_within_noise_has_converged() {
    for seed in 1..20 {
        let losses = noisy(60, 0.003, seed, |t| 0.4 + 2.0 * (-0.3 * t).exp());
        assert_eq!(label(&validation(&losses)), Label::Converged, "seed {seed}");
    }
}

#[test]
fn an_improving_metric_is_judged_by_its_own_direction() {
    let accuracies = curve(40, |t| 0.9 - 0.8 * t.powf(-0.3));
    let of = |higher_is_better| {
        let series = series("score", &accuracies);
        let metric = Some(Metric { series, higher_is_better });
        judge(&History { metric, ..History::default() }, &Options::default())
    };
    assert_eq!(of(true).verdict, Label::Improving);
    assert_eq!(of(false).verdict, Label::NotLearning);
    assert_eq!(of(true).best.map(|best| best.point), Some(40));
}

#[test]
fn a_rate_that_its_schedule_has_spent_ends_the_improvement() {
    let losses = noisy(60, 0.004, 5, |t| 3.0 * t.powf(-0.4));
    let rate = series("lr", &curve(60, |t| 0.1 * (1.0 - t / 60.0)));
    assert_eq!(label(&training(&losses)), Label::Improving);
    let spent = History { learning_rate: Some(rate), ..training(&losses) };
    assert_eq!(label(&spent), Label::Converged);
}

#[test]
fn only_what_comes_after_the_last_step_of_the_rate_is_projected() {
    let losses = noisy(90, 0.002, 6, |t| if t < 60.0 { 1.0 + 5.0 / t } else { 0.5 });
    let rate = series("lr", &curve(90, |t| if t < 60.0 { 0.1 } else { 0.01 }));
    let stepped = History { learning_rate: Some(rate), ..validation(&losses) };
    assert_eq!(label(&stepped), Label::Converged);
}

#[test]
fn the_loss_of_one_player_of_two_says_nothing_unless_it_improves() {
    let of =
        |y: &[f64]| label(&History { train_loss: Some(series("g_loss", y)), ..History::default() });
    assert_eq!(of(&noisy(60, 0.1, 7, |_| 1.0)), Label::Undecidable);
    assert_eq!(of(&curve(60, |t| 40.0 * t.powf(-0.4))), Label::Improving);
}

#[test]
fn a_few_validations_are_left_for_a_long_training_loss() {
    let sparse = Series { name: "eval_loss".into(), x: vec![20.0, 40.0], y: vec![0.5, 0.4] };
    let train = curve(60, |t| 0.3 + (-0.3 * t).exp());
    let history = History { validation_loss: Some(sparse), ..training(&train) };
    let verdict = judge(&history, &Options::default());
    assert_eq!(verdict.judged.map(|judged| judged.kind), Some(Kind::TrainLoss));
    assert_eq!(verdict.verdict, Label::Converged);
}

#[test]
fn heavy_noise_does_not_hide_a_trend_over_many_points() {
    let losses = noisy(400, 0.3, 8, |t| 4.0 * t.powf(-0.3));
    assert_eq!(label(&training(&losses)), Label::Improving);
}

#[test]
fn a_metric_of_validation_that_falls_while_that_of_training_rises_is_overfitting() {
    let training = metric("accuracy", &curve(40, |t| 1.0 - 0.5 * (-0.1 * t).exp()));
    let falling = curve(40, |t| 0.9 - 0.5 * (-0.4 * t).exp() - 0.004 * t);
    let alone = History { metric: Some(metric("val_accuracy", &falling)), ..History::default() };
    let beside = History { train_metric: Some(training), ..alone.clone() };
    assert_eq!(label(&beside), Label::Overfitting);
    assert_ne!(label(&alone), Label::Overfitting);
}

#[test]
fn a_loss_of_exactly_zero_throughout_leaves_nothing_to_judge() {
    assert_eq!(label(&training(&[0.0; 30])), Label::Undecidable);
    assert_eq!(label(&training(&[0.5; 30])), Label::NotLearning);
}
