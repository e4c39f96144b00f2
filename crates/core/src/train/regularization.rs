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

/// λ₁ Σ|w| + λ₂ Σw² over the weights that [`penalise`] penalises, where they are trained.
pub(super) fn penalty<M: Module>(model: &M, settings: &RegularizationSettings) -> f64 {
    struct Sum<'a>(&'a RegularizationSettings, f64);
    impl ModuleVisitor for Sum<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let RegularizationSettings { l1, l2, biases_and_norms, .. } = *self.0;
            let weights = param.val();
            if (D < 2 && !biases_and_norms) || !weights.is_require_grad() {
                return;
            }
            let weights = weights.inner();
            let sum = weights.clone().abs().sum().mul_scalar(l1)
                + weights.powi_scalar(2).sum().mul_scalar(l2);
            // NaN, which ends every search, where it cannot be read.
            self.1 += sum.try_into_scalar::<f32>().map_or(f64::NAN, f64::from);
        }
    }
    let mut sum = Sum(settings, 0.0);
    if settings.l1 > 0.0 || settings.l2 > 0.0 {
        model.visit(&mut sum);
    }
    sum.1
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
        // 0.1 · 3.5 + 0.01 · 9.25
        assert!((penalty(&layer, &settings) - 0.4425).abs() < 1e-7);
        let untouched: f32 = gradients.get::<1>(bias).unwrap().try_into_scalar().unwrap();
        assert!((untouched - 1.0).abs() < f32::EPSILON);
    }
}
