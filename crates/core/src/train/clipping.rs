//! Gradient clipping: by the norm of all gradients, of each by itself, of each unit, by value.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::norms::{GradientChange, map_gradients};
use crate::experiment::ClippingSettings;

/// Clips all gradients together so that their norm is at most `maximum`.
///
/// g ← g · min(1, c / (‖g‖ + 1e-6)) with the norm over all parameters, as
/// `torch.nn.utils.clip_grad_norm_`. Nothing is read back from the device.
struct Scale {
    factor: Tensor<1>,
}

impl GradientChange for Scale {
    fn apply<const D: usize>(&self, gradient: Tensor<D>) -> Tensor<D> {
        gradient * self.factor.clone().reshape([1; D])
    }
}

/// Clips every gradient by itself, as `torch.nn.utils.clip_grad_norm_` does one parameter.
struct ScaleEach {
    maximum: f64,
}

impl GradientChange for ScaleEach {
    fn apply<const D: usize>(&self, gradient: Tensor<D>) -> Tensor<D> {
        let norm = gradient.clone().square().sum().sqrt();
        let factor = norm.add_scalar(1e-6).recip().mul_scalar(self.maximum).clamp_max(1.0);
        gradient * factor.reshape([1; D])
    }
}

/// Adaptive gradient clipping: the gradient g of a unit with the weights w is scaled down to
/// ‖g‖ = λ max(‖w‖, 1e-3) where it is larger.
///
/// A unit is a column of a linear layer `[inputs, outputs]`, a filter `[outputs, …]`, or a vector as a
/// whole. Source: Brock et al., "High-Performance Large-Scale Image Recognition Without
/// Normalization", 2021, section 4.1 (which leaves the last layer out: small gradients there are
/// not clipped anyway).
struct Adapt<'a> {
    gradients: &'a mut GradientsParams,
    fraction: f64,
}

impl ModuleVisitor for Adapt<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let largest = unit_norms(param.val().inner()).clamp_min(1e-3).mul_scalar(self.fraction);
            let factor = largest / unit_norms(gradient.clone()).clamp_min(1e-6);
            self.gradients.register(param.id, gradient * factor.clamp_max(1.0));
        }
    }
}

/// The norm of every unit, with all dimensions kept.
fn unit_norms<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    let squares = tensor.square();
    let sums = match D {
        0 | 1 => squares.sum().reshape([1; D]),
        2 => squares.sum_dim(0),
        _ => squares.sum_dims(&(1..D).collect::<Vec<usize>>()),
    };
    sums.sqrt()
}

/// Clips every element into ±`limit`, as `torch.nn.utils.clip_grad_value_`.
struct Clamp {
    limit: f64,
}

impl GradientChange for Clamp {
    fn apply<const D: usize>(&self, gradient: Tensor<D>) -> Tensor<D> {
        gradient.clamp(-self.limit, self.limit)
    }
}

/// Clips `gradients` as `settings` says: by global norm, each by itself, adaptively, by value.
/// `squares` are the squared norms of the unclipped gradients, which global-norm clipping needs.
pub(super) fn clip<M: Module>(
    module: &M,
    gradients: &mut GradientsParams,
    squares: &[Tensor<1>],
    settings: &ClippingSettings,
) {
    if let Some(maximum) = settings.global_norm
        && !squares.is_empty()
    {
        let norm = Tensor::cat(squares.to_vec(), 0).sum().sqrt();
        let factor = norm.add_scalar(1e-6).recip().mul_scalar(maximum).clamp_max(1.0);
        map_gradients(module, gradients, &Scale { factor });
    }
    if let Some(maximum) = settings.tensor_norm {
        map_gradients(module, gradients, &ScaleEach { maximum });
    }
    if let Some(fraction) = settings.adaptive {
        module.visit(&mut Adapt { gradients, fraction });
    }
    if let Some(limit) = settings.value {
        map_gradients(module, gradients, &Clamp { limit });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::tensor::{Device, TensorData};
    use serde_json::Value;

    use super::*;
    use crate::train::norms::gradient_squares;

    #[derive(Module, Debug)]
    struct Three {
        matrix: Param<Tensor<2>>,
        vector: Param<Tensor<1>>,
        kernel: Param<Tensor<4>>,
    }

    fn zeros<const D: usize>(shape: [usize; D]) -> Param<Tensor<D>> {
        Param::from_tensor(Tensor::zeros(shape, &Device::default()).autodiff())
    }

    /// The formula that the golden file states.
    fn gradient<const D: usize>(shape: [usize; D], first: usize) -> Tensor<D> {
        let count: usize = shape.iter().product();
        let value = |i: usize| ((0.7 * i as f64 + 1.3).sin() + 0.1 * (3.1 * i as f64).cos()) as f32;
        let values: Vec<f32> = (first..first + count).map(value).collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::default())
    }

    fn clipped(module: &Three, settings: &ClippingSettings) -> [Vec<f32>; 3] {
        let mut gradients = GradientsParams::new();
        gradients.register(module.matrix.id, gradient([4, 3], 0));
        gradients.register(module.vector.id, gradient([5], 12));
        gradients.register(module.kernel.id, gradient([2, 3, 2, 2], 17));
        let squares = gradient_squares(module, &gradients);
        clip(module, &mut gradients, &squares, settings);
        [
            gradients.get::<2>(module.matrix.id).unwrap().try_into_vec_as().unwrap(),
            gradients.get::<1>(module.vector.id).unwrap().try_into_vec_as().unwrap(),
            gradients.get::<4>(module.kernel.id).unwrap().try_into_vec_as().unwrap(),
        ]
    }

    #[test]
    fn gradients_are_clipped_as_pytorch_clips_them() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../../tests/golden/training.json")).unwrap();
        let norm = |maximum| ClippingSettings {
            global_norm: Some(maximum),
            ..ClippingSettings::default()
        };
        for (case, settings) in [
            ("by_global_norm", norm(1.0)),
            ("by_global_norm_not_reached", norm(10.0)),
            ("by_value", ClippingSettings { value: Some(0.5), ..ClippingSettings::default() }),
        ] {
            let module =
                Three { matrix: zeros([4, 3]), vector: zeros([5]), kernel: zeros([2, 3, 2, 2]) };
            let expected = &golden["clipping"][case]["gradients"];
            assert_close(clipped(&module, &settings), expected, case);
        }
    }

    fn assert_close(clipped: [Vec<f32>; 3], expected: &Value, case: &str) {
        for (name, actual) in ["matrix", "vector", "kernel"].into_iter().zip(clipped) {
            let expected: Vec<f32> = serde_json::from_value(expected[name].clone()).unwrap();
            assert_eq!(actual.len(), expected.len());
            for (actual, expected) in actual.iter().zip(&expected) {
                assert!((actual - expected).abs() < 1e-6, "{case}, {name}");
            }
        }
    }

    /// The weights that the golden file states.
    fn weights<const D: usize>(shape: [usize; D], first: usize) -> Param<Tensor<D>> {
        let count: usize = shape.iter().product();
        let value = |i: usize| (0.5 * (1.1 * i as f64).cos()) as f32;
        let values: Vec<f32> = (first..first + count).map(value).collect();
        let data = TensorData::new(values, shape);
        Param::from_tensor(Tensor::from_data(data, &Device::default()).autodiff())
    }

    #[test]
    fn tensors_and_units_are_clipped_as_their_references_clip_them() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../../tests/golden/clipping.json")).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let settings: ClippingSettings =
                serde_json::from_value(case["settings"].clone()).unwrap();
            let module = Three {
                matrix: weights([4, 3], 0),
                vector: weights([5], 12),
                kernel: weights([2, 3, 2, 2], 17),
            };
            assert_close(clipped(&module, &settings), &case["gradients"], &format!("{settings:?}"));
        }
    }
}
