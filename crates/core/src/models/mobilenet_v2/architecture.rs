//! The shape of MobileNetV2: widths, strides, and the constants on which its sources differ.

use serde::{Deserialize, Serialize};

use super::Padding;
use crate::models::Size;
use converge_settings::checks::{Checked, InvalidSetting};
use converge_settings::ranges::{POSITIVE, Range};
use converge_settings::settings;

/// Where the network halves its maps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strides {
    /// Five times, as in the paper: 224 pixels become 7.
    #[default]
    ImageNet,
    /// Three times, for images of 32 pixels, which become 4: the first convolution and the second
    /// stage keep the size.
    Cifar,
}

const WIDTH: Range<f64> =
    Range::new("a number from 0.05 to 4", |width| (0.05..=4.0).contains(width));
const MOMENTUM: Range<f64> =
    Range::new("a number from 0 to 1", |momentum| (0.0..=1.0).contains(momentum));

settings! {
    /// The settings of a MobileNetV2 without its classifier, with torchvision's defaults.
    pub struct Architecture {
        /// The width multiplier: every number of channels is multiplied by it and rounded to a
        /// multiple of 8.
        width: f64 = 1.0 => WIDTH,
        /// Where the maps are halved.
        strides: Strides = Strides::ImageNet,
        /// Where the convolutions see zeros.
        padding: Padding = Padding::Symmetric,
        /// ε of the batch normalisation.
        batch_norm_epsilon: f64 = 1e-5 => POSITIVE,
        /// The weight of a new batch in the running statistics of the batch normalisation:
        /// PyTorch's momentum, 1 less Keras'.
        batch_norm_momentum: f64 = 0.1 => MOMENTUM,
    }
}

/// An inverted residual block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockShape {
    pub inputs: usize,
    /// How many times the block widens its inputs.
    pub expansion: usize,
    pub outputs: usize,
    pub stride: usize,
}

/// Table 2 of the paper: expansion, channels, blocks, stride of the first block.
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];
/// How many blocks the stages have together.
pub(super) const BLOCKS: usize = 17;
const STEM_CHANNELS: usize = 32;
const LAST_CHANNELS: usize = 1280;

impl Architecture {
    /// The output channels of the first convolution.
    pub(super) fn stem(&self) -> usize {
        divisible(self.width * STEM_CHANNELS as f64)
    }

    /// The stride of the first convolution.
    pub(super) fn stem_stride(&self) -> usize {
        if self.strides == Strides::Cifar { 1 } else { 2 }
    }

    /// The blocks, in order.
    pub(super) fn blocks(&self) -> Vec<BlockShape> {
        let mut inputs = self.stem();
        let mut blocks = Vec::with_capacity(BLOCKS);
        for (stage, (expansion, channels, repeats, stride)) in STAGES.into_iter().enumerate() {
            let outputs = divisible(self.width * channels as f64);
            let stride = if self.strides == Strides::Cifar && stage == 1 { 1 } else { stride };
            for repeat in 0..repeats {
                let stride = if repeat == 0 { stride } else { 1 };
                blocks.push(BlockShape { inputs, expansion, outputs, stride });
                inputs = outputs;
            }
        }
        blocks
    }

    /// How large the network below a head is, for images of `shape`.
    pub(in crate::models) fn size(&self, shape: &[usize]) -> Size {
        let channels = shape.first().copied().unwrap_or(1);
        let mut pixels: f64 = shape.iter().skip(1).map(|&side| side as f64).product();
        // Behind every convolution mean, variance, scale and shift of each channel.
        let layer = |inputs: usize, outputs: usize, kernel: usize, pixels: f64| {
            Size::convolution(inputs, outputs, kernel, pixels).and_parameters(4 * outputs)
        };
        pixels /= (self.stem_stride() * self.stem_stride()) as f64;
        let mut size = layer(channels, self.stem(), 9, pixels);
        let mut last = self.stem();
        for block in self.blocks() {
            let wide = block.inputs * block.expansion;
            if block.expansion > 1 {
                size = size + layer(block.inputs, wide, 1, pixels);
            }
            pixels /= (block.stride * block.stride) as f64;
            // A kernel for each channel.
            size = size + layer(1, wide, 9, pixels) + layer(wide, block.outputs, 1, pixels);
            last = block.outputs;
        }
        size + layer(last, self.features(), 1, pixels)
    }

    /// The channels of the last maps: what a head sees of an image.
    pub(in crate::models) fn features(&self) -> usize {
        divisible(self.width.max(1.0) * LAST_CHANNELS as f64)
    }
}

/// The network takes inputs of `shape`; `model` is its name in the experiment.
pub(in crate::models) fn check_images(model: &str, shape: &[usize]) -> Checked {
    let refused = |found: String, expected: &str| {
        Err(InvalidSetting::new("name", format!("{model}, {found}"), expected))
    };
    let &[_, height, width] = shape else {
        let expected = format!("a model for inputs of shape {shape:?}, such as `mlp`");
        return refused("which needs images".to_owned(), &expected);
    };
    if height.min(width) < 32 {
        return refused(
            format!("which halves images up to five times, on {height}x{width} pixels"),
            "used with images of at least 32x32 pixels, better 96x96",
        );
    }
    Ok(())
}

/// The multiple of 8 nearest to `channels`, at least 8 and not below nine tenths of it:
/// `_make_divisible` of torchvision and of the authors' code.
fn divisible(channels: f64) -> usize {
    const DIVISOR: usize = 8;
    let rounded = ((channels + DIVISOR as f64 / 2.0) as usize / DIVISOR * DIVISOR).max(DIVISOR);
    if (rounded as f64) < 0.9 * channels { rounded + DIVISOR } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_rounded_as_in_torchvision() {
        // torchvision.models._utils._make_divisible(c, 8)
        for (channels, expected) in [
            (1.0, 8),
            (11.2, 16), // 0.35 x 32: 8 is below 0.9 x 11.2
            (12.0, 16),
            (16.8, 16),
            (20.0, 24),
            (24.0, 24),
            (44.8, 48),
            (1792.0, 1792),
        ] {
            assert_eq!(divisible(channels), expected, "{channels}");
        }
    }

    #[test]
    fn the_blocks_are_those_of_the_paper() {
        let architecture = Architecture::default();
        let blocks = architecture.blocks();
        assert_eq!(blocks.len(), BLOCKS);
        let outputs: Vec<usize> = blocks.iter().map(|block| block.outputs).collect();
        assert_eq!(
            outputs,
            [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320]
        );
        let halved = |architecture: &Architecture| {
            let blocks = architecture.blocks();
            architecture.stem_stride() * blocks.iter().map(|block| block.stride).product::<usize>()
        };
        assert_eq!(halved(&architecture), 32);
        assert_eq!(halved(&Architecture { strides: Strides::Cifar, ..architecture }), 8);
    }
}
