//! Operations of [`crate::kernels`] as operations on Burn's tensors, with their gradients.
//!
//! On the `flex` backend an operation with a backward pass of its own enters the graph of autodiff
//! as one node, and an optimizer's update works in place. On every other backend, and with
//! `CONVERGE_KERNELS=off` or `training.kernels = false`, layers and optimizers compute the same with
//! Burn's operations.

use std::env;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;

/// What an experiment says.
static WANTED: AtomicBool = AtomicBool::new(true);

/// Whether models use the kernels from now on, where they can.
pub fn use_kernels(wanted: bool) {
    WANTED.store(wanted, Ordering::Relaxed);
}

/// Whether a layer on `device` uses the kernels.
pub(crate) fn on(device: &Device) -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    let allowed =
        ALLOWED.get_or_init(|| env::var_os("CONVERGE_KERNELS").is_none_or(|on| on != "off"));
    *allowed && WANTED.load(Ordering::Relaxed) && is_flex(device)
}

#[cfg(feature = "flex")]
fn is_flex(device: &Device) -> bool {
    *device == Device::flex()
}

#[cfg(not(feature = "flex"))]
fn is_flex(_device: &Device) -> bool {
    false
}

#[cfg(feature = "flex")]
pub(crate) use flex::{Operation, checked, run, update};

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

        /// The output, row-major, and what to save, which is not needed unless `keep`.
        fn forward(&self, inputs: [&[f32]; N], keep: bool) -> (Vec<f32>, Option<Self::Saved>);

        /// The gradients of the inputs that are `wanted`, from that of the output.
        fn backward(
            &self,
            inputs: [&[f32]; N],
            saved: &Self::Saved,
            gradient: &[f32],
            wanted: [bool; N],
        ) -> [Option<Vec<f32>>; N];
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
            let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
            let Some(saved) = saved else { return };
            let wanted = ops.parents.each_ref().map(Option::is_some);
            let slices = inputs.each_ref().map(values);
            let found = operation.backward(slices, &saved, values(&gradient), wanted);
            for ((parent, input), found) in ops.parents.into_iter().zip(&inputs).zip(found) {
                if let (Some(parent), Some(found)) = (parent, found) {
                    let shape = input.layout().shape().clone();
                    gradients.register::<Flex>(parent.id, tensor(found, shape));
                }
            }
        }
    }

    /// Runs `operation`, whose output has `shape`. Constants may be plain tensors.
    #[allow(clippy::needless_pass_by_value, reason = "it goes into the graph")]
    pub(crate) fn run<O: Operation<N>, const N: usize, const D: usize>(
        operation: O,
        inputs: [Input; N],
        shape: [usize; D],
    ) -> Tensor<D> {
        let is_plain = |input: &Input| matches!(input, Input::Plain(_));
        let plain = inputs.iter().all(is_plain);
        let inputs = inputs.map(|input| match input {
            Input::Tracked(input) => input,
            Input::Plain(input) => AutodiffTensor::new(input),
        });
        let nodes = inputs.each_ref().map(AutodiffTensor::node);
        let inputs = inputs.map(|input| input.into_primitive().to_contiguous());
        let forward = |keep| operation.forward(inputs.each_ref().map(values), keep);
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
