//! MNIST in batches. Burn's own `MnistDataset` does as well, where it can download.

use std::path::Path;

use anyhow::{Result, bail};
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::tensor::{Device, Int, Tensor, TensorData};
use converge_data::{
    DataSettings, ImageSettings, Inputs, LoadOptions, NoProgress, Parts, Samples, Source, Targets,
};

const SIDE: usize = 28;

/// The pixels of an image, and the digit.
pub(crate) type Digit = (Vec<u8>, u32);

#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) images: Tensor<3>,
    pub(crate) digits: Tensor<1, Int>,
}

/// Makes batches, with pixels of mean 0 and deviation 1 over the training images.
#[derive(Clone)]
pub(crate) struct Batches;

impl Batcher<Digit, Batch> for Batches {
    fn batch(&self, items: Vec<Digit>, device: &Device) -> Batch {
        let pixel = |pixel: &u8| (f32::from(*pixel) / 255.0 - 0.1307) / 0.3081;
        let pixels: Vec<f32> = items.iter().flat_map(|(image, _)| image).map(pixel).collect();
        let digits: Vec<i64> = items.iter().map(|(_, digit)| i64::from(*digit)).collect();
        let count = items.len();
        Batch {
            images: Tensor::from_data(TensorData::new(pixels, [count, SIDE, SIDE]), device),
            digits: Tensor::from_data(TensorData::new(digits, [count]), device),
        }
    }
}

/// The first `samples` of the training images, and a sixth as many of the test images, as Burn's guide
/// validates on those.
pub(crate) fn mnist(
    folder: &Path,
    samples: usize,
) -> Result<(InMemDataset<Digit>, InMemDataset<Digit>)> {
    let settings =
        DataSettings::Mnist(ImageSettings { source: Source::Real, ..Default::default() });
    let options = LoadOptions::from_environment(Some(folder.to_owned()))?;
    let data = settings.load(Parts::Both, &options, &mut NoProgress)?;
    Ok((digits(data.training, samples)?, digits(data.test, samples.div_ceil(6))?))
}

fn digits(samples: Samples, count: usize) -> Result<InMemDataset<Digit>> {
    let (Inputs::Bytes(pixels), Targets::Classes(digits)) = (samples.inputs, samples.targets)
    else {
        bail!("MNIST is read as bytes and classes");
    };
    let images = pixels.chunks(SIDE * SIDE).map(<[u8]>::to_vec);
    Ok(InMemDataset::new(images.zip(digits).take(count).collect()))
}
