//! A table of vectors, one per id, that can be trained at the cost of the rows looked up.
//!
//! The gradient of a lookup is zero but for the rows of the batch. Burn's gradients are dense:
//! zeros for the whole table, and an optimizer that walks all of it. Where the optimizer is plain
//! gradient descent, the session asks the table to track its lookups instead
//! ([`Embedding::track`]): a batch's rows then become a leaf of the graph of their own, and
//! [`Embedding::update_rows`] moves these rows only. Both ways lead to the same weights, but for
//! the order of additions.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Gradients, IndexingUpdateOp, Int, Tensor};

use super::lstm::Sequences;
#[cfg(feature = "flex")]
use crate::fused::checked;
#[cfg(feature = "flex")]
use converge_kernels::embedding::{Distinct, distinct};

/// One vector of `width` numbers for every id.
#[derive(Module, Debug)]
pub struct Embedding {
    /// The table `[ids, width]`.
    pub weight: Param<Tensor<2>>,
    #[module(skip)]
    tracking: Tracking,
}

/// The lookups since the last update; shared by all clones of a table.
#[derive(Clone, Default)]
struct Tracking(Arc<Mutex<Lookups>>);

#[derive(Default)]
struct Lookups {
    on: bool,
    /// Ids `[lookups]` and their rows `[lookups, width]`, before the backward pass.
    pending: Vec<(Tensor<1, Int>, Tensor<2>)>,
    /// Ids and the gradients of their rows, after it.
    gradients: Vec<(Tensor<1, Int>, Tensor<2>)>,
}

impl fmt::Debug for Tracking {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tracking")
    }
}

impl Tracking {
    /// Whole at every moment, whether or not a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, Lookups> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Embedding {
    /// A table of `ids` rows.
    pub fn new(ids: usize, width: usize, initializer: &Initializer, device: &Device) -> Self {
        let weight = initializer.init([ids, width], device);
        Self { weight, tracking: Tracking::default() }
    }

    /// The rows of `ids`.
    ///
    /// # Shapes
    ///
    /// - ids `[lookups]`
    /// - output `[lookups, width]`
    pub fn forward(&self, ids: Tensor<1, Int>) -> Tensor<2> {
        let weight = self.weight.val();
        let mut lookups = self.tracking.lock();
        if !(lookups.on && ids.device().is_autodiff()) {
            return look_up(weight, ids);
        }
        let ids = ids.inner();
        let rows = Tensor::from_inner(look_up(weight.inner(), ids.clone())).require_grad();
        lookups.pending.push((ids, rows.clone()));
        rows
    }

    /// Texts `[batch, steps]` of ids as an LSTM reads them, each row scaled by that of its text in
    /// `scale` `[batch, width]`, if there is one.
    pub fn texts(&self, ids: Tensor<2, Int>, scale: Option<Tensor<2>>) -> Sequences {
        #[cfg(feature = "flex")]
        if crate::fused::on(&ids.device()) {
            return self.distinct_words(ids, scale);
        }
        let ([batch, steps], [_, width]) = (ids.dims(), self.weight.dims());
        let words = self.forward(ids.flatten(0, 1)).reshape([batch, steps, width]);
        match scale {
            Some(scale) => words * scale.unsqueeze_dim(1),
            None => words,
        }
        .into()
    }

    /// The same, with a row for each distinct word: of all texts, or of each if their scales differ.
    #[cfg(feature = "flex")]
    fn distinct_words(&self, ids: Tensor<2, Int>, scale: Option<Tensor<2>>) -> Sequences {
        let (dims, device) = (ids.dims(), ids.device());
        let [batch, steps] = dims;
        let [count, _] = self.weight.dims();
        let ids: Vec<u32> = checked(ids.try_into_vec_as());
        let run = if scale.is_some() { steps } else { batch * steps };
        let Distinct { ids, runs, positions } = checked(distinct(&ids, count, run));
        let indices = |values: Vec<u32>| {
            let values: Vec<i64> = values.into_iter().map(i64::from).collect();
            Tensor::<1, Int>::from_data(values.as_slice(), &device)
        };
        let rows = self.forward(indices(ids));
        let rows = match scale {
            Some(scale) => rows * scale.select(0, indices(runs)),
            None => rows,
        };
        Sequences::sharing(rows, dims, positions.into())
    }

    /// Whether the lookups to come are tracked.
    pub fn track(&self, on: bool) {
        self.tracking.lock().on = on;
    }

    /// Takes the gradients of tracked rows out of those of a backward pass.
    pub fn collect(&self, gradients: &Gradients) {
        let mut lookups = self.tracking.lock();
        for (ids, rows) in std::mem::take(&mut lookups.pending) {
            if let Some(gradient) = rows.grad(gradients) {
                lookups.gradients.push((ids, gradient));
            }
        }
    }

    /// Gradient descent on the rows looked up since the last update: w ← w − η g for every lookup.
    ///
    /// In place where nothing else holds the table, so that the cost does not grow with it.
    #[must_use]
    pub fn update_rows(self, learning_rate: f64) -> Self {
        let gradients = std::mem::take(&mut self.tracking.lock().gradients);
        if gradients.is_empty() {
            return self;
        }
        let weight = self.weight.map(|weight| {
            let moved = gradients.into_iter().fold(weight.inner(), |weight, (ids, gradient)| {
                let change = gradient.mul_scalar(-learning_rate);
                weight.select_assign(0, ids, change, IndexingUpdateOp::Add)
            });
            Tensor::from_inner(moved).require_grad()
        });
        Self { weight, ..self }
    }
}

/// The rows `ids` of a table: one operation of [`converge_kernels`] on the `flex` backend.
fn look_up(table: Tensor<2>, ids: Tensor<1, Int>) -> Tensor<2> {
    #[cfg(feature = "flex")]
    if crate::fused::on(&table.device()) {
        return fused::look_up(table, ids);
    }
    table.select(0, ids)
}

#[cfg(feature = "flex")]
mod fused {
    //! The lookup as one operation of [`converge_kernels`].

    use std::sync::Arc;

    use super::{Int, Tensor};
    use crate::fused::{Operation, checked, run};
    use converge_kernels::embedding::{gather, table_gradient};

    /// The ids to look up in a table whose rows have `width` numbers.
    #[derive(Debug, Clone)]
    struct Lookup {
        ids: Arc<[u32]>,
        width: usize,
    }

    pub(super) fn look_up(table: Tensor<2>, ids: Tensor<1, Int>) -> Tensor<2> {
        let ids: Vec<u32> = checked(ids.try_into_vec_as());
        let ([_, width], count) = (table.dims(), ids.len());
        run(Lookup { ids: ids.into(), width }, [table.into()], [count, width])
    }

    impl Operation<1> for Lookup {
        type Saved = ();

        fn forward(&self, [table]: [&[f32]; 1], _keep: bool) -> (Vec<f32>, Option<()>) {
            (checked(gather(table, self.width, &self.ids)), Some(()))
        }

        fn backward(
            &self,
            [table]: [&[f32]; 1],
            _saved: (),
            gradient: &[f32],
            _wanted: [bool; 1],
        ) -> [Option<Vec<f32>>; 1] {
            [Some(checked(table_gradient(&self.ids, gradient, self.width, table.len())))]
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use burn::optim::{GradientsParams, SgdConfig};

    use super::*;

    fn table(device: &Device) -> Embedding {
        device.seed(1);
        let table = Embedding::new(5, 2, &Initializer::Normal { mean: 0.0, std: 1.0 }, device);
        drop(table.weight.val());
        table
    }

    fn loss(table: &Embedding, device: &Device) -> Tensor<1> {
        let rows = table.forward(Tensor::from_ints([3, 1, 3], device));
        (rows * Tensor::from_floats([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], device)).sum()
    }

    #[cfg(feature = "flex")]
    #[test]
    fn the_kernel_and_burn_s_operation_agree_in_values_and_gradients() {
        let device = Device::flex().autodiff();
        let table = table(&device).weight.val();
        let ids = || Tensor::<1, Int>::from_ints([4, 0, 4, 2], &device);
        let compute = |rows: Tensor<2>| -> [Vec<f32>; 2] {
            let gradients = rows.clone().square().sum().backward();
            [rows, table.grad(&gradients).unwrap()].map(|tensor| tensor.try_into_vec_as().unwrap())
        };
        let found = compute(fused::look_up(table.clone(), ids()));
        assert_eq!(found, compute(table.clone().select(0, ids())));
    }

    #[cfg(feature = "flex")]
    #[test]
    fn texts_that_share_rows_are_those_of_a_row_for_each_word() {
        let device = Device::flex().autodiff();
        let table = table(&device);
        let ids = || Tensor::<2, Int>::from_ints([[4, 0, 4, 2], [2, 2, 0, 4]], &device);
        let scale = Tensor::<2>::from_floats([[0.0, 2.0], [3.0, 0.5]], &device);
        let weights = Tensor::<1, Int>::arange(1..17, &device).float().reshape([2, 4, 2]);
        let compute = |words: Tensor<3>| -> [Vec<f32>; 2] {
            let loss = (words.clone().square() * weights.clone()).sum();
            let gradient = table.weight.val().grad(&loss.backward()).unwrap();
            [words.reshape([16]).try_into_vec_as(), gradient.try_into_vec_as()].map(Result::unwrap)
        };
        for scale in [None, Some(scale)] {
            let [words, gradient] = compute(table.distinct_words(ids(), scale.clone()).unshared());
            let plain = table.forward(ids().flatten(0, 1)).reshape([2, 4, 2]);
            let plain = scale.map_or(plain.clone(), |scale| plain * scale.unsqueeze_dim(1));
            let [expected, expected_gradient] = compute(plain);
            assert_eq!(words, expected);
            for (found, expected) in gradient.iter().zip(expected_gradient) {
                assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0));
            }
        }
    }

    #[test]
    fn tracked_rows_move_as_the_dense_gradient_moves_them() {
        let device = Device::default().autodiff();
        let dense = table(&device);
        let tracked = dense.clone().fork(&device);
        let gradients = GradientsParams::from_grads(loss(&dense, &device).backward(), &dense);
        let dense = SgdConfig::new().init().step(0.1, dense, gradients);

        tracked.track(true);
        let gradients = loss(&tracked, &device).backward();
        tracked.collect(&gradients);
        assert!(tracked.weight.val().grad(&gradients).is_none());
        let tracked = tracked.update_rows(0.1);

        let values =
            |table: &Embedding| -> Vec<f32> { table.weight.val().try_into_vec_as().unwrap() };
        for (dense, tracked) in values(&dense).iter().zip(values(&tracked)) {
            assert!((dense - tracked).abs() < 1e-6, "{dense} {tracked}");
        }
        assert!(tracked.weight.val().is_require_grad());
    }
}
