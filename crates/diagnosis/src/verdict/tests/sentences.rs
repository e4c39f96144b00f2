use super::{both, curve, noisy, training, validation};
use crate::history::History;
use crate::verdict::{Label, Options, Verdict, judge};

fn verdict(history: &History) -> Verdict {
    judge(history, &Options::default())
}

#[test]
fn every_verdict_says_what_happened_and_what_to_do() {
    let runs = [
        training(&[f64::NAN; 9]),
        training(&curve(60, |t| if t < 40.0 { 0.2 + 2.0 / t } else { 5.0 })),
        training(&noisy(60, 0.05, 1, |_| 2.3)),
        validation(&curve(60, |t| 2.0 + (0.7 * t).sin())),
        both(&curve(40, |t| 1.0 / t), &curve(40, |t| 0.6 + (-0.4 * t).exp() + 0.01 * t)),
        validation(&curve(40, |t| 1.0 / t)),
        validation(&curve(60, |t| 0.4 + 2.0 * (-0.5 * t).exp())),
        validation(&[1.0, 0.9]),
        History::default(),
    ];
    for run in &runs {
        let said = verdict(run);
        let name = said.verdict.to_string();
        let start = said.summary.to_lowercase().replace("still ", "");
        assert!(start.starts_with(&name), "{name}: {}", said.summary);
        assert!(said.summary.ends_with('.'), "{}", said.summary);
        assert!(!said.advice.is_empty());
        for advice in &said.advice {
            assert!(advice.ends_with('.'), "{advice}");
        }
    }
}

#[test]
fn convergence_says_what_a_curve_cannot_see() {
    let said = verdict(&validation(&curve(60, |t| 0.4 + 2.0 * (-0.5 * t).exp())));
    assert_eq!(said.verdict, Label::Converged);
    assert!(said.advice.iter().any(|advice| advice.contains("cannot see wrong labels")));
}

#[test]
fn the_runner_up_names_the_number_that_would_turn_the_verdict() {
    let said = verdict(&validation(&curve(40, |t| 1.0 / t)));
    let Some(next) = said.runner_up else { panic!("none") };
    assert_eq!(next.verdict, Label::Converged);
    assert!(
        next.turns
            .starts_with("It would be converged unless a gain worth having were more probable")
    );
    assert!(next.turns.contains("threshold 0.5"), "{}", next.turns);
}

#[test]
fn too_few_points_say_how_many_more_would_do() {
    let said = verdict(&validation(&[1.0, 0.9]));
    assert_eq!(
        said.advice[0],
        "Log about 3 points more: then a gain of 0.018 could be told from noise."
    );
    assert_eq!(
        said.summary,
        "Undecidable: `val_loss` has 2 points, and fewer than 5 tell no course."
    );
}

#[test]
fn json_has_the_keys_that_scripts_read() -> Result<(), serde_json::Error> {
    let json = serde_json::to_value(verdict(&validation(&curve(40, |t| 1.0 / t))))?;
    assert_eq!(json["verdict"], "improving");
    assert!(json["probabilities"]["not_learning"].is_number());
    assert_eq!(json["series"]["validation_loss"], "val_loss");
    assert!(json["series"]["train_loss"].is_null());
    assert_eq!(json["judged"]["kind"], "validation_loss");
    assert_eq!(json["points"], 40);
    assert!(json["forecast"]["interval"][1].is_number());
    assert_eq!(json["findings"][0]["severity"], "info");
    assert!(json["confidence"].is_number());
    Ok(())
}
