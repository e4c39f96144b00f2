use super::{both, curve, noisy, training};
use crate::verdict::{Notices, Severity, while_training};

#[test]
fn a_run_that_improves_is_left_alone() {
    for n in 1..80 {
        assert_eq!(while_training(&training(&curve(n, |t| 1.0 / t))), None, "after {n} epochs");
    }
}

#[test]
fn a_loss_that_is_no_number_is_an_error_at_once() {
    let found = while_training(&training(&[1.0, f64::NAN]));
    assert_eq!(
        found.map(|f| (f.name, f.severity)),
        Some(("diverging".to_owned(), Severity::Error))
    );
}

#[test]
fn an_explosion_needs_two_points_above_the_start() {
    let mut losses = curve(20, |t| 1.0 / t);
    losses.push(5.0);
    assert_eq!(while_training(&training(&losses)), None);
    losses.push(6.0);
    let said = while_training(&training(&losses)).map(|finding| finding.message);
    assert_eq!(said.as_deref(), Some("`loss` rose from its best of 0.05 to 6."));
}

#[test]
fn guessing_is_spoken_of_after_ten_points() {
    let losses = noisy(30, 0.001, 1, |_| 2f64.ln());
    assert_eq!(while_training(&training(&losses[..9])), None);
    let found = while_training(&training(&losses[..10]));
    assert_eq!(found.map(|finding| finding.name), Some("chance_level".to_owned()));
}

#[test]
fn a_run_that_is_flat_for_its_later_half_is_told_so() {
    let losses = curve(60, |t| 0.4 + 2.0 * (-0.5 * t).exp());
    let flat = |n: usize| while_training(&both(&losses[..n], &losses[..n]));
    assert_eq!(flat(20), None);
    let said = flat(60).map(|finding| finding.message).unwrap_or_default();
    assert!(said.contains("in the last 30 epochs, less than 2 % of its level"), "{said}");
}

#[test]
fn each_thing_is_said_once() {
    let mut notices = Notices::default();
    let mut losses = noisy(30, 0.001, 1, |_| 2f64.ln());
    let mut said = |losses: &[f64]| notices.news(&training(losses)).map(|finding| finding.name);
    assert_eq!(said(&losses[..9]), None);
    assert_eq!(said(&losses[..10]).as_deref(), Some("chance_level"));
    assert_eq!(said(&losses), None);
    losses.push(f64::NAN);
    assert_eq!(said(&losses).as_deref(), Some("diverging"));
}
