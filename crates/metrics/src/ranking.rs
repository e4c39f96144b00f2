//! Scores of a ranking: how well two classes are told apart, whatever the threshold.

use std::cmp::Ordering;

use super::{MetricsError, check_pairs};

/// The area under the receiver operating characteristic of two classes, in `[0, 1]`: the
/// probability that a sample of class 1 has a higher score than one of class 0, where equal scores
/// count half.
///
/// `scores` rise with the belief in class 1: logits or probabilities. Computed from ranks, where
/// equal scores share their mean rank (Mann and Whitney, 1947): `(R₁ - n₁ (n₁ + 1) / 2) / (n₀ n₁)`.
/// Agrees with scikit-learn's `roc_auc_score`; where that warns that it is not defined, because all
/// targets are of one class, this is an error.
pub fn roc_auc(targets: &[u32], scores: &[f32]) -> Result<f64, MetricsError> {
    check_pairs(scores.len(), targets.len())?;
    let mut ranked = Vec::with_capacity(targets.len());
    for (sample, (&class, &score)) in targets.iter().zip(scores).enumerate() {
        if class > 1 {
            return Err(MetricsError::ClassOutOfRange { sample, class, classes: 2 });
        }
        if score.is_nan() {
            return Err(MetricsError::ScoreNotANumber { sample });
        }
        ranked.push((score, class == 1));
    }
    let positives = ranked.iter().filter(|(_, positive)| *positive).count();
    let negatives = ranked.len() - positives;
    if positives == 0 || negatives == 0 {
        return Err(MetricsError::OneClass { class: u32::from(negatives == 0) });
    }
    ranked.sort_unstable_by(|(a, _), (b, _)| a.total_cmp(b));
    let (mut rank_sum, mut below) = (0.0, 0);
    // Not by bits, for which 0 and -0 differ.
    let equals = ranked.chunk_by(|(a, _), (b, _)| a.partial_cmp(b) == Some(Ordering::Equal));
    for equal in equals {
        let rank = below as f64 + (equal.len() + 1) as f64 / 2.0;
        rank_sum += rank * equal.iter().filter(|(_, positive)| *positive).count() as f64;
        below += equal.len();
    }
    let (positives, negatives) = (positives as f64, negatives as f64);
    Ok((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::golden::{cases, close};

    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        targets: Vec<u32>,
        scores: Vec<f32>,
        roc_auc: f64,
    }

    #[test]
    fn areas_agree_with_scikit_learn_also_with_equal_scores() {
        for case in cases::<Case>("roc_auc") {
            let area = roc_auc(&case.targets, &case.scores).unwrap();
            assert!(close(area, case.roc_auc, 1e-12), "{}: {area}", case.name);
        }
    }

    #[test]
    fn one_class_only_and_scores_that_are_no_numbers_are_errors() {
        assert_eq!(roc_auc(&[1, 1], &[0.1, 0.2]), Err(MetricsError::OneClass { class: 1 }));
        assert_eq!(roc_auc(&[0], &[0.1]), Err(MetricsError::OneClass { class: 0 }));
        assert_eq!(roc_auc(&[], &[]), Err(MetricsError::NoSamples));
        let error = roc_auc(&[0, 1], &[0.1, f32::NAN]);
        assert_eq!(error, Err(MetricsError::ScoreNotANumber { sample: 1 }));
        let error = roc_auc(&[0, 2], &[0.1, 0.2]);
        assert_eq!(error, Err(MetricsError::ClassOutOfRange { sample: 1, class: 2, classes: 2 }));
        assert!(roc_auc(&[0, 1], &[0.0, -0.0]).is_ok_and(|area| close(area, 0.5, 0.0)));
    }

    proptest! {
        #[test]
        fn turning_the_scores_round_turns_the_area_round(
            samples in prop::collection::vec((0_u32..2, any::<f32>()), 0..40),
        ) {
            let (targets, scores): (Vec<u32>, Vec<f32>) = samples.into_iter().unzip();
            if let Ok(area) = roc_auc(&targets, &scores) {
                let turned: Vec<f32> = scores.iter().map(|score| -score).collect();
                let other = roc_auc(&targets, &turned).unwrap();
                prop_assert!((0.0..=1.0).contains(&area) && close(area + other, 1.0, 1e-12));
            }
        }
    }
}
