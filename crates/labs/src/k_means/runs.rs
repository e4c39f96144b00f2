//! Points around groups, and runs of Lloyd's algorithm on them.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::KMeans;
use super::lloyd::{Clustering, Point, lloyd, plus_plus_start, random_start};

pub(super) const KINDS: [&str; 2] = ["random start", "k-means++ start"];

impl KMeans {
    /// Points around groups that stand evenly on a circle, and the group of each.
    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> (Vec<Point>, Vec<usize>) {
        let radius = match self.groups {
            1 => self.distance,
            groups => 0.5 * self.distance / (std::f64::consts::PI / groups as f64).sin(),
        };
        let point = |index: usize| {
            let group = index % self.groups;
            let angle = std::f64::consts::TAU * (group as f64 / self.groups as f64 + 0.25);
            let mut noise = || {
                let standard: f64 = StandardNormal.sample(random);
                self.spread * standard
            };
            ([radius * angle.cos() + noise(), radius * angle.sin() + noise()], group)
        };
        (0..self.points).map(point).unzip()
    }

    /// Runs from random starts, and from k-means++ starts.
    pub(super) fn runs(&self, points: &[Point], random: &mut ChaCha8Rng) -> Vec<Vec<Clustering>> {
        let mut runs = |start: fn(&[Point], usize, &mut ChaCha8Rng) -> Vec<Point>| {
            (0..self.starts).map(|_| lloyd(points, &start(points, self.clusters, random))).collect()
        };
        vec![runs(random_start), runs(plus_plus_start)]
    }

    /// For 2 to 10 groups, and as many clusters, the fraction of the runs of each kind that end within
    /// 1 % of the best of all.
    pub(super) fn fractions(&self) -> Vec<(usize, [f64; 2])> {
        let fractions = |groups: usize| {
            let lab = Self { groups, clusters: groups, ..self.clone() };
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(groups as u64);
            let (points, _) = lab.draw(&mut random);
            let runs = lab.runs(&points, &mut random);
            let best = runs.iter().flatten().map(Clustering::end).fold(f64::INFINITY, f64::min);
            let fraction = |kind: usize| {
                let near = runs[kind].iter().filter(|run| run.end() <= 1.01 * best).count();
                near as f64 / self.starts as f64
            };
            (groups, [fraction(0), fraction(1)])
        };
        (2..=self.points.min(10)).map(fractions).collect()
    }
}
