//! Optimizer states as named tensors and counters, for the checkpoint.
//!
//! Burn derives this only inside its own crate; [`record_state!`] does the same here.

use burn::optim::{StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// A field of an optimizer state.
pub(super) trait Field: Sized {
    fn put(&self, prefix: &str, name: &str, sink: &mut StateSink);
    fn take(prefix: &str, name: &str, source: &mut StateSource, device: &Device) -> Option<Self>;
    fn on_device(self, device: &Device) -> Self;
}

impl<const D: usize> Field for Tensor<D> {
    fn put(&self, prefix: &str, name: &str, sink: &mut StateSink) {
        sink.push_tensor(prefix, name, self.to_data());
    }

    fn take(prefix: &str, name: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        source.take_tensor(prefix, name).map(|data| Tensor::from_data(data, device))
    }

    fn on_device(self, device: &Device) -> Self {
        self.to_device(device)
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

    fn on_device(self, device: &Device) -> Self {
        self.map(|tensor| tensor.to_device(device))
    }
}

/// Numbered from 0.
impl<const D: usize> Field for Vec<Tensor<D>> {
    fn put(&self, prefix: &str, name: &str, sink: &mut StateSink) {
        for (index, tensor) in self.iter().enumerate() {
            tensor.put(prefix, &format!("{name}.{index}"), sink);
        }
    }

    fn take(prefix: &str, name: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let mut take = |index: usize| {
            <Tensor<D> as Field>::take(prefix, &format!("{name}.{index}"), source, device)
        };
        Some((0..).map_while(&mut take).collect())
    }

    fn on_device(self, device: &Device) -> Self {
        self.into_iter().map(|tensor| tensor.to_device(device)).collect()
    }
}

macro_rules! scalar_fields {
    ($($scalar:ty),+) => {
        $(impl Field for $scalar {
            fn put(&self, prefix: &str, name: &str, sink: &mut StateSink) {
                sink.push_scalar(prefix, name, (*self).into());
            }

            fn take(
                prefix: &str,
                name: &str,
                source: &mut StateSource,
                _: &Device,
            ) -> Option<Self> {
                source.take_scalar(prefix, name).and_then(|scalar| scalar.try_into().ok())
            }

            fn on_device(self, _: &Device) -> Self {
                self
            }
        })+
    };
}
scalar_fields!(usize, f64);

/// Implements Burn's `RecordState` for a state `struct Name<const D: usize> { field, … }`, and
/// `on_device`, which moves all of it to another device.
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

        impl<const D: usize> $state<D> {
            pub(super) fn on_device(self, device: &burn::tensor::Device) -> Self {
                Self { $($field: $crate::optim::state::Field::on_device(self.$field, device)),+ }
            }
        }
    };
}
pub(super) use record_state;
