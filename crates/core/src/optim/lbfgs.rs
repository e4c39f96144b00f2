//! L-BFGS: Newton's method with curvature from the last steps, for full batches.
//!
//! With the loss f, its gradient g, the weights w, and the last h pairs s = wₜ₊₁ − wₜ,
//! y = gₜ₊₁ − gₜ, ρ = 1 / yᵀs:
//!
//! ```text
//! q = −g;  newest to oldest pair:  α = ρ sᵀq,  q ← q − α y
//! d = (yᵀs / yᵀy of the newest) q;  oldest to newest:  d ← d + (α − ρ yᵀd) s
//! w ← w + t d                     t from a line search (strong Wolfe conditions), or η
//! ```
//!
//! It asks for losses and gradients wherever it wants, so a session steps with the
//! [`LbfgsMinimizer`], which takes a closure; all parameters are one vector. Burn's `Optimizer`,
//! which sees one tensor's gradient, is the first step without curvature: w ← w − η g. As
//! `torch.optim.LBFGS`. Source: Nocedal and Wright, "Numerical Optimization", 2006, algorithms 7.4
//! and 7.5.

use std::collections::VecDeque;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, LearningRate, ModuleOptimizer, Optimizer, OptimizerRecord};
use burn::tensor::{Device, Tensor};

use super::lbfgs_memory::Memory;
use super::line_search::{Point, strong_wolfe};
use super::rule::Rule;
use converge_settings::ranges::{COUNT, NON_NEGATIVE, POSITIVE};
use converge_settings::settings;

settings! {
    /// The settings of L-BFGS.
    pub struct Lbfgs {
        /// The first length η tried along a direction; the length itself without line search.
        learning_rate: f64 = 1.0 => POSITIVE,
        /// Directions taken in one step.
        max_iterations: usize = 20 => COUNT,
        /// Evaluations of the loss in one step; a quarter more than iterations if not written.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_evaluations: Option<usize> = None => COUNT,
        /// The largest element of the gradient at which the loss counts as minimal.
        gradient_tolerance: f64 = 1e-7 => NON_NEGATIVE,
        /// The least change of the loss or of a weight that is worth going on for.
        change_tolerance: f64 = 1e-9 => NON_NEGATIVE,
        /// Pairs h that are remembered.
        history: usize = 100 => COUNT,
        /// Whether the length of a step is searched for.
        line_search: bool = true,
    }
}

impl Lbfgs {
    /// A minimizer that has seen nothing yet.
    pub fn build(&self) -> LbfgsMinimizer {
        LbfgsMinimizer { settings: self.clone(), pairs: VecDeque::new(), scale: 1.0, last: None }
    }
}

impl Rule for Lbfgs {
    const FORMULA: &'static str = "w ← w − t H g, H from the last h steps, t by strong Wolfe";
    const SOURCE: &'static str =
        "Nocedal and Wright 2006, algorithms 7.4 and 7.5; torch.optim.LBFGS";
    const STATE: &'static str = "2 h + 2";
    const WHEN: &'static str = "full batches of smooth, small problems: linear models, fitting";
}

impl Optimizer for Lbfgs {
    type State<const D: usize> = Memory<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Memory<D>>,
    ) -> (Tensor<D>, Option<Memory<D>>) {
        (weights - gradient.mul_scalar(learning_rate), state)
    }

    fn to_device<const D: usize>(state: Memory<D>, device: &Device) -> Memory<D> {
        state.on_device(device)
    }
}

/// L-BFGS with what it remembers.
#[derive(Debug, Clone)]
pub struct LbfgsMinimizer {
    settings: Lbfgs,
    pairs: VecDeque<Pair>,
    /// yᵀs / yᵀy of the newest pair.
    scale: f64,
    last: Option<Last>,
}

#[derive(Debug, Clone)]
struct Pair {
    step: Tensor<1>,
    change: Tensor<1>,
    /// ρ
    inverse: f64,
}

/// The gradient and the step taken from it.
#[derive(Debug, Clone)]
struct Last {
    gradient: Tensor<1>,
    step: Tensor<1>,
}

impl LbfgsMinimizer {
    /// What it remembers, in the form of any optimizer's record.
    pub fn to_record(&self) -> OptimizerRecord {
        let (gradient, step) = match self.last.clone() {
            Some(Last { gradient, step }) => (Some(gradient), Some(step)),
            None => (None, None),
        };
        let (steps, changes) =
            self.pairs.iter().map(|pair| (pair.step.clone(), pair.change.clone())).unzip();
        Memory { gradient, step, steps, changes }.into_record()
    }

    /// The same minimizer with the memory of `record`, on `device`.
    #[must_use]
    pub fn load_record(mut self, record: OptimizerRecord, device: &Device) -> Self {
        let memory = Memory::from_record(record).unwrap_or_default().on_device(device);
        self.pairs.clear();
        for (step, change) in memory.steps.into_iter().zip(memory.changes) {
            self.push(step, change);
        }
        let last = memory.gradient.zip(memory.step);
        self.last = last.map(|(gradient, step)| Last { gradient, step });
        self
    }

    /// Takes up to `max_iterations` directions from `model`, the first length tried being
    /// `learning_rate`; `evaluate` gives the loss and the gradients of a model, over the same data
    /// every time. Returns the model and the loss that it was called with.
    pub fn step<M: Module>(
        &mut self,
        learning_rate: LearningRate,
        model: M,
        mut evaluate: impl FnMut(&M) -> (f64, GradientsParams),
    ) -> (M, f64) {
        let mut at = |model: &M, length: f64| {
            let (loss, gradients) = evaluate(model);
            Point { length, loss, gradient: flat_gradients(model, &gradients), slope: 0.0 }
        };
        let settings = self.settings.clone();
        let budget = settings.max_evaluations.unwrap_or(settings.max_iterations * 5 / 4);
        let mut point = at(&model, 0.0);
        let (first_loss, mut evaluations) = (point.loss, 1);
        let mut model = model;
        if largest(&point.gradient) <= settings.gradient_tolerance {
            return (model, first_loss);
        }
        for iteration in 1..=settings.max_iterations {
            let fresh = self.last.is_none();
            self.remember(&point.gradient);
            let direction = self.direction(&point.gradient);
            let mut length = learning_rate;
            if fresh {
                length *= (1.0 / sum(&point.gradient.clone().abs())).min(1.0);
            }
            point.slope = dot(&point.gradient, &direction);
            self.last = Some(Last {
                gradient: point.gradient.clone(),
                step: direction.clone().mul_scalar(0.0),
            });
            if point.slope.is_nan() || point.slope > -settings.change_tolerance {
                break;
            }
            let (start, old_loss) = (flat_weights(&model), point.loss);
            let moved = |length: f64| {
                let weights = start.clone() + direction.clone().mul_scalar(length);
                with_weights(model.clone(), weights)
            };
            let found = if settings.line_search {
                let mut probe = |length: f64| {
                    let mut point = at(&moved(length), length);
                    point.slope = dot(&point.gradient, &direction);
                    point
                };
                let size = largest(&direction);
                let left = budget.saturating_sub(evaluations);
                let tolerance = settings.change_tolerance;
                let (found, used) = strong_wolfe(&mut probe, &point, length, size, tolerance, left);
                evaluations += used;
                found
            } else if iteration == settings.max_iterations {
                Point { length, ..point }
            } else {
                evaluations += 1;
                at(&moved(length), length)
            };
            model = moved(found.length);
            let step = direction.mul_scalar(found.length);
            let farthest = largest(&step);
            if let Some(last) = &mut self.last {
                last.step = step;
            }
            point = Point { length: 0.0, ..found };
            if evaluations >= budget
                || largest(&point.gradient) <= settings.gradient_tolerance
                || farthest <= settings.change_tolerance
                || (point.loss - old_loss).abs() < settings.change_tolerance
            {
                break;
            }
        }
        (model, first_loss)
    }

    /// Takes up the curvature along the last step.
    fn remember(&mut self, gradient: &Tensor<1>) {
        let Some(Last { gradient: old, step }) = self.last.take() else { return };
        self.push(step, gradient.clone() - old);
    }

    /// Takes up a pair, if there is curvature in it.
    fn push(&mut self, step: Tensor<1>, change: Tensor<1>) {
        let curvature = dot(&change, &step);
        if curvature > 1e-10 {
            if self.pairs.len() == self.settings.history {
                self.pairs.pop_front();
            }
            self.scale = curvature / dot(&change, &change);
            self.pairs.push_back(Pair { step, change, inverse: 1.0 / curvature });
        }
    }

    /// −H g for the remembered inverse Hessian H.
    fn direction(&self, gradient: &Tensor<1>) -> Tensor<1> {
        let mut direction = gradient.clone().neg();
        let mut shares = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let share = dot(&pair.step, &direction) * pair.inverse;
            direction = direction - pair.change.clone().mul_scalar(share);
            shares.push(share);
        }
        direction = direction.mul_scalar(self.scale);
        for (pair, share) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let back = dot(&pair.change, &direction) * pair.inverse;
            direction = direction + pair.step.clone().mul_scalar(share - back);
        }
        direction
    }
}

/// One number from the device; NaN, which ends every search, where it cannot be read.
fn number(tensor: Tensor<1>) -> f64 {
    tensor.try_into_scalar::<f32>().map_or(f64::NAN, f64::from)
}

fn sum(tensor: &Tensor<1>) -> f64 {
    number(tensor.clone().sum())
}

fn dot(left: &Tensor<1>, right: &Tensor<1>) -> f64 {
    sum(&(left.clone() * right.clone()))
}

fn largest(tensor: &Tensor<1>) -> f64 {
    number(tensor.clone().abs().max())
}

/// All weights of `model`, in visiting order.
fn flat_weights<M: Module>(model: &M) -> Tensor<1> {
    struct Weights(Vec<Tensor<1>>);
    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().inner().reshape([-1]));
        }
    }
    let mut visitor = Weights(vec![]);
    model.visit(&mut visitor);
    concatenated(visitor.0)
}

/// All gradients of `model`, in visiting order, 0 where there is none.
fn flat_gradients<M: Module>(model: &M, gradients: &GradientsParams) -> Tensor<1> {
    struct Flat<'a>(&'a GradientsParams, Vec<Tensor<1>>);
    impl ModuleVisitor for Flat<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = self.0.get::<D>(param.id);
            let gradient = gradient.unwrap_or_else(|| param.val().inner().zeros_like());
            self.1.push(gradient.reshape([-1]));
        }
    }
    let mut visitor = Flat(gradients, vec![]);
    model.visit(&mut visitor);
    concatenated(visitor.1)
}

/// A model without parameters has one that nothing depends on.
fn concatenated(parts: Vec<Tensor<1>>) -> Tensor<1> {
    if parts.is_empty() { Tensor::zeros([1], &Device::default()) } else { Tensor::cat(parts, 0) }
}

/// `model` with the weights of the vector `flat`.
fn with_weights<M: Module>(model: M, flat: Tensor<1>) -> M {
    struct Cut {
        flat: Tensor<1>,
        next: usize,
        parts: GradientsParams,
    }
    impl ModuleVisitor for Cut {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let shape = param.val().shape();
            let end = self.next + shape.num_elements();
            let part = self.flat.clone().slice_dim(0, self.next..end).reshape(shape);
            self.parts.register::<D>(param.id, part);
            self.next = end;
        }
    }
    let mut visitor = Cut { flat, next: 0, parts: GradientsParams::new() };
    model.visit(&mut visitor);
    ModuleOptimizer::from(Replace).step(0.0, model, visitor.parts)
}

/// Takes the gradient for the new weights, since Burn maps parameters for optimizers.
#[derive(Debug, Clone)]
struct Replace;

impl Optimizer for Replace {
    type State<const D: usize> = ();

    fn step<const D: usize>(
        &self,
        _: LearningRate,
        _: Tensor<D>,
        weights: Tensor<D>,
        _: Option<()>,
    ) -> (Tensor<D>, Option<()>) {
        (weights, None)
    }

    fn to_device<const D: usize>((): (), _: &Device) {}
}
