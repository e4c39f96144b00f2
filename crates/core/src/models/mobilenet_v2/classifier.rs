//! The whole published network: from an image file to logits of the classes of ImageNet.

use std::path::{Path, PathBuf};

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData, TensorReadError};

use super::{MobileNetV2, MobileNetV2Settings, PublishedWeights, names};
use crate::models::{BuildModel as _, InputSpec, Network as _, Weights, WeightsError};
use converge_data::{
    DataError, DataSettings, DownloadProgress, ImageFolderSettings, LoadOptions, Preprocessing,
};

/// MobileNetV2 with published weights, in evaluation mode.
pub struct Classifier {
    model: MobileNetV2,
    class_names: Vec<String>,
    path: PathBuf,
    data: DataSettings,
    preprocessing: Preprocessing,
    device: Device,
}

/// Why an image could not be classified.
#[derive(Debug, thiserror::Error)]
pub enum ClassifierError {
    /// Weights or images could not be had.
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
    /// The file of the names of the classes, one a line.
    pub const CLASS_NAMES: &str = "imagenet_labels.txt";

    /// Finds or fetches the published weights `name`.
    pub fn load(
        name: &str,
        options: &LoadOptions,
        progress: &mut dyn DownloadProgress,
        device: &Device,
    ) -> Result<Self, ClassifierError> {
        let (published, path) = PublishedWeights::obtain(name, true, options, progress)?;
        let weights = Weights::read(&path)?;
        let images = ImageFolderSettings::default();
        let shape = [3, images.size, images.size];
        let classes = weights.length(BIAS).unwrap_or(1000);
        let settings = MobileNetV2Settings { base: published.architecture(), ..Default::default() };
        let model = settings.init(&InputSpec::of_shape(&shape), classes, device);
        let model = weights.apply(model, names::torchvision, |_| false)?.valid();
        Ok(Self {
            model,
            class_names: class_names(&path, classes),
            path,
            data: DataSettings::Images(images),
            preprocessing: Preprocessing::normalize(published.normalization),
            device: device.clone(),
        })
    }

    /// The file of the weights.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the classes, by class index; none where [`Self::CLASS_NAMES`] is not beside the
    /// weights.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The logits of all classes for the image at `path`: its shorter side resized to 256
    /// pixels, and 224 by 224 cut out of the centre.
    pub fn logits(&self, path: &Path) -> Result<Vec<f32>, ClassifierError> {
        let pixels = self.data.read_image(path)?.unwrap_or_default();
        self.logits_of(&pixels)
    }

    /// The logits for the bytes `[3, 224, 224]` of an image.
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

/// The names of the `classes`, from the file beside the `weights`; none where there is none.
fn class_names(weights: &Path, classes: usize) -> Vec<String> {
    let path = weights.with_file_name(Classifier::CLASS_NAMES);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim).collect();
    // TensorFlow's list has the background in front of the classes.
    let background = usize::from(lines.len() == classes + 1);
    lines.into_iter().skip(background).map(str::to_owned).collect()
}
