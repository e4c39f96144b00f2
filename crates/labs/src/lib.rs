//! The classic experiments on convergence.
//!
//! A lab is a struct of options, declared with [`settings!`](converge_settings::settings!), that
//! implements [`Lab`]: it computes on real tensors with the optimizers, schedules and models of
//! training, and returns [`Findings`], in which every prediction of theory is a [`Claim`] that was
//! checked.
//!
//! ```
//! use converge_labs::{GradientDescent, Lab as _, Silent};
//!
//! let lab = GradientDescent { learning_rate: 0.4, ..Default::default() };
//! let findings = lab.run(&mut Silent)?;
//! println!("{}", findings.sentences[0]);
//! for claim in &findings.claims {
//!     println!("{}: {}", claim.says, claim.evidence);
//!     assert!(claim.holds);
//! }
//! # Ok::<(), converge_labs::LabError>(())
//! ```
//!
//! The command `converge lab` finds the labs, their options and what these mean in the registry,
//! [`LABS`]. A new lab is a new file and one line in `labs!` below.

#![recursion_limit = "256"]

mod activation_function;
mod book;
mod curvature;
mod deep_network;
mod descend;
mod findings;
mod normal_family;
mod options;
mod parabola;
mod parts;
mod registry;
mod regression_problem;
mod surfaces;
mod training;

use burn::tensor::Device;

use converge_settings::{Check, Settings, WordsError};

pub use activation_function::Activation;
pub use book::{Chapter, book};
pub use deep_network::WeightInitialization;
pub use descend::{Path, descend, descend_with, value_and_gradient};
pub use findings::{Claim, DataFile, Findings, FindingsTable, number};
pub use options::RatedOptimizer;
pub use registry::{Registered, Words};
pub use surfaces::TestFunction;

pub use converge_figures::figure::Animation;

/// What a lab is about.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The group that it belongs to.
    pub theme: Theme,
    /// The title: `Gradient descent on a parabola`.
    pub title: &'static str,
    /// The question, in a sentence.
    pub question: &'static str,
    /// The method with its formulas: paragraphs with an empty line between them; one that begins
    /// with four spaces is a formula.
    pub method: &'static str,
    /// Papers, books and definitions, one each, with a link where there is a lasting one.
    pub sources: &'static [&'static str],
}

/// Groups of labs, in the order of a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Theme {
    /// Steps, rates, batches.
    Descent,
    /// Surfaces and paths on them.
    Landscapes,
    /// What flows backwards through a network.
    Gradients,
    /// Values, samples, geometry.
    BeyondSupervisedLearning,
}

impl Theme {
    /// The name as people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Descent => "Descent",
            Self::Landscapes => "Landscapes",
            Self::Gradients => "Gradients",
            Self::BeyondSupervisedLearning => "Beyond supervised learning",
        }
    }
}

/// One experiment: its options, and what it does with them.
pub trait Lab: Settings + Default {
    /// What it is about.
    const ABOUT: About;

    /// Computes everything with options that were checked; `progress` is told how far it is.
    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError>;

    /// Checks the options and computes everything; `progress` is told how far it is.
    fn run(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        Check::check(self).map_err(WordsError::from)?;
        self.compute(progress)
    }
}

/// Who is told how far a lab is.
pub trait Progress {
    /// `done` of `total` parts are done; `part` is what comes next.
    fn at(&mut self, done: usize, total: usize, part: &str);
}

/// Nobody is told.
pub struct Silent;

impl Progress for Silent {
    fn at(&mut self, _done: usize, _total: usize, _part: &str) {}
}

/// Why a lab could not be run.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// An option is unknown, is out of its range, or does not fit another.
    #[error(transparent)]
    Options(#[from] WordsError),
    /// What the options ask for cannot be computed.
    #[error("{0}")]
    Impossible(String),
    /// The computation left the numbers that a computer has.
    #[error(
        "{what} is not finite: choose a smaller learning rate, or a start closer to the minimum"
    )]
    NotFinite {
        /// What it is.
        what: String,
    },
    /// There is no device to compute on.
    #[error(transparent)]
    Device(#[from] converge_core::device::DeviceError),
    /// The data could not be made.
    #[error(transparent)]
    Data(#[from] converge_data::DataError),
}

/// The device that labs compute on, without autodiff: the first backend compiled in.
pub fn device() -> Result<Device, LabError> {
    Ok(converge_core::device::open(converge_core::device::default_name())?)
}

macro_rules! labs {
    ($($name:literal => $module:ident::$lab:ident),* $(,)?) => {
        $(mod $module; pub use $module::$lab;)*

        /// All labs, in the order of a course.
        pub const LABS: &[Registered] = &[$(Registered::new::<$lab>($name)),*];
    };
}

labs! {
    "gradient-descent" => gradient_descent::GradientDescent,
    "learning-rate" => learning_rate::LearningRate,
    "batch-size" => batch_size::BatchSize,
    "mini-batches" => mini_batches::MiniBatches,
    "momentum" => momentum::Momentum,
    "adaptive-rates" => adaptive_rates::AdaptiveRates,
    "optimizers" => optimizers::Optimizers,
    "schedules" => schedules::Schedules,
    "loss-surface" => loss_surface::LossSurface,
    "trajectories" => trajectories::Trajectories,
    "local-minima" => local_minima::LocalMinima,
    "local-minimum-detection" => local_minimum_detection::LocalMinimumDetection,
    "convergence-types" => convergence_types::ConvergenceTypes,
    "activations" => activations::Activations,
    "vanishing-gradients" => vanishing_gradients::VanishingGradients,
    "exploding-gradients" => exploding_gradients::ExplodingGradients,
    "initialization" => initialization::Initialization,
    "gradient-check" => gradient_check::GradientCheck,
    "backpropagation" => backpropagation::Backpropagation,
    "batch-normalization" => batch_normalization::BatchNormalization,
    "regularization" => regularization::Regularization,
    "early-stopping" => early_stopping::EarlyStopping,
    "convergence-curve" => convergence_curve::ConvergenceCurve,
    "q-learning" => q_learning::QLearning,
    "k-means" => k_means::KMeans,
    "integration" => integration::Integration,
    "monte-carlo" => monte_carlo::MonteCarlo,
    "metropolis" => metropolis::Metropolis,
    "natural-gradient" => natural_gradient::NaturalGradient,
    "information-geometry" => information_geometry::InformationGeometry,
}

pub use batch_size::SamplesPerBatch;
pub use gradient_check::LayerKind;
pub use integration::{Constant, Expression};
pub use monte_carlo::Normal;
pub use q_learning::EnvironmentName;
