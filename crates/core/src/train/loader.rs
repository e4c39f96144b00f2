//! Batches for Burn's training loop, in an order that depends on seed and epoch alone.
//!
//! A thread prepares the next batches (bytes to numbers) while the current one trains. The order
//! of an epoch is drawn from (seed, epoch), not from a generator that runs on, so that a resumed
//! run sees the same batches as one that was never stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::models::Inputs;
use converge_data::{AugmentationSettings, Preprocessing, Rows, Samples, Targets};

/// Batches that are prepared ahead of the one that trains.
const PREPARED_BATCHES: usize = 2;

/// A batch on the device.
#[derive(Debug, Clone)]
pub struct Batch {
    /// What the model takes.
    pub inputs: Inputs,
    /// Targets on the device.
    pub targets: DeviceTargets,
    /// The same targets in memory, for the scores.
    pub host_targets: Targets,
    /// Where in the run the batch stands.
    pub position: Position,
}

/// Targets on the device.
#[derive(Debug, Clone)]
pub enum DeviceTargets {
    /// Class indices `[batch]`.
    Classes(Tensor<1, Int>),
    /// Values `[batch, 1]`.
    Values(Tensor<2>),
}

/// Where in the run a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The batch within the epoch, from 0.
    pub batch: usize,
    /// The optimizer step of the run that the batch belongs to, from 0.
    pub step: usize,
    /// Samples in all batches whose gradients that step averages.
    pub step_samples: usize,
    /// Whether the step ends its epoch.
    pub ends_epoch: bool,
}

/// The order in which samples come.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// As they are stored.
    Stored,
    /// Shuffled anew every epoch.
    Shuffled {
        /// The seed of the run.
        seed: u64,
    },
}

/// How images are varied.
#[derive(Debug, Clone)]
struct Augmentation {
    settings: AugmentationSettings,
    seed: u64,
}

/// Batches of `samples`.
#[derive(Clone)]
pub struct BatchLoader {
    samples: Arc<Samples>,
    /// The samples on all devices, of which these are a slice.
    samples_on_all_devices: usize,
    preprocessing: Arc<Preprocessing>,
    order: Order,
    augmentation: Option<Augmentation>,
    batch_size: usize,
    batches_per_step: usize,
    device: Device,
    next_epoch: Arc<AtomicUsize>,
    skip_batches: Arc<AtomicUsize>,
}

impl BatchLoader {
    /// Batches of `batch_size` in stored order, one per step, from epoch 1 on.
    pub fn new(
        samples: Arc<Samples>,
        preprocessing: Arc<Preprocessing>,
        batch_size: usize,
        device: &Device,
    ) -> Self {
        Self {
            samples_on_all_devices: samples.len(),
            samples,
            preprocessing,
            order: Order::Stored,
            augmentation: None,
            batch_size: batch_size.max(1),
            batches_per_step: 1,
            device: device.clone(),
            next_epoch: Arc::new(AtomicUsize::new(1)),
            skip_batches: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// The same batches in another order, `batches_per_step` to an optimizer step.
    #[must_use]
    pub fn for_training(mut self, order: Order, batches_per_step: usize) -> Self {
        self.order = order;
        self.batches_per_step = batches_per_step.max(1);
        self
    }

    /// The same batches of images that are varied anew every epoch.
    #[must_use]
    pub fn augmented(mut self, settings: &AugmentationSettings, seed: u64) -> Self {
        self.augmentation =
            (!settings.is_off()).then(|| Augmentation { settings: settings.clone(), seed });
        self
    }

    /// The same batches, beginning with `epoch` and leaving out its first `skip_batches`.
    #[must_use]
    pub fn starting_at(self, epoch: usize, skip_batches: usize) -> Self {
        self.next_epoch.store(epoch, Ordering::Relaxed);
        self.skip_batches.store(skip_batches, Ordering::Relaxed);
        self
    }

    /// The same samples in stored order, unchanged, on `device` with autodiff: what running
    /// statistics are estimated from.
    pub(super) fn for_calibration(&self, device: &Device) -> Self {
        let mut loader = Self::new(
            Arc::clone(&self.samples),
            Arc::clone(&self.preprocessing),
            self.batch_size,
            &device.clone().autodiff(),
        );
        loader.order = Order::Stored;
        loader
    }

    /// At most `count` of its samples, spread evenly over all, in stored order and unchanged, on
    /// `device`.
    pub(super) fn sample(&self, count: usize, device: &Device) -> Self {
        let all = self.samples.len();
        let count = count.min(all);
        let indices: Vec<usize> = (0..count).map(|index| index * all / count).collect();
        let samples = Arc::new(self.samples.select(&indices));
        Self::new(samples, Arc::clone(&self.preprocessing), self.batch_size, device)
    }

    /// The same batches from the first epoch on again.
    pub(super) fn first_epoch(&self) -> Self {
        self.next_epoch.store(1, Ordering::Relaxed);
        self.clone()
    }

    /// Optimizer steps in an epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.batches_per_epoch().div_ceil(self.batches_per_step)
    }

    fn batches_per_epoch(&self) -> usize {
        self.samples.len().div_ceil(self.batch_size)
    }

    fn indices(&self, epoch: usize) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..self.samples.len()).collect();
        if let Order::Shuffled { seed } = self.order {
            let mut generator = ChaCha8Rng::seed_from_u64(seed);
            generator.set_stream(epoch as u64);
            indices.shuffle(&mut generator);
        }
        indices
    }

    fn position(&self, epoch: usize, batch: usize) -> Position {
        let steps = self.steps_per_epoch();
        let step = batch / self.batches_per_step;
        let step_size = self.batches_per_step.saturating_mul(self.batch_size);
        let first = step * step_size;
        let last = first.saturating_add(step_size).min(self.samples.len());
        // Each device has a slice of the samples, and takes its steps at the same time.
        let devices = self.samples_on_all_devices as f64 / self.samples.len().max(1) as f64;
        Position {
            epoch,
            batch,
            step: (epoch - 1) * steps + step,
            step_samples: ((last - first) as f64 * devices).round() as usize,
            ends_epoch: step + 1 == steps,
        }
    }

    /// The inputs and targets of the samples at `indices`, in memory, as they are in `epoch`.
    fn prepare(&self, indices: &[usize], epoch: usize) -> Prepared {
        let inputs = self
            .augmentation
            .as_ref()
            .and_then(|augmentation| self.varied(augmentation, indices, epoch))
            .unwrap_or_else(|| self.preprocessing.rows(&self.samples, indices.iter().copied()));
        let targets = match &self.samples.targets {
            Targets::Classes(all) => Targets::Classes(indices.iter().map(|&i| all[i]).collect()),
            Targets::Values(all) => Targets::Values(indices.iter().map(|&i| all[i]).collect()),
        };
        Prepared { inputs, targets }
    }

    /// The inputs of the images at `indices`, varied as in `epoch`; `None` of what is no image.
    fn varied(&self, augmentation: &Augmentation, indices: &[usize], epoch: usize) -> Option<Rows> {
        let (converge_data::Inputs::Bytes(images), &[channels, height, columns]) =
            (&self.samples.inputs, self.samples.shape.as_slice())
        else {
            return None;
        };
        let width = self.samples.input_len();
        let mut rows = vec![0.0; indices.len() * width];
        let mut varied = vec![0; width];
        for (&index, row) in indices.iter().zip(rows.chunks_exact_mut(width.max(1))) {
            let image = images.get(index * width..(index + 1) * width).unwrap_or_default();
            let place = (augmentation.seed, epoch, index);
            let shape = [channels, height, columns];
            augmentation.settings.apply(image, shape, place, &mut varied);
            self.preprocessing.apply_bytes(&varied, row);
        }
        Some(Rows::Floats(rows))
    }
}

/// `rows`, of `samples` samples, on `device`.
pub(crate) fn on_device(rows: Rows, samples: usize, device: &Device) -> Inputs {
    let shape = |values: usize| [samples, values / samples.max(1)];
    match rows {
        Rows::Floats(values) => {
            let shape = shape(values.len());
            Inputs::Floats(Tensor::from_data(TensorData::new(values, shape), device))
        }
        Rows::Ids(ids) => {
            let ids: Vec<i32> = ids.into_iter().map(u32::cast_signed).collect();
            let shape = shape(ids.len());
            Inputs::Ids(Tensor::from_data(TensorData::new(ids, shape), device))
        }
    }
}

/// A batch in memory.
struct Prepared {
    inputs: Rows,
    targets: Targets,
}

impl Prepared {
    fn on_device(self, position: Position, device: &Device) -> Batch {
        let samples = self.targets.len();
        let inputs = on_device(self.inputs, samples, device);
        let targets = match &self.targets {
            Targets::Classes(classes) => {
                let classes: Vec<i32> = classes.iter().map(|&class| class.cast_signed()).collect();
                let data = TensorData::new(classes, [samples]);
                DeviceTargets::Classes(Tensor::from_data(data, device))
            }
            Targets::Values(values) => {
                let data = TensorData::new(values.clone(), [samples, 1]);
                DeviceTargets::Values(Tensor::from_data(data, device))
            }
        };
        Batch { inputs, targets, host_targets: self.targets, position }
    }
}

impl DataLoader<Batch> for BatchLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Batch> + 'a> {
        let epoch = self.next_epoch.fetch_add(1, Ordering::Relaxed);
        let skipped = self.skip_batches.swap(0, Ordering::Relaxed);
        let (sender, prepared) = sync_channel(PREPARED_BATCHES);
        let loader = self.clone();
        thread::spawn(move || {
            let indices = loader.indices(epoch);
            for batch in indices.chunks(loader.batch_size).skip(skipped) {
                // The receiver is gone once training has stopped within the epoch.
                if sender.send(loader.prepare(batch, epoch)).is_err() {
                    return;
                }
            }
        });
        Box::new(BatchIterator { loader: self, epoch, next_batch: skipped, prepared })
    }

    fn num_items(&self) -> usize {
        self.samples.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Batch>> {
        Arc::new(Self { device: device.clone(), ..self.clone() })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<Batch>> {
        let indices: Vec<usize> = (start..end.min(self.samples.len())).collect();
        Arc::new(Self { samples: Arc::new(self.samples.select(&indices)), ..self.clone() })
    }
}

struct BatchIterator<'a> {
    loader: &'a BatchLoader,
    epoch: usize,
    next_batch: usize,
    prepared: Receiver<Prepared>,
}

impl Iterator for BatchIterator<'_> {
    type Item = Result<Batch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Ok(prepared) = self.prepared.recv() else {
            let complete = self.next_batch >= self.loader.batches_per_epoch();
            let lost = || DatasetError::new(std::io::Error::other("the batch thread died"));
            return (!complete).then(|| Err(lost()));
        };
        let position = self.loader.position(self.epoch, self.next_batch);
        self.next_batch += 1;
        Some(Ok(prepared.on_device(position, &self.loader.device)))
    }
}

impl DataLoaderIterator<Batch> for BatchIterator<'_> {
    fn progress(&self) -> Progress {
        let total = self.loader.samples.len();
        let processed = (self.next_batch * self.loader.batch_size).min(total);
        Progress::new(processed, total, Some("samples".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loader(samples: usize, batch_size: usize) -> BatchLoader {
        let samples = Samples {
            shape: vec![1],
            inputs: converge_data::Inputs::Bytes((0..samples).map(|index| index as u8).collect()),
            targets: Targets::Classes((0..samples as u32).collect()),
        };
        let scale = Preprocessing::Scale { divisor: 1.0 };
        BatchLoader::new(Arc::new(samples), Arc::new(scale), batch_size, &Device::default())
    }

    fn classes(loader: &BatchLoader) -> Vec<Vec<u32>> {
        let batches = loader.iter().filter_map(Result::ok);
        let targets = batches.map(|batch| match batch.host_targets {
            Targets::Classes(classes) => classes,
            Targets::Values(_) => vec![],
        });
        targets.collect()
    }

    #[test]
    fn every_sample_comes_once_an_epoch_in_an_order_of_its_own() {
        let loader = loader(50, 8).for_training(Order::Shuffled { seed: 1 }, 1);
        let (first, second) = (classes(&loader).concat(), classes(&loader).concat());
        assert_ne!(first, second);
        for mut epoch in [first, second] {
            epoch.sort_unstable();
            assert_eq!(epoch, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_resumed_loader_goes_on_where_the_straight_one_would() {
        let shuffled = || loader(50, 8).for_training(Order::Shuffled { seed: 1 }, 1);
        let straight = shuffled();
        let _ = classes(&straight);
        let second = classes(&straight);
        assert_eq!(classes(&shuffled().starting_at(2, 3)), second[3..]);
    }

    #[test]
    fn positions_count_steps_and_their_samples() {
        // 10 samples in batches of 4, 4, 2; two batches to a step: steps of 8 and 2 samples.
        let loader = loader(10, 4).for_training(Order::Stored, 2).starting_at(2, 0);
        let positions: Vec<Position> =
            loader.iter().filter_map(Result::ok).map(|batch| batch.position).collect();
        let steps: Vec<_> =
            positions.iter().map(|p| (p.epoch, p.step, p.step_samples, p.ends_epoch)).collect();
        assert_eq!(steps, [(2, 2, 8, false), (2, 2, 8, false), (2, 3, 2, true)]);
    }
}
