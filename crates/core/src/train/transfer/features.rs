//! What the frozen parts of a transfer model make of the images, computed once.
//!
//! Frozen parts never change, so neither does their output: it is computed before training, takes
//! the place of the images, and is kept in the cache directory under the checksums of the weights, the
//! preprocessing and the image. A second run, or another head, finds it there. Every file ends with
//! a checksum of itself: one that is damaged, or was never whole on the disk, is computed anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};
use converge_record::checksum::{Hasher, sha256};
use converge_record::{RecordError, sweep_abandoned, write_replacing};

use crate::models::Transfer;
use crate::models::mobilenet_v2::Architecture;
use crate::train::TrainError;
use converge_data::{DownloadProgress, Inputs, Preprocessing, Samples};

/// Changes when what is stored means something else.
const FORMAT: &str = "converge features 2";
/// Hexadecimal digits of a checksum.
const DIGITS: usize = 64;
/// How long a file may be half written before it counts as left by a killed process.
const ABANDONED: Duration = Duration::from_hours(1);

/// Frozen parts of a model, and where their output is kept.
pub(super) struct Frozen<'a> {
    model: Transfer,
    parts: usize,
    preprocessing: &'a Preprocessing,
    device: Device,
    /// The folder in the cache; `None` for weights that no file holds.
    store: Option<PathBuf>,
}

/// The output of frozen parts for samples.
pub(super) struct Stored {
    pub samples: Samples,
    /// The shape of one output: `[channels, height, width]`.
    pub shape: [usize; 3],
}

impl<'a> Frozen<'a> {
    /// The first `parts` parts of `model`, on images as `preprocessing` makes them. `weights` is
    /// the checksum of the weights' file, if they are from one.
    pub(super) fn new(
        (model, architecture): (&Transfer, &Architecture),
        parts: usize,
        preprocessing: &'a Preprocessing,
        device: &Device,
        weights: Option<&str>,
        cache: &Path,
    ) -> Self {
        // The architecture counts too: padding changes outputs without changing weights.
        let store = weights.map(|weights| {
            let key = format!("{FORMAT}\n{weights}\n{architecture:?}\n{parts}\n{preprocessing:?}");
            cache.join("features").join(sha256(key.as_bytes()))
        });
        Self { model: model.valid(), parts, preprocessing, device: device.clone(), store }
    }

    /// The output for every one of `samples`, from the cache where it is there.
    pub(super) fn of(
        &self,
        samples: &Samples,
        progress: &mut dyn DownloadProgress,
    ) -> Result<Stored, TrainError> {
        let shape = self.shape(samples)?;
        let width = shape.iter().product();
        let mut features = vec![0.0; samples.len() * width];
        let files: Vec<Option<PathBuf>> =
            (0..samples.len()).map(|index| self.file(samples, index)).collect();
        let mut missing = vec![];
        for ((index, row), file) in features.chunks_exact_mut(width).enumerate().zip(&files) {
            match file.as_deref().and_then(|file| read(file, width)) {
                Some(values) => row.copy_from_slice(&values),
                None => missing.push(index),
            }
        }
        if !missing.is_empty() {
            progress.notice(&format!(
                "computing what the frozen base makes of {} images, once",
                missing.len()
            ));
        }
        if let Some(store) = &self.store {
            fs::create_dir_all(store).map_err(|error| RecordError::write(store, error))?;
            sweep_abandoned(store, ABANDONED);
        }
        // One at a time: in a batch, rounding would depend on what else is missing.
        for index in missing {
            let values: Vec<f32> =
                self.run(samples, index).try_into_vec_as().map_err(TrainError::device)?;
            features[index * width..(index + 1) * width].copy_from_slice(&values);
            if let Some(file) = &files[index] {
                let mut bytes: Vec<u8> =
                    values.iter().flat_map(|value| value.to_le_bytes()).collect();
                bytes.extend(sha256(&bytes).into_bytes());
                write_replacing(file, &bytes).map_err(|error| RecordError::write(file, error))?;
            }
        }
        let samples = Samples {
            shape: shape.to_vec(),
            inputs: Inputs::Floats(features),
            targets: samples.targets.clone(),
        };
        Ok(Stored { samples, shape })
    }

    /// The shape of one output.
    fn shape(&self, samples: &Samples) -> Result<[usize; 3], TrainError> {
        // What one image of zeros becomes; there may be no sample at all.
        let zeros = Tensor::zeros([1, samples.input_len()], &self.device);
        let (outputs, shape) = self.model.stored(zeros, self.parts);
        // Waits for the device, so that its failure is met here.
        outputs.try_into_vec_as::<f32>().map_err(TrainError::device)?;
        Ok(shape)
    }

    /// The output for the sample `index`.
    fn run(&self, samples: &Samples, index: usize) -> Tensor<2> {
        let mut input = vec![0.0; samples.input_len()];
        self.preprocessing.apply_into(samples, index, &mut input);
        let input = TensorData::new(input, [1, samples.input_len()]);
        self.model.stored(Tensor::from_data(input, &self.device), self.parts).0
    }

    /// The file that keeps the output for sample `index`.
    fn file(&self, samples: &Samples, index: usize) -> Option<PathBuf> {
        let store = self.store.as_ref()?;
        let width = samples.input_len();
        let Inputs::Bytes(pixels) = &samples.inputs else { return None };
        let image = pixels.get(index * width..(index + 1) * width)?;
        let mut hasher = Hasher::default();
        hasher.update(format!("{:?}", samples.shape));
        hasher.update(image);
        Some(store.join(hasher.finish()))
    }
}

/// The numbers in `file`, if there are `width` of them and they are what was written.
fn read(file: &Path, width: usize) -> Option<Vec<f32>> {
    let bytes = fs::read(file).ok()?;
    let (bytes, sum) = bytes.split_at_checked(bytes.len().checked_sub(DIGITS)?)?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    let whole = rest.is_empty() && numbers.len() == width && sha256(bytes).as_bytes() == sum;
    whole.then(|| numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::models::mobilenet_v2::{Features, Padding};
    use crate::models::{InputSpec, Model, ModelSettings, TransferSettings};
    use converge_data::{NoProgress, Targets};

    fn small() -> (Transfer, Architecture) {
        let base = Architecture { width: 0.05, ..Architecture::default() };
        let settings = TransferSettings { base: base.clone(), ..TransferSettings::default() };
        let device = Device::default();
        let input = InputSpec::of_shape(&[3, 32, 32]);
        let model = ModelSettings::Transfer(settings).init(&input, 2, &device);
        let Model::Transfer(model) = model else { panic!() };
        crate::train::norms::draw_parameters(&model);
        (model, base)
    }

    fn images(count: usize) -> Samples {
        let width = 3 * 32 * 32;
        Samples {
            shape: vec![3, 32, 32],
            inputs: Inputs::Bytes((0..count * width).map(|i| (i * i % 251) as u8).collect()),
            targets: Targets::Classes((0..count).map(|index| (index % 2) as u32).collect()),
        }
    }

    fn floats(samples: &Samples) -> &[f32] {
        match &samples.inputs {
            Inputs::Floats(values) => values,
            _ => &[],
        }
    }

    #[test]
    fn stored_features_are_those_of_the_frozen_parts_and_are_found_again() {
        let cache = tempfile::tempdir().unwrap();
        let scale = Preprocessing::Scale { divisor: 255.0 };
        let ((model, base), device) = (small(), Device::default());
        let samples = images(11);
        for parts in [17, Features::PARTS] {
            let stored = |model| {
                Frozen::new((model, &base), parts, &scale, &device, Some("sum"), cache.path())
                    .of(&samples, &mut NoProgress)
                    .unwrap()
            };
            let stored = (stored(&model), stored(&small().0));
            // A second time they come from the disk: another model under the same checksum shows it.
            assert_eq!(stored.0.samples, stored.1.samples);
            let stored = stored.0;
            assert_eq!(stored.samples.shape, stored.shape);
            assert_eq!(stored.samples.targets, samples.targets);
            // The head gives the same outputs for images and for their features.
            let rows = floats(&stored.samples).to_vec();
            let rows = TensorData::new(rows, [11, stored.samples.input_len()]);
            let ours = model.clone().valid().starting_after(parts, stored.shape);
            let ours = Model::Transfer(ours).forward(Tensor::<2>::from_data(rows, &device));
            let mut whole = vec![0.0; 11 * samples.input_len()];
            for (index, row) in whole.chunks_exact_mut(samples.input_len()).enumerate() {
                scale.apply_into(&samples, index, row);
            }
            let whole = Tensor::<2>::from_data(TensorData::new(whole, [11, 3072]), &device);
            let whole = Model::Transfer(model.clone().valid()).forward(whole);
            let ours: Vec<f32> = ours.try_into_vec_as().unwrap();
            let whole: Vec<f32> = whole.try_into_vec_as().unwrap();
            for (ours, whole) in ours.iter().zip(&whole) {
                assert!((ours - whole).abs() < 1e-5, "{ours} {whole}");
            }
        }
    }

    #[test]
    fn other_weights_preprocessing_padding_or_damage_are_computed_anew() {
        let cache = tempfile::tempdir().unwrap();
        let device = Device::default();
        let scale = Preprocessing::Scale { divisor: 255.0 };
        let doubled = Preprocessing::Scale { divisor: 510.0 };
        let (model, base) = small();
        let same = Architecture { padding: Padding::Same, ..base.clone() };
        let parts = Features::PARTS;
        let frozen = |architecture, parts, preprocessing, weights| {
            let model = (&model, architecture);
            Frozen::new(model, parts, preprocessing, &device, weights, cache.path())
        };
        let store = |architecture, parts, preprocessing, weights| {
            frozen(architecture, parts, preprocessing, weights).store
        };
        let all = [
            store(&base, parts, &scale, Some("a")),
            store(&base, parts, &scale, Some("b")),
            store(&base, parts - 1, &scale, Some("a")),
            store(&base, parts, &doubled, Some("a")),
            store(&same, parts, &scale, Some("a")),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(one.is_some() && !all[..index].contains(one), "{index}");
        }
        assert_eq!(store(&base, parts, &scale, None), None);

        let frozen = frozen(&base, parts, &scale, Some("a"));
        let samples = images(2);
        let whole = frozen.of(&samples, &mut NoProgress).unwrap().samples;
        let file = frozen.file(&samples, 1).unwrap();
        let bytes = fs::read(&file).unwrap();
        assert_eq!(bytes.len(), 4 * whole.input_len() + DIGITS);
        let mut flipped = bytes.clone();
        flipped[3] ^= 0x40;
        let zeros = vec![0; bytes.len()];
        for damaged in [b"half", &flipped[..], &zeros, &bytes[..bytes.len() / 2], b""] {
            fs::write(&file, damaged).unwrap();
            assert_eq!(frozen.of(&samples, &mut NoProgress).unwrap().samples, whole);
            assert!(fs::read(&file).unwrap() == bytes, "it is mended");
        }
    }
}
