//! SAM: gradients from where the loss is worst nearby, so that minima come out flat.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};

use crate::optim::conductor::copies;
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// The `[sam]` section: sharpness-aware minimization.
    ///
    /// A step takes two backward passes over the same batch: gradients g at the weights w give w +
    /// ρ g / ‖g‖ (norm over all parameters), and the gradients *there* move w. Adaptive, the offset
    /// is ρ w² g / ‖|w| g‖, which is blind to the scale of a layer.
    ///
    /// ```text
    /// let gradients = gradients of the loss of `model`;
    /// let worse = sam.perturbed(&model, &gradients);
    /// let gradients = gradients of the loss of `worse`;      // parameters have the same ids
    /// let model = conductor.step(&mut optimizer, rate, model, gradients);
    /// ```
    ///
    /// As the `SAM` of `pytorch_optimizer` (David Samuel's), which the authors refer to. Sources:
    /// Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization", 2021;
    /// Kwon et al., "ASAM", 2021.
    pub struct Sam {
        /// ρ, how far away the worst place may be.
        rho: f64 = 0.05 => POSITIVE,
        /// Whether the distance is relative to each weight.
        adaptive: bool = false,
    }
}

impl Sam {
    /// `model` at the worst place nearby, by its `gradients`; ids and autodiff are kept.
    pub fn perturbed<M: Module>(&self, model: &M, gradients: &GradientsParams) -> M {
        let mut squares = Squares { gradients, adaptive: self.adaptive, found: vec![] };
        model.visit(&mut squares);
        if squares.found.is_empty() {
            return model.clone();
        }
        let norm = Tensor::cat(squares.found, 0).sum().sqrt();
        let factor = norm.add_scalar(1e-12).recip().mul_scalar(self.rho);
        let ascent = Ascent { factor, adaptive: self.adaptive };
        ModuleOptimizer::from(ascent).step(1.0, model.clone(), copies(model, gradients))
    }
}

/// The squared norms of all gradients.
struct Squares<'a> {
    gradients: &'a GradientsParams,
    adaptive: bool,
    found: Vec<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(mut gradient) = self.gradients.get::<D>(param.id) {
            if self.adaptive {
                gradient = gradient * param.val().inner();
            }
            self.found.push(gradient.square().sum());
        }
    }
}

/// A step up the gradient, as an optimizer, since Burn maps parameters and gradients for those.
#[derive(Debug, Clone)]
struct Ascent {
    factor: Tensor<1>,
    adaptive: bool,
}

impl Optimizer for Ascent {
    type State<const D: usize> = ();

    fn step<const D: usize>(
        &self,
        _: LearningRate,
        weights: Tensor<D>,
        mut gradient: Tensor<D>,
        _: Option<()>,
    ) -> (Tensor<D>, Option<()>) {
        if self.adaptive {
            gradient = gradient * weights.clone().square();
        }
        (weights + gradient * self.factor.clone().reshape([1; D]), None)
    }

    fn to_device<const D: usize>((): (), _: &Device) {}
}
