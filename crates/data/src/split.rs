//! Splits of samples: validation out of training, test out of all.
//!
//! Images have official test splits; tables are split here, with a seed of their own, so that
//! the test rows stay the same when the run's seed changes.

use std::cmp::Reverse;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::{DataError, Samples, Targets, ValidationSplit};

/// Splits `samples` into training and validation samples. A `fraction` of 0 gives no validation
/// samples; the training part keeps `floor(len * (1 - fraction))` of them, as in Keras.
///
/// `Last` holds out the last samples in file order, of each class where the file is sorted by class,
/// `Random` ones drawn with `seed`; both parts keep the file order.
pub fn split_validation(
    mut samples: Samples,
    fraction: f64,
    how: ValidationSplit,
    seed: u64,
) -> Result<(Samples, Samples), DataError> {
    converge_settings::ranges::FRACTION.check("validation_fraction", &fraction)?;
    let all = samples.len();
    let kept = kept_for_training(all, fraction);
    let empty =
        |empty| DataError::EmptySplit { key: "validation_fraction", fraction, samples: all, empty };
    if kept == 0 {
        return Err(empty("training"));
    }
    let held_out: Vec<usize> = match how {
        ValidationSplit::Last => match &samples.targets {
            Targets::Classes(classes) if classes.is_sorted() => last_of_each_class(classes, kept),
            _ => (kept..all).collect(),
        },
        ValidationSplit::Random => {
            let mut drawn = shuffled(all, seed).split_off(kept);
            drawn.sort_unstable();
            drawn
        }
    };
    if held_out.is_empty() && fraction > 0.0 {
        return Err(empty("validation"));
    }
    let validation = samples.take(&held_out);
    Ok((samples, validation))
}

/// The places of the last samples of each class, of which all but `kept` are held out: as many of
/// each as its part of all, rounded so that the sum is right (largest remainders first).
fn last_of_each_class(sorted: &[u32], kept: usize) -> Vec<usize> {
    let (all, mut start) = (sorted.len(), 0);
    let mut parts: Vec<(std::ops::Range<usize>, usize)> = sorted
        .chunk_by(|a, b| a == b)
        .map(|class| {
            let place = start..start + class.len();
            start = place.end;
            (place, class.len() * (all - kept) / all)
        })
        .collect();
    let missing = (all - kept) - parts.iter().map(|(_, held_out)| held_out).sum::<usize>();
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|&class| Reverse(parts[class].0.len() * (all - kept) % all));
    for class in by_remainder.into_iter().take(missing) {
        parts[class].1 += 1;
    }
    parts.into_iter().flat_map(|(place, held_out)| place.end - held_out..place.end).collect()
}

/// How many of `samples` are left to train on where a `fraction` is held out for validation.
pub fn kept_for_training(samples: usize, fraction: f64) -> usize {
    (samples as f64 * (1.0 - fraction)).floor() as usize
}

/// How many of `samples` a test split with this `fraction` of them has: `ceil(samples * fraction)`, as in
/// scikit-learn's `train_test_split`.
pub(super) fn held_out_for_testing(samples: usize, fraction: f64) -> usize {
    (samples as f64 * fraction).ceil() as usize
}

/// Shuffles `samples` with `seed` and splits them into training and test samples.
pub(super) fn split_test(
    samples: &Samples,
    fraction: f64,
    seed: u64,
) -> Result<(Samples, Samples), DataError> {
    let all = samples.len();
    let held_out = held_out_for_testing(all, fraction);
    let empty =
        |empty| DataError::EmptySplit { key: "test_fraction", fraction, samples: all, empty };
    if held_out == 0 {
        return Err(empty("testing"));
    }
    if held_out >= all {
        return Err(empty("training"));
    }
    let mut test = shuffled(all, seed);
    let training = test.split_off(held_out);
    Ok((samples.select(&training), samples.select(&test)))
}

/// The numbers below `count` in an order drawn with `seed`.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    order
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Inputs;

    fn numbered(count: u16) -> Samples {
        Samples {
            shape: vec![1],
            inputs: Inputs::Floats((0..count).map(f32::from).collect()),
            // Not sorted, as the classes of files that are no folders.
            targets: Targets::Classes((0..u32::from(count)).map(|n| n ^ 1).collect()),
        }
    }

    fn classes(samples: &Samples) -> Vec<u32> {
        match &samples.targets {
            Targets::Classes(classes) => classes.clone(),
            Targets::Values(_) => Vec::new(),
        }
    }

    #[test]
    fn last_holds_out_the_end_as_keras_does() {
        let (training, validation) =
            split_validation(numbered(10), 0.25, ValidationSplit::Last, 0).unwrap();
        // Keras: split_at = floor(10 * 0.75) = 7.
        assert_eq!(classes(&training), [1, 0, 3, 2, 5, 4, 7]);
        assert_eq!(classes(&validation), [6, 9, 8]);
    }

    #[test]
    fn last_holds_out_of_each_class_where_samples_come_class_by_class() {
        let folders = [[0; 10].as_slice(), &[1; 7], &[2; 3]].concat();
        let samples = Samples {
            shape: vec![1],
            inputs: Inputs::Floats((0..20_u8).map(f32::from).collect()),
            targets: Targets::Classes(folders),
        };
        let (training, validation) =
            split_validation(samples, 0.25, ValidationSplit::Last, 0).unwrap();
        // A quarter of 10, 7 and 3 is 2.5, 1.75 and 0.75: 5 in all.
        assert_eq!(classes(&validation), [0, 0, 1, 1, 2]);
        assert_eq!(validation.inputs, Inputs::Floats(vec![8.0, 9.0, 15.0, 16.0, 19.0]));
        assert_eq!(training.len(), 15);
    }

    #[test]
    fn random_depends_on_the_seed_only_and_loses_nothing() {
        let split = |seed| {
            split_validation(numbered(100), 0.2, ValidationSplit::Random, seed)
                .map(|(training, validation)| (classes(&training), classes(&validation)))
                .unwrap()
        };
        assert_eq!(split(1), split(1));
        assert_ne!(split(1), split(2));
        let (mut all, held_out) = split(1);
        assert_eq!(held_out.len(), 20);
        all.extend(held_out);
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn no_share_leaves_validation_empty() {
        let (training, validation) =
            split_validation(numbered(4), 0.0, ValidationSplit::Random, 0).unwrap();
        assert_eq!((training.len(), validation.len()), (4, 0));
    }

    #[test]
    fn a_split_without_samples_on_one_side_is_an_error() {
        let split =
            |count, fraction| split_validation(numbered(count), fraction, ValidationSplit::Last, 0);
        assert!(split(2, 0.9).unwrap_err().to_string().contains("no sample for training"));
        assert!(split(0, 0.1).is_err());
        assert!(split(10, 1.0).is_err());
        assert!(split(10, f64::NAN).is_err());
        assert!(split_test(&numbered(1), 0.5, 0).is_err());
    }

    #[test]
    fn the_test_split_has_the_sizes_of_scikit_learn() {
        let (training, test) = split_test(&numbered(11), 0.2, 42).unwrap();
        assert_eq!((training.len(), test.len()), (8, 3));
        assert_ne!(classes(&test), [0, 1, 2]);
    }
}
