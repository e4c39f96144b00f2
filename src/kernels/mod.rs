//! Fused CPU operations with their backward, on plain `f32` slices: what the models spend their
//! time in. None of them knows Burn; the modules that call them turn tensors into slices.

pub mod convolution;
