//! Dead and saturated units, counted on a sample of the training data at the end of every epoch.

use burn::data::dataloader::DataLoader as _;
use burn::module::{Module as _, ParamId};
use burn::tensor::Device;
use converge_record::{Column, Measure};

use super::loader::BatchLoader;
use super::norms::parameters;
use crate::layers::activity::{Ends, watched};
use crate::models::Model;

/// Samples that are looked at.
pub(super) const SAMPLES: usize = 256;

/// A unit is saturated that is at the ends for so many of the samples.
const SATURATED: f32 = 0.9;

/// Counts dead and saturated units.
#[derive(Clone)]
pub(super) struct Activity {
    sample: BatchLoader,
    /// What it counts, in order.
    columns: Vec<Column>,
}

/// A layer, and what was seen of each of its units in one batch after the other.
struct Layer {
    id: ParamId,
    ends: Ends,
    /// The largest value, or the mean fraction at the ends.
    units: Vec<f32>,
}

impl Activity {
    /// For `model`, on samples of `training` that are spread evenly over all.
    pub(super) fn new(model: &Model, training: &BatchLoader, device: &Device) -> Self {
        let sample = training.sample(SAMPLES, device);
        let all = parameters(model);
        let column = |layer: &Layer| {
            let name = &all.iter().find(|parameter| parameter.id == layer.id)?.name;
            let part = name.rsplit_once('.').map_or(&**name, |(layer, _)| layer).into();
            Some(Column { measure: measure(layer.ends), part })
        };
        let columns = layers(model, &sample, 1).iter().filter_map(column).collect();
        Self { sample, columns }
    }

    /// What it counts, in order.
    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The fraction of units of each column, in evaluation mode.
    pub(super) fn measure(&self, model: &Model) -> Vec<f64> {
        if self.columns.is_empty() {
            return vec![];
        }
        let fraction = |layer: &Layer| {
            let counted = layer.units.iter().filter(|unit| match layer.ends {
                Ends::Zero => **unit <= 0.0,
                Ends::PlusMinusOne | Ends::ZeroAndOne => **unit >= SATURATED,
            });
            counted.count() as f64 / layer.units.len().max(1) as f64
        };
        layers(model, &self.sample, usize::MAX).iter().map(fraction).collect()
    }
}

fn measure(ends: Ends) -> Measure {
    match ends {
        Ends::Zero => Measure::DeadUnits,
        Ends::PlusMinusOne | Ends::ZeroAndOne => Measure::SaturatedUnits,
    }
}

/// The layers of `model` over the first `batches` of `sample`.
fn layers(model: &Model, sample: &BatchLoader, batches: usize) -> Vec<Layer> {
    let model = model.valid();
    let mut layers: Vec<Layer> = vec![];
    let mut before = 0.0;
    for batch in sample.first_epoch().iter().filter_map(Result::ok).take(batches) {
        let samples = batch.host_targets.len() as f32;
        for seen in watched(|| model.forward(batch.inputs)).1 {
            match layers.iter_mut().find(|layer| layer.id == seen.layer) {
                Some(layer) => {
                    for (unit, new) in layer.units.iter_mut().zip(seen.units) {
                        *unit = match layer.ends {
                            Ends::Zero => unit.max(new),
                            Ends::PlusMinusOne | Ends::ZeroAndOne => {
                                (*unit * before + new * samples) / (before + samples)
                            }
                        };
                    }
                }
                None => {
                    layers.push(Layer { id: seen.layer, ends: seen.ends, units: seen.units });
                }
            }
        }
        before += samples;
    }
    layers
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use burn::module::{ModuleMapper, Param};
    use burn::tensor::{Tensor, TensorData};
    use converge_data::{Inputs, Preprocessing, Samples, Targets};

    use super::*;
    use crate::models::{InputSpec, ModelSettings};

    /// Sets the weights of matrices to 1 and every bias to the next of these.
    struct Biases(Vec<Vec<f32>>);

    impl ModuleMapper for Biases {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let biases = (D == 1).then(|| self.0.remove(0));
            param.map(|tensor| match biases {
                Some(biases) => {
                    Tensor::from_data(TensorData::new(biases, tensor.dims()), &tensor.device())
                }
                None => tensor.ones_like(),
            })
        }
    }

    /// 300 samples of one feature, which is 0 to 1.
    fn loader() -> BatchLoader {
        let samples = Samples {
            shape: vec![1],
            inputs: Inputs::Floats((0..300).map(|index| index as f32 / 299.0).collect()),
            targets: Targets::Values(vec![0.0; 300]),
        };
        let scale = Preprocessing::Scale { divisor: 1.0 };
        BatchLoader::new(Arc::new(samples), Arc::new(scale), 32, &Device::default())
    }

    fn counted(activation: &str, biases: &[f32]) -> (Vec<String>, Vec<f64>) {
        let device = Device::default().autodiff();
        let settings: ModelSettings = serde_json::from_value(serde_json::json!({
            "name": "mlp", "hidden": [biases.len()], "activation": activation,
        }))
        .unwrap();
        let model = settings.init(&InputSpec::of_shape(&[1]), 1, &device);
        let model = model.map(&mut Biases(vec![biases.to_vec(), vec![0.0]]));
        let activity = Activity::new(&model, &loader(), &Device::default());
        let columns = activity.columns().iter().map(ToString::to_string).collect();
        (columns, activity.measure(&model))
    }

    #[test]
    fn a_unit_is_dead_that_answers_to_no_sample() {
        // x + b for x from 0 to 1: the last two are never above 0.
        let (columns, found) = counted("relu", &[0.5, -0.9, -1.0, -7.0]);
        assert_eq!((columns, found), (vec!["dead_units.hidden.0".to_owned()], vec![0.5]));
    }

    #[test]
    fn a_unit_is_saturated_that_is_at_the_flat_ends_for_most_samples() {
        // tanh x > 0.99 from x = 2.65 on: for all of them, for none, and for three in four.
        let (columns, found) = counted("tanh", &[-5.0, 0.0, 2.4]);
        assert_eq!(columns, ["saturated_units.hidden.0"]);
        assert!((found[0] - 1.0 / 3.0).abs() < 1e-9, "{found:?}");
        // The logistic function is above 0.99 from x = 4.6 on.
        assert!((counted("sigmoid", &[5.0, 4.0, -6.0]).1[0] - 2.0 / 3.0).abs() < 1e-9);
    }
}
