//! Random numbers that trainings side by side in one process do not take from each other.
//!
//! Burn draws from one generator per backend, which the whole process shares. Masks of dropout come
//! from here instead: a step has a stream of its own ([`seeded`]), from its seed alone, the same on
//! every backend. Parameters are drawn by Burn's initializers, one model after the other ([`drawn`]).

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Distribution, Tensor, TensorData};
use rand::SeedableRng as _;
use rand_chacha::ChaCha12Rng;

thread_local! {
    /// The stream of the step that this thread computes, if it computes one.
    static STREAM: RefCell<Option<ChaCha12Rng>> = const { RefCell::new(None) };
}

/// Puts the stream back that was there before, also when a panic unwinds.
struct Restore(Option<ChaCha12Rng>);

impl Drop for Restore {
    fn drop(&mut self) {
        STREAM.set(self.0.take());
    }
}

/// Runs `work`, whose masks on this thread follow from `seed` alone.
pub fn seeded<T>(seed: u64, work: impl FnOnce() -> T) -> T {
    let _restore = Restore(STREAM.replace(Some(ChaCha12Rng::seed_from_u64(seed))));
    work()
}

/// A tensor of `dims` on `device` whose elements are 1 with `probability`, else 0: from the stream
/// of the step, or from the device's generator outside of one.
pub(crate) fn bernoulli<const D: usize>(
    dims: [usize; D],
    probability: f64,
    device: &Device,
) -> Tensor<D> {
    let distribution = Distribution::Bernoulli(probability);
    let drawn = STREAM.with_borrow_mut(|stream| {
        stream.as_mut().map(|stream| TensorData::random::<f32, _, _>(dims, distribution, stream))
    });
    match drawn {
        Some(data) => Tensor::from_data(data, device),
        None => Tensor::random(dims, distribution, device),
    }
}

/// Runs `work`, which draws from the generator of `device`, from `seed` on. One thread at a time:
/// the generator is shared.
pub fn drawn<T>(device: &Device, seed: u64, work: impl FnOnce() -> T) -> T {
    static GENERATOR: Mutex<()> = Mutex::new(());
    // Nothing is kept under the lock that a panic could leave half done.
    let _one_at_a_time = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn a_stream_gives_the_numbers_that_the_cpu_backend_of_burn_draws_from_the_same_seed() {
        let device = Device::default();
        for seed in [0, 7, u64::MAX] {
            let burns = drawn(&device, seed, || {
                [[13, 5], [64, 3]].map(|dims| {
                    numbers(Tensor::random(dims, Distribution::Bernoulli(0.7), &device))
                })
            });
            let ours = seeded(seed, || {
                [[13, 5], [64, 3]].map(|dims| numbers(bernoulli(dims, 0.7, &device)))
            });
            assert_eq!(burns, ours, "seed {seed}");
        }
    }

    #[test]
    fn what_another_thread_draws_changes_nothing() {
        let device = Device::default();
        let alone = seeded(1, || numbers(bernoulli([50, 2], 0.5, &device)));
        let beside = seeded(1, || {
            let other = device.clone();
            let drawing = std::thread::spawn(move || seeded(2, || bernoulli([9, 9], 0.5, &other)));
            assert!(drawing.join().is_ok());
            numbers(bernoulli([50, 2], 0.5, &device))
        });
        assert_eq!(alone, beside);
    }
}
