//! Optimizer states as named tensors and counters, for the checkpoint.
//!
//! Burn derives this only inside its own crate; [`record_state!`] does the same here.

use burn::optim::{StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// A field of an optimizer state.
pub(super) trait Field: Sized {
    fn put(&self, prefix: &str, name: &str, sink: &mut StateSink);
    fn take(prefix: &str, name: &str, source: &mut StateSource, device: &Device) -> Option<Self>;
}

impl<const D: usize> Field for Tensor<D> {
    fn put(&self, prefix: &str, name: &str, sink: &mut StateSink) {
        sink.push_tensor(prefix, name, self.to_data());
    }

    fn take(prefix: &str, name: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        source.take_tensor(prefix, name).map(|data| Tensor::from_data(data, device))
    }
}

impl<const D: usize> Field for Option<Tensor<D>> {
    fn put(&self, prefix: &str, name: &str, sink: &mut StateSink) {
        if let Some(tensor) = self {
            tensor.put(prefix, name, sink);
        }
    }

    fn take(prefix: &str, name: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        Some(<Tensor<D> as Field>::take(prefix, name, source, device))
    }
}

impl Field for usize {
    fn put(&self, prefix: &str, name: &str, sink: &mut StateSink) {
        sink.push_scalar(prefix, name, (*self).into());
    }

    fn take(prefix: &str, name: &str, source: &mut StateSource, _: &Device) -> Option<Self> {
        source.take_scalar(prefix, name).and_then(|scalar| scalar.try_into().ok())
    }
}

/// Implements Burn's `RecordState` for a state `struct Name<const D: usize> { field, … }`.
macro_rules! record_state {
    ($state:ident { $($field:ident),+ $(,)? }) => {
        impl<const D: usize> burn::optim::RecordState for $state<D> {
            fn state_flatten(&self, prefix: &str, sink: &mut burn::optim::StateSink) {
                $($crate::optim::state::Field::put(&self.$field, prefix, stringify!($field), sink);)+
            }

            fn state_unflatten(
                prefix: &str,
                source: &mut burn::optim::StateSource,
                device: &burn::tensor::Device,
            ) -> Option<Self> {
                Some(Self {
                    $($field: $crate::optim::state::Field::take(
                        prefix, stringify!($field), source, device,
                    )?),+
                })
            }
        }
    };
}
pub(super) use record_state;
