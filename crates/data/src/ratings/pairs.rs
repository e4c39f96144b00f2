//! Rated pairs: the raw inputs of a recommender, and the names that they refer to.
//!
//! Users and items have identifiers of any kind, so a sample holds their places in a
//! [`RatingCatalogue`]. Which of them the training samples know is decided later, by
//! [`RatingIndex`](super::RatingIndex).

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Inputs, Samples, Targets};

/// Who rated what: the inputs of samples whose targets are ratings.
#[derive(Debug, Clone, PartialEq)]
pub struct RatedPairs {
    /// The user and the item of each sample in turn, as places in the lists of `catalogue`.
    pub places: Vec<u32>,
    /// What the places stand for.
    pub catalogue: Arc<RatingCatalogue>,
}

/// The users and items of a data set, and what ratings there can be.
#[derive(Debug, Clone, PartialEq)]
pub struct RatingCatalogue {
    /// The identifier of each user.
    pub users: Vec<String>,
    /// Each item.
    pub items: Vec<Item>,
    /// For each user, the places of the items rated, in whichever split.
    pub rated: Vec<Vec<u32>>,
    /// The lowest rating there can be.
    pub lowest: f32,
    /// The highest rating there can be.
    pub highest: f32,
}

/// Something that is rated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its identifier.
    pub id: String,
    /// Its title, where one is known.
    pub title: Option<String>,
}

/// One split in the making, `[user, item]` places and ratings.
#[derive(Debug, Default)]
struct Split {
    places: Vec<u32>,
    ratings: Vec<f32>,
    /// Where each pair is, so that a later rating takes the place of an earlier one.
    seen: HashMap<(u32, u32), usize>,
    repeated: usize,
}

/// Collects the ratings of the training split, then those of the test split.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    users: HashMap<String, u32>,
    items: HashMap<String, u32>,
    training: Split,
    test: Split,
    in_test: bool,
}

impl Collector {
    /// What is added from here on belongs to the test split.
    pub(crate) fn begin_test(&mut self) {
        self.in_test = true;
    }

    /// Adds a rating. Of several ratings of one pair in a split the last one counts.
    pub(crate) fn add(&mut self, user: &str, item: &str, rating: f32) {
        let pair = (place(&mut self.users, user), place(&mut self.items, item));
        let split = if self.in_test { &mut self.test } else { &mut self.training };
        let next = split.ratings.len();
        let index = *split.seen.entry(pair).or_insert(next);
        if let Some(earlier) = split.ratings.get_mut(index) {
            *earlier = rating;
            split.repeated += 1;
        } else {
            split.places.extend([pair.0, pair.1]);
            split.ratings.push(rating);
        }
    }

    /// Distinct pairs in the split that is added to, and how often one of them was repeated.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let split = if self.in_test { &self.test } else { &self.training };
        (split.ratings.len(), split.repeated)
    }

    /// What makes the ratings useless for a recommender, if anything does.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.training.ratings.is_empty() {
            return Some("has no ratings".to_owned());
        }
        for (what, names) in [("user", &self.users), ("item", &self.items)] {
            match names.len() {
                1 => {
                    return Some(format!(
                        "has ratings of one {what} only, but a recommender learns from several"
                    ));
                }
                // Indices travel through the model's inputs, which are exact up to here.
                count if count >= 1 << 24 => {
                    return Some(format!("has {count} {what}s, but at most 16777215 are possible"));
                }
                _ => {}
            }
        }
        None
    }

    /// The samples of the training split and of the test split. `titles` by identifier.
    pub(crate) fn finish(
        self,
        titles: &HashMap<String, String>,
        [lowest, highest]: [f32; 2],
    ) -> (Samples, Samples) {
        let users = in_order(self.users);
        let items = in_order(self.items)
            .into_iter()
            .map(|id| Item { title: titles.get(&id).cloned(), id })
            .collect();
        let mut rated = vec![Vec::new(); users.len()];
        let places = [&self.training.places, &self.test.places];
        for pair in places.into_iter().flat_map(|places| places.chunks_exact(2)) {
            if let &[user, item] = pair
                && let Some(rated) = rated.get_mut(user as usize)
            {
                rated.push(item);
            }
        }
        let catalogue = Arc::new(RatingCatalogue { users, items, rated, lowest, highest });
        let samples = |split: Split| Samples {
            shape: vec![2],
            inputs: Inputs::Pairs(RatedPairs {
                places: split.places,
                catalogue: Arc::clone(&catalogue),
            }),
            targets: Targets::Values(split.ratings),
        };
        (samples(self.training), samples(self.test))
    }
}

/// The place of `name`, a new one where it is new.
fn place(names: &mut HashMap<String, u32>, name: &str) -> u32 {
    if let Some(&place) = names.get(name) {
        return place;
    }
    let place = names.len() as u32;
    names.insert(name.to_owned(), place);
    place
}

/// The names in the order of their places.
fn in_order(names: HashMap<String, u32>) -> Vec<String> {
    let mut ordered: Vec<(String, u32)> = names.into_iter().collect();
    ordered.sort_unstable_by_key(|(_, place)| *place);
    ordered.into_iter().map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn splits_share_one_catalogue_and_the_last_rating_of_a_pair_counts() {
        let mut collector = Collector::default();
        for (user, item, rating) in [("ann", "7", 4.0), ("bob", "7", 2.0), ("ann", "7", 1.0)] {
            collector.add(user, item, rating);
        }
        assert_eq!(collector.counts(), (2, 1));
        collector.begin_test();
        collector.add("bob", "9", 5.0);
        assert_eq!(collector.problem(), None);
        let titles = HashMap::from([("9".to_owned(), "Nine".to_owned())]);
        let (training, test) = collector.finish(&titles, [1.0, 5.0]);
        assert_eq!(training.targets, Targets::Values(vec![1.0, 2.0]));
        let Inputs::Pairs(pairs) = &test.inputs else { panic!("no pairs") };
        assert_eq!(pairs.places, [1, 1]);
        assert_eq!(pairs.catalogue.users, ["ann", "bob"]);
        assert_eq!(pairs.catalogue.items[1].title.as_deref(), Some("Nine"));
        assert_eq!(pairs.catalogue.rated, [vec![0], vec![0, 1]]);
        assert_eq!((training.len(), training.input_len()), (2, 2));
    }

    #[test]
    fn one_user_or_none_are_too_few() {
        let mut collector = Collector::default();
        assert_eq!(collector.problem().unwrap(), "has no ratings");
        collector.add("ann", "1", 3.0);
        collector.add("ann", "2", 3.0);
        assert!(collector.problem().unwrap().contains("one user only"));
        collector.add("bob", "1", 3.0);
        assert_eq!(collector.problem(), None);
    }
}
