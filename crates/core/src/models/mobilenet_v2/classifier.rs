//! The whole published network: from a picture file to logits of the classes of ImageNet.

use std::path::{Path, PathBuf};

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData, TensorReadError};

use super::{MobileNetV2, MobileNetV2Settings, PublishedWeights, names};
use crate::models::{BuildModel as _, InputSpec, Network as _, Weights, WeightsError};
use converge_data::{
    DataError, DataSettings, DownloadProgress, LoadOptions, PictureSettings, Preprocessing,
};

/// MobileNetV2 with published weights, in evaluation mode.
pub struct Classifier {
    model: MobileNetV2,
    classes: usize,
    path: PathBuf,
    data: DataSettings,
    preprocessing: Preprocessing,
    device: Device,
}

/// Why a picture could not be classified.
#[derive(Debug, thiserror::Error)]
pub enum ClassifierError {
    /// Weights or pictures could not be had.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The weights cannot be used.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A computation failed.
    #[error("the device failed: {0}")]
    Device(#[from] TensorReadError),
}

/// The name of the bias whose length is the number of classes.
const BIAS: &str = "classifier.1.bias";

impl Classifier {
    /// Finds or fetches the published weights `name`.
    pub fn load(
        name: &str,
        options: &LoadOptions,
        progress: &mut dyn DownloadProgress,
        device: &Device,
    ) -> Result<Self, ClassifierError> {
        let (published, path) = PublishedWeights::obtain(name, true, options, progress)?;
        let weights = Weights::read(&path)?;
        let pictures = PictureSettings::default();
        let shape = [3, pictures.size, pictures.size];
        let classes = weights.length(BIAS).unwrap_or(1000);
        let settings = MobileNetV2Settings { base: published.architecture(), ..Default::default() };
        let model = settings.init(&InputSpec::of_shape(&shape), classes, device);
        let model = weights.apply(model, names::torchvision, |_| false)?.valid();
        Ok(Self {
            model,
            classes,
            path,
            data: DataSettings::Pictures(pictures),
            preprocessing: Preprocessing::normalize(published.normalization),
            device: device.clone(),
        })
    }

    /// The file of the weights.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The logits of all classes for the picture at `path`: its shorter side resized to 256
    /// pixels, and 224 by 224 cut out of the centre.
    pub fn logits(&self, path: &Path) -> Result<Vec<f32>, ClassifierError> {
        let pixels = self.data.read_picture(path)?.unwrap_or_default();
        self.logits_of(&pixels)
    }

    /// The logits for the bytes `[3, 224, 224]` of a picture.
    pub fn logits_of(&self, pixels: &[u8]) -> Result<Vec<f32>, ClassifierError> {
        let mut input: Vec<f32> = pixels.iter().copied().map(f32::from).collect();
        let expected = self.data.input_shape().iter().product();
        if input.len() != expected {
            return Err(DataError::RowLength { found: input.len(), expected }.into());
        }
        self.preprocessing.apply_row(&mut input)?;
        let input = Tensor::from_data(TensorData::new(input, [1, expected]), &self.device);
        Ok(self.model.forward(input).try_into_vec_as()?)
    }
}
