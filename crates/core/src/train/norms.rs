//! Squared norms of every parameter, its gradient and its update.
//!
//! One scalar tensor per parameter and kind, left on the device: the recorder reads them later,
//! many steps at once.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Whether gradients reach `param`: it is neither frozen nor a running statistic.
pub(super) fn trains<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    param.val().is_require_grad()
}

/// How many numbers of `module` train.
pub(super) fn parameter_count<M: Module>(module: &M) -> usize {
    struct Count(usize);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if trains(param) {
                self.0 += param.lazy_shape().num_elements();
            }
        }
    }
    let mut visitor = Count(0);
    module.visit(&mut visitor);
    visitor.0
}

/// A parameter.
pub(super) struct Parameter {
    /// Where it is in the model: `convolutions.0.weight`.
    pub name: String,
    pub id: ParamId,
    /// Biases and the parameters of normalisation are vectors.
    pub is_vector: bool,
    /// Whether gradients reach it.
    trains: bool,
}

/// The parameters of `module`, frozen ones and running statistics included, in visiting order.
pub(super) fn parameters<M: Module>(module: &M) -> Vec<Parameter> {
    #[derive(Default)]
    struct Found {
        path: Vec<String>,
        parameters: Vec<Parameter>,
    }
    impl ModuleVisitor for Found {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.parameters.push(Parameter {
                name: self.path.join(".").trim_start_matches('.').to_owned(),
                id: param.id,
                is_vector: D < 2,
                trains: trains(param),
            });
        }
        fn enter_module(&mut self, name: &str, container: &str) {
            // The variant of the `Model` enum is not part of a name.
            let hidden = container.starts_with("Enum:");
            self.path.push(if hidden { String::new() } else { name.to_owned() });
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
    }
    let mut visitor = Found::default();
    module.visit(&mut visitor);
    visitor.parameters
}

/// The names of the parameters of `module` that train, in visiting order.
pub(super) fn parameter_names<M: Module>(module: &M) -> Vec<String> {
    let trained = parameters(module).into_iter().filter(|parameter| parameter.trains);
    trained.map(|parameter| parameter.name).collect()
}

/// The sum of squares of `tensor`, as a tensor of one element.
fn square<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    tensor.square().sum()
}

/// The squared norm of the gradient of every parameter that trains, in visiting order; 0 for one
/// without.
pub(super) fn gradient_squares<M: Module>(
    module: &M,
    gradients: &GradientsParams,
) -> Vec<Tensor<1>> {
    struct Squares<'a> {
        gradients: &'a GradientsParams,
        squares: Vec<Tensor<1>>,
    }
    impl ModuleVisitor for Squares<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !trains(param) {
                return;
            }
            let gradient = self.gradients.get::<D>(param.id);
            self.squares.push(
                gradient.map_or_else(|| Tensor::zeros([1], &param.val().device().inner()), square),
            );
        }
    }
    let mut visitor = Squares { gradients, squares: vec![] };
    module.visit(&mut visitor);
    visitor.squares
}

/// The squared norm of every parameter of `before` that trains, and of its change towards `after`.
pub(super) fn update_squares<M: Module>(before: &M, after: &M) -> (Vec<Tensor<1>>, Vec<Tensor<1>>) {
    #[derive(Default)]
    struct Differences {
        before: GradientsParams,
        parameters: Vec<Tensor<1>>,
        updates: Vec<Tensor<1>>,
    }
    impl ModuleVisitor for Differences {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(before) = self.before.remove::<D>(param.id) {
                self.parameters.push(square(before.clone()));
                self.updates.push(square(param.val().inner() - before));
            }
        }
    }
    let mut visitor = Differences { before: values(before), ..Default::default() };
    after.visit(&mut visitor);
    (visitor.parameters, visitor.updates)
}

/// Another handle on every one of `gradients`.
pub(super) fn same_gradients<M: Module>(
    module: &M,
    gradients: &GradientsParams,
) -> GradientsParams {
    struct Same<'a>(&'a GradientsParams, GradientsParams);
    impl ModuleVisitor for Same<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                self.1.register(param.id, gradient);
            }
        }
    }
    let mut visitor = Same(gradients, GradientsParams::new());
    module.visit(&mut visitor);
    visitor.1
}

/// The cosine of the angle between two gradients of `module`, over the parameters that have both,
/// one element; `None` where there is no such parameter.
pub(super) fn cosine<M: Module>(
    module: &M,
    one: &GradientsParams,
    other: &GradientsParams,
) -> Option<Tensor<1>> {
    struct Products<'a> {
        of: [&'a GradientsParams; 2],
        /// g·h, g·g, h·h, summed so far.
        sums: Option<[Tensor<1>; 3]>,
    }
    impl ModuleVisitor for Products<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let [one, other] = self.of.map(|gradients| gradients.get::<D>(param.id));
            if let (Some(one), Some(other)) = (one, other) {
                let new = [(one.clone() * other.clone()).sum(), square(one), square(other)];
                self.sums = Some(match self.sums.take() {
                    Some(sums) => add(sums, new),
                    None => new,
                });
            }
        }
    }
    fn add([of_both, of_one, of_other]: [Tensor<1>; 3], new: [Tensor<1>; 3]) -> [Tensor<1>; 3] {
        let [both, one, other] = new;
        [of_both + both, of_one + one, of_other + other]
    }
    let mut visitor = Products { of: [one, other], sums: None };
    module.visit(&mut visitor);
    // Roots apart: the product of two squares may overflow.
    visitor.sums.map(|[product, one, other]| product / one.sqrt() / other.sqrt())
}

/// The values of all parameters that train, by their ids.
fn values<M: Module>(module: &M) -> GradientsParams {
    struct Values(GradientsParams);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if trains(param) {
                self.0.register(param.id, param.val().inner());
            }
        }
    }
    let mut visitor = Values(GradientsParams::new());
    module.visit(&mut visitor);
    visitor.0
}

/// `gradients` with every one of them changed by `change`.
pub(super) fn map_gradients<M: Module>(
    module: &M,
    gradients: &mut GradientsParams,
    change: &impl GradientChange,
) {
    struct Change<'a, C> {
        gradients: &'a mut GradientsParams,
        change: &'a C,
    }
    impl<C: GradientChange> ModuleVisitor for Change<'_, C> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                self.gradients.register(param.id, self.change.apply(gradient));
            }
        }
    }
    module.visit(&mut Change { gradients, change });
}

/// A change of one gradient, whatever its rank.
pub(super) trait GradientChange {
    fn apply<const D: usize>(&self, gradient: Tensor<D>) -> Tensor<D>;
}

/// Draws all random parameters of `module`, now and in visiting order.
///
/// Burn draws a parameter when it is first used; the order of use must not decide its values.
pub(crate) fn draw_parameters<M: Module>(module: &M) {
    struct Draw;
    impl ModuleVisitor for Draw {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            drop(param.val());
        }
    }
    module.visit(&mut Draw);
}
