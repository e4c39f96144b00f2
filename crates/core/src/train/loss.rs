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
        #[cfg(feature = "flex")]
        DeviceTargets::Classes(classes) if crate::fused::on(&outputs.device()) => {
            fused::cross_entropy(outputs, classes.clone(), label_smoothing)
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

#[cfg(feature = "flex")]
mod fused {
    //! The cross-entropy of classes as one operation of [`converge_kernels`].

    use burn::tensor::{Int, Tensor};

    use crate::fused::{Operation, checked, run};
    use converge_kernels::cross_entropy::softmax_cross_entropy;

    pub(super) fn cross_entropy(
        logits: Tensor<2>,
        classes: Tensor<1, Int>,
        label_smoothing: f64,
    ) -> Tensor<1> {
        let [_, count] = logits.dims();
        // Nothing can fail where the numbers are in this machine's memory already.
        let classes = classes.try_into_vec_as().unwrap_or_default();
        run(CrossEntropy { classes, count, label_smoothing }, [logits.into()], [1])
    }

    /// Input: logits. Saved: the gradient.
    #[derive(Debug, Clone)]
    struct CrossEntropy {
        classes: Vec<i64>,
        count: usize,
        label_smoothing: f64,
    }

    impl Operation<1> for CrossEntropy {
        type Saved = Vec<f32>;

        fn forward(&self, [logits]: [&[f32]; 1], _: bool) -> (Vec<f32>, Option<Vec<f32>>) {
            let mut gradient = vec![0.0; logits.len()];
            let smoothing = self.label_smoothing as f32;
            let loss =
                softmax_cross_entropy(logits, &self.classes, self.count, smoothing, &mut gradient);
            (vec![checked(loss)], Some(gradient))
        }

        fn backward(
            &self,
            _: [&[f32]; 1],
            saved: Vec<f32>,
            gradient: &[f32],
            _: [bool; 1],
        ) -> [Option<Vec<f32>>; 1] {
            let factor = gradient.first().copied().unwrap_or_default();
            [Some(saved.into_iter().map(|value| value * factor).collect())]
        }
    }
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
