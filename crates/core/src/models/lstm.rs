//! Recurrent network for texts: embedding, LSTM, a linear output of its last state.
//!
//! Inputs are rows of word ids, 0 being padding, which is masked: a review padded to another
//! length gets the same answer. With a vocabulary of 10,000, 128 numbers a word and 64 units it has
//! 1,329,473 parameters.

use burn::module::Module;
use burn::nn::{Initializer, Linear};
use burn::tensor::{Device, Int, Tensor};

use super::linear::new_dense;
use super::{BuildModel, Initialization, InputSpec, Network, Size};
use crate::layers::activity::{Ends, observe};
use crate::layers::dense::dense;
use crate::layers::dropout::dropout_mask;
use crate::layers::embedding::Embedding;
use crate::layers::lstm::{Lstm, LstmInitialization};
use converge_settings::checks::{Checked, InvalidSetting};
use converge_settings::ranges::{FRACTION, Range};
use converge_settings::settings;

const WIDTH: Range<usize> =
    Range::new("a whole number from 1 to 65536", |width| (1..=1 << 16).contains(width));

settings! {
    /// The settings of [`LstmClassifier`].
    pub struct LstmSettings {
        /// Numbers that stand for a word.
        embedding: usize = 128 => WIDTH,
        /// Units of the LSTM, in each direction.
        hidden: usize = 64 => WIDTH,
        /// Fraction of the embedding's numbers dropped in training, the same ones at all words of a
        /// text.
        dropout: f64 = 0.0 => FRACTION,
        /// Fraction of the state dropped in training where it feeds back, the same units at all steps.
        recurrent_dropout: f64 = 0.0 => FRACTION,
        /// Whether a second LSTM reads from the end to the beginning.
        bidirectional: bool = false,
        /// How the weights start: `glorot_uniform` as in Keras, `default` as in PyTorch.
        initialization: Initialization = Initialization::GlorotUniform,
    }
    check |lstm| lstm.start().map(|_| ())
}

/// Embedding, LSTM, linear output.
#[derive(Module, Debug)]
pub struct LstmClassifier {
    embedding: Embedding,
    forward_lstm: Lstm,
    backward_lstm: Option<Lstm>,
    dropout: f64,
    output: Linear,
}

impl LstmSettings {
    fn start(&self) -> Result<LstmInitialization, InvalidSetting> {
        match self.initialization {
            Initialization::Default => Ok(LstmInitialization::PyTorch),
            Initialization::GlorotUniform => Ok(LstmInitialization::Keras),
            _ => Err(InvalidSetting::new(
                "initialization",
                "meant for other models",
                "\"glorot_uniform\", as in Keras, or \"default\", as in PyTorch",
            )),
        }
    }
}

impl BuildModel for LstmSettings {
    type Model = LstmClassifier;

    fn check_input(&self, input: &InputSpec) -> Checked {
        let is_text = input.ids.as_ref().is_none_or(|ids| ids.len() == 1);
        if let (&[_], true) = (input.shape.as_slice(), is_text) {
            return Ok(());
        }
        let expected = format!("a model for inputs of shape {:?}, such as `mlp`", input.shape);
        Err(InvalidSetting::new("name", "lstm, which needs texts", expected))
    }

    fn size(&self, input: &InputSpec, outputs: usize) -> Size {
        let steps = input.shape.iter().product();
        let directions = if self.bidirectional { 2 } else { 1 };
        // Four gates and the state, of every step.
        let gates = Size::dense(self.embedding + self.hidden, 4 * self.hidden);
        let lstm = Size {
            parameters: gates.parameters * f64::from(directions),
            activations: (steps * 5 * self.hidden) as f64 * f64::from(directions),
        };
        Size::table(input.ids_in(0), self.embedding, steps)
            + lstm
            + Size::dense(directions as usize * self.hidden, outputs)
    }

    fn init(&self, input: &InputSpec, outputs: usize, device: &Device) -> Self::Model {
        let start = self.start().unwrap_or(LstmInitialization::Keras);
        // Keras' Embedding starts uniform in ±0.05, PyTorch's standard normal.
        let words = match start {
            LstmInitialization::Keras => Initializer::Uniform { min: -0.05, max: 0.05 },
            LstmInitialization::PyTorch => Initializer::Normal { mean: 0.0, std: 1.0 },
        };
        let lstm = |reverse| {
            let (inputs, dropout) = (self.embedding, self.recurrent_dropout);
            Lstm::new(inputs, self.hidden, dropout, reverse, start, device)
        };
        let width = if self.bidirectional { 2 * self.hidden } else { self.hidden };
        LstmClassifier {
            embedding: Embedding::new(input.ids_in(0), self.embedding, &words, device),
            forward_lstm: lstm(false),
            backward_lstm: self.bidirectional.then(|| lstm(true)),
            dropout: self.dropout,
            output: new_dense(width, outputs, self.initialization, device),
        }
    }
}

impl Network for LstmClassifier {
    type Inputs = Tensor<2, Int>;

    fn forward(&self, ids: Tensor<2, Int>) -> Tensor<2> {
        let [batch, _] = ids.dims();
        let device = ids.device();
        let mask = ids.clone().not_equal_elem(0).float(); // [batch, steps]
        let [_, width] = self.embedding.weight.dims();
        let dropout = (self.dropout > 0.0 && device.is_autodiff())
            .then(|| dropout_mask([batch, width], self.dropout, &device));
        let words = self.embedding.texts(ids, dropout);
        let last_hidden = |lstm: &Lstm| {
            let state = lstm.last_hidden(words.clone(), mask.clone());
            observe(lstm.recurrent_weight.id, &state, Ends::PlusMinusOne);
            state
        };
        let forward = last_hidden(&self.forward_lstm);
        let state = match &self.backward_lstm {
            Some(lstm) => Tensor::cat(vec![forward, last_hidden(lstm)], 1),
            None => forward,
        };
        dense(&self.output, state, false)
    }

    fn embeddings(&self) -> Vec<&Embedding> {
        vec![&self.embedding]
    }

    fn update_rows(self, learning_rate: f64) -> Self {
        Self { embedding: self.embedding.update_rows(learning_rate), ..self }
    }
}
