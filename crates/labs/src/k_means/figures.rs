//! What the lab shows of k-means.

use super::lloyd::{Clustering, Point};
use super::runs::KINDS;
use converge_figures::figure::{Axis, Color, Figure, LINE_WIDTH, Layer, Panel, Plot};

/// All figures of `runs` of each kind, of which `best` ends lowest.
pub(super) fn all(
    points: &[Point],
    runs: &[Vec<Clustering>],
    best: &Clustering,
    fractions: &[(usize, [f64; 2])],
) -> Vec<Figure> {
    let worst = runs.iter().flatten().max_by(|a, b| a.end().total_cmp(&b.end())).unwrap_or(best);
    let clusters = |title: String, run: &Clustering| {
        let mut plot = Plot::new(&title, Axis::linear("x"), Axis::linear("y"));
        for cluster in 0..run.centers().len() {
            let members = points.iter().zip(&run.labels).filter(|(_, label)| **label == cluster);
            plot.layers.push(Layer::Points {
                name: String::new(),
                points: members.map(|(point, _)| (point[0], point[1])).collect(),
                color: Color::Series(cluster),
                radius: 2.5,
            });
        }
        for cluster in 0..run.centers().len() {
            let name = |text: &str| if cluster == 0 { text.to_owned() } else { String::new() };
            let path: Vec<(f64, f64)> = run
                .paths
                .iter()
                .map(|centers| (centers[cluster][0], centers[cluster][1]))
                .collect();
            let ends = |point: Option<&(f64, f64)>| point.copied().into_iter().collect();
            let (first, last) = (ends(path.first()), ends(path.last()));
            let dots = |text: &str, points, radius| Layer::Points {
                name: name(text),
                points,
                color: Color::Ink,
                radius,
            };
            plot.layers.push(Layer::Line {
                name: name("path of a centre"),
                points: path,
                color: Color::Ink,
                width: LINE_WIDTH,
                dashed: false,
            });
            plot.layers.push(dots("its start (small)", first, 3.5));
            plot.layers.push(dots("its end (large)", last, 7.0));
        }
        Panel::Plot(plot)
    };
    let mut curves = vec![];
    let y = Axis::linear("fraction of runs within 1 % of the best").between(0.0, 1.0);
    let mut by_groups = Plot::new("", Axis::linear("groups, and clusters"), y);
    for (kind, (name, runs)) in KINDS.iter().zip(runs).enumerate() {
        let mut plot = Plot::new(name, Axis::linear("iteration"), Axis::log("inertia / best"));
        for run in runs.iter().take(30) {
            // After points chose: every other entry.
            let line = run
                .inertia
                .iter()
                .step_by(2)
                .enumerate()
                .map(|(at, value)| (at as f64, value / best.end()));
            plot.layers.push(Layer::line("", kind, line.collect()));
        }
        curves.push(Panel::Plot(plot));
        let line: Vec<(f64, f64)> =
            fractions.iter().map(|(groups, fraction)| (*groups as f64, fraction[kind])).collect();
        by_groups.layers.push(Layer::line(name, kind, line.clone()));
        by_groups.layers.push(Layer::points("", kind, line));
    }
    let figure = |name: &str, title: &str, caption: &str, panels, columns| Figure {
        name: name.to_owned(),
        title: title.to_owned(),
        caption: caption.to_owned(),
        panels,
        columns,
    };
    vec![
        figure(
            "clusters",
            "The best run and the worst",
            "Points in the colours of their clusters, and the paths of the centres. A run can end with two centres in one group and one \
             between two others: no single step from there lowers the inertia.",
            vec![
                clusters(format!("best: inertia {:.1}", best.end()), best),
                clusters(format!("worst: inertia {:.1}", worst.end()), worst),
            ],
            2,
        ),
        figure(
            "inertia",
            "The inertia never rises",
            "Up to 30 runs of each kind, relative to the best inertia found. Lines that end above 1 are caught in a local minimum; \
             k-means++ starts lower.",
            curves,
            2,
        ),
        figure(
            "groups",
            "How often one run is enough",
            "The fraction of runs that end within 1 % of the best inertia of all, for 2 to 10 groups on a circle. The more groups, the less likely \
             a random start has a centre in each; k-means++ has a better chance, and several runs have a better one still.",
            vec![Panel::Plot(by_groups)],
            1,
        ),
    ]
}
