//! What a recommender makes of a user: ratings of pairs, and the items it would show.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use converge_core::train::evaluation::Trained;
use converge_data::{Inputs, RatingIndex, Samples, Targets};

/// An item, with the rating the user is expected to give it.
#[derive(Serialize)]
pub(super) struct Recommendation {
    pub item: String,
    pub title: String,
    pub rating: f64,
}

/// The `top` items with the highest predicted ratings, of those that `user` has not rated.
pub(super) fn recommend(
    trained: &Trained,
    index: &RatingIndex,
    user: &str,
    top: usize,
) -> Result<Vec<Recommendation>> {
    let items = index.unrated(user);
    let rows = items.iter().flat_map(|&item| {
        let id = index.item_id(item).unwrap_or_default();
        index.row(user, id)
    });
    let samples = Samples {
        shape: vec![2],
        inputs: Inputs::Floats(rows.collect()),
        targets: Targets::Values(vec![0.0; items.len()]),
    };
    let ratings = trained.outputs(Arc::new(samples), |_| {})?;
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
pub(super) fn rating(trained: &Trained, index: &RatingIndex, pair: &str) -> Result<f64> {
    let Some((user, item)) = pair.split_once(',') else {
        bail!("`{pair}` is not a pair of user and item; write `USER,ITEM`, or use `--user USER`");
    };
    let row = index.row(user.trim(), item.trim());
    let outputs = trained.output(row.to_vec())?;
    let rating = outputs.first().context("the model gave no rating")?;
    Ok(index.clip(*rating).into())
}
