//! The loss of a batch, by what its targets are.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use super::loader::DeviceTargets;

/// The mean loss of `outputs` `[batch, outputs]`, as a tensor of one element.
///
/// Cross-entropy of the softmax of logits for classes, binary cross-entropy of the sigmoid for two
/// classes and a single logit, squared error for values; `torch.nn.functional.cross_entropy`,
/// `binary_cross_entropy_with_logits` and `mse_loss`.
///
/// With `label_smoothing` ε, the target distribution over k classes is (1 − ε) of the true one and
/// ε / k of each; Szegedy et al., "Rethinking the Inception Architecture for Computer Vision",
/// 2016, section 7. Values know no such thing.
pub fn mean_loss(outputs: Tensor<2>, targets: &DeviceTargets, label_smoothing: f64) -> Tensor<1> {
    match targets {
        DeviceTargets::Classes(classes) if outputs.dims()[1] == 1 => {
            let classes = classes.clone().float().unsqueeze_dim::<2>(1);
            let targets =
                classes.mul_scalar(1.0 - label_smoothing).add_scalar(label_smoothing / 2.0);
            binary_cross_entropy(outputs, targets)
        }
        DeviceTargets::Classes(classes) => {
            let smoothing = (label_smoothing > 0.0).then_some(label_smoothing as f32);
            let loss = CrossEntropyLossConfig::new().with_smoothing(smoothing);
            loss.init(&outputs.device()).forward(outputs, classes.clone())
        }
        DeviceTargets::Values(values) => (outputs - values.clone()).square().mean(),
    }
}

/// max(z, 0) − z y + ln(1 + exp(−|z|)), which neither overflows nor loses small values.
fn binary_cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let rest = logits.clone().abs().neg().exp().log1p();
    (relu(logits.clone()) - logits * targets + rest).mean()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::tensor::{Device, Int};

    use super::*;

    fn loss(outputs: Tensor<2>, classes: &[i32], smoothing: f64) -> f32 {
        let classes = Tensor::<1, Int>::from_ints(classes, &Device::default());
        let loss = mean_loss(outputs, &DeviceTargets::Classes(classes), smoothing);
        loss.try_into_scalar().unwrap()
    }

    #[test]
    fn losses_and_their_smoothing_match_pytorch() {
        let device = Device::default();
        // torch.nn.functional.cross_entropy(z, [2, 1], label_smoothing=0 and 0.1)
        let logits = || Tensor::from_floats([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]], &device);
        assert!((loss(logits(), &[2, 1], 0.0) - 0.535_240_4).abs() < 1e-6);
        assert!((loss(logits(), &[2, 1], 0.1) - 0.685_240_4).abs() < 1e-6);
        // torch.nn.functional.binary_cross_entropy_with_logits(z, y), y = 1 0 1 and smoothed
        let logits = || Tensor::from_floats([[0.3], [-1.2], [200.0]], &device);
        assert!((loss(logits(), &[1, 0, 1], 0.0) - 0.272_545_9).abs() < 1e-6);
        assert!((loss(logits(), &[1, 0, 1], 0.1) - 3.630_879_2).abs() < 1e-6);
    }

    #[test]
    fn the_loss_of_a_wrong_and_certain_answer_is_finite() {
        let logits = Tensor::from_floats([[-300.0], [300.0]], &Device::default());
        assert!((loss(logits, &[1, 0], 0.0) - 300.0).abs() < 1e-3);
    }
}
