//! k-means: Lloyd's algorithm from random and from k-means++ starts.

mod figures;
mod lloyd;

use burn::tensor::{DType, Int, Tensor, TensorData};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use self::lloyd::{
    Clustering, Point, counts, lloyd, means, nearest, plus_plus_start, random_start, relocate,
    squared_distance,
};
use super::options::between;
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number,
    value_and_gradient,
};
use converge_settings::checks::ensure;
use converge_settings::ranges::POSITIVE;
use converge_settings::settings;

settings! {
    /// k-means on synthetic groups of points.
    pub struct KMeans {
        /// Points, shared evenly among the groups (2 to 100000)
        points: usize = 300 => between!(2, 100_000),
        /// Groups that the points are drawn from, on a circle (1 to 50)
        groups: usize = 3 => between!(1, 50),
        /// The distance of neighbouring groups (of the only one from the middle)
        distance: f64 = 6.0 => POSITIVE,
        /// The standard deviation of a group in each direction
        spread: f64 = 1.0 => POSITIVE,
        /// Clusters k to find (1 to 50)
        clusters: usize = 3 => between!(1, 50),
        /// Starts of each kind (1 to 1000)
        starts: usize = 50 => between!(1, 1000),
        /// The seed of chance
        seed: u64 = 42,
    }
    check |lab| ensure(
        lab.clusters <= lab.points,
        "clusters",
        lab.clusters,
        "at most the number of points: there must be one for each",
    )
}

/// scikit-learn's inertia on the points of the default options, from
/// `tests/golden/make_lab_k_means.py`.
const SCIKIT_LEARN_INERTIA: f64 = 558.336_431_683_475_4;

const KINDS: [&str; 2] = ["random start", "k-means++ start"];

impl Lab for KMeans {
    const ABOUT: About = About {
        theme: Theme::BeyondSupervisedLearning,
        title: "k-means",
        question: "Does k-means find the groups, and how much does its start decide?",
        method: "Lloyd's algorithm lowers the inertia, the sum of the squared distances of all points x to the \
centre c of their cluster,

    I = Σ |x − c(x)|²

by two steps in turn. Points choose the nearest centre, then centres move to the mean of their n points; neither step can \
raise I. As there are finitely many ways to divide the points, it ends, but perhaps in a local minimum. The second \
step is one of Newton's method: the gradient of I by a centre is −2 Σ (x − c) and its second derivative 2 n, so that

    c − gradient / (2 n) = mean of the points

A cluster left without points takes the point that is farthest from its centre. Starts are points by lot, or by \
k-means++: each next one with a chance in proportion to its squared distance to those chosen. Then already the \
inertia of the start is on average at most 8 (ln k + 2) times the least possible.",
        sources: &[
            "Lloyd, Least Squares Quantization in PCM, IEEE Transactions on Information Theory 28, 1982",
            "Arthur and Vassilvitskii, k-means++: The Advantages of Careful Seeding, SODA 2007: theorem 1.1",
            "Bottou and Bengio, Convergence Properties of the K-Means Algorithms, NeurIPS 1994",
            "scikit-learn, sklearn.cluster.KMeans: empty clusters",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let (points, groups) = self.draw(&mut random);
        let mut findings = Findings::default();
        progress.at(0, 2, "random and k-means++ starts");
        let runs = self.runs(&points, &mut random);
        let mut far = plus_plus_start(&points, self.clusters, &mut random);
        if let Some(first) = far.first_mut() {
            *first = [1e3 * (self.distance + self.spread); 2];
        }
        let from_far = lloyd(&points, &far);
        let best = runs.iter().flatten().min_by(|a, b| a.end().total_cmp(&b.end()));
        let best = best.unwrap_or(&from_far).clone();
        self.compare(&points, &groups, &runs, &from_far, &best, &mut findings)?;
        self.tell(&runs, &from_far, &best, &mut findings);
        progress.at(1, 2, "other numbers of groups");
        let shares = self.shares();
        if let Some((groups, [random, plus_plus])) = shares.last() {
            findings.sentences.push(format!(
                "With {groups} groups {:.0} % of the runs from random starts end within 1 % of the best inertia, and {:.0} % of those from \
                 k-means++ starts.",
                100.0 * random, 100.0 * plus_plus
            ));
        }
        findings.figures = figures::all(&points, &runs, &best, &shares);
        findings.data = data(&points, &groups, &best, &runs);
        findings.data.push(DataFile::of_numbers(
            "shares",
            &["groups", "random", "plus_plus"],
            shares
                .iter()
                .map(|&(groups, [random, plus_plus])| vec![groups as f64, random, plus_plus]),
        ));
        Ok(findings)
    }
}

impl KMeans {
    /// Points around groups that stand evenly on a circle, and the group of each.
    fn draw(&self, random: &mut ChaCha8Rng) -> (Vec<Point>, Vec<usize>) {
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
    fn runs(&self, points: &[Point], random: &mut ChaCha8Rng) -> Vec<Vec<Clustering>> {
        let mut runs = |start: fn(&[Point], usize, &mut ChaCha8Rng) -> Vec<Point>| {
            (0..self.starts).map(|_| lloyd(points, &start(points, self.clusters, random))).collect()
        };
        vec![runs(random_start), runs(plus_plus_start)]
    }

    /// For 2 to 10 groups, and as many clusters, the share of the runs of each kind that end within
    /// 1 % of the best of all.
    fn shares(&self) -> Vec<(usize, [f64; 2])> {
        let shares = |groups: usize| {
            let lab = Self { groups, clusters: groups, ..self.clone() };
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(groups as u64);
            let (points, _) = lab.draw(&mut random);
            let runs = lab.runs(&points, &mut random);
            let best = runs.iter().flatten().map(Clustering::end).fold(f64::INFINITY, f64::min);
            let share = |kind: usize| {
                let near = runs[kind].iter().filter(|run| run.end() <= 1.01 * best).count();
                near as f64 / self.starts as f64
            };
            (groups, [share(0), share(1)])
        };
        (2..=self.points.min(10)).map(shares).collect()
    }

    fn compare(
        &self,
        points: &[Point],
        groups: &[usize],
        runs: &[Vec<Clustering>],
        from_far: &Clustering,
        best: &Clustering,
        findings: &mut Findings,
    ) -> Result<(), LabError> {
        let rise = runs
            .iter()
            .flatten()
            .chain([from_far])
            .flat_map(|run| {
                run.inertia
                    .windows(2)
                    .map(|pair| (pair[1] - pair[0]) / pair[0].max(f64::MIN_POSITIVE))
            })
            .fold(f64::NEG_INFINITY, f64::max);
        // Sums of many squares round off at about 1e-14 of their size.
        findings.claims.push(Claim::at_most(
            "no step raises the inertia (greatest relative rise)",
            rise,
            1e-12,
        ));
        let unsettled = runs
            .iter()
            .flatten()
            .flat_map(|run| {
                let means = means(points, &run.labels, run.centers());
                run.centers()
                    .iter()
                    .zip(means)
                    .map(|(&center, mean)| squared_distance(center, mean).sqrt())
                    .collect::<Vec<_>>()
            })
            .fold(0.0, f64::max);
        findings.claims.push(Claim::at_most(
            "every run ends with centres in the means of their points (greatest distance)",
            unsettled,
            1e-9 * (self.distance + self.spread),
        ));
        let smallest = counts(&from_far.labels, self.clusters).into_iter().min().unwrap_or(0);
        findings.claims.push(Claim::that(
            "a start with a centre far from all points ends without an empty cluster",
            format!(
                "{} clusters were refilled, and the smallest ends with {smallest} points",
                from_far.relocated
            ),
            smallest > 0,
        ));
        let mean_start = |kind: usize| {
            runs[kind].iter().map(|run| run.inertia[0]).sum::<f64>() / self.starts as f64
        };
        if self.starts >= 10 && best.end() > 0.0 {
            findings.claims.push(Claim::at_most(
                "k-means++ starts have on average at most 8 (ln k + 2) times the best inertia (ratio)",
                mean_start(1) / best.end(),
                8.0 * ((self.clusters as f64).ln() + 2.0),
            ));
        }
        findings.claims.push(Claim::at_most(
            "the mean of a cluster is Newton's step on the inertia, with the gradient by autodiff (greatest difference)",
            newton_error(points, best)?,
            1e-10 * (self.distance + self.spread),
        ));
        if self.clusters == self.groups && self.distance >= 6.0 * self.spread {
            let pure = agreement(groups, &best.labels, self.groups);
            // A point is on the wrong side of the middle, at least three deviations away, with a
            // probability of 0.13 % for each of two neighbours.
            findings.claims.push(Claim::at_least(
                "the best run finds the groups (share of points in the cluster of most of their group)",
                pure,
                0.99,
            ));
        }
        if *self == Self::default() {
            findings.claims.push(Claim::close(
                "scikit-learn finds the same inertia on the same points",
                best.end(),
                SCIKIT_LEARN_INERTIA,
                1e-9 * SCIKIT_LEARN_INERTIA,
            ));
        }
        Ok(())
    }

    fn tell(
        &self,
        runs: &[Vec<Clustering>],
        from_far: &Clustering,
        best: &Clustering,
        findings: &mut Findings,
    ) {
        let mut rows = vec![];
        for (kind, runs) in KINDS.iter().zip(runs) {
            let mean = |value: &dyn Fn(&Clustering) -> f64| {
                runs.iter().map(value).sum::<f64>() / runs.len() as f64
            };
            let worst = runs.iter().map(Clustering::end).fold(0.0, f64::max);
            let arrived = runs.iter().filter(|run| is_as_good(run, best)).count();
            findings.sentences.push(format!(
                "{arrived} of {} runs from a {kind} end with the best inertia found, {}; the worst ends with {}.",
                runs.len(), number(best.end()), number(worst)
            ));
            rows.push(vec![
                (*kind).to_owned(),
                runs.len().to_string(),
                format!("{:.0} %", 100.0 * arrived as f64 / runs.len() as f64),
                number(mean(&|run| run.inertia[0])),
                number(mean(&Clustering::end)),
                number(worst),
                format!("{:.1}", mean(&|run| run.iterations() as f64)),
            ]);
        }
        findings.sentences.push(format!(
            "A start with one centre far outside leaves {} cluster empty; it takes the point farthest from its centre, and the run ends \
             with an inertia of {}.",
            from_far.relocated, number(from_far.end())
        ));
        findings.tables.push(FindingsTable::new(
            &format!("{} clusters of {} points", self.clusters, self.points),
            &[
                "start",
                "runs",
                "end with the best",
                "mean inertia of the start",
                "of the end",
                "worst",
                "iterations",
            ],
            rows,
        ));
    }
}

/// How far Newton's step from the start of the best run, with the gradient of the inertia by
/// autodiff, is from the means.
fn newton_error(points: &[Point], best: &Clustering) -> Result<f64, LabError> {
    let start = &best.paths[0];
    let mut labels: Vec<usize> = points.iter().map(|&point| nearest(point, start)).collect();
    relocate(points, &mut labels, start);
    let flat: Vec<f64> = points.iter().flatten().copied().collect();
    let chosen: Vec<i64> = labels.iter().map(|&label| i64::try_from(label).unwrap_or(0)).collect();
    let inertia = |centers: Tensor<1>| {
        let device = centers.device();
        let data = TensorData::new(flat.clone(), [points.len(), 2]);
        let points = Tensor::<2>::from_data(data, (&device, DType::F64));
        let chosen = Tensor::<1, Int>::from_data(TensorData::from(&chosen[..]), &device);
        (points - centers.reshape([-1, 2]).select(0, chosen)).powi_scalar(2).sum()
    };
    let place: Vec<f64> = start.iter().flatten().copied().collect();
    let (_, gradient) = value_and_gradient(inertia, &place)?;
    let counts = counts(&labels, start.len());
    let means = means(points, &labels, start);
    let error = (0..place.len())
        .filter(|at| counts[at / 2] > 0)
        .map(|at| {
            (place[at] - gradient[at] / (2.0 * counts[at / 2] as f64) - means[at / 2][at % 2]).abs()
        })
        .fold(0.0, f64::max);
    Ok(error)
}

fn is_as_good(run: &Clustering, best: &Clustering) -> bool {
    run.end() <= best.end() * (1.0 + 1e-9)
}

/// The share of points that are in the cluster where most of their group are.
fn agreement(groups: &[usize], labels: &[usize], count: usize) -> f64 {
    let together: usize = (0..count)
        .map(|group| {
            let members = groups.iter().zip(labels).filter(|(of, _)| **of == group);
            let labels: Vec<usize> = members.map(|(_, &label)| label).collect();
            counts(&labels, count).into_iter().max().unwrap_or(0)
        })
        .sum();
    together as f64 / groups.len() as f64
}

fn data(
    points: &[Point],
    groups: &[usize],
    best: &Clustering,
    runs: &[Vec<Clustering>],
) -> Vec<DataFile> {
    let rows = points.iter().enumerate().map(|(index, point)| {
        vec![point[0], point[1], groups[index] as f64, best.labels[index] as f64]
    });
    let inertia = runs.iter().enumerate().flat_map(|(kind, runs)| {
        runs.iter().enumerate().flat_map(move |(run, clustering)| {
            let values = clustering.inertia.iter().enumerate();
            values
                .map(move |(step, &value)| vec![kind as f64, run as f64, 0.5 * step as f64, value])
        })
    });
    vec![
        DataFile::of_numbers("points", &["x", "y", "group", "cluster"], rows),
        DataFile::of_numbers("inertia", &["plus_plus", "run", "iteration", "inertia"], inertia),
    ]
}
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Silent;

    #[test]
    fn claims_hold_for_any_seed() {
        for seed in [42, 1, 2, 3, 4, 5] {
            let lab = KMeans { seed, ..KMeans::default() };
            let findings = lab.run(&mut Silent).unwrap();
            assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
            assert_eq!(findings.claims.len(), if seed == 42 { 7 } else { 6 });
        }
    }

    #[test]
    fn any_options_give_findings_or_a_clear_error() {
        let default = KMeans::default;
        for lab in [
            KMeans { points: 2, clusters: 2, groups: 2, starts: 1, ..default() },
            KMeans { points: 7, clusters: 7, groups: 1, ..default() },
            KMeans { clusters: 1, ..default() },
            KMeans { groups: 12, clusters: 10, starts: 3, ..default() },
            KMeans { distance: 1e-300, spread: 1e-300, ..default() },
        ] {
            assert!(lab.run(&mut Silent).is_ok(), "{lab:?}");
        }
        let error = KMeans { points: 2, ..default() }.run(&mut Silent).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`clusters` is 3, but must be at most the number of points: there must be one for each"
        );
        for clusters in [0, 51] {
            assert!(KMeans { clusters, ..default() }.run(&mut Silent).is_err());
        }
    }
}
