//! The inverted residual block of MobileNetV2 in training, on images `[batch, channels, height,
//! width]`: widen, filter every channel, narrow, each followed by batch normalisation.
//!
//! ```text
//! e = W₁ x     a = relu6(norm₁ e)     d = K ⋆ a     b = relu6(norm₂ d)     p = W₃ b
//! y = norm₃ p   (+ x where the shapes agree)
//! ```
//!
//! W₁ and W₃ are 1x1 convolutions, K a depthwise 3x3 one; without widening a = x. W₁ may also have
//! larger kernels: the first convolution of the network in front of its first block, which does not
//! widen, is such a block. The gradients are those of [`pointwise`](super::pointwise),
//! [`depthwise`](super::depthwise) and [`batch_norm`](super::batch_norm), of which this is the
//! composition. As one operation it saves most trips to memory, which is what these layers wait for:
//! d and p are kept with their channels last, and so is e, unless it is cheap to
//! compute again (`recompute`); a and b exist for a few rows at a time, and are computed a second time
//! in the backward pass; the sums that a normalisation needs are added up while the values are still
//! in the cache. The threads meet where a normalisation needs the sums of all images.
//!
//! Each file imports only from those before it: `maps`, `tiles`, `filter`, `block`, `normalization`,
//! `patches`, `products`, `pass`, `recompute`, `wide_rows`, `forward`, `backward`.
//!
//! Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018.

mod backward;
mod block;
mod filter;
mod forward;
mod maps;
mod normalization;
mod pass;
mod patches;
mod products;
mod recompute;
#[cfg(test)]
mod tests;
mod tiles;
mod wide_rows;

pub use block::{InvertedResidual, Layer, LayerGradients, Widening};
pub use forward::Saved;
