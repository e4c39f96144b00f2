//! Fitting a normal distribution, in three kinds of coordinates.

use burn::tensor::{Tensor, TensorData};
use nalgebra::{Matrix2, Vector2};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::NaturalGradient;
use crate::descend::sgd;
use crate::normal_family::{Coordinates, divergence};
use crate::{
    Claim, DataFile, Findings, FindingsTable, LabError, descend, number, value_and_gradient,
};
use converge_figures::figure::{Axis, Color, Figure, Grid, Layer, Panel, Plot};

/// The distribution that the synthetic data are drawn from: mean and deviation.
const TRUTH: [f64; 2] = [2.0, 0.5];
/// The distribution to start at.
const START: [f64; 2] = [0.0, 1.0];
/// Rates of natural gradient; each is half of the one before.
const RATES: [f64; 6] = [0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625];
/// The time η · steps at which paths are compared.
const TIME: f64 = 1.0;
/// The time to which paths are drawn.
const DRAWN: f64 = 4.0;

/// Places of a path as mean and deviation.
type Path = Vec<[f64; 2]>;

pub(super) fn run(lab: &NaturalGradient, findings: &mut Findings) -> Result<(), LabError> {
    let mut random = ChaCha8Rng::seed_from_u64(lab.seed);
    let draws: Vec<f64> = (0..lab.samples)
        .map(|_| {
            let draw: f64 = StandardNormal.sample(&mut random);
            TRUTH[0] + TRUTH[1] * draw
        })
        .collect();
    let count = draws.len() as f64;
    // The moments of the data, which are those of the fitted distribution.
    let first = draws.iter().sum::<f64>() / count;
    let second = draws.iter().map(|x| x * x).sum::<f64>() / count;
    let flow = |time: f64| {
        let left = (-time).exp();
        let [mean, square] = [(first, START[0]), (second, START[0].powi(2) + START[1].powi(2))]
            .map(|(end, start)| end + (start - end) * left);
        [mean, (square - mean * mean).sqrt()]
    };

    let mut rows = vec![];
    let mut spreads = [vec![], vec![]];
    let mut from_flow = vec![];
    for rate in RATES {
        let steps = (TIME / rate).round() as usize;
        let mut ends = [vec![], vec![]];
        for coordinates in Coordinates::ALL {
            let natural = natural_path(&draws, coordinates, rate, steps)?;
            let plain = plain_path(&draws, coordinates, rate, steps)?;
            for (ends, path) in ends.iter_mut().zip([natural, plain]) {
                let end = (path.len() == steps + 1).then(|| path.last().copied()).flatten();
                ends.push(end.unwrap_or([f64::NAN; 2]));
            }
        }
        let [of_natural, of_plain] = ends.map(|ends| {
            let apart =
                farthest(ends.iter().flat_map(|&one| ends.iter().map(move |&other| (one, other))));
            (apart, ends)
        });
        let distance = farthest(of_natural.1.iter().map(|&end| (end, flow(TIME))));
        spreads[0].push((rate, of_natural.0));
        spreads[1].push((rate, of_plain.0));
        from_flow.push((rate, distance));
        rows.push(vec![number(rate), number(of_plain.0), number(of_natural.0), number(distance)]);
    }

    let ratio = |points: &[(f64, f64)]| {
        points.windows(2).last().map_or(f64::NAN, |pair| pair[0].1 / pair[1].1)
    };
    findings.claims.push(Claim::close(
        "normal distribution: natural gradient at half the rate ends half as far from the closed form of its flow",
        ratio(&from_flow),
        2.0,
        0.2,
    ));
    findings.claims.push(Claim::close(
        "normal distribution: at half the rate, natural gradient's ends in three coordinates are half as far apart",
        ratio(&spreads[0]),
        2.0,
        0.2,
    ));
    findings.claims.push(Claim::close(
        "normal distribution: at half the rate, plain gradient's ends in three coordinates are as far apart as before",
        ratio(&spreads[1]),
        1.0,
        0.1,
    ));
    let last = |points: &[(f64, f64)]| points.last().map_or(f64::NAN, |point| point.1);
    findings.sentences.push(format!(
        "Fitting a normal distribution at a rate of {}, plain gradient descent in (μ, σ), (μ, ln σ) and (μ, 1/σ²) is \
         up to {:.3} apart at time 1, natural gradient {:.4}: it takes the same way in all coordinates.",
        RATES[RATES.len() - 1],
        last(&spreads[1]),
        last(&spreads[0])
    ));
    findings.tables.push(FindingsTable::new(
        "Fitting a normal distribution: distances (Fisher) at time η · steps = 1",
        &[
            "rate η",
            "plain: between coordinates",
            "natural: between coordinates",
            "natural: from the closed flow",
        ],
        rows,
    ));
    draw(findings, &draws, flow, [first, (second - first * first).sqrt()], &spreads, &from_flow)
}

/// The largest distance of pairs: √(KL there + KL back), which is the Fisher metric's for near ones.
fn farthest(pairs: impl Iterator<Item = ([f64; 2], [f64; 2])>) -> f64 {
    pairs.fold(0.0, |farthest, (one, other)| {
        let distance = (divergence(one, other) + divergence(other, one)).max(0.0).sqrt();
        if distance.is_nan() || farthest.is_nan() { f64::NAN } else { distance.max(farthest) }
    })
}

/// The mean of −ln density of the draws, with the coordinates as a tensor of two.
fn loss(draws: &[f64], coordinates: Coordinates) -> impl Fn(Tensor<1>) -> Tensor<1> {
    move |place: Tensor<1>| {
        let data = TensorData::from(draws);
        let draws = Tensor::<1>::from_data(data, (&place.device(), place.dtype()));
        let (mean, spread) = (place.clone().narrow(0, 0, 1), place.narrow(0, 1, 1));
        coordinates.surprise(draws, mean, spread).mean()
    }
}

fn plain_path(
    draws: &[f64],
    coordinates: Coordinates,
    learning_rate: f64,
    steps: usize,
) -> Result<Path, LabError> {
    let optimizer = sgd(learning_rate, 0.0);
    let path = descend(loss(draws, coordinates), &coordinates.of(START), &optimizer, steps)?;
    Ok(path.places.iter().map(|place| coordinates.distribution([place[0], place[1]])).collect())
}

/// Without damping, in double precision. Ends early where there is no distribution.
fn natural_path(
    draws: &[f64],
    coordinates: Coordinates,
    rate: f64,
    steps: usize,
) -> Result<Path, LabError> {
    let mut place = coordinates.of(START);
    let mut path = vec![START];
    for _ in 0..steps {
        let (_, gradient) = value_and_gradient(loss(draws, coordinates), &place)?;
        let [[a, b], [c, d]] = coordinates.fisher(place)?;
        let Some(inverse) = Matrix2::new(a, b, c, d).try_inverse() else { break };
        let step = inverse * Vector2::from_iterator(gradient);
        place = [place[0] - rate * step[0], place[1] - rate * step[1]];
        let distribution = coordinates.distribution(place);
        if !distribution.iter().all(|number| number.is_finite()) || distribution[1] <= 0.0 {
            break;
        }
        path.push(distribution);
    }
    Ok(path)
}

fn draw(
    findings: &mut Findings,
    draws: &[f64],
    flow: impl Fn(f64) -> [f64; 2],
    optimum: [f64; 2],
    spreads: &[Vec<(f64, f64)>; 2],
    from_flow: &[(f64, f64)],
) -> Result<(), LabError> {
    let rate = 0.025;
    let steps = (DRAWN / rate) as usize;
    let mut rows = vec![];
    let mut panels = vec![];
    let means = Grid::even(-0.2, 2.4, 80);
    let deviations = Grid::even(0.3, 2.3, 80);
    // The loss above its minimum is the divergence from the fitted distribution.
    let above =
        Grid::of(means, deviations, |mean, deviation| divergence(optimum, [mean, deviation]));
    for (kind, title) in ["Plain gradient", "Natural gradient"].into_iter().enumerate() {
        let axis = Axis::linear("deviation σ").between(0.3, 2.3);
        let mut plot = Plot::new(title, Axis::linear("mean μ").between(-0.2, 2.4), axis).with(
            Layer::Contours {
                grid: above.clone(),
                levels: vec![0.03, 0.1, 0.3, 1.0, 3.0, 10.0],
                color: Color::Neutral,
            },
        );
        for (series, coordinates) in Coordinates::ALL.into_iter().enumerate() {
            let path = match kind {
                0 => plain_path(draws, coordinates, rate, steps)?,
                _ => natural_path(draws, coordinates, rate, steps)?,
            };
            rows.extend(path.iter().enumerate().map(|(step, place)| {
                vec![kind as f64, series as f64, step as f64, place[0], place[1]]
            }));
            let points = path.into_iter().map(Into::into).collect();
            plot = plot.with(Layer::line(coordinates.name(), series, points));
        }
        if kind == 1 {
            let points = Grid::even(0.0, DRAWN, 100).into_iter().map(|time| flow(time).into());
            plot = plot.with(Layer::theory("closed form", points.collect()));
        }
        panels.push(Panel::Plot(plot.with(Layer::Points {
            name: "maximum likelihood".to_owned(),
            points: vec![optimum.into()],
            color: Color::Ink,
            radius: 5.0,
        })));
    }
    findings.data.push(DataFile::of_numbers(
        "normal-paths",
        &["natural", "coordinates", "step", "mean", "deviation"],
        rows,
    ));
    findings.figures.push(Figure {
        name: "normal-paths".to_owned(),
        title: "Fitting a normal distribution in three kinds of coordinates".to_owned(),
        caption: format!(
            "Each from N(0, 1) at rate {rate}, to time {DRAWN}. Plain gradient descent goes another way in other \
             coordinates; natural gradient goes one way, which is straight in the moments. Contours: the loss is \
             0.03, 0.1, 0.3, 1, 3 and 10 above its minimum."
        ),
        panels,
        columns: 2,
    });

    let [natural, plain] = spreads.clone();
    let plot = Plot::new("", Axis::log("learning rate η"), Axis::log("Fisher distance"))
        .with(Layer::line("plain, between coordinates", 0, plain.clone()))
        .with(Layer::line("natural, between coordinates", 1, natural.clone()))
        .with(Layer::line("natural, from the closed flow", 2, from_flow.to_vec()));
    findings.figures.push(Figure {
        name: "invariance".to_owned(),
        title: "How much coordinates matter after time 1".to_owned(),
        caption: "With smaller steps the ends of natural gradient meet, in proportion to the rate; those of plain \
                  gradient descent stay apart."
            .to_owned(),
        panels: vec![Panel::Plot(plot)],
        columns: 1,
    });
    let rows = plain.iter().zip(&natural).zip(from_flow);
    findings.data.push(DataFile::of_numbers(
        "invariance",
        &["rate", "plain", "natural", "natural_from_flow"],
        rows.map(|((plain, natural), flow)| vec![plain.0, plain.1, natural.1, flow.1]),
    ));
    Ok(())
}
