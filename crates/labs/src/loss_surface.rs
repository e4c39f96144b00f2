//! The surfaces that optimizers are shown on: their shape, and all their stationary points.

use super::options::between;
use super::surfaces::{Hessian, TestFunction, logarithmic_levels};
use super::{
    About, Claim, DataFile, Findings, FindingsTable, Lab, LabError, Progress, Theme, number,
};
use converge_figures::figure::{
    Axis, Color, ColorScale, Figure, Grid, Layer, Panel, Plot, Surface as SurfacePanel,
};
use converge_settings::settings;

settings! {
    /// Test functions, drawn and searched for stationary points.
    pub struct LossSurface {
        /// The functions, separated by commas; all of them where none is given
        #[one_of(TestFunction)]
        surfaces: Vec<TestFunction> = vec![],
        /// Places along each axis at which a function is drawn, from 11 to 401
        points: usize = 121 => between!(11, 401),
    }
}

impl Lab for LossSurface {
    const ABOUT: About = About {
        theme: Theme::Landscapes,
        title: "Loss surfaces",
        question: "What does a loss look like from above, and where is its gradient zero?",
        method: "Five functions of two numbers stand for what a loss can be:

    Rosenbrock  (1 − x)² + 100 (y − x²)²

    Beale  (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²

    Himmelblau  (x² + y − 11)² + (x + y² − 7)²

    Rastrigin  20 + x² − 10 cos 2πx + y² − 10 cos 2πy

    Quadratic  x² + 10 y²

Lines of equal value are drawn at levels in equal ratios, because a loss spans many powers of ten. Where \
the gradient is zero, the eigenvalues of the Hessian say what stands there: all positive at a minimum, all \
negative at a maximum, of both signs at a saddle. Newton's method x ← x − H⁻¹ ∇f, its steps limited, finds \
these points from a grid of starts. The ratio of the eigenvalues at a minimum is its condition number κ: \
gradient descent at its best rate needs about κ/2 steps to come e times closer.

On a surface that rises on all sides, minima − saddles + maxima = 1 (Morse, Poincaré and Hopf). This \
counts every stationary point, so that a wrong census is found out.",
        sources: &[
            "M. Jamil, X.-S. Yang, A literature survey of benchmark functions for global optimisation \
             problems, 2013, https://arxiv.org/abs/1308.4008",
            "H. H. Rosenbrock, An automatic method for finding the greatest or least value of a \
             function, The Computer Journal 3, 1960",
            "J. Milnor, Morse Theory, 1963, section 5",
        ],
    };

    fn compute(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        let functions = match self.surfaces.as_slice() {
            [] => TestFunction::ALL,
            chosen => chosen,
        };
        let mut findings = Findings::default();
        let mut rows = vec![];
        let mut stationary = vec![];
        for (index, &function) in functions.iter().enumerate() {
            progress.at(index, functions.len(), function.title());
            let grid = function.grid(self.points)?;
            let census = Census::of(function)?;
            findings.claims.extend(check(function, &census)?);
            let [low, high] = function.hessian_at_minimum().eigenvalues();
            let (least, greatest) = bounds(&grid);
            rows.push(vec![
                function.title().to_owned(),
                number(least),
                number(greatest),
                census.minima.len().to_string(),
                census.saddles.len().to_string(),
                census.maxima.len().to_string(),
                number(low),
                number(high),
                number(high / low),
            ]);
            findings.figures.push(figure(function, &grid, &census));
            for (kind, places) in census.kinds() {
                stationary.extend(places.iter().map(|place| {
                    let mut row = vec![function.name(), kind.to_owned()];
                    row.extend(place.iter().map(f64::to_string));
                    row
                }));
            }
            let cells = grid.y.iter().flat_map(|&y| grid.x.iter().map(move |&x| (x, y)));
            let cells = cells.zip(&grid.values).map(|((x, y), &value)| vec![x, y, value]);
            findings.data.push(DataFile::of_numbers(&function.name(), &["x", "y", "value"], cells));
        }
        findings.sentences.extend(sentences(functions));
        findings.tables.push(FindingsTable::new(
            "The surfaces over the part that is drawn; curvature at a global minimum",
            &[
                "surface",
                "least value drawn",
                "greatest",
                "minima",
                "saddles",
                "maxima",
                "least curvature",
                "greatest curvature",
                "condition number",
            ],
            rows,
        ));
        findings.data.push(DataFile {
            name: "stationary-points".to_owned(),
            header: ["surface", "kind", "x", "y"].map(str::to_owned).to_vec(),
            rows: stationary,
        });
        Ok(findings)
    }
}

fn sentences(functions: &[TestFunction]) -> Vec<String> {
    let describe = |function: &TestFunction| {
        let [low, high] = function.hessian_at_minimum().eigenvalues();
        let condition = number((high / low * 10.0).round() / 10.0);
        match function {
            TestFunction::Rosenbrock => format!(
                "Rosenbrock's only stationary point is its minimum; the difficulty is the valley, {condition} \
                 times as steep across as along."
            ),
            TestFunction::Beale => format!(
                "Beale's minimum has condition number {condition}, and two saddles stand between flat floors \
                 and steep corners."
            ),
            TestFunction::Himmelblau => {
                "Himmelblau has four minima of equal depth: which one is found \
                 depends on the start alone."
                    .to_owned()
            }
            TestFunction::Rastrigin => {
                "Rastrigin has 121 minima over the part drawn, of which one is \
                 global: without noise or luck, descent ends in the dent that it starts in."
                    .to_owned()
            }
            TestFunction::Quadratic => format!(
                "The quadratic bowl has one minimum with condition number {condition}: the model that theory \
                 is made on."
            ),
        }
    };
    functions.iter().map(describe).collect()
}

/// All stationary points of a function inside the part that is drawn.
struct Census {
    minima: Vec<[f64; 2]>,
    saddles: Vec<[f64; 2]>,
    maxima: Vec<[f64; 2]>,
}

impl Census {
    /// Newton's method from 61 by 61 starts, all at once, in double precision.
    fn of(function: TestFunction) -> Result<Self, LabError> {
        let [(left, right), (bottom, top)] = function.domain();
        let limit = 0.02 * (right - left);
        let starts = Grid::even(bottom, top, 61);
        let mut places: Vec<[f64; 2]> = starts
            .iter()
            .flat_map(|&y| Grid::even(left, right, 61).into_iter().map(move |x| [x, y]))
            .collect();
        for _ in 0..60 {
            let gradients = function.gradients(&places)?;
            let hessians = function.hessians(&places)?;
            for ((place, gradient), hessian) in places.iter_mut().zip(gradients).zip(hessians) {
                let step = newton_step(gradient, hessian);
                let scale = (limit / step[0].hypot(step[1])).min(1.0);
                // A singular Hessian has no step: such a start stays where it is.
                if scale.is_finite() {
                    *place = [place[0] - scale * step[0], place[1] - scale * step[1]];
                }
            }
        }
        let gradients = function.gradients(&places)?;
        let mut found: Vec<[f64; 2]> = vec![];
        for (place, gradient) in places.into_iter().zip(gradients) {
            let inside = (left..=right).contains(&place[0]) && (bottom..=top).contains(&place[1]);
            let new = |known: &[f64; 2]| (known[0] - place[0]).hypot(known[1] - place[1]) > 1e-4;
            if inside && gradient[0].hypot(gradient[1]) < 1e-8 && found.iter().all(new) {
                found.push(place);
            }
        }
        let mut census = Self { minima: vec![], saddles: vec![], maxima: vec![] };
        for (place, hessian) in found.iter().zip(function.hessians(&found)?) {
            match hessian.eigenvalues() {
                [least, _] if least > 0.0 => census.minima.push(*place),
                [_, greatest] if greatest < 0.0 => census.maxima.push(*place),
                _ => census.saddles.push(*place),
            }
        }
        Ok(census)
    }

    fn kinds(&self) -> [(&'static str, &[[f64; 2]]); 3] {
        [("minimum", &self.minima), ("saddle", &self.saddles), ("maximum", &self.maxima)]
    }

    fn counts(&self) -> [usize; 3] {
        [self.minima.len(), self.saddles.len(), self.maxima.len()]
    }
}

/// H⁻¹ g.
fn newton_step([gx, gy]: [f64; 2], Hessian { xx, xy, yy }: Hessian) -> [f64; 2] {
    let determinant = xx * yy - xy * xy;
    [(yy * gx - xy * gy) / determinant, (xx * gy - xy * gx) / determinant]
}

/// How many minima, saddles and maxima there are over the part drawn. Rastrigin's by its derivative
/// along an axis, 2x + 20π sin 2πx, with 11 sinks and 10 peaks: 11², 2 · 11 · 10 and 10². The others
/// by `fsolve` of SciPy from 3721 starts, with derivatives by `sympy`.
fn known_counts(function: TestFunction) -> [usize; 3] {
    match function {
        TestFunction::Rosenbrock | TestFunction::Quadratic => [1, 0, 0],
        TestFunction::Beale => [1, 2, 0],
        TestFunction::Himmelblau => [4, 4, 1],
        TestFunction::Rastrigin => [121, 220, 100],
    }
}

fn check(function: TestFunction, census: &Census) -> Result<Vec<Claim>, LabError> {
    let title = function.title();
    let minima = function.minima();
    let greatest = |numbers: Vec<f64>| numbers.into_iter().fold(0.0, f64::max);
    let values = function.values(minima)?;
    let slopes = function.gradients(minima)?.iter().map(|[x, y]| x.hypot(*y)).collect();
    let mut claims = vec![
        Claim::at_most(
            format!("{title}: the value is 0 at every known minimum"),
            greatest(values),
            1e-20,
        ),
        // Places are rounded to a double; a curvature of 1000 makes that a gradient of 1e-12.
        Claim::at_most(
            format!("{title}: the gradient is 0 at every known minimum (norm)"),
            greatest(slopes),
            1e-11,
        ),
    ];
    let expected = function.hessian_at_minimum().eigenvalues();
    let computed = function.hessians(&minima[..1])?;
    let errors = computed.iter().flat_map(|hessian| hessian.eigenvalues()).zip(expected);
    claims.push(Claim::at_most(
        format!("{title}: curvature at the minimum is that found by hand (relative error)"),
        greatest(errors.map(|(computed, known)| (computed / known - 1.0).abs()).collect()),
        1e-6,
    ));
    let [minima, saddles, maxima] = census.counts();
    let known = known_counts(function);
    claims.push(Claim::that(
        format!("{title}: every stationary point is found"),
        format!(
            "{minima} minima, {saddles} saddles, {maxima} maxima; {}, {}, {} known",
            known[0], known[1], known[2]
        ),
        census.counts() == known,
    ));
    // Beale's levels off towards some sides, where the theorem does not hold.
    if function != TestFunction::Beale {
        claims.push(Claim::close(
            format!("{title}: minima − saddles + maxima = 1"),
            minima as f64 - saddles as f64 + maxima as f64,
            1.0,
            0.0,
        ));
    }
    Ok(claims)
}

fn bounds(grid: &Grid) -> (f64, f64) {
    let ends = (f64::INFINITY, f64::NEG_INFINITY);
    grid.values.iter().fold(ends, |(low, high), &value| (low.min(value), high.max(value)))
}

fn figure(function: TestFunction, grid: &Grid, census: &Census) -> Figure {
    // Rastrigin's values lie within one power of ten almost everywhere.
    let log = function != TestFunction::Rastrigin;
    let levels = logarithmic_levels(grid, if log { 11 } else { 7 });
    // A value of 0 has no logarithm: the colours end a step below the lowest line.
    let floor = levels.first().map_or(f64::MIN_POSITIVE, |level| 0.5 * level);
    let mut colours = grid.clone();
    for value in &mut colours.values {
        *value = value.max(floor);
    }
    let [x, y] = function.domain();
    let mut plot = Plot::new(
        "From above",
        Axis::linear("x").between(x.0, x.1),
        Axis::linear("y").between(y.0, y.1),
    )
    .with(Layer::HeatMap {
        grid: colours,
        label: "value".to_owned(),
        colors: ColorScale::Sequential { log },
        written: false,
    })
    .with(Layer::Contours { grid: grid.clone(), levels, color: Color::Neutral });
    for (series, (kind, places)) in census.kinds().into_iter().enumerate() {
        if !places.is_empty() {
            plot = plot.with(Layer::Points {
                name: kind.to_owned(),
                points: places.iter().map(|[x, y]| (*x, *y)).collect(),
                color: Color::Series(series),
                radius: if places.len() > 20 { 2.0 } else { 5.0 },
            });
        }
    }
    let surface = SurfacePanel {
        title: "In perspective".to_owned(),
        labels: ["x", "y", "value"].map(str::to_owned),
        grid: thinned(grid, 61),
        log_offset: log.then_some(floor),
        paths: vec![],
    };
    let heights = if log { "logarithms of the values" } else { "the values" };
    Figure {
        name: function.name(),
        title: format!("{}'s surface", function.title()),
        caption: format!(
            "Lines of equal value in equal ratios, with all stationary points; heights on the right are {heights}."
        ),
        panels: vec![Panel::Plot(plot), Panel::Surface(surface)],
        columns: 2,
    }
}

/// At most about `points` lines of `grid` along each axis.
fn thinned(grid: &Grid, points: usize) -> Grid {
    let every = (grid.x.len() / points).max(1);
    let keep = |axis: &[f64]| axis.iter().copied().step_by(every).collect();
    let rows = grid.values.chunks(grid.x.len()).step_by(every);
    let values = rows.flat_map(|row| row.iter().copied().step_by(every)).collect();
    Grid { x: keep(&grid.x), y: keep(&grid.y), values }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;
    use crate::Silent;

    #[test]
    fn every_claim_holds_and_saddles_are_where_the_literature_has_them() {
        let findings = LossSurface { surfaces: vec![], points: 21 }.run(&mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds), "{:#?}", findings.claims);
        assert_eq!(findings.figures.len(), 5);
        // SciPy's `fsolve`, as in `known_counts`
        let census = Census::of(TestFunction::Himmelblau).unwrap();
        let maximum = census.maxima[0];
        assert!((maximum[0] + 0.270_844_590_67).hypot(maximum[1] + 0.923_038_556_48) < 1e-9);
        let saddle = [-0.127_961_346_7, -1.953_714_980_2];
        let close = |place: &[f64; 2]| (place[0] - saddle[0]).hypot(place[1] - saddle[1]) < 1e-9;
        assert!(census.saddles.iter().any(close));
    }

    #[test]
    fn chosen_surfaces_alone_are_drawn() {
        let lab = LossSurface { surfaces: vec![TestFunction::Quadratic], points: 11 };
        let findings = lab.run(&mut Silent).unwrap();
        assert_eq!(findings.figures.len(), 1);
        // 2 and 20 by hand
        assert_eq!(findings.tables[0].rows[0][6..], ["2", "20", "10"]);
    }

    #[test]
    fn a_thinned_grid_keeps_values_at_their_places() {
        let axis = Grid::even(0.0, 9.0, 10);
        let grid = thinned(&Grid::of(axis.clone(), axis, |x, y| x + 100.0 * y), 5);
        assert_eq!(grid.x, [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(grid.values[6], 202.0);
    }
}
