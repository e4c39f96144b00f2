//! How the loss is bent around a checkpoint: the largest and the smallest eigenvalue of its Hessian,
//! its trace, the density of its eigenvalues, and how far the rate in use is from the edge of
//! stability.
//!
//! The Hessian is that of the training loss on a fixed sample ([`WeightSpace`]); it is only multiplied
//! with vectors, by differences of gradients, and `converge-spectrum` makes the rest of the products.

mod figure;
mod hessian;
mod stability;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use converge_spectrum::{Density, Lanczos, Limits, Ritz, SpectrumError, Wanted, density, trace};
use serde::{Deserialize, Serialize};

use crate::experiment::Experiment;
use crate::train::{Checkpoint, Prepared, StopRequest, TrainError, WeightSpace};
use hessian::{Hessian, norm};

pub use figure::{density_figure, epochs_figure};

/// What is measured, and how closely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Training samples that the loss is a mean over, at most.
    pub samples: usize,
    /// Products for the extreme eigenvalues, at most.
    pub products: usize,
    /// Random vectors for the trace.
    pub probes: usize,
    /// Random vectors for the density, of [`DENSITY_STEPS`] products each; 0 for no density.
    pub density_probes: usize,
    /// What random vectors derive from.
    pub seed: u64,
}

/// Products for each random vector of a density.
pub const DENSITY_STEPS: usize = 30;
/// Extreme eigenvalues are looked for until their bounds are this share of the largest.
const TOLERANCE: f64 = 3e-3;

impl Options {
    /// Products that the measurement of one checkpoint of `experiment` takes, each two gradients:
    /// fewer where eigenvalues are found sooner, more where kinks of activations spoil some.
    pub fn total_products(&self, experiment: &Experiment) -> usize {
        let scaled =
            stability::limit(experiment).is_some_and(|limit| limit.preconditioner.is_some());
        let extremes = hessian::CHOOSING + self.products;
        extremes * if scaled { 2 } else { 1 } + self.probes + self.density_probes * DENSITY_STEPS
    }
}

/// An eigenvalue, and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Eigenvalue {
    /// The eigenvalue.
    pub value: f64,
    /// An eigenvalue of the matrix of products is within this distance of `value`.
    pub bound: f64,
}

impl From<Ritz> for Eigenvalue {
    fn from(Ritz { value, bound }: Ritz) -> Self {
        Self { value, bound }
    }
}

/// How near a rate is to the edge of stability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The largest eigenvalue, of the Hessian preconditioned as the optimizer does.
    pub largest: Eigenvalue,
    /// Whether it is preconditioned.
    pub preconditioned: bool,
    /// The largest eigenvalue at which a quadratic would not be left at this rate.
    pub limit: f64,
    /// The largest eigenvalue over the limit: beyond 1, steps overshoot more than they gain.
    pub ratio: f64,
}

/// The curvature around one checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curvature {
    /// Whole epochs trained.
    pub epoch: usize,
    /// The rate of the last step of that epoch.
    pub learning_rate: f64,
    /// The loss on the sample.
    pub loss: f64,
    /// The length of its gradient.
    pub gradient_norm: f64,
    /// The largest eigenvalue of the Hessian.
    pub largest: Eigenvalue,
    /// The smallest, below zero where the loss bends down.
    pub smallest: Eigenvalue,
    /// The sum of all eigenvalues.
    pub trace: f64,
    /// Its standard error; `None` of a single random vector.
    pub trace_error: Option<f64>,
    /// What products were off by, as a share of a product along a steep direction: differences of
    /// gradients in single precision, over kinks of activations.
    pub product_error: f64,
    /// The edge of stability, of optimizers whose limit is known.
    pub edge: Option<Edge>,
    /// Where the eigenvalues lie: `(eigenvalue, weight)`, weights summing to 1.
    pub density: Vec<(f64, f64)>,
}

/// Why a curvature could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum CurvatureError {
    /// The run cannot be asked.
    #[error(transparent)]
    Training(#[from] TrainError),
    /// The products make no spectrum.
    #[error("{0}")]
    Spectrum(String),
    /// The loss or its gradient is not finite.
    #[error(
        "the loss at epoch {epoch} is {loss}, on which no curvature can be measured: choose an \
         earlier checkpoint"
    )]
    NotFinite {
        /// The epoch.
        epoch: usize,
        /// The loss.
        loss: f64,
    },
    /// It was asked to stop.
    #[error("stopped on request")]
    Stopped,
}

impl From<SpectrumError<TrainError>> for CurvatureError {
    fn from(error: SpectrumError<TrainError>) -> Self {
        match error {
            SpectrumError::Product(error) => Self::Training(error),
            other => Self::Spectrum(other.to_string()),
        }
    }
}

/// Measures the curvature of the loss of `prepared` around `checkpoint`; `at` is told the products
/// done.
pub fn measure(
    prepared: &Prepared,
    checkpoint: &Checkpoint,
    options: &Options,
    stop: &StopRequest,
    at: &mut dyn FnMut(usize),
) -> Result<Curvature, CurvatureError> {
    let epoch = checkpoint.state.epochs_done;
    let space = WeightSpace::new(prepared, checkpoint, options.samples)?;
    let weights = space.weights()?;
    let (loss, gradient) = space.gradient(&weights)?;
    let gradient_norm = norm(&gradient);
    if !loss.is_finite() || !gradient_norm.is_finite() {
        return Err(CurvatureError::NotFinite { epoch, loss });
    }
    let learning_rate = checkpoint.state.history.last().map_or(0.0, |row| row.learning_rate);
    let mut count = 0;
    let mut counted = || {
        count += 1;
        at(count);
        if stop.is_raised() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };

    let hessian = Hessian::at(&space, weights.clone(), gradient.clone(), None, &mut counted)?;
    let multiply = |vector: &[f64]| hessian.product(vector);
    let limits = Limits { products: options.products, tolerance: TOLERANCE, wanted: Wanted::Both };
    let mut lanczos = Lanczos::new(space.dimension(), options.seed);
    let extremes = lanczos.run(&limits, multiply, |_| counted())?;
    drop(lanczos);
    let here = (weights, gradient);
    let largest = extremes.largest.into();
    let edge = edge(&space, here, checkpoint, prepared, options, largest, &mut counted)?;
    let seed = options.seed.wrapping_add(1);
    let trace = trace(space.dimension(), options.probes, seed, multiply, |_| counted())?;
    let density = if options.density_probes > 0 {
        let (probes, seed) = (options.density_probes, options.seed.wrapping_add(2));
        let Density { nodes, weights, .. } =
            density(space.dimension(), probes, DENSITY_STEPS, seed, multiply, |_| counted())?;
        nodes.into_iter().zip(weights).collect()
    } else {
        vec![]
    };
    if stop.is_raised() {
        return Err(CurvatureError::Stopped);
    }
    Ok(Curvature {
        epoch,
        learning_rate,
        loss,
        gradient_norm,
        largest: extremes.largest.into(),
        smallest: extremes.smallest.into(),
        trace: trace.value,
        trace_error: trace.standard_error,
        product_error: hessian.relative_error(),
        edge,
        density,
    })
}

/// How near the rate is to the edge, where the optimizer's limit is known.
fn edge(
    space: &WeightSpace,
    (weights, gradient): (Vec<f64>, Vec<f64>),
    checkpoint: &Checkpoint,
    prepared: &Prepared,
    options: &Options,
    largest: Eigenvalue,
    counted: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Option<Edge>, CurvatureError> {
    let rate = checkpoint.state.history.last().map_or(0.0, |row| row.learning_rate);
    let Some(limit) = stability::limit(&prepared.experiment).filter(|_| rate > 0.0) else {
        return Ok(None);
    };
    let mut largest = largest;
    if let Some(preconditioner) = limit.preconditioner {
        let Some(moments) = space.second_moments(checkpoint)? else { return Ok(None) };
        let scale = preconditioner.scale(&moments, checkpoint.state.steps_done);
        let hessian = Hessian::at(space, weights, gradient, Some(scale), counted)?;
        let limits =
            Limits { products: options.products, tolerance: TOLERANCE, wanted: Wanted::Largest };
        let mut lanczos = Lanczos::new(space.dimension(), options.seed);
        let multiply = |vector: &[f64]| hessian.product(vector);
        largest = lanczos.run(&limits, multiply, |_| counted())?.largest.into();
    }
    let at_most = limit.times_rate / rate - limit.decay;
    Ok(Some(Edge {
        largest,
        preconditioned: limit.preconditioner.is_some(),
        limit: at_most,
        ratio: largest.value / at_most,
    }))
}
