//! Matrix factorisation: ratings from the biases and latent factors of users and items.
//!
//! Inputs are pairs of ids: the user, the item. The last id of each is the one that nobody has: it
//! stands for users and items that were not in the training data, whose bias and factors are 0.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor};

use super::{BuildModel, InputSpec, Network, Size};
use crate::layers::embedding::Embedding;
use converge_settings::checks::{Checked, InvalidSetting};
use converge_settings::ranges::{NON_NEGATIVE, Range};
use converge_settings::settings;

const FACTORS: Range<usize> =
    Range::new("a whole number from 1 to 65536", |factors| (1..=1 << 16).contains(factors));

settings! {
    /// The settings of [`MatrixFactorization`], with the defaults of Surprise's `SVD`.
    pub struct MatrixFactorizationSettings {
        /// Latent factors of each user and item.
        factors: usize = 100 => FACTORS,
        /// Whether users and items have biases, around the mean rating.
        biases: bool = true,
        /// λ of the L2 penalty on what takes part in a rating.
        regularization: f64 = 0.02 => NON_NEGATIVE,
        /// Standard deviation of the factors at the start.
        initial_deviation: f64 = 0.1 => NON_NEGATIVE,
    }
}

/// `r̂ = μ + b_u + b_i + p_u · q_i`; without biases `r̂ = p_u · q_i`.
///
/// Source: Koren, Bell and Volinsky, "Matrix Factorization Techniques for Recommender Systems",
/// 2009, equations 4 and 2.
#[derive(Module, Debug)]
pub struct MatrixFactorization {
    user_factors: Embedding,
    item_factors: Embedding,
    /// Of users and of items, one number each.
    biases: Option<(Embedding, Embedding)>,
    mean: f64,
    regularization: f64,
    /// The ids that stand for unknown users and items.
    unknown: [usize; 2],
}

impl BuildModel for MatrixFactorizationSettings {
    type Model = MatrixFactorization;

    fn check_input(&self, input: &InputSpec) -> Checked {
        let are_pairs = input.ids.as_ref().is_none_or(|ids| ids.len() == 2);
        if input.shape == [2] && are_pairs {
            return Ok(());
        }
        let expected = format!("a model for inputs of shape {:?}, such as `mlp`", input.shape);
        let found = "matrix_factorization, which needs pairs of user and item";
        Err(InvalidSetting::new("name", found, expected))
    }

    fn size(&self, input: &InputSpec, _outputs: usize) -> Size {
        let width = self.factors + usize::from(self.biases);
        Size::table(input.ids_in(0), width, 1) + Size::table(input.ids_in(1), width, 1)
    }

    fn init(&self, input: &InputSpec, _outputs: usize, device: &Device) -> Self::Model {
        let ids = [input.ids_in(0), input.ids_in(1)];
        let normal = Initializer::Normal { mean: 0.0, std: self.initial_deviation };
        let table = |of: usize, width: usize, start: &Initializer| {
            Embedding::new(ids[of], width, start, device)
        };
        MatrixFactorization {
            user_factors: table(0, self.factors, &normal),
            item_factors: table(1, self.factors, &normal),
            biases: self
                .biases
                .then(|| (table(0, 1, &Initializer::Zeros), table(1, 1, &Initializer::Zeros))),
            mean: if self.biases { input.target_mean } else { 0.0 },
            regularization: self.regularization,
            unknown: ids.map(|count| count.saturating_sub(1)),
        }
    }
}

impl Network for MatrixFactorization {
    type Inputs = Tensor<2, Int>;

    fn forward(&self, pairs: Tensor<2, Int>) -> Tensor<2> {
        self.forward_penalised(pairs).0
    }

    /// The penalty is λ times the mean over the batch of `b_u² + b_i² + |p_u|² + |q_i|²`.
    fn forward_penalised(&self, pairs: Tensor<2, Int>) -> (Tensor<2>, Option<Tensor<1>>) {
        let [batch, _] = pairs.dims();
        let ids = |column: usize| -> Tensor<1, Int> {
            pairs.clone().slice([0..batch, column..column + 1]).squeeze_dim(1)
        };
        let (users, items) = (ids(0), ids(1));
        let known = |of: usize, ids: &Tensor<1, Int>| {
            let known = ids.clone().not_equal_elem(self.unknown[of] as u32);
            known.float().unsqueeze_dim::<2>(1) // [batch, 1]
        };
        let (user_known, item_known) = (known(0, &users), known(1, &items));
        let user_factors = self.user_factors.forward(users.clone()) * user_known.clone();
        let item_factors = self.item_factors.forward(items.clone()) * item_known.clone();
        let mut ratings =
            (user_factors.clone() * item_factors.clone()).sum_dim(1).add_scalar(self.mean);
        let mut squares = user_factors.square().sum() + item_factors.square().sum();
        if let Some((of_users, of_items)) = &self.biases {
            let user_biases = of_users.forward(users) * user_known;
            let item_biases = of_items.forward(items) * item_known;
            ratings = ratings + user_biases.clone() + item_biases.clone();
            squares = squares + user_biases.square().sum() + item_biases.square().sum();
        }
        let penalty = squares.mul_scalar(self.regularization / batch.max(1) as f64);
        (ratings, Some(penalty))
    }

    fn embeddings(&self) -> Vec<&Embedding> {
        let mut tables = vec![&self.user_factors, &self.item_factors];
        tables.extend(self.biases.iter().flat_map(|(users, items)| [users, items]));
        tables
    }

    fn update_rows(self, learning_rate: f64) -> Self {
        let update = |table: Embedding| table.update_rows(learning_rate);
        Self {
            user_factors: update(self.user_factors),
            item_factors: update(self.item_factors),
            biases: self.biases.map(|(users, items)| (update(users), update(items))),
            ..self
        }
    }
}
