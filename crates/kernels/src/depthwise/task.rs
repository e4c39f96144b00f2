//! The channels, and their gradients, divided among tasks.

use std::ops::Range;

use super::layer::Depthwise;
use super::layout::Layout;
use crate::lanes::LANES;
use crate::linear::Gradients;
use crate::partition::split_columns;

/// Channels from `first` on, and where their gradients go: the input's in every image.
pub(super) struct Task<'a> {
    pub(super) first: usize,
    pub(super) of_weight: &'a mut [f32],
    pub(super) of_bias: Option<&'a mut [f32]>,
    pub(super) of_input: Option<Vec<&'a mut [f32]>>,
}

impl Depthwise {
    /// The gradients of the channels of each task.
    pub(super) fn tasks<'a>(
        &self,
        layout: &Layout,
        ranges: &[Range<usize>],
        gradients: Gradients<'a>,
    ) -> Vec<Task<'a>> {
        let kernel = self.kernel[0] * self.kernel[1];
        let widths = |width: usize| -> Vec<usize> {
            ranges.iter().map(|range| range.len() * width).collect()
        };
        let inputs: Vec<_> = match gradients.input {
            Some(input) => {
                split_columns(input, &widths(layout.input_plane())).into_iter().map(Some).collect()
            }
            None => ranges.iter().map(|_| None).collect(),
        };
        let (mut weights, mut biases) = (gradients.weight, gradients.bias);
        let tasks = ranges.iter().zip(inputs).map(|(range, of_input)| Task {
            first: range.start,
            of_weight: weights.split_off_mut(..range.len() * kernel).unwrap_or_default(),
            of_bias: biases.as_mut().and_then(|biases| biases.split_off_mut(..range.len())),
            of_input,
        });
        tasks.collect()
    }

    /// The channels of each task, whole vectors of them.
    pub(super) fn channel_blocks(&self, layout: &Layout) -> Vec<Range<usize>> {
        let blocks = self.channels.div_ceil(LANES);
        divide(self.channels, LANES, self.parts(layout).min(blocks))
    }
}

/// `parts` ranges of whole blocks of `width`, the last of which may be shorter.
pub(super) fn divide(count: usize, width: usize, parts: usize) -> Vec<Range<usize>> {
    let blocks = count.div_ceil(width);
    let start = |part: usize| (part * blocks / parts * width).min(count);
    (0..parts).map(|part| start(part)..start(part + 1)).collect()
}
