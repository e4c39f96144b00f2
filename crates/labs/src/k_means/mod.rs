//! k-means: Lloyd's algorithm from random and from k-means++ starts.

mod claims;
mod figures;
mod lloyd;
mod runs;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use self::lloyd::{Clustering, Point, lloyd, plus_plus_start};
use self::runs::KINDS;
use super::options::between;
use super::{About, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number};
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
        let fractions = self.fractions();
        if let Some((groups, [random, plus_plus])) = fractions.last() {
            findings.sentences.push(format!(
                "With {groups} groups {:.0} % of the runs from random starts end within 1 % of the best inertia, and {:.0} % of those from \
                 k-means++ starts.",
                100.0 * random, 100.0 * plus_plus
            ));
        }
        findings.figures = figures::all(&points, &runs, &best, &fractions);
        findings.data = data(&points, &groups, &best, &runs);
        findings.data.push(DataFile::of_numbers(
            "shares",
            &["groups", "random", "plus_plus"],
            fractions
                .iter()
                .map(|&(groups, [random, plus_plus])| vec![groups as f64, random, plus_plus]),
        ));
        Ok(findings)
    }
}

impl KMeans {
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

fn is_as_good(run: &Clustering, best: &Clustering) -> bool {
    run.end() <= best.end() * (1.0 + 1e-9)
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
