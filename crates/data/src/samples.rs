//! What every user of [`Samples`] does with them: count, choose, hold out.

use std::sync::Arc;

use super::{Inputs, RatedPairs, Samples, Targets};

impl Inputs {
    /// How many values there are, over all samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(values) => values.len(),
            Self::Floats(values) => values.len(),
            Self::Texts { texts, encoding } => texts.len() * encoding.length,
            Self::Pairs(pairs) => pairs.places.len(),
            Self::Ids(ids) => ids.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Targets {
    /// How many samples have a target.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Whether there is no target.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Samples {
    /// No samples of byte inputs and class targets.
    pub(super) fn no_images(shape: &[usize]) -> Self {
        Self {
            shape: shape.to_vec(),
            inputs: Inputs::Bytes(Vec::new()),
            targets: Targets::Classes(Vec::new()),
        }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// How many values one input has: the product of its shape.
    pub fn input_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// A copy of the samples at `indices`, in that order; an index beyond the end is left out.
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        let width = self.input_len();
        Self {
            shape: self.shape.clone(),
            inputs: match &self.inputs {
                Inputs::Bytes(values) => Inputs::Bytes(rows(values, width, indices)),
                Inputs::Floats(values) => Inputs::Floats(rows(values, width, indices)),
                Inputs::Texts { texts, encoding } => Inputs::Texts {
                    texts: indices.iter().filter_map(|&index| texts.get(index).cloned()).collect(),
                    encoding: *encoding,
                },
                Inputs::Pairs(pairs) => Inputs::Pairs(RatedPairs {
                    places: rows(&pairs.places, width, indices),
                    catalogue: Arc::clone(&pairs.catalogue),
                }),
                Inputs::Ids(ids) => Inputs::Ids(rows(ids, width, indices)),
            },
            targets: match &self.targets {
                Targets::Classes(classes) => Targets::Classes(rows(classes, 1, indices)),
                Targets::Values(values) => Targets::Values(rows(values, 1, indices)),
            },
        }
    }

    /// Moves the samples at `sorted`, which rises strictly, out of `self`, which keeps the others in
    /// their order. Works in place: 150 MB of images are never held twice.
    #[must_use]
    pub(super) fn take(&mut self, sorted: &[usize]) -> Self {
        let taken = self.select(sorted);
        let width = self.input_len();
        match &mut self.inputs {
            Inputs::Bytes(values) => remove_rows(values, width, sorted),
            Inputs::Floats(values) => remove_rows(values, width, sorted),
            Inputs::Texts { texts, .. } => {
                let mut removed = sorted.iter().copied().peekable();
                let mut index = 0..;
                texts.retain(|_| index.next().is_some_and(|i| removed.next_if_eq(&i).is_none()));
            }
            Inputs::Pairs(pairs) => remove_rows(&mut pairs.places, width, sorted),
            Inputs::Ids(ids) => remove_rows(ids, width, sorted),
        }
        match &mut self.targets {
            Targets::Classes(classes) => remove_rows(classes, 1, sorted),
            Targets::Values(values) => remove_rows(values, 1, sorted),
        }
        taken
    }
}

fn rows<T: Copy>(values: &[T], width: usize, indices: &[usize]) -> Vec<T> {
    let mut chosen = Vec::with_capacity(indices.len() * width);
    for index in indices {
        let start = index * width;
        chosen.extend_from_slice(values.get(start..start + width).unwrap_or_default());
    }
    chosen
}

fn remove_rows<T: Copy>(values: &mut Vec<T>, width: usize, sorted: &[usize]) {
    let rows = values.len() / width.max(1);
    let mut removed = sorted.iter().copied().peekable();
    let mut kept = 0;
    for row in 0..rows {
        if removed.next_if_eq(&row).is_none() {
            values.copy_within(row * width..(row + 1) * width, kept * width);
            kept += 1;
        }
    }
    values.truncate(kept * width);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TextSettings;

    fn five() -> Samples {
        Samples {
            shape: vec![2],
            inputs: Inputs::Floats((0..10_u8).map(f32::from).collect()),
            targets: Targets::Classes(vec![0, 1, 2, 3, 4]),
        }
    }

    #[test]
    fn selected_samples_come_in_the_order_asked_for() {
        let chosen = five().select(&[3, 0]);
        assert_eq!(chosen.inputs, Inputs::Floats(vec![6.0, 7.0, 0.0, 1.0]));
        assert_eq!(chosen.targets, Targets::Classes(vec![3, 0]));
        assert_eq!((chosen.len(), chosen.input_len()), (2, 2));
    }

    #[test]
    fn texts_are_taken_and_selected_like_rows() {
        let texts = |texts: &[&str], classes: &[u32]| Samples {
            shape: vec![7],
            inputs: Inputs::Texts {
                texts: texts.iter().map(|&text| text.to_owned()).collect(),
                encoding: TextSettings { length: 7, ..TextSettings::default() }.encoding(),
            },
            targets: Targets::Classes(classes.to_vec()),
        };
        let mut samples = texts(&["a", "b", "c", "d"], &[0, 1, 2, 3]);
        assert_eq!(samples.inputs.len(), 28);
        assert_eq!(samples.select(&[3, 9, 0]).inputs, texts(&["d", "a"], &[]).inputs);
        assert_eq!(samples.take(&[1, 2]), texts(&["b", "c"], &[1, 2]));
        assert_eq!(samples, texts(&["a", "d"], &[0, 3]));
    }

    #[test]
    fn taking_samples_out_keeps_the_others_in_order() {
        let mut samples = five();
        let taken = samples.take(&[1, 4]);
        assert_eq!(taken.targets, Targets::Classes(vec![1, 4]));
        assert_eq!(samples.targets, Targets::Classes(vec![0, 2, 3]));
        assert_eq!(samples.inputs, Inputs::Floats(vec![0.0, 1.0, 4.0, 5.0, 6.0, 7.0]));
    }
}
