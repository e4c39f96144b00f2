//! Scores of predicted classes, with the definitions of scikit-learn's `metrics` module.
//!
//! Everything that depends only on which class was predicted comes from the [`ConfusionMatrix`];
//! [`top_k_accuracy`] and [`cross_entropy`] need the logits.

use serde::Serialize;

use super::{MetricsError, check_pairs, check_rows};

/// How often each true class was predicted as each class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConfusionMatrix {
    /// `rows[true_class][predicted_class]`, as scikit-learn's `confusion_matrix`.
    rows: Vec<Vec<u64>>,
}

impl ConfusionMatrix {
    /// Counts `predicted` classes against `targets`, both in `0..classes`.
    pub fn new(targets: &[u32], predicted: &[u32], classes: usize) -> Result<Self, MetricsError> {
        check_pairs(predicted.len(), targets.len())?;
        let mut rows = vec![vec![0_u64; classes]; classes];
        for (sample, (&target, &guess)) in targets.iter().zip(predicted).enumerate() {
            check_class(sample, target, classes)?;
            check_class(sample, guess, classes)?;
            rows[target as usize][guess as usize] += 1;
        }
        Ok(Self { rows })
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.rows.len()
    }

    /// The number of samples counted.
    pub fn samples(&self) -> u64 {
        self.rows.iter().flatten().sum()
    }

    /// The counts, one row per true class, one column per predicted class.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// The fraction of samples whose class was predicted, in `[0, 1]`.
    pub fn accuracy(&self) -> f64 {
        let correct: u64 = self.diagonal().sum();
        ratio(correct as f64, self.samples() as f64)
    }

    /// Precision, recall and F1 of every class, and their averages.
    pub fn report(&self) -> ClassificationReport {
        let per_class: Vec<ClassScores> = self
            .diagonal()
            .enumerate()
            .map(|(class, correct)| {
                let predicted = self.rows.iter().map(|row| row[class]).sum();
                let support = self.rows[class].iter().sum();
                ClassScores::new(correct, predicted, support)
            })
            .collect();
        ClassificationReport {
            samples: self.samples(),
            accuracy: self.accuracy(),
            macro_average: AverageScores::new(&per_class, |scores| f64::from(scores.occurs())),
            weighted_average: AverageScores::new(&per_class, |scores| scores.support as f64),
            per_class,
        }
    }

    fn diagonal(&self) -> impl Iterator<Item = u64> + '_ {
        self.rows.iter().enumerate().map(|(class, row)| row[class])
    }
}

/// The scores of scikit-learn's `classification_report`, with `zero_division=0` and without
/// `labels`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassificationReport {
    /// The number of samples scored.
    pub samples: u64,
    /// The fraction of samples whose class was predicted, in `[0, 1]`.
    pub accuracy: f64,
    /// The mean over the classes that occur, as true or as predicted ones, each counting the same.
    pub macro_average: AverageScores,
    /// The mean over classes, each counting as often as it occurs.
    pub weighted_average: AverageScores,
    /// The scores of each class, by class index.
    pub per_class: Vec<ClassScores>,
}

/// The scores of one class, each in `[0, 1]`, and 0 where the denominator is 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassScores {
    /// Of the samples predicted as this class, the fraction that is: `TP / (TP + FP)`.
    pub precision: f64,
    /// Of the samples of this class, the fraction predicted as such: `TP / (TP + FN)`.
    pub recall: f64,
    /// The harmonic mean of the two: `2 TP / (2 TP + FP + FN)`.
    pub f1: f64,
    /// The number of samples of this class.
    pub support: u64,
    /// The number of samples predicted as this class.
    #[serde(skip)]
    predicted: u64,
}

impl ClassScores {
    /// Whether the class is the true or the predicted one of any sample.
    fn occurs(&self) -> bool {
        self.support + self.predicted > 0
    }

    fn new(correct: u64, predicted: u64, support: u64) -> Self {
        let correct = correct as f64;
        Self {
            precision: ratio(correct, predicted as f64),
            recall: ratio(correct, support as f64),
            f1: ratio(2.0 * correct, (predicted + support) as f64),
            support,
            predicted,
        }
    }
}

/// The scores of several classes, averaged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AverageScores {
    /// The mean precision.
    pub precision: f64,
    /// The mean recall.
    pub recall: f64,
    /// The mean F1.
    pub f1: f64,
}

impl AverageScores {
    fn new(classes: &[ClassScores], weight: impl Fn(&ClassScores) -> f64) -> Self {
        let total: f64 = classes.iter().map(&weight).sum();
        let mean = |score: fn(&ClassScores) -> f64| {
            ratio(classes.iter().map(|class| weight(class) * score(class)).sum(), total)
        };
        Self {
            precision: mean(|class| class.precision),
            recall: mean(|class| class.recall),
            f1: mean(|class| class.f1),
        }
    }
}

/// The class with the largest logit, for each row of `classes` logits.
///
/// Of equal logits the lowest class wins, as for `numpy.argmax`; a NaN never wins, and a row of
/// nothing but NaN gives class 0.
pub fn predicted_classes(logits: &[f32], classes: usize) -> Result<Vec<u32>, MetricsError> {
    check_rows(logits.len(), classes)?;
    let largest = |row: &[f32]| {
        let start = (0_u32, f32::NEG_INFINITY);
        (0..).zip(row).fold(start, |best, (class, &x)| if x > best.1 { (class, x) } else { best }).0
    };
    Ok(logits.chunks_exact(classes).map(largest).collect())
}

/// The logits of both classes, where a model gives one: z stands for 0 and z, since the softmax of
/// the two is the sigmoid of z.
pub fn two_class_logits(logits: &[f32]) -> Vec<f32> {
    logits.iter().flat_map(|&logit| [0.0, logit]).collect()
}

/// The fraction of samples whose class is among the `k` largest logits, in `[0, 1]`.
///
/// `logits` are rows of `classes` values, one row per target. Equal logits rank by class, lowest
/// first, so that `k = 1` is the accuracy of [`predicted_classes`] (scikit-learn's
/// `top_k_accuracy_score` ranks ties the other way round). A NaN ranks below everything.
pub fn top_k_accuracy(
    targets: &[u32],
    logits: &[f32],
    classes: usize,
    k: usize,
) -> Result<f64, MetricsError> {
    if k == 0 || k > classes {
        return Err(MetricsError::InvalidTopK { k, classes });
    }
    let mut hits = 0_usize;
    for (target, row) in rows(targets, logits, classes)? {
        let own = row[target];
        let ahead =
            |(class, &other): (usize, &f32)| other > own || (other >= own && class < target);
        if !own.is_nan() && row.iter().enumerate().filter(|&entry| ahead(entry)).count() < k {
            hits += 1;
        }
    }
    Ok(hits as f64 / targets.len() as f64)
}

/// The mean cross-entropy of the softmax of `logits`, in nats: `1/n Σ (ln Σⱼ exp zⱼ - z_target)`.
///
/// `logits` are rows of `classes` values, one row per target. The largest logit is taken out of
/// the sum of exponentials, so that large logits do not overflow. Agrees with
/// `torch.nn.functional.cross_entropy`; a NaN among the logits gives NaN.
pub fn cross_entropy(targets: &[u32], logits: &[f32], classes: usize) -> Result<f64, MetricsError> {
    let mut sum = 0.0;
    for (target, row) in rows(targets, logits, classes)? {
        let largest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let exponentials: f64 = row.iter().map(|&z| (f64::from(z) - largest).exp()).sum();
        sum += largest + exponentials.ln() - f64::from(row[target]);
    }
    Ok(sum / targets.len() as f64)
}

/// Each target class with its row of logits, after every check.
fn rows<'a>(
    targets: &'a [u32],
    logits: &'a [f32],
    classes: usize,
) -> Result<impl Iterator<Item = (usize, &'a [f32])>, MetricsError> {
    check_pairs(check_rows(logits.len(), classes)?, targets.len())?;
    for (sample, &target) in targets.iter().enumerate() {
        check_class(sample, target, classes)?;
    }
    Ok(targets.iter().map(|&target| target as usize).zip(logits.chunks_exact(classes)))
}

fn check_class(sample: usize, class: u32, classes: usize) -> Result<(), MetricsError> {
    if (class as usize) < classes {
        Ok(())
    } else {
        Err(MetricsError::ClassOutOfRange { sample, class, classes })
    }
}

/// `part / whole`, and 0 where there is nothing to divide by, as scikit-learn's `zero_division=0`.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::golden::{cases, close};

    #[derive(serde::Deserialize)]
    struct Scores {
        precision: f64,
        recall: f64,
        f1: f64,
        support: u64,
    }

    #[derive(serde::Deserialize)]
    struct ClassesCase {
        name: String,
        classes: usize,
        targets: Vec<u32>,
        predicted: Vec<u32>,
        confusion: Vec<Vec<u64>>,
        accuracy: f64,
        per_class: Vec<Scores>,
        #[serde(rename = "macro")]
        macro_average: Scores,
        weighted: Scores,
    }

    #[derive(serde::Deserialize)]
    struct LogitsCase {
        name: String,
        classes: usize,
        targets: Vec<u32>,
        logits: Vec<f32>,
        cross_entropy: f64,
        predicted: Vec<u32>,
        top_k: Vec<f64>,
    }

    fn agree(name: &str, actual: [f64; 3], expected: &Scores) {
        let expected = [expected.precision, expected.recall, expected.f1];
        for (actual, expected) in actual.iter().zip(expected) {
            assert!(close(*actual, expected, 1e-12), "{name}: {actual} is not {expected}");
        }
    }

    #[test]
    fn scores_of_classes_agree_with_scikit_learn() {
        for case in cases::<ClassesCase>("classification") {
            let matrix =
                ConfusionMatrix::new(&case.targets, &case.predicted, case.classes).unwrap();
            assert_eq!(matrix.rows(), case.confusion, "{}", case.name);
            assert_eq!(matrix.samples(), case.targets.len() as u64);
            assert!(close(matrix.accuracy(), case.accuracy, 1e-12), "{}", case.name);

            let report = matrix.report();
            assert_eq!(report.per_class.len(), case.classes);
            for (actual, expected) in report.per_class.iter().zip(&case.per_class) {
                assert_eq!(actual.support, expected.support, "{}", case.name);
                agree(&case.name, [actual.precision, actual.recall, actual.f1], expected);
            }
            for (actual, expected) in [
                (report.macro_average, &case.macro_average),
                (report.weighted_average, &case.weighted),
            ] {
                agree(&case.name, [actual.precision, actual.recall, actual.f1], expected);
            }
        }
    }

    #[test]
    fn scores_of_logits_agree_with_scikit_learn_and_scipy() {
        for case in cases::<LogitsCase>("logits") {
            let LogitsCase { name, classes, targets, logits, .. } = &case;
            let entropy = cross_entropy(targets, logits, *classes).unwrap();
            assert!(close(entropy, case.cross_entropy, 1e-12), "{name}: {entropy}");
            assert_eq!(predicted_classes(logits, *classes).unwrap(), case.predicted, "{name}");
            for (k, expected) in (1..).zip(&case.top_k) {
                let actual = top_k_accuracy(targets, logits, *classes, k).unwrap();
                assert!(close(actual, *expected, 1e-12), "{name}: top-{k} is {actual}");
            }
        }
    }

    #[test]
    fn uniform_logits_have_the_entropy_of_a_fair_die() {
        let entropy = cross_entropy(&[3], &[0.0; 6], 6).unwrap();
        assert!(close(entropy, 6.0_f64.ln(), 1e-15));
    }

    #[test]
    fn of_equal_logits_the_lowest_class_wins() {
        assert_eq!(predicted_classes(&[1.0, 2.0, 2.0, f32::NAN], 4).unwrap(), [1]);
        assert!(close(top_k_accuracy(&[2], &[1.0, 2.0, 2.0], 3, 1).unwrap(), 0.0, 0.0));
        assert!(close(top_k_accuracy(&[1], &[1.0, 2.0, 2.0], 3, 1).unwrap(), 1.0, 0.0));
    }

    #[test]
    fn wrong_shapes_and_classes_are_errors() {
        assert_eq!(ConfusionMatrix::new(&[], &[], 2), Err(MetricsError::NoSamples));
        assert_eq!(
            ConfusionMatrix::new(&[0, 2], &[0, 1], 2),
            Err(MetricsError::ClassOutOfRange { sample: 1, class: 2, classes: 2 })
        );
        assert_eq!(
            cross_entropy(&[0], &[1.0, 2.0, 3.0], 2),
            Err(MetricsError::RaggedRows { values: 3, columns: 2 })
        );
        assert_eq!(
            top_k_accuracy(&[0], &[1.0, 2.0], 2, 3),
            Err(MetricsError::InvalidTopK { k: 3, classes: 2 })
        );
    }

    proptest! {
        #[test]
        fn no_input_panics(
            targets in prop::collection::vec(0_u32..5, 0..6),
            predicted in prop::collection::vec(any::<u32>(), 0..6),
            logits in prop::collection::vec(any::<f32>(), 0..24),
            classes in 0_usize..5,
            k in 0_usize..6,
        ) {
            let _ = ConfusionMatrix::new(&targets, &predicted, classes).map(|matrix| matrix.report());
            let _ = cross_entropy(&targets, &logits, classes);
            let _ = predicted_classes(&logits, classes);
            if let Ok(fraction) = top_k_accuracy(&targets, &logits, classes, k) {
                prop_assert!((0.0..=1.0).contains(&fraction));
            }
        }
    }
}
