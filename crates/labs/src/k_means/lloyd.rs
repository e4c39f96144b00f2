//! Lloyd's algorithm and its starts.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// A place in the plane.
pub(super) type Point = [f64; 2];

/// The square of the distance of two places.
pub(super) fn squared_distance(a: Point, b: Point) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

/// What Lloyd's algorithm did from one start.
#[derive(Debug, Clone)]
pub(super) struct Clustering {
    /// The cluster of every point.
    pub labels: Vec<usize>,
    /// The centres at the start and after every iteration.
    pub paths: Vec<Vec<Point>>,
    /// The sum of squared distances of points to their centres: after points chose, after centres
    /// moved, and so on in turn.
    pub inertia: Vec<f64>,
    /// How often a cluster was left without points.
    pub relocated: usize,
}

impl Clustering {
    /// The centres at the end.
    pub(super) fn centers(&self) -> &[Point] {
        self.paths.last().map_or(&[], Vec::as_slice)
    }

    /// How often centres moved.
    pub(super) fn iterations(&self) -> usize {
        self.paths.len() - 1
    }

    /// The inertia at the end.
    pub(super) fn end(&self) -> f64 {
        self.inertia.last().copied().unwrap_or(f64::NAN)
    }
}

/// More iterations than Lloyd's algorithm takes on any points that are not made for it.
const MOST_ITERATIONS: usize = 10_000;

/// Points choose the nearest centre and centres move to the mean of their points, until no point
/// changes its cluster. A cluster without points gets the one that is farthest from its centre, as
/// in scikit-learn.
pub(super) fn lloyd(points: &[Point], start: &[Point]) -> Clustering {
    let mut clustering =
        Clustering { labels: vec![], paths: vec![start.to_vec()], inertia: vec![], relocated: 0 };
    let mut centers = start.to_vec();
    for iteration in 0..=MOST_ITERATIONS {
        let mut labels: Vec<usize> = points.iter().map(|&point| nearest(point, &centers)).collect();
        clustering.inertia.push(inertia(points, &labels, &centers));
        let settled = labels == clustering.labels;
        clustering.labels.clone_from(&labels);
        if settled || iteration == MOST_ITERATIONS {
            break;
        }
        clustering.relocated += relocate(points, &mut labels, &centers);
        centers = means(points, &labels, &centers);
        clustering.inertia.push(inertia(points, &labels, &centers));
        clustering.paths.push(centers.clone());
    }
    clustering
}

/// The cluster whose centre is nearest; the first of several.
pub(super) fn nearest(point: Point, centers: &[Point]) -> usize {
    let distance = |&index: &usize| squared_distance(point, centers[index]);
    (0..centers.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
}

/// The sum of squared distances of points to the centres of their clusters.
pub(super) fn inertia(points: &[Point], labels: &[usize], centers: &[Point]) -> f64 {
    points.iter().zip(labels).map(|(&point, &label)| squared_distance(point, centers[label])).sum()
}

/// Gives every empty cluster the point farthest from its centre, and counts them.
pub(super) fn relocate(points: &[Point], labels: &mut [usize], centers: &[Point]) -> usize {
    let counts = counts(labels, centers.len());
    let empty: Vec<usize> = (0..centers.len()).filter(|&cluster| counts[cluster] == 0).collect();
    if !empty.is_empty() {
        let mut farthest: Vec<usize> = (0..points.len()).collect();
        let distance = |&index: &usize| squared_distance(points[index], centers[labels[index]]);
        farthest.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
        for (&cluster, &point) in empty.iter().zip(&farthest) {
            labels[point] = cluster;
        }
    }
    empty.len()
}

/// How many points are in each cluster.
pub(super) fn counts(labels: &[usize], clusters: usize) -> Vec<usize> {
    let mut counts = vec![0; clusters];
    for &label in labels {
        counts[label] += 1;
    }
    counts
}

/// The means of the clusters; one without points stays where it is.
pub(super) fn means(points: &[Point], labels: &[usize], centers: &[Point]) -> Vec<Point> {
    let mut sums = vec![[0.0; 2]; centers.len()];
    for (point, &label) in points.iter().zip(labels) {
        sums[label][0] += point[0];
        sums[label][1] += point[1];
    }
    let counts = counts(labels, centers.len());
    let mean = |(index, sum): (usize, Point)| match counts[index] {
        0 => centers[index],
        count => sum.map(|part| part / count as f64),
    };
    sums.into_iter().enumerate().map(mean).collect()
}

/// Different points by lot (Forgy).
pub(super) fn random_start(
    points: &[Point],
    clusters: usize,
    random: &mut ChaCha8Rng,
) -> Vec<Point> {
    let mut left: Vec<Point> = points.to_vec();
    (0..clusters).map(|_| left.swap_remove(random.random_range(0..left.len()))).collect()
}

/// Points by lot, each with a chance in proportion to its squared distance to the nearest one
/// chosen before (Arthur and Vassilvitskii, section 2.2).
pub(super) fn plus_plus_start(
    points: &[Point],
    clusters: usize,
    random: &mut ChaCha8Rng,
) -> Vec<Point> {
    let mut centers = vec![points[random.random_range(0..points.len())]];
    let mut distances = vec![f64::INFINITY; points.len()];
    while centers.len() < clusters {
        let last = centers[centers.len() - 1];
        for (distance, &point) in distances.iter_mut().zip(points) {
            *distance = distance.min(squared_distance(point, last));
        }
        let mut left = random.random::<f64>() * distances.iter().sum::<f64>();
        let chosen = distances.iter().position(|distance| {
            left -= distance;
            left < 0.0
        });
        centers.push(points[chosen.unwrap_or(points.len() - 1)]);
    }
    centers
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use rand::SeedableRng as _;
    use serde_json::Value;

    use super::*;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../../../tests/golden/lab_k_means.json")).unwrap()
    }

    fn points_of(value: &Value) -> Vec<Point> {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn lloyd_gives_what_scikit_learn_gives() {
        let golden = golden();
        let points = points_of(&golden["points"]);
        for case in golden["runs"].as_array().unwrap() {
            let run = lloyd(&points, &points_of(&case["start"]));
            let name = case["name"].as_str().unwrap();
            let labels: Vec<usize> = serde_json::from_value(case["labels"].clone()).unwrap();
            assert_eq!(run.labels, labels, "{name}");
            assert!((run.end() / case["inertia"].as_f64().unwrap() - 1.0).abs() < 1e-12, "{name}");
            // scikit-learn counts the last look, in which no point moved.
            assert_eq!(run.iterations() as u64 + 1, case["iterations"].as_u64().unwrap(), "{name}");
            for (center, expected) in run.centers().iter().zip(points_of(&case["centers"])) {
                assert!(squared_distance(*center, expected) < 1e-24, "{name}");
            }
            assert_eq!(run.relocated > 0, name == "empty cluster");
        }
    }

    #[test]
    fn seeding_by_distance_takes_no_point_twice() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let points: Vec<Point> = (0..6).map(|index| [f64::from(index % 3), 0.0]).collect();
        for _ in 0..50 {
            let mut xs: Vec<f64> =
                plus_plus_start(&points, 3, &mut random).iter().map(|point| point[0]).collect();
            xs.sort_by(f64::total_cmp);
            assert_eq!(xs, [0.0, 1.0, 2.0]);
        }
    }
}
