//! What L-BFGS remembers, as the state of a Burn optimizer, so that a checkpoint holds it in the
//! place of any other optimizer's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::module::{Module, Param, ParamId};
use burn::optim::{GradientsParams, LearningRate, ModuleOptimizer, Optimizer, OptimizerRecord};
use burn::tensor::{Device, Tensor};

use super::state::record_state;

/// Vectors over all weights: the last gradient and step, and the pairs, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Memory<const D: usize> {
    pub(super) gradient: Option<Tensor<D>>,
    pub(super) step: Option<Tensor<D>>,
    pub(super) steps: Vec<Tensor<D>>,
    pub(super) changes: Vec<Tensor<D>>,
}

record_state!(Memory { gradient, step, steps, changes });

impl Memory<1> {
    pub(super) fn into_record(self) -> OptimizerRecord {
        let keeper = Keeper(Arc::new(Mutex::new(Some(self))));
        visited(ModuleOptimizer::from(keeper)).to_record()
    }

    /// `None` where nothing had been remembered yet.
    pub(super) fn from_record(record: OptimizerRecord) -> Option<Self> {
        let keeper = Keeper(Arc::default());
        visited(ModuleOptimizer::from(keeper.clone()).load_record(record));
        keeper.held().take()
    }
}

impl<const D: usize> Memory<D> {
    /// The same numbers in other dimensions.
    fn reshaped<const E: usize>(self) -> Memory<E> {
        let reshape = |tensor: Tensor<D>| {
            let mut shape = [1; E];
            shape[E - 1] = tensor.shape().num_elements();
            tensor.reshape(shape)
        };
        Memory {
            gradient: self.gradient.map(reshape),
            step: self.step.map(reshape),
            steps: self.steps.into_iter().map(reshape).collect(),
            changes: self.changes.into_iter().map(reshape).collect(),
        }
    }
}

/// An optimizer of one parameter that never moves: its state becomes what it holds, or, where it
/// holds nothing, it takes what its state is.
#[derive(Debug, Clone)]
struct Keeper(Arc<Mutex<Option<Memory<1>>>>);

#[derive(Module, Debug)]
struct Place {
    memory: Param<Tensor<1>>,
}

/// `optimizer` after it was shown a parameter.
fn visited(mut optimizer: ModuleOptimizer) -> ModuleOptimizer {
    let device = Device::default();
    // The record names states by the parameters' ids.
    let id = ParamId::from(1);
    let place = Param::initialized(id, Tensor::zeros([1], &device.clone().autodiff()));
    let mut gradients = GradientsParams::new();
    gradients.register(id, Tensor::<1>::zeros([1], &device));
    drop(optimizer.step(0.0, Place { memory: place }, gradients));
    optimizer
}

impl Keeper {
    fn held(&self) -> MutexGuard<'_, Option<Memory<1>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Optimizer for Keeper {
    type State<const D: usize> = Memory<D>;

    fn step<const D: usize>(
        &self,
        _: LearningRate,
        weights: Tensor<D>,
        _: Tensor<D>,
        state: Option<Memory<D>>,
    ) -> (Tensor<D>, Option<Memory<D>>) {
        let mut held = self.held();
        let state = held.take().map(Memory::reshaped).or_else(|| {
            *held = state.clone().map(Memory::reshaped);
            state
        });
        (weights, state)
    }

    fn to_device<const D: usize>(state: Memory<D>, device: &Device) -> Memory<D> {
        state.on_device(device)
    }
}
