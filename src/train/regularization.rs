//! L1 and L2 penalties on the weights, added to the gradients.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::experiment::RegularizationSettings;

/// Adds the gradient of λ₁ Σ|w| + λ₂ Σw², which is λ₁ sign(w) + 2 λ₂ w, to `gradients`, where
/// parameters have one.
///
/// Vectors are left out unless the settings say otherwise: they are biases and the parameters of
/// normalisation, which gain nothing from being small.
pub(super) fn penalise<M: Module>(
    model: &M,
    gradients: &mut GradientsParams,
    settings: &RegularizationSettings,
) {
    struct Penalty<'a> {
        gradients: &'a mut GradientsParams,
        settings: &'a RegularizationSettings,
    }
    impl ModuleVisitor for Penalty<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let RegularizationSettings { l1, l2, biases_and_norms, .. } = *self.settings;
            if D < 2 && !biases_and_norms {
                return;
            }
            let Some(mut gradient) = self.gradients.remove::<D>(param.id) else { return };
            let weights = param.val().inner();
            if l1 > 0.0 {
                gradient = gradient + weights.clone().sign().mul_scalar(l1);
            }
            if l2 > 0.0 {
                gradient = gradient + weights.mul_scalar(2.0 * l2);
            }
            self.gradients.register(param.id, gradient);
        }
    }
    if settings.l1 > 0.0 || settings.l2 > 0.0 {
        model.visit(&mut Penalty { gradients, settings });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::nn::LinearConfig;
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn weights_are_penalised_and_biases_are_not() {
        let device = Device::default().autodiff();
        let mut layer = LinearConfig::new(2, 1).init(&device);
        layer.weight = Param::from_tensor(Tensor::from_floats([[3.0], [-0.5]], &device));
        let mut gradients = GradientsParams::new();
        let zeros = || Tensor::<2>::zeros([2, 1], &Device::default());
        let bias = layer.bias.as_ref().unwrap().id;
        gradients.register(layer.weight.id, zeros());
        gradients.register(bias, Tensor::<1>::ones([1], &Device::default()));
        let settings = RegularizationSettings { l1: 0.1, l2: 0.01, ..Default::default() };
        penalise(&layer, &mut gradients, &settings);
        // 0.1 sign(w) + 0.02 w
        let weights: Vec<f32> =
            gradients.get::<2>(layer.weight.id).unwrap().try_into_vec_as().unwrap();
        assert!(
            (weights[0] - 0.16).abs() < 1e-7 && (weights[1] + 0.11).abs() < 1e-7,
            "{weights:?}"
        );
        let untouched: f32 = gradients.get::<1>(bias).unwrap().try_into_scalar().unwrap();
        assert!((untouched - 1.0).abs() < f32::EPSILON);
    }
}
