//! Ratings: who liked what. A table of the user's own, and what MovieLens shares with it.
//!
//! A sample is a pair of a user and an item; its target is the rating. The table is CSV of user,
//! item and rating, with or without a header; of several ratings of one pair the last one counts,
//! as people change their minds.

mod index;
mod pairs;
mod settings;
pub(super) mod stand_in;
mod table;

use std::collections::HashMap;
use std::path::Path;

pub use index::RatingIndex;
pub(super) use pairs::Collector;
pub use pairs::{Item, RatedPairs, RatingCatalogue};
pub use settings::{MovieLensSettings, RatingSplit, RatingsSettings};

use super::separator::Separator;
use super::split::split_test;
use super::{
    DataError, DataSet, DownloadProgress, LoadOptions, Origin, Parts, PublishedSet, Source,
    SourceFile, Task, checksum, images,
};

pub(super) const TITLE: &str = "ratings";
pub(super) const PUBLISHED: Option<&PublishedSet> = None;
/// What the two inputs of a sample are.
pub(super) const FEATURE_NAMES: [&str; 2] = ["user", "item"];

pub(super) fn task(_settings: &RatingsSettings) -> Task {
    Task::Regression
}

pub(super) fn input_shape(_settings: &RatingsSettings) -> Vec<usize> {
    vec![FEATURE_NAMES.len()]
}

/// Reads the table. Both parts come always.
pub(super) fn load(
    settings: &RatingsSettings,
    _parts: Parts,
    options: &LoadOptions,
    progress: &mut dyn DownloadProgress,
) -> Result<DataSet, DataError> {
    let mut collector = Collector::default();
    let real = settings.path.as_ref().filter(|_| settings.source != Source::Synthetic);
    let real = real.map(|path| options.own(path));
    let (range, origin, description, files) = if let Some(path) = &real {
        let range = [settings.lowest, settings.highest];
        let (file, separator) = read_into(path, &[], range, &mut collector, progress)?;
        if let Some(problem) = collector.problem() {
            return Err(DataError::unusable(path, problem));
        }
        let separator = match separator {
            Separator::Comma => String::new(),
            other => format!(", columns between {}", other.name()),
        };
        let description = format!("{TITLE} from {}{separator}", path.display());
        (range, Origin::Real, description, vec![file])
    } else {
        if settings.source == Source::Real {
            return Err(DataError::NoPath);
        }
        draw_into(&mut collector, |_| true);
        (stand_in::RANGE, Origin::SyntheticStandIn, stand_in_description(TITLE), Vec::new())
    };
    let (all, _) = collector.finish(&HashMap::new(), range);
    let (training, test) = split_test(&all, settings.test_fraction, settings.split_seed)?;
    Ok(DataSet {
        title: if origin == Origin::Real { TITLE.into() } else { format!("{TITLE} (synthetic)") },
        origin,
        description,
        stand_in_reason: (origin != Origin::Real && settings.source == Source::Auto)
            .then(|| DataError::NoPath.to_string()),
        files,
        class_names: Vec::new(),
        feature_names: images::owned(&FEATURE_NAMES),
        training,
        test,
    })
}

/// Reads the table at `path` into `collector`.
pub(super) fn read_into(
    path: &Path,
    published: &[super::PublishedFile],
    range: [f32; 2],
    collector: &mut Collector,
    progress: &mut dyn DownloadProgress,
) -> Result<(SourceFile, Separator), DataError> {
    let (contents, file) = checksum::read(path, published)?;
    let separator =
        table::parse(&contents, range, |user, item, rating| collector.add(user, item, rating))
            .map_err(|problem| DataError::unusable(path, problem))?;
    let (_, repeated) = collector.counts();
    if repeated > 0 {
        progress.notice(&format!(
            "`{}` rates pairs again on {repeated} lines; the last rating of a pair counts",
            path.display()
        ));
    }
    Ok((file, separator))
}

/// Adds those drawn ratings whose place in the drawing is `wanted`.
pub(super) fn draw_into(collector: &mut Collector, wanted: impl Fn(usize) -> bool) {
    for (_, (user, item, rating)) in
        stand_in::draw().into_iter().enumerate().filter(|(place, _)| wanted(*place))
    {
        collector.add(&user.to_string(), &item.to_string(), rating);
    }
}

pub(super) fn stand_in_description(title: &str) -> String {
    format!("synthetic stand-in for {title}: {} drawn ratings", stand_in::RATINGS)
}
