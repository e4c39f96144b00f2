//! What a recommender predicts: the rating of a pair, and the items to show to a user.

use std::sync::Arc;

use serde::Serialize;

use super::{Answer, Prediction, PredictionError};
use crate::evaluation::Trained;
use converge_data::{Inputs, Preprocessing, RatingIndex, Rows, Samples, Targets};

/// An item, with the rating the user is expected to give it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommendation {
    /// The identifier of the item.
    pub item: String,
    /// Its title, or its identifier where it has none.
    pub title: String,
    /// The predicted rating, in the range of the ratings there can be.
    pub rating: f64,
}

/// The users and items that `trained` knows; an error for a model that is no recommender.
pub fn rating_index(trained: &Trained) -> Result<&RatingIndex, PredictionError> {
    match &trained.preprocessing {
        Preprocessing::Ratings(index) => Ok(index),
        _ => Err(PredictionError::NotARecommender(trained.run.path().to_owned())),
    }
}

/// The `top` items with the highest predicted ratings, of those that `user` has not rated.
pub fn recommend(
    trained: &Trained,
    user: &str,
    top: usize,
) -> Result<Vec<Recommendation>, PredictionError> {
    let index = rating_index(trained)?;
    let items = index.unrated(user);
    let rows = items.iter().flat_map(|&item| {
        let id = index.item_id(item).unwrap_or_default();
        index.row(user, id)
    });
    let samples = Samples {
        shape: vec![2],
        inputs: Inputs::Ids(rows.collect()),
        targets: Targets::Values(vec![0.0; items.len()]),
    };
    let ratings = trained.outputs(Arc::new(samples), &mut |_| {})?;
    let mut ranked: Vec<(usize, f32)> = items.into_iter().zip(ratings).collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let recommendation = |(item, rating): (usize, f32)| Recommendation {
        item: index.item_id(item).unwrap_or_default().to_owned(),
        title: index.title(item).unwrap_or_default().to_owned(),
        rating: index.clip(rating).into(),
    };
    Ok(ranked.into_iter().take(top).map(recommendation).collect())
}

/// The rating that `pair`, `USER,ITEM`, is expected to get.
pub(super) fn rating(
    trained: &Trained,
    index: &RatingIndex,
    pair: &str,
) -> Result<Prediction, PredictionError> {
    let Some((user, item)) = pair.split_once(',') else {
        return Err(PredictionError::NotAPair(pair.to_owned()));
    };
    let (user, item) = (user.trim(), item.trim());
    let outputs = trained.output(Rows::Ids(index.row(user, item).to_vec()))?;
    let rating = outputs.first().map_or(f64::NAN, |&rating| index.clip(rating).into());
    let unknown =
        [("user", user, index.user(user).is_none()), ("item", item, index.item(item).is_none())];
    let unknown: Vec<String> = unknown
        .into_iter()
        .filter(|(.., is_unknown)| *is_unknown)
        .map(|(what, name, _)| format!("{what} `{name}`"))
        .collect();
    let caution = (!unknown.is_empty()).then(|| {
        let (names, has) = (unknown.join(" and "), if unknown.len() > 1 { "have" } else { "has" });
        format!("{names} {has} no rating in the training data: the answer is what others suggest")
    });
    Ok(Prediction { input: pair.to_owned(), answer: Answer::Value(rating), caution })
}
