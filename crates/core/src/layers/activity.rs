//! What hidden units answer, watched while somebody asks for it: which are dead, which saturated.
//!
//! Layers hand their outputs over (`observe`); nothing happens unless `watched` runs them.

use std::cell::RefCell;

use burn::module::ParamId;
use burn::tensor::Tensor;

/// The flat ends of an activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// `ReLU`: nothing gets through below 0.
    Zero,
    /// tanh: within 0.01 of −1 and 1 its slope is below a fiftieth of the highest.
    PlusMinusOne,
    /// The logistic function: within 0.01 of 0 and 1 its slope is below a twenty-fifth of the
    /// highest.
    ZeroAndOne,
}

/// How near to an end is at the end.
const MARGIN: f64 = 0.01;

/// What was seen of a layer, by unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// A parameter of the layer.
    pub layer: ParamId,
    /// The ends of its activation function.
    pub ends: Ends,
    /// For `ReLU` the largest value of each unit; else the fraction of values at the ends.
    pub units: Vec<f32>,
}

thread_local! {
    /// What is seen on this thread, while somebody watches.
    static SEEN: RefCell<Option<Vec<Watched>>> = const { RefCell::new(None) };
}

/// Runs `work`, and what its layers answered on this thread, in the order in which they did.
pub fn watched<T>(work: impl FnOnce() -> T) -> (T, Vec<Watched>) {
    /// Puts back what was there before, also when a panic unwinds.
    struct Restore(Option<Vec<Watched>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SEEN.set(self.0.take());
        }
    }
    let restore = Restore(SEEN.replace(Some(vec![])));
    let result = work();
    let seen = SEEN.take().unwrap_or_default();
    drop(restore);
    (result, seen)
}

/// Tells whoever watches of the `outputs` of a layer, `[batch, units, ...]`.
pub(crate) fn observe<const D: usize>(layer: ParamId, outputs: &Tensor<D>, ends: Ends) {
    if SEEN.with_borrow(Option::is_none) {
        return;
    }
    let units = outputs.dims()[1];
    let by_unit: Tensor<2> =
        outputs.clone().swap_dims(0, 1).reshape([units, outputs.shape().num_elements() / units]);
    let near = |end: f64| by_unit.clone().sub_scalar(end).abs().lower_elem(MARGIN).float();
    let found = match ends {
        Ends::Zero => by_unit.max_dim(1),
        Ends::PlusMinusOne => (near(-1.0) + near(1.0)).mean_dim(1),
        Ends::ZeroAndOne => (near(0.0) + near(1.0)).mean_dim(1),
    };
    // What cannot be read is not seen.
    let Ok(units) = found.try_into_vec_as() else { return };
    SEEN.with_borrow_mut(|seen| {
        if let Some(seen) = seen {
            seen.push(Watched { layer, ends, units });
        }
    });
}
