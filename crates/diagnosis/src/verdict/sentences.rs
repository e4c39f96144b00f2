//! What a verdict says in words: the summary, what would turn it, and what to do.

use super::findings::Scene;
use super::gates::Gate;
use super::gates::undecidable::points_needed;
use super::report::{Finding, Kind, Label, RunnerUp};
use super::words::{count, number, percent};

/// What a curve cannot see, said of every run that converged.
const BLIND: &str =
    "A curve cannot see wrong labels, leaked data or a silent bug: look at single predictions too.";

/// A rate of less than this part of its mean over the last third is as good as spent.
const SPENT: f64 = 0.3;

/// The verdict in one sentence.
pub(super) fn summary(scene: &Scene) -> String {
    let judged = scene.judged;
    let curve = &judged.curve;
    let (name, unit) = (&judged.about.name, scene.unit);
    let points = count(judged.series.y.len(), unit);
    let sign = if judged.about.higher_is_better { -1.0 } else { 1.0 };
    let (start, best, end) =
        (sign * curve.start(), sign * curve.best_level().1, sign * curve.end());
    let [start, best, end] = [start, best, end].map(number);
    let gain = scene.forecast.map(|forecast| {
        let more = count(forecast.horizon, unit);
        let sure = percent(forecast.probability);
        format!(
            "{more} more have a chance of {sure} to win more than {}, which is the least worth \
                having",
            number(forecast.worthwhile)
        )
    });
    let gain = gain.unwrap_or_default();
    match scene.label {
        Label::Diverged if judged.not_finite_at_end() > 0 => {
            format!(
                "Diverged: `{name}` is no finite number in the last {}.",
                count(judged.not_finite_at_end(), unit)
            )
        }
        Label::Diverged => {
            let optimised = judged.optimised();
            let which = if judged.train.is_some() { "the training loss" } else { "the loss" };
            format!(
                "Diverged: {which} rose from its best level of {} to {} and did not come back.",
                number(optimised.best_level().1),
                number(optimised.end())
            )
        }
        Label::NotLearning => format!(
            "Not learning: `{name}` began at {start} and its best level over {points} is {best}, \
                no better, beyond noise, than at the start or than guessing."
        ),
        Label::Unstable => format!(
            "Unstable: `{name}` swings as far as all its progress from {start} to {best}, so \
                that {end} at the end is luck."
        ),
        Label::Overfitting => format!(
            "Overfitting: `{name}` went from its best level of {best} to {end} at the end{}.",
            if judged.train.is_some() { " while training went on improving" } else { "" }
        ),
        Label::Improving if scene.forecast.is_some_and(|forecast| forecast.probability < 0.5) => {
            format!(
                "Still improving, most likely: `{name}` went from {start} to {end}; single \
                    values are too noisy to tell, but the trend goes on."
            )
        }
        Label::Improving => {
            format!("Still improving: `{name}` went from {start} to {end}, and {gain}.")
        }
        Label::Converged if scene.schedule.is_some_and(|schedule| schedule.left < SPENT) => {
            format!(
                "Converged: `{name}` ends at {end}, and the schedule has spent its learning rate."
            )
        }
        Label::Converged => format!("Converged: `{name}` is flat at {end}; {gain}."),
        Label::Undecidable => undecidable(scene, &points, &gain),
    }
}

fn undecidable(scene: &Scene, points: &str, gain: &str) -> String {
    let judged = scene.judged;
    let name = &judged.about.name;
    if judged.curve.len() < super::judged::FEWEST_POINTS {
        return format!(
            "Undecidable: `{name}` has {points}, and fewer than {} tell no course.",
            super::judged::FEWEST_POINTS
        );
    }
    if judged.is_perfect() {
        return format!(
            "Undecidable: `{name}` is perfect from the first point on, so that nothing is left \
                to judge."
        );
    }
    if judged.adversarial {
        return format!(
            "Undecidable: `{name}` is the loss of one player of two, whose level says nothing of \
                quality."
        );
    }
    format!("Undecidable: `{name}` wavers too much to show a gain worth having; {gain}.")
}

/// What would turn the verdict to the second most probable label.
pub(super) fn runner_up(gates: &[(Label, Gate)], said: Label, next: (Label, f64)) -> RunnerUp {
    let gate = |label: Label| gates.iter().find(|gate| gate.0 == label).map(|gate| &gate.1);
    // The one that is tried first decides: it must either fit, or stop fitting.
    let place = |label: Label| gates.iter().position(|gate| gate.0 == label).unwrap_or(gates.len());
    let (which, condition) =
        if place(next.0) < place(said) { (gate(next.0), "if") } else { (gate(said), "unless") };
    let turns = match which {
        Some(gate) => {
            let now = gate.evidence.first().and_then(|evidence| {
                Some(format!(
                    " (now: {} {}{})",
                    evidence.name,
                    number(evidence.value?),
                    evidence
                        .threshold
                        .map(|t| format!(", threshold {}", number(t)))
                        .unwrap_or_default()
                ))
            });
            let now = now.unwrap_or_default();
            format!("It would be {} {condition} {}{now}.", next.0, gate.turns)
        }
        None => format!("It would be {} if more points bore it out.", next.0),
    };
    RunnerUp { verdict: next.0, probability: next.1, turns }
}

/// What to do, the most useful first.
pub(super) fn advice(scene: &Scene, findings: &[Finding]) -> Vec<String> {
    let judged = scene.judged;
    let unit = scene.unit;
    let best = judged.best().map(|best| format!("{} at {}", number(best.value), best.x));
    let best = best.unwrap_or_default();
    let mut advice: Vec<String> =
        match scene.label {
            Label::Diverged => vec![
            "Lower the learning rate to a third or a tenth; with a warm-up and clipped gradients \
                a higher one may hold.".to_owned(),
            "If it diverges at any rate, look for a division by zero, a logarithm of zero or \
                inputs that are not scaled.".to_owned(),
        ],
            Label::NotLearning => vec![
            "Train on one batch over and over: if the loss does not fall, it is a bug or the \
                initialisation, not the rate.".to_owned(),
            "Try a learning rate ten times higher and ten times lower, and Adam instead of plain \
                SGD.".to_owned(),
            "Check that labels belong to their inputs, that data is shuffled and that inputs are \
                scaled to about one.".to_owned(),
        ],
            Label::Unstable => vec![
            "Lower the learning rate to a third, or decay it towards the end; larger batches \
                calm it too.".to_owned(),
            "Clip gradients, and compare runs by a mean over several points or seeds, not by the \
                last value.".to_owned(),
        ],
            Label::Overfitting => vec![
                format!("Use the checkpoint of the best point ({best}), and stop early."),
                "Regularise: more or augmented data, weight decay, dropout, or a smaller \
                model."
                    .to_owned(),
            ],
            Label::Improving => {
                vec![format!(
                    "Train for twice as many {unit}s, with the schedule of the learning \
                rate stretched to them."
                )]
            }
            Label::Converged => vec![
                format!("Stop here; the best point is {best}."),
                "To get lower, change something else than the length: the rate or its decay, the \
                model, the data."
                    .to_owned(),
                BLIND.to_owned(),
            ],
            Label::Undecidable => vec![undecidable_advice(scene)],
        };
    let serious = |finding: &&Finding| finding.severity > super::report::Severity::Info;
    for change in findings.iter().filter(serious).filter_map(|finding| finding.change.clone()) {
        if !advice.contains(&change) {
            advice.push(change);
        }
    }
    advice
}

fn undecidable_advice(scene: &Scene) -> String {
    let judged = scene.judged;
    if judged.adversarial {
        return "Judge the samples: log a metric of them, such as the Fréchet distance, beside \
            both losses."
            .to_owned();
    }
    if judged.is_perfect() || judged.about.kind == Kind::Metric {
        return "Log the training and validation loss at every epoch: they tell what a metric \
            does not."
            .to_owned();
    }
    let needed = points_needed(judged, scene.worthwhile);
    let more = needed.saturating_sub(judged.series.y.len()).max(1);
    format!(
        "Log about {} more: then a gain of {} could be told from noise.",
        count(more, scene.unit),
        number(scene.worthwhile)
    )
}
