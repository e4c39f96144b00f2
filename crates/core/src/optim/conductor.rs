//! What goes beyond one parameter, or one set of weights, at a time.
//!
//! Burn's `ModuleOptimizer` shows an optimizer one tensor after the other. The [`Conductor`] that
//! comes with it steps all of them together where they must agree first (Prodigy), and gives the
//! weights to evaluate and keep where these are not the trained ones (Schedule-Free, averages of
//! weights). All state stays in the `ModuleOptimizer`, one tensor's with the others of that tensor,
//! so that Burn's record of it is the whole checkpoint.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::optim::{
    GradientsParams, LearningRate, ModuleOptimizer, Optimizer, OptimizerRecord, RecordState,
    StateSink, StateSource,
};
use burn::tensor::{Device, Tensor};

use super::prodigy::read_sums;
use super::rule::{Agreement, Rule, Share};
use super::wrappers::{WrapperSettings, WrapperState};

/// Steps a `ModuleOptimizer` built with it, and evaluates what it trains.
#[derive(Debug, Clone)]
pub struct Conductor {
    shared: Arc<Mutex<Shared>>,
    agrees: bool,
    averages: bool,
}

impl Conductor {
    /// One optimizer step, in place of `optimizer.step`. `optimizer` must be the one that this
    /// conductor was built with, or one that took over its record.
    pub fn step<M: Module>(
        &self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: impl Into<ModuleLearningRate>,
        mut model: M,
        gradients: GradientsParams,
    ) -> M {
        let learning_rate = learning_rate.into();
        if self.agrees {
            let copies = copies(&model, &gradients);
            self.lock().pass = Pass::Gather;
            model = optimizer.step(learning_rate.clone(), model, copies);
            self.lock().pass = Pass::Step;
        }
        let model = optimizer.step(learning_rate, model, gradients);
        self.lock().current = None;
        model
    }

    /// The state of `optimizer`, which has none yet, after a step on `model` with some gradients: it
    /// tells what tensors there are.
    pub fn first_state<M: Module>(
        &self,
        mut optimizer: ModuleOptimizer,
        model: &M,
    ) -> OptimizerRecord {
        drop(self.step(&mut optimizer, 0.0, model.clone(), weights(model)));
        optimizer.to_record()
    }

    /// Whether [`evaluation_weights`](Self::evaluation_weights) differ from the trained ones.
    pub fn averages(&self) -> bool {
        self.averages
    }

    /// `model` with the weights to evaluate and keep. Running statistics (batch norm's) are those of
    /// the trained weights; estimate them anew where that matters.
    pub fn evaluation_weights<M: Module>(&self, optimizer: &ModuleOptimizer, model: &M) -> M {
        if !self.averages {
            return model.clone();
        }
        // A parameter is shown to the optimizer only if it has a gradient.
        let weights = weights(model);
        self.lock().pass = Pass::Evaluate;
        let evaluated = optimizer.clone().step(0.0, model.clone(), weights);
        self.lock().pass = Pass::Step;
        evaluated
    }

    /// `optimizer` with `rule` for the `members`, which are parameters and their paths.
    pub(super) fn join<O: Rule>(
        &self,
        optimizer: ModuleOptimizer,
        members: &[(ParamId, &str)],
        rule: &O,
        wrappers: &WrapperSettings,
    ) -> ModuleOptimizer {
        let conducted =
            |rule| Conducted { rule, wrappers: wrappers.clone(), shared: self.shared.clone() };
        let group = |fits: &dyn Fn(&str) -> bool| {
            let fitting = members.iter().filter(|(_, path)| fits(path));
            ParamGroup::from_ids(fitting.map(|(id, _)| *id).collect())
        };
        let optimizer = optimizer.with_group(group(&|_| true), conducted(rule.clone()), None);
        let Some((words, other)) = rule.exception() else { return optimizer };
        let excepted = group(&|path| words.iter().any(|word| path.contains(word)));
        optimizer.with_group(excepted, conducted(other), None)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

/// What an optimizer does with the tensors that it is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Pass {
    /// Steps.
    #[default]
    Step,
    /// Collects the shares in an agreement.
    Gather,
    /// Gives the weights to evaluate.
    Evaluate,
}

#[derive(Debug, Default)]
struct Shared {
    pass: Pass,
    shares: Vec<Share>,
    /// The agreement of the step that is being taken.
    current: Option<Agreement>,
    /// The last agreement.
    known: Option<Agreement>,
}

impl Shared {
    /// The agreement for this step, made from the shares that were gathered for it.
    fn settle(&mut self, rule: &impl Rule) -> Option<Agreement> {
        let shares = std::mem::take(&mut self.shares);
        let latest = shares.iter().map(|share| share.agreement).max_by_key(|found| found.time);
        if let Some(latest) = latest {
            let sums = shares.iter().map(|share| read_sums(&share.sums));
            let sums = sums.fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
            self.current = Some(rule.agree(latest, sums));
            self.known = self.current;
        }
        self.current
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The gradients of `model` once more; Burn's are taken when they are used.
pub(super) fn copies<M: Module>(model: &M, gradients: &GradientsParams) -> GradientsParams {
    struct Copies<'a>(&'a GradientsParams, GradientsParams);
    impl ModuleVisitor for Copies<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                self.1.register(param.id, gradient);
            }
        }
    }
    let mut visitor = Copies(gradients, GradientsParams::new());
    model.visit(&mut visitor);
    visitor.1
}

/// The weights of `model` where gradients are expected.
fn weights<M: Module>(model: &M) -> GradientsParams {
    struct Weights(GradientsParams);
    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.register(param.id, param.val().inner());
        }
    }
    let mut visitor = Weights(GradientsParams::new());
    model.visit(&mut visitor);
    visitor.0
}

/// An optimizer of the collection with wrappers around it, for one tensor at a time.
#[derive(Debug, Clone)]
struct Conducted<O> {
    rule: O,
    wrappers: WrapperSettings,
    shared: Arc<Mutex<Shared>>,
}

/// Burn's optimizer for all parameters of a module, without state, and its conductor.
pub(super) fn conduct<O: Rule>(
    rule: &O,
    wrappers: &WrapperSettings,
) -> (ModuleOptimizer, Conductor) {
    let shared = Arc::<Mutex<Shared>>::default();
    let conducted = |rule| Conducted { rule, wrappers: wrappers.clone(), shared: shared.clone() };
    let mut optimizer = ModuleOptimizer::from(conducted(rule.clone()));
    if let Some((words, other)) = rule.exception() {
        let group = ParamGroup::from_any_predicates(words.to_vec());
        optimizer = optimizer.with_group(group, conducted(other), None);
    }
    let averages = O::AVERAGES || wrappers.averages();
    (optimizer, Conductor { shared, agrees: O::AGREES, averages })
}

/// The states of one parameter: the optimizer's, and that of its wrappers.
#[derive(Debug, Clone)]
struct ConductedState<S, const D: usize> {
    inner: Option<S>,
    wrapped: Option<WrapperState<D>>,
}

/// Where the state of the wrappers is in a record.
fn wrapper_prefix(prefix: &str) -> String {
    format!("{prefix}.wrappers")
}

impl<S: RecordState, const D: usize> RecordState for ConductedState<S, D> {
    fn state_flatten(&self, prefix: &str, sink: &mut StateSink) {
        if let Some(inner) = &self.inner {
            inner.state_flatten(prefix, sink);
        }
        if let Some(wrapped) = &self.wrapped {
            wrapped.state_flatten(&wrapper_prefix(prefix), sink);
        }
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let inner = S::state_unflatten(prefix, source, device);
        let wrapped = WrapperState::state_unflatten(&wrapper_prefix(prefix), source, device);
        (inner.is_some() || wrapped.is_some()).then_some(Self { inner, wrapped })
    }
}

impl<O: Rule> Optimizer for Conducted<O> {
    type State<const D: usize> = ConductedState<O::State<D>, D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let pass = lock(&self.shared).pass;
        if pass == Pass::Evaluate {
            let weights = match &state {
                Some(ConductedState { inner, wrapped }) => {
                    let average = wrapped.as_ref().and_then(WrapperState::average);
                    match (average, inner) {
                        (Some(average), _) => average,
                        (None, Some(inner)) => self.rule.evaluation_weights(weights, inner),
                        (None, None) => weights,
                    }
                }
                None => weights,
            };
            return (weights, state);
        }
        let gradient = self.wrappers.change_gradient(gradient);
        if pass == Pass::Gather {
            let mut shared = lock(&self.shared);
            let inner = state.as_ref().and_then(|state| state.inner.as_ref());
            let known = shared.known;
            let share = self.rule.share(learning_rate, &weights, &gradient, inner, known);
            shared.shares.extend(share);
            return (weights, state);
        }
        let (inner, wrapped) = state.map_or((None, None), |state| (state.inner, state.wrapped));
        let agreement = if O::AGREES { lock(&self.shared).settle(&self.rule) } else { None };
        // Only if needed: an optimizer can work in place on tensors that it alone holds.
        let kept = self.wrappers.change_steps().then(|| (weights.clone(), gradient.clone()));
        let (mut weights, inner) = match agreement {
            Some(agreement) => {
                self.rule.step_together(learning_rate, weights, gradient, inner, agreement)
            }
            None => self.rule.step(learning_rate, weights, gradient, inner),
        };
        let mut state = ConductedState { inner, wrapped };
        if let Some((before, gradient)) = kept {
            (weights, state.wrapped) =
                self.wrappers.change_step(before, weights, gradient, state.wrapped);
        }
        let empty = state.inner.is_none() && state.wrapped.is_none();
        (weights, (!empty).then_some(state))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        ConductedState {
            inner: state.inner.map(|inner| O::to_device(inner, device)),
            wrapped: state.wrapped.map(|wrapped| wrapped.on_device(device)),
        }
    }
}
