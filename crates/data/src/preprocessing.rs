//! What is done to raw inputs before a model sees them.
//!
//! Fitted on the training samples only, saved with a run, and applied by the training loader, by
//! `evaluate` and by `predict` alike.

use serde::{Deserialize, Serialize};

use super::{DataError, Inputs, RatingIndex, Samples, Targets, Vocabulary};

/// How raw inputs become model inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Preprocessing {
    /// `x / divisor`: images, whose bytes become numbers from 0 to 1.
    Scale {
        /// 255 for bytes.
        divisor: f32,
    },
    /// `(x - mean) / scale` per feature, where a missing (NaN) `x` is `fill` first: scikit-learn's
    /// `SimpleImputer(strategy="median")` in front of its `StandardScaler`.
    Standardize {
        /// The median of each feature.
        fill: Vec<f32>,
        /// The mean of each feature, missing values filled.
        mean: Vec<f32>,
        /// The population standard deviation of each feature; 1 for a constant one.
        scale: Vec<f32>,
    },
    /// `(x / 255 - mean) / deviation` per channel of an image of bytes, torchvision's `Normalize`
    /// after `ToTensor`.
    Normalize {
        /// The mean of each channel, from 0 to 1.
        mean: Vec<f32>,
        /// The standard deviation of each channel.
        deviation: Vec<f32>,
    },
    /// Texts become rows of word ids.
    Vocabulary(Vocabulary),
    /// Users and items become the numbers that training gave them.
    Ratings(RatingIndex),
}

/// What a model takes: rows of equal length, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// Numbers: features, or the channels, rows and columns of images.
    Floats(Vec<f32>),
    /// Ids: of words, or of a user and an item.
    Ids(Vec<u32>),
}

/// The range that the bytes of a colour image are brought to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// 0 to 1.
    Unit,
    /// -1 to 1, as Keras prepares images for `MobileNetV2`.
    Symmetric,
    /// About -2 to 2: mean 0 and deviation 1 over ImageNet, as torchvision's models expect.
    #[default]
    Imagenet,
}

impl Normalization {
    /// The name that an experiment uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Symmetric => "symmetric",
            Self::Imagenet => "imagenet",
        }
    }
}

impl Preprocessing {
    /// For images of red, green and blue bytes.
    pub fn normalize(range: Normalization) -> Self {
        let [mean, deviation] = match range {
            Normalization::Unit => return Self::Scale { divisor: 255.0 },
            Normalization::Symmetric => [[0.5; 3]; 2],
            Normalization::Imagenet => [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]],
        };
        Self::Normalize { mean: mean.to_vec(), deviation: deviation.to_vec() }
    }

    /// Fits to the training samples: bytes are scaled, real-valued features standardised,
    /// the words of texts and the users and items of ratings numbered.
    pub fn fit(training: &Samples) -> Self {
        match &training.inputs {
            Inputs::Bytes(_) => Self::Scale { divisor: 255.0 },
            Inputs::Floats(values) => standardize(values, training.input_len()),
            Inputs::Texts { texts, encoding } => {
                Self::Vocabulary(Vocabulary::fit(texts.iter().map(String::as_str), *encoding))
            }
            Inputs::Pairs(pairs) => {
                let ratings = match &training.targets {
                    Targets::Values(ratings) => ratings.as_slice(),
                    Targets::Classes(_) => &[],
                };
                Self::Ratings(RatingIndex::fit(pairs, ratings))
            }
            // Ids are what a model takes.
            Inputs::Ids(_) => Self::Scale { divisor: 1.0 },
        }
    }

    /// Does once what would be slow to do anew in every epoch: texts, users and items become rows
    /// of ids. Other samples stay as they are. What comes out is preprocessed like what goes in.
    #[must_use]
    pub fn prepare(&self, samples: Samples) -> Samples {
        if !matches!(samples.inputs, Inputs::Texts { .. } | Inputs::Pairs(_)) {
            return samples;
        }
        match self.rows(&samples, 0..samples.len()) {
            Rows::Ids(ids) => Samples { inputs: Inputs::Ids(ids), ..samples },
            Rows::Floats(_) => samples,
        }
    }

    /// The vocabulary, where inputs are texts: [`Vocabulary::row`] makes a raw one an input.
    pub fn vocabulary(&self) -> Option<&Vocabulary> {
        match self {
            Self::Vocabulary(vocabulary) => Some(vocabulary),
            _ => None,
        }
    }

    /// The mean of the training targets, where a model starts from it; else 0.
    pub fn target_mean(&self) -> f64 {
        match self {
            Self::Ratings(index) => index.mean.into(),
            _ => 0.0,
        }
    }

    /// Where inputs become ids, how many there are in each column, or in all; else nothing.
    pub fn ids(&self) -> Vec<usize> {
        match self {
            Self::Vocabulary(vocabulary) => vec![vocabulary.encoding().vocabulary_size],
            Self::Ratings(index) => vec![index.users() + 1, index.items() + 1],
            _ => vec![],
        }
    }

    /// The model inputs of the `samples` at `indices`.
    pub fn rows(&self, samples: &Samples, indices: impl ExactSizeIterator<Item = usize>) -> Rows {
        let width = samples.input_len();
        if matches!(samples.inputs, Inputs::Bytes(_) | Inputs::Floats(_)) {
            let mut floats = vec![0.0; indices.len() * width];
            for (index, row) in indices.zip(floats.chunks_exact_mut(width.max(1))) {
                self.apply_into(samples, index, row);
            }
            return Rows::Floats(floats);
        }
        let mut ids = vec![0; indices.len() * width];
        for (index, row) in indices.zip(ids.chunks_exact_mut(width.max(1))) {
            self.ids_into(samples, index, row);
        }
        Rows::Ids(ids)
    }

    /// Writes the ids of input `index` of `samples` to `out`, which has [`Samples::input_len`]
    /// places. An `index` beyond the end writes nothing.
    fn ids_into(&self, samples: &Samples, index: usize, out: &mut [u32]) {
        match (&samples.inputs, self) {
            (Inputs::Texts { texts, .. }, Self::Vocabulary(vocabulary)) => {
                if let Some(text) = texts.get(index) {
                    vocabulary.row_into(text, out);
                }
            }
            (Inputs::Pairs(pairs), Self::Ratings(ratings)) => ratings.row_into(pairs, index, out),
            (Inputs::Ids(ids), _) => {
                let place = index * out.len()..(index + 1) * out.len();
                if let Some(row) = ids.get(place) {
                    out.copy_from_slice(row);
                }
            }
            _ => {}
        }
    }

    /// Writes the preprocessed input `index` of `samples`, which are bytes or floats, to `out`,
    /// which has [`Samples::input_len`] places. An `index` beyond the end writes nothing.
    pub fn apply_into(&self, samples: &Samples, index: usize, out: &mut [f32]) {
        let width = samples.input_len();
        debug_assert_eq!(out.len(), width, "one place per value");
        let row = index * width..(index + 1) * width;
        match &samples.inputs {
            Inputs::Bytes(values) => {
                self.apply_bytes(values.get(row).unwrap_or_default(), out);
            }
            Inputs::Floats(values) => {
                let row = values.get(row).unwrap_or_default();
                for (out, &value) in out.iter_mut().zip(row) {
                    *out = value;
                }
                self.apply(out);
            }
            Inputs::Texts { .. } | Inputs::Pairs(_) | Inputs::Ids(_) => {}
        }
    }

    /// Writes the preprocessed image of `bytes` to `out`, which has as many places.
    pub fn apply_bytes(&self, bytes: &[u8], out: &mut [f32]) {
        for (out, &value) in out.iter_mut().zip(bytes) {
            *out = f32::from(value);
        }
        self.apply(out);
    }

    /// Preprocesses one raw row of numbers in place, as `predict` reads it.
    pub fn apply_row(&self, row: &mut [f32]) -> Result<(), DataError> {
        let expected = match self {
            Self::Scale { .. } | Self::Normalize { .. } => row.len(),
            Self::Standardize { mean, .. } => mean.len(),
            Self::Vocabulary(vocabulary) => vocabulary.encoding().length,
            Self::Ratings(_) => 2,
        };
        if row.len() != expected {
            return Err(DataError::RowLength { found: row.len(), expected });
        }
        self.apply(row);
        Ok(())
    }

    fn apply(&self, row: &mut [f32]) {
        match self {
            Self::Scale { divisor } => {
                for value in row {
                    *value /= divisor;
                }
            }
            Self::Standardize { fill, mean, scale } => {
                for (((value, fill), mean), scale) in row.iter_mut().zip(fill).zip(mean).zip(scale)
                {
                    let known = if value.is_nan() { *fill } else { *value };
                    *value = (known - mean) / scale;
                }
            }
            Self::Normalize { mean, deviation } => {
                let plane = row.len() / mean.len().max(1);
                let planes = row.chunks_exact_mut(plane.max(1));
                for ((plane, mean), deviation) in planes.zip(mean).zip(deviation) {
                    for value in plane {
                        *value = (*value / 255.0 - mean) / deviation;
                    }
                }
            }
            // They make ids, of which there is nothing to be changed.
            Self::Vocabulary(_) | Self::Ratings(_) => {}
        }
    }
}

fn standardize(values: &[f32], width: usize) -> Preprocessing {
    let (mut fill, mut mean, mut scale) = (Vec::new(), Vec::new(), Vec::new());
    for feature in 0..width {
        let column: Vec<f32> = values.iter().skip(feature).step_by(width).copied().collect();
        let median = median(&column);
        let filled =
            || column.iter().map(|&value| f64::from(if value.is_nan() { median } else { value }));
        let count = column.len().max(1) as f64;
        let average = filled().sum::<f64>() / count;
        let variance = filled().map(|value| (value - average).powi(2)).sum::<f64>() / count;
        // A constant feature has no spread but rounding error; dividing by that would blow it up.
        let constant = variance <= (1e-7 * average).powi(2);
        fill.push(median);
        mean.push(average as f32);
        scale.push(if constant { 1.0 } else { variance.sqrt() as f32 });
    }
    Preprocessing::Standardize { fill, mean, scale }
}

/// The median of the values that are not missing; 0 where all are.
fn median(values: &[f32]) -> f32 {
    let mut known: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_unstable_by(f32::total_cmp);
    let middle = known.len() / 2;
    match known.as_slice() {
        [] => 0.0,
        sorted if sorted.len().is_multiple_of(2) => {
            f32::midpoint(sorted[middle - 1], sorted[middle])
        }
        sorted => sorted[middle],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;

    fn table(shape: usize, values: &[f32]) -> Samples {
        Samples {
            shape: vec![shape],
            inputs: Inputs::Floats(values.to_vec()),
            targets: Targets::Values(vec![0.0; values.len() / shape]),
        }
    }

    #[test]
    fn bytes_become_numbers_from_0_to_1() {
        let samples = Samples {
            shape: vec![1, 1, 3],
            inputs: Inputs::Bytes(vec![9, 9, 9, 0, 51, 255]),
            targets: Targets::Classes(vec![0, 1]),
        };
        let mut out = [0.0; 3];
        Preprocessing::fit(&samples).apply_into(&samples, 1, &mut out);
        assert_eq!(out, [0.0, 0.2, 1.0]);
    }

    #[test]
    fn channels_are_normalised_as_torchvision_does() {
        // ToTensor and Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]) of bytes 0 and 255.
        let samples = Samples {
            shape: vec![3, 1, 2],
            inputs: Inputs::Bytes(vec![0, 255, 0, 255, 0, 255]),
            targets: Targets::Classes(vec![0]),
        };
        let imagenet = [-2.117_904, 2.248_908_3, -2.035_714_4, 2.428_571_5, -1.804_444_5, 2.64];
        let unit = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0];
        for (range, expected) in [
            (Normalization::Imagenet, imagenet),
            (Normalization::Symmetric, [-1.0, 1.0, -1.0, 1.0, -1.0, 1.0]),
            (Normalization::Unit, unit),
        ] {
            let mut out = [f32::NAN; 6];
            Preprocessing::normalize(range).apply_into(&samples, 0, &mut out);
            let near = |(found, expected): (&f32, &f32)| (found - expected).abs() < 1e-5;
            assert!(out.iter().zip(&expected).all(near), "{range:?}: {out:?}");
        }
    }

    #[test]
    fn features_are_standardised_as_scikit_learn_does() {
        // make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit_transform(
        //     [[1, 5], [2, 5], [nan, 5], [6, 5]])
        let samples = table(2, &[1.0, 5.0, 2.0, 5.0, f32::NAN, 5.0, 6.0, 5.0]);
        let fitted = Preprocessing::fit(&samples);
        let expected = [-0.911_322_4, -0.390_566_7, -0.390_566_7, 1.692_455_8];
        for (index, expected) in expected.iter().enumerate() {
            let mut out = [f32::NAN; 2];
            fitted.apply_into(&samples, index, &mut out);
            assert!((out[0] - expected).abs() < 1e-6, "{out:?}");
            assert_eq!(out[1], 0.0);
        }
    }

    #[test]
    fn a_row_of_another_length_is_an_error() {
        let fitted = Preprocessing::fit(&table(2, &[1.0, 5.0, 2.0, 6.0]));
        assert!(fitted.apply_row(&mut [1.0]).is_err());
        let mut row = [1.5, f32::NAN];
        fitted.apply_row(&mut row).unwrap();
        assert_eq!(row, [0.0, 0.0]);
    }

    #[test]
    fn the_fitted_numbers_survive_json() {
        let fitted = Preprocessing::fit(&table(1, &[0.1, 0.7, 0.3]));
        let text = serde_json::to_string(&fitted).unwrap();
        assert_eq!(serde_json::from_str::<Preprocessing>(&text).unwrap(), fitted);
    }
}
