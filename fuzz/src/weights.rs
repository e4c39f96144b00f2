//! Weights from other frameworks, put into a small network.

use burn::nn::LinearConfig;
use burn::tensor::Device;
use converge_core::device;
use converge_core::models::Weights;

use super::input::{choose, write};

/// `0`: a file of PyTorch; `1`: safetensors.
pub fn read(input: &[u8]) {
    let (kind, contents) = choose(input, 2);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(["weights.pth", "weights.safetensors"][usize::from(kind)]);
    write(&path, contents);
    let Ok(weights) = Weights::read(&path) else { return };
    let device: Device = device::open(device::default_name()).expect("the default device");
    let layer = LinearConfig::new(3, 2).init(&device);
    let _ = weights.apply(layer, |name| Some(name.to_owned()), |_| false);
    let _ = weights.length("weight");
}
