//! The backward pass of one channel, image after image.
//!
//! The sums of the kernel's gradient stay in vector lanes until the last image: to add the lanes of
//! nine sums up for every image would cost more than the products of a small one.

use super::correlate::{Tap, add_dots, add_lanes, set_weights};
use super::layer::Depthwise;
use super::layout::{Layout, Row};
use crate::activation::Activation;
use crate::lanes::{LANES, Lanes};

/// What the pass works on.
pub(super) struct Back<'a> {
    shape: &'a Depthwise,
    layout: &'a Layout,
    rows: Vec<Row>,
    taps: Vec<Tap>,
    reversed: Vec<Vec<Tap>>,
    padded: Vec<f32>,
    masked: Vec<f32>,
    z: Vec<f32>,
    padded_gradient: Vec<f32>,
    sums: Vec<Lanes>,
    pub(super) bias: Lanes,
}

impl<'a> Back<'a> {
    pub(super) fn new(shape: &'a Depthwise, layout: &'a Layout) -> Self {
        let taps = layout.taps();
        Self {
            shape,
            layout,
            rows: layout.rows(),
            sums: vec![[0.0; LANES]; taps.len()],
            taps,
            reversed: layout.reversed_taps(),
            padded: layout.padded_buffer(),
            masked: vec![0.0; layout.output_plane()],
            z: layout.margined_buffer(),
            padded_gradient: layout.padded_buffer(),
            bias: [0.0; LANES],
        }
    }

    /// Begins a channel with the kernel `weight`.
    #[inline(always)]
    pub(super) fn begin(&mut self, weight: &[f32]) {
        for taps in &mut self.reversed {
            set_weights(taps, weight);
        }
        self.sums.fill([0.0; LANES]);
        self.bias = [0.0; LANES];
    }

    /// Lays out X and dZ of a plane.
    #[inline(always)]
    pub(super) fn read(
        &mut self,
        plane: usize,
        input: &[f32],
        output: &[f32],
        output_gradient: &[f32],
    ) {
        let Self { shape, layout, .. } = *self;
        let (input_plane, output_plane) = (layout.input_plane(), layout.output_plane());
        let at = plane * output_plane..(plane + 1) * output_plane;
        if shape.activation == Activation::Identity {
            layout.spread(&output_gradient[at], &mut self.z);
        } else {
            let bounds = shape.activation.bounds();
            bounds.backward(&output[at.clone()], &output_gradient[at], &mut self.masked);
            layout.spread(&self.masked, &mut self.z);
        }
        let input = &input[plane * input_plane..][..input_plane];
        layout.scatter(&self.rows, input, &mut self.padded);
    }

    /// Adds the plane's part of the gradients of kernel and bias.
    #[inline(always)]
    pub(super) fn add_up(&mut self, bias: bool) {
        let z = &self.z[self.layout.margin..][..self.layout.span];
        // Three at a time read dZ once.
        let (threes, rest) = self.taps.as_chunks::<3>();
        let (sums, rest_sums) = self.sums.as_chunks_mut::<3>();
        for (taps, sums) in threes.iter().zip(sums) {
            add_dots(z, &self.padded, taps, sums);
        }
        for (&tap, sums) in rest.iter().zip(rest_sums) {
            add_dots(z, &self.padded, &[tap], std::array::from_mut(sums));
        }
        if bias {
            add_lanes(z, &mut self.bias);
        }
    }

    /// Writes dX of the plane.
    #[inline(always)]
    pub(super) fn write(&mut self, gradient: &mut [f32]) {
        self.layout.correlate_back(&self.z, &self.reversed, &mut self.padded_gradient);
        self.layout.gather(&self.rows, &self.padded_gradient, gradient);
    }

    /// The gradient of the channel's kernel.
    #[inline(always)]
    pub(super) fn finish(&self, weight: &mut [f32]) {
        for (sum, lanes) in weight.iter_mut().zip(&self.sums) {
            *sum = lanes.iter().sum();
        }
    }
}
