//! Operations of [`converge_kernels`] as operations on Burn's tensors, with their gradients.
//!
//! On the `flex` backend an operation with a backward pass of its own enters the graph of autodiff
//! as one node, and an optimizer's update works in place. On every other backend, and with
//! `CONVERGE_KERNELS=off` or `training.kernels = false`, layers and optimizers compute the same with
//! Burn's operations.

use std::cell::Cell;
use std::env;
use std::sync::OnceLock;

use burn::tensor::Device;

thread_local! {
    /// What the experiment says whose work this thread does.
    static WANTED: Cell<bool> = const { Cell::new(true) };
}

/// Runs `work`, in which models and optimizers of this thread use the kernels, where they can, if
/// they are `wanted`. Trainings side by side in one process can differ in it.
pub fn with_kernels<T>(wanted: bool, work: impl FnOnce() -> T) -> T {
    /// Puts back what was wanted before, also when a panic unwinds.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            WANTED.set(self.0);
        }
    }
    let _restore = Restore(WANTED.replace(wanted));
    work()
}

/// Whether the environment allows the kernels, whatever an experiment says.
pub(crate) fn allowed() -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    *ALLOWED.get_or_init(|| env::var_os("CONVERGE_KERNELS").is_none_or(|on| on != "off"))
}

/// Whether a layer on `device` uses the kernels.
pub(crate) fn on(device: &Device) -> bool {
    allowed() && WANTED.get() && is_flex(device)
}

#[cfg(feature = "flex")]
pub(crate) fn is_flex(device: &Device) -> bool {
    *device == Device::flex()
}

#[cfg(not(feature = "flex"))]
pub(crate) fn is_flex(_device: &Device) -> bool {
    false
}

#[cfg(feature = "flex")]
pub(crate) use flex::{Input, Operation, checked, run, run_and_see, update};

#[cfg(feature = "flex")]
mod flex {
    use std::fmt::Debug;
    use std::marker::PhantomData;

    use burn::backend::autodiff::checkpoint::base::Checkpointer;
    use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
    use burn::backend::flex::FlexTensor;
    use burn::backend::tensor::FloatTensor;
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::{Tensor, TensorData};

    /// A tensor that autodiff tracks.
    type AutodiffTensor = FloatTensor<Autodiff<Flex>>;

    /// An operation with `N` inputs and one output.
    pub(crate) trait Operation<const N: usize>:
        Debug + Clone + Send + Sync + 'static
    {
        /// What the backward pass needs of the forward pass, beside the inputs.
        type Saved: Debug + Clone + Send + 'static;

        /// Whether the gradient of the first input, of the shape of the output, takes the place of
        /// the output's: then there is a `backward_in_place`, else a `backward`.
        const IN_PLACE: bool = false;

        /// The output, row-major, and what to save, which the backward pass asks for if `keep`.
        fn forward(&self, inputs: [&[f32]; N], keep: bool) -> (Vec<f32>, Option<Self::Saved>);

        /// The gradients of the inputs that are `wanted`, from that of the output.
        fn backward(
            &self,
            _inputs: [&[f32]; N],
            _saved: Self::Saved,
            _gradient: &[f32],
            _wanted: [bool; N],
        ) -> [Option<Vec<f32>>; N] {
            [const { None }; N]
        }

        /// Replaces the `gradient` of the output by that of the first input, and returns those of
        /// the others.
        fn backward_in_place(
            &self,
            _inputs: [&[f32]; N],
            _saved: Self::Saved,
            _gradient: &mut [f32],
        ) -> [Option<Vec<f32>>; N] {
            [const { None }; N]
        }
    }

    /// A tensor of any rank on the flex backend.
    pub(crate) enum Input {
        Plain(FlexTensor),
        Tracked(AutodiffTensor),
    }

    impl<const D: usize> From<Tensor<D>> for Input {
        #[allow(clippy::panic, reason = "callers ask `on` first, and no device here checkpoints")]
        fn from(tensor: Tensor<D>) -> Self {
            let found = if tensor.device().is_autodiff() {
                tensor.try_into_primitive::<Autodiff<Flex>>().map(Self::Tracked)
            } else {
                tensor.try_into_primitive::<Flex>().map(Self::Plain)
            };
            found.unwrap_or_else(|error| panic!("not a tensor of the flex backend: {error:?}"))
        }
    }

    /// The values of a contiguous tensor.
    fn values(tensor: &FlexTensor) -> &[f32] {
        tensor.as_slice().unwrap_or_default()
    }

    fn tensor(values: Vec<f32>, shape: impl Into<burn::tensor::Shape>) -> FlexTensor {
        FlexTensor::from_data(TensorData::new(values, shape.into()))
    }

    /// The backward pass of an operation.
    #[derive(Debug)]
    struct Step<O>(PhantomData<O>);

    /// What it works on.
    #[derive(Debug, Clone)]
    struct State<O: Operation<N>, const N: usize> {
        operation: O,
        inputs: [FlexTensor; N],
        saved: Option<O::Saved>,
    }

    impl<O: Operation<N>, const N: usize> Backward<Flex, N> for Step<O> {
        type State = State<O, N>;

        fn backward(
            self,
            ops: Ops<State<O, N>, N>,
            gradients: &mut Gradients,
            _: &mut Checkpointer,
        ) {
            let State { operation, inputs, saved } = ops.state;
            let gradient = gradients.consume::<Flex>(&ops.node);
            let Some(saved) = saved else { return };
            let slices = inputs.each_ref().map(values);
            let found = if O::IN_PLACE {
                let Owned(mut gradient) = Owned::of(gradient);
                let found = operation.backward_in_place(slices, saved, gradient.storage_mut());
                if let Some(Some(parent)) = ops.parents.first() {
                    gradients.register::<Flex>(parent.id, gradient);
                }
                found
            } else {
                let gradient = gradient.to_contiguous();
                let wanted = ops.parents.each_ref().map(Option::is_some);
                operation.backward(slices, saved, values(&gradient), wanted)
            };
            for ((parent, input), found) in ops.parents.into_iter().zip(&inputs).zip(found) {
                if let (Some(parent), Some(found)) = (parent, found) {
                    let shape = input.layout().shape().clone();
                    gradients.register::<Flex>(parent.id, tensor(found, shape));
                }
            }
        }
    }

    /// Runs `operation`, whose output has `shape`. Constants may be plain tensors.
    pub(crate) fn run<O: Operation<N>, const N: usize, const D: usize>(
        operation: O,
        inputs: [Input; N],
        shape: [usize; D],
    ) -> Tensor<D> {
        run_and_see(operation, inputs, shape, |_| ())
    }

    /// As [`run`], and lets `see` what the forward pass saved, if it did.
    #[allow(clippy::needless_pass_by_value, reason = "it goes into the graph")]
    pub(crate) fn run_and_see<O: Operation<N>, const N: usize, const D: usize>(
        operation: O,
        inputs: [Input; N],
        shape: [usize; D],
        see: impl FnOnce(&O::Saved),
    ) -> Tensor<D> {
        let is_plain = |input: &Input| matches!(input, Input::Plain(_));
        let plain = inputs.iter().all(is_plain);
        let inputs = inputs.map(|input| match input {
            Input::Tracked(input) => input,
            Input::Plain(input) => AutodiffTensor::new(input),
        });
        let nodes = inputs.each_ref().map(AutodiffTensor::node);
        let inputs = inputs.map(|input| input.into_primitive().to_contiguous());
        let forward = |keep| {
            let (output, saved) = operation.forward(inputs.each_ref().map(values), keep);
            saved.as_ref().map(see);
            (output, saved)
        };
        if plain {
            return Tensor::from_primitive::<Flex>(tensor(forward(false).0, shape));
        }
        let prepared = Step(PhantomData::<O>).prepare::<NoCheckpointing>(nodes);
        let output = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (output, saved) = forward(true);
                let state = State { operation: operation.clone(), inputs: inputs.clone(), saved };
                prepared.finish(state, tensor(output, shape))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(tensor(forward(false).0, shape)),
        };
        Tensor::from_primitive::<Autodiff<Flex>>(output)
    }

    /// The values of a tensor that nothing else shares, so that they can be changed in place; a
    /// copy of them where something does.
    struct Owned(FlexTensor);

    impl Owned {
        #[allow(clippy::panic, reason = "callers ask `on` first")]
        fn new<const D: usize>(tensor: Tensor<D>) -> Self {
            let tensor = tensor
                .try_into_primitive::<Flex>()
                .unwrap_or_else(|error| panic!("not a tensor of the flex backend: {error:?}"));
            Self::of(tensor)
        }

        fn of(tensor: FlexTensor) -> Self {
            let whole = tensor.is_contiguous()
                && tensor.layout().start_offset() == 0
                && tensor.bytes().len() == tensor.layout().num_elements() * size_of::<f32>();
            Self(if whole { tensor } else { FlexTensor::from_data(tensor.into_data()) })
        }

        fn into_tensor<const D: usize>(self) -> Tensor<D> {
            Tensor::from_primitive::<Flex>(self.0)
        }
    }

    /// The result of a kernel whose slices come from tensors of matching shapes.
    #[allow(clippy::panic, reason = "the shapes of a layer or of a parameter and its states match")]
    pub(crate) fn checked<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
        result.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Lets `step` change the weights and the states of one parameter in place, given its gradient.
    pub(crate) fn update<const D: usize, const S: usize>(
        weights: Tensor<D>,
        gradient: Tensor<D>,
        states: [Tensor<D>; S],
        step: impl FnOnce(&mut [f32], &[f32], [&mut [f32]; S]),
    ) -> (Tensor<D>, [Tensor<D>; S]) {
        let mut weights = Owned::new(weights);
        let mut states = states.map(Owned::new);
        let gradient = Owned::new(gradient);
        let slices = states.each_mut().map(|state| state.0.storage_mut());
        step(weights.0.storage_mut(), gradient.0.storage(), slices);
        (weights.into_tensor(), states.map(Owned::into_tensor))
    }
}
