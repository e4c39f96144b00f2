//! MobileNetV2 up to its last maps: what is pretrained, and what a new head can stand on.

use std::ops::Range;

use burn::module::{Module, ParamGroup};
use burn::tensor::{Device, Tensor};

use super::architecture::{BLOCKS, BlockShape};
use super::layer::LayerShape;
use super::{Architecture, ConvBnRelu6};
#[cfg(feature = "flex")]
use crate::layers::inverted_residual::Block;

/// The convolutions of MobileNetV2.
#[derive(Module, Debug)]
pub struct Features {
    stem: ConvBnRelu6,
    blocks: Vec<InvertedResidual>,
    last: ConvBnRelu6,
}

/// The block of the paper: widen, filter every channel, narrow without activation; the input is
/// added where the shapes agree.
#[derive(Module, Debug)]
pub struct InvertedResidual {
    /// Absent in the first block, which does not widen.
    expand: Option<ConvBnRelu6>,
    depthwise: ConvBnRelu6,
    project: ConvBnRelu6,
    residual: bool,
}

impl Features {
    pub(in crate::models) fn new(
        architecture: &Architecture,
        channels: usize,
        device: &Device,
    ) -> Self {
        let blocks = architecture.blocks();
        let narrow = blocks.last().map_or(0, |block| block.outputs);
        let pointwise = |inputs, outputs| LayerShape {
            inputs,
            outputs,
            kernel: 1,
            stride: 1,
            depthwise: false,
            activation: true,
        };
        let stem = LayerShape {
            kernel: 3,
            stride: architecture.stem_stride(),
            ..pointwise(channels, architecture.stem())
        };
        let block = |shape: &BlockShape| {
            let &BlockShape { inputs, expansion, outputs, stride } = shape;
            let wide = inputs * expansion;
            let layer = |shape| ConvBnRelu6::new(shape, architecture, device);
            InvertedResidual {
                expand: (expansion > 1).then(|| layer(pointwise(inputs, wide))),
                depthwise: layer(LayerShape {
                    kernel: 3,
                    stride,
                    depthwise: true,
                    ..pointwise(wide, wide)
                }),
                project: layer(LayerShape { activation: false, ..pointwise(wide, outputs) }),
                residual: stride == 1 && inputs == outputs,
            }
        };
        Self {
            stem: ConvBnRelu6::new(stem, architecture, device),
            blocks: blocks.iter().map(block).collect(),
            last: ConvBnRelu6::new(
                pointwise(narrow, architecture.features()),
                architecture,
                device,
            ),
        }
    }

    /// How many parts there are: the first convolution, the blocks, the last convolution.
    /// torchvision numbers them in the same way, as `features.0` and so on.
    pub const PARTS: usize = BLOCKS + 2;

    /// Runs those of the [`Self::PARTS`] that are in `parts`.
    ///
    /// # Shapes
    ///
    /// - maps `[batch, channels, height, width]`: images where `parts` starts at 0, else what the
    ///   part before gave
    /// - output `[batch, channels, height, width]`; `[batch, features, height / 32, width / 32]`
    ///   after the last part, with ImageNet's strides
    pub fn forward(&self, maps: Tensor<4>, parts: Range<usize>) -> Tensor<4> {
        #[cfg(feature = "flex")]
        if parts.start == 0
            && parts.end > 1
            && let Some(maps) = self.train_first_fused(&maps)
        {
            return self.forward(maps, 2..parts.end);
        }
        parts.fold(maps, |maps, part| match part {
            0 => self.stem.forward(maps),
            _ => match self.blocks.get(part - 1) {
                Some(block) => block.forward(maps),
                None => self.last.forward(maps),
            },
        })
    }

    /// What the first convolution and the first block make of images in training, where they can be
    /// one operation: the block does not widen, so the convolution takes that place.
    #[cfg(feature = "flex")]
    fn train_first_fused(&self, images: &Tensor<4>) -> Option<Tensor<4>> {
        /// Channels of an image: with many more, the convolution's own kernel is faster.
        const FEW: usize = 4;
        let first = self.blocks.first()?;
        let fits = first.expand.is_none() && !first.residual && images.dims()[1] <= FEW;
        fits.then(|| first.train_fused(images, Some(&self.stem)))?
    }

    /// The parameters of the last `count` parts.
    pub(in crate::models) fn last_parameters(&self, count: usize) -> ParamGroup {
        let mut group = ParamGroup::ids_from_module(self.last.clone());
        for block in self.blocks.iter().rev().take(count.saturating_sub(1)) {
            group = group.fuse(&ParamGroup::ids_from_module(block.clone()));
        }
        group
    }
}

impl InvertedResidual {
    fn forward(&self, inputs: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "flex")]
        if let Some(outputs) = self.train_fused(&inputs, self.expand.as_ref()) {
            return outputs;
        }
        let wide = match &self.expand {
            Some(expand) => expand.forward(inputs.clone()),
            None => inputs.clone(),
        };
        let narrow = self.project.forward(self.depthwise.forward(wide));
        if self.residual { inputs + narrow } else { narrow }
    }

    /// The outputs in training after `expand`, where the two can be one operation.
    #[cfg(feature = "flex")]
    fn train_fused(&self, inputs: &Tensor<4>, expand: Option<&ConvBnRelu6>) -> Option<Tensor<4>> {
        let [_, _, rows, columns] = inputs.dims();
        let size = expand.map_or([rows, columns], |layer| layer.output_size([rows, columns]));
        let layers = expand.into_iter().chain([&self.depthwise, &self.project]);
        let block = Block {
            layers: layers.map(ConvBnRelu6::parameters).collect(),
            widening: expand.map(|layer| layer.convolution([rows, columns])),
            depthwise: self.depthwise.convolution(size),
            residual: self.residual,
        };
        block.train(inputs)
    }
}

/// Global average pooling: `[batch, channels, height, width]` to `[batch, channels]`.
pub(in crate::models) fn pool(maps: Tensor<4>) -> Tensor<2> {
    let [batch, channels, ..] = maps.dims();
    maps.mean_dims(&[2, 3]).reshape([batch, channels])
}
