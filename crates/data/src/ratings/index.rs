//! From identifiers to the rows of embeddings: what a recommender's run knows of users and items.
//!
//! Fitted to the training samples and stored with the run. `evaluate` maps the test samples with
//! it; `predict` asks it for titles and for what a user has not rated yet.

use serde::{Deserialize, Serialize};

use super::RatedPairs;

/// The users and items of the training samples, numbered in the order of their identifiers.
///
/// Users and items that training has not seen share the number after the last known one, so that
/// tables of parameters need one row more than there are known ones, and that row stays as it is
/// in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingIndex {
    users: Vec<KnownUser>,
    items: Vec<KnownItem>,
    /// The mean of the training ratings.
    pub mean: f32,
    /// The lowest rating there can be.
    pub lowest: f32,
    /// The highest rating there can be.
    pub highest: f32,
}

/// A user with ratings in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownUser {
    id: String,
    /// The numbers of the known items that the user has rated, in whichever split.
    rated: Vec<u32>,
}

/// An item with ratings in training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownItem {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

impl RatingIndex {
    /// Fits to the training samples.
    pub(crate) fn fit(training: &RatedPairs, ratings: &[f32]) -> Self {
        let catalogue = &training.catalogue;
        let (mut known_users, mut known_items) =
            (vec![false; catalogue.users.len()], vec![false; catalogue.items.len()]);
        for pair in training.places.chunks_exact(2) {
            for (known, &place) in [&mut known_users, &mut known_items].into_iter().zip(pair) {
                if let Some(known) = known.get_mut(place as usize) {
                    *known = true;
                }
            }
        }
        // Each item with its place in the catalogue, which the lists of rated items refer to.
        let mut items: Vec<(KnownItem, usize)> = catalogue
            .items
            .iter()
            .enumerate()
            .filter(|(place, _)| known_items[*place])
            .map(|(place, item)| {
                (KnownItem { id: item.id.clone(), title: item.title.clone() }, place)
            })
            .collect();
        items.sort_unstable_by(|(a, _), (b, _)| a.id.cmp(&b.id));
        let mut numbers = vec![None; catalogue.items.len()];
        for (number, (_, place)) in (0_u32..).zip(&items) {
            numbers[*place] = Some(number);
        }
        let mut users: Vec<KnownUser> = catalogue
            .users
            .iter()
            .zip(&catalogue.rated)
            .zip(&known_users)
            .filter(|(_, known)| **known)
            .map(|((id, rated), _)| {
                let number = |&place: &u32| *numbers.get(place as usize)?;
                let mut rated: Vec<u32> = rated.iter().filter_map(number).collect();
                rated.sort_unstable();
                rated.dedup();
                KnownUser { id: id.clone(), rated }
            })
            .collect();
        users.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let sum: f64 = ratings.iter().copied().map(f64::from).sum();
        Self {
            users,
            items: items.into_iter().map(|(item, _)| item).collect(),
            mean: (sum / ratings.len().max(1) as f64) as f32,
            lowest: catalogue.lowest,
            highest: catalogue.highest,
        }
    }

    /// How many users are known; the number of every other one.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// How many items are known; the number of every other one.
    pub fn items(&self) -> usize {
        self.items.len()
    }

    /// The number of the user `id`; `None` for one that training has not seen.
    pub fn user(&self, id: &str) -> Option<usize> {
        self.users.binary_search_by(|user| user.id.as_str().cmp(id)).ok()
    }

    /// The number of the item `id`; `None` for one that training has not seen.
    pub fn item(&self, id: &str) -> Option<usize> {
        self.items.binary_search_by(|item| item.id.as_str().cmp(id)).ok()
    }

    /// The model input for a user and an item, known or not: `[user, item]`.
    pub fn row(&self, user: &str, item: &str) -> [u32; 2] {
        let user = self.user(user).unwrap_or(self.users.len());
        let item = self.item(item).unwrap_or(self.items.len());
        [user as u32, item as u32]
    }

    /// The numbers of the known items that the user `id` has not rated: all of them for a user
    /// that training has not seen.
    pub fn unrated(&self, id: &str) -> Vec<usize> {
        let rated = self
            .user(id)
            .and_then(|number| self.users.get(number))
            .map_or(&[][..], |user| user.rated.as_slice());
        (0..self.items.len()).filter(|&item| rated.binary_search(&(item as u32)).is_err()).collect()
    }

    /// The identifier of the item `number`.
    pub fn item_id(&self, number: usize) -> Option<&str> {
        Some(&self.items.get(number)?.id)
    }

    /// The title of the item `number`, or its identifier where no title is known.
    pub fn title(&self, number: usize) -> Option<&str> {
        let item = self.items.get(number)?;
        Some(item.title.as_ref().unwrap_or(&item.id))
    }

    /// A predicted rating, moved into the range of the ratings there can be.
    pub fn clip(&self, rating: f32) -> f32 {
        // Not `clamp`, which panics where a file says that the lowest is above the highest.
        rating.max(self.lowest).min(self.highest)
    }

    /// Writes the model input of the sample `index` to `out`, which has two places. An `index`
    /// beyond the end writes nothing.
    pub(crate) fn row_into(&self, pairs: &RatedPairs, index: usize, out: &mut [u32]) {
        let Some(&[user, item]) = pairs.places.get(2 * index..2 * index + 2) else { return };
        let catalogue = &pairs.catalogue;
        if let (Some(user), Some(item)) =
            (catalogue.users.get(user as usize), catalogue.items.get(item as usize))
        {
            out.copy_from_slice(&self.row(user, &item.id));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use std::collections::HashMap;

    use super::super::pairs::Collector;
    use super::*;
    use crate::{Inputs, Preprocessing, Rows, Samples};

    /// Training: bob and ann; test: a user and an item that training has not seen.
    fn splits() -> (Samples, Samples) {
        let mut collector = Collector::default();
        collector.add("bob", "20", 5.0);
        collector.add("ann", "3", 2.0);
        collector.add("bob", "3", 2.0);
        collector.begin_test();
        collector.add("ann", "20", 1.0);
        collector.add("cyd", "3", 4.0);
        collector.add("bob", "4", 4.0);
        collector.finish(&HashMap::from([("3".to_owned(), "Three".to_owned())]), [1.0, 5.0])
    }

    fn fitted(training: &Samples) -> RatingIndex {
        match Preprocessing::fit(training) {
            Preprocessing::Ratings(index) => index,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_training_has_not_seen_has_the_number_after_the_last() {
        let (training, test) = splits();
        let index = fitted(&training);
        assert_eq!((index.users(), index.items()), (2, 2));
        let Inputs::Pairs(test) = &test.inputs else { panic!("no pairs") };
        let rows: Vec<[u32; 2]> = (0..3)
            .map(|sample| {
                let mut out = [u32::MAX; 2];
                index.row_into(test, sample, &mut out);
                out
            })
            .collect();
        assert_eq!(rows, [[0, 0], [2, 1], [1, 2]]);
        assert_eq!(index.row("dan", "99"), [2, 2]);
        assert_eq!(index.mean, 3.0);
        let mut beyond = [7; 2];
        index.row_into(test, 3, &mut beyond);
        assert_eq!(beyond, [7; 2]);
    }

    #[test]
    fn recommendations_leave_out_what_was_rated_in_any_split() {
        let index = fitted(&splits().0);
        // Items sort as text: "20" before "3".
        assert_eq!(index.unrated("ann"), Vec::<usize>::new());
        assert_eq!(index.unrated("cyd"), [0, 1]);
        assert_eq!((index.title(0), index.title(1)), (Some("20"), Some("Three")));
        assert_eq!((index.item_id(1), index.title(2)), (Some("3"), None));
        assert_eq!([index.clip(0.2), index.clip(3.3), index.clip(9.0)], [1.0, 3.3, 5.0]);
    }

    #[test]
    fn prepared_samples_are_the_rows_of_ids_that_pairs_become() {
        let (training, test) = splits();
        let fitted = Preprocessing::fit(&training);
        let prepared = fitted.prepare(test.clone());
        assert_eq!(prepared.inputs, Inputs::Ids(vec![0, 0, 2, 1, 1, 2]));
        assert_eq!(fitted.prepare(prepared.clone()), prepared);
        for samples in [&test, &prepared] {
            let rows = fitted.rows(samples, [2, 0].into_iter());
            assert_eq!(rows, Rows::Ids(vec![1, 2, 0, 0]));
        }
    }

    #[test]
    fn the_index_survives_json() {
        let fitted = Preprocessing::fit(&splits().0);
        let text = serde_json::to_string(&fitted).unwrap();
        assert_eq!(serde_json::from_str::<Preprocessing>(&text).unwrap(), fitted);
        assert!(text.contains(r#"{"id":"3","title":"Three"}"#), "{text}");
    }
}
