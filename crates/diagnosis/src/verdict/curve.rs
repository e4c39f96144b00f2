//! The judged series as the gates see it: finite, low is good, at most two hundred points.

use super::statistics::{median, noise};

/// Above this many points a curve is thinned to medians of blocks.
///
/// The verdict asks about the course of a run, not about single batches: a hundred to two hundred
/// points draw any course, their medians are robust to spikes, and all pairs of them are few.
const MOST_POINTS: usize = 200;

/// A curve: low is good, all values finite.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    /// Where the values stand: the last place of each block.
    pub x: Vec<f64>,
    /// The values, thinned.
    pub y: Vec<f64>,
    /// How many points of the log one value stands for.
    pub block: usize,
    /// Standard deviation of the noise of one value, in the later half.
    pub noise: f64,
    /// How many values the level at an end is taken from.
    pub window: usize,
}

impl Curve {
    /// The curve of the finite ones of the values `y` at `x`, turned so that low is good.
    pub(super) fn new(x: &[f64], y: &[f64], higher_is_better: bool) -> Self {
        let sign = if higher_is_better { -1.0 } else { 1.0 };
        let finite: Vec<(f64, f64)> =
            x.iter().zip(y).filter(|(_, y)| y.is_finite()).map(|(x, y)| (*x, sign * y)).collect();
        let block = finite.len().div_ceil(MOST_POINTS).max(1);
        // An incomplete block at the end would be noisier than the others: it joins the last.
        let whole = finite.len() / block;
        let ends = (1..=whole).map(|at| if at == whole { finite.len() } else { at * block });
        let blocks = (0..whole).zip(ends).map(|(at, end)| &finite[at * block..end]);
        let (x, y) = blocks
            .map(|part| {
                let values: Vec<f64> = part.iter().map(|point| point.1).collect();
                (part.last().map_or(0.0, |point| point.0), median(&values))
            })
            .unzip();
        Self::of_values(x, y, block)
    }

    fn of_values(x: Vec<f64>, y: Vec<f64>, block: usize) -> Self {
        let window = (y.len() as f64 / 10.0).round().max(1.0) as usize;
        let noise = noise(later_half(&y));
        Self { x, y, block, noise, window }
    }

    /// The same on a logarithmic scale, if all values are positive and levels span more than
    /// tenfold.
    ///
    /// Where a loss fell through orders of magnitude its noise shrank with it, and a linear scale
    /// sees the first points only.
    pub(super) fn logarithmic(&self) -> Option<Self> {
        let (_, least) = least(&self.y);
        let levels = self.levels();
        let highest = levels.iter().copied().fold(f64::MIN, f64::max);
        // By levels, since noise around a small level reaches a small value by chance.
        (least > 0.0 && highest > 10.0 * self.best_level().1).then(|| {
            let y = self.y.iter().map(|value| value.ln()).collect();
            Self::of_values(self.x.clone(), y, self.block)
        })
    }

    /// The part from the value `from` on.
    pub(super) fn tail(&self, from: usize) -> Self {
        let from = from.min(self.len());
        Self::of_values(self.x[from..].to_vec(), self.y[from..].to_vec(), self.block)
    }

    /// The medians of `count` blocks of equal length, the first values left out if need be.
    pub(super) fn blocks(&self, count: usize) -> Self {
        let width = (self.len() / count.max(1)).max(1);
        let from = self.len() - width * (self.len() / width).min(count);
        let x = self.x[from..].chunks(width).filter_map(|part| part.last().copied()).collect();
        let y = self.y[from..].chunks(width).map(median).collect();
        Self::of_values(x, y, self.block * width)
    }

    /// How many values.
    pub(super) fn len(&self) -> usize {
        self.y.len()
    }

    /// The level at the start: the first value, or the median of the first three of many.
    pub(super) fn start(&self) -> f64 {
        median(&self.y[..if self.len() >= 30 { 3 } else { self.len().min(1) }])
    }

    /// The level at the end: the median of the last tenth.
    pub(super) fn end(&self) -> f64 {
        median(&self.y[self.len() - self.window.min(self.len())..])
    }

    /// The levels: the median of a tenth of the curve that ends at each value, shorter at the
    /// start.
    pub(super) fn levels(&self) -> Vec<f64> {
        (0..self.len())
            .map(|at| median(&self.y[(at + 1).saturating_sub(self.window)..=at]))
            .collect()
    }

    /// The least level over a whole tenth, and the value it ends at.
    pub(super) fn best_level(&self) -> (usize, f64) {
        let levels = self.levels();
        let from = (self.window - 1).min(levels.len().saturating_sub(1));
        let (at, level) = least(&levels[from.min(levels.len())..]);
        (at + from, level)
    }

    /// How far the level at the end is above the least.
    pub(super) fn rise(&self) -> f64 {
        self.end() - self.best_level().1
    }

    /// How far the least level is below the start.
    pub(super) fn progress(&self) -> f64 {
        self.start() - self.best_level().1
    }

    /// The least value, and where it stands first.
    pub(super) fn best(&self) -> (usize, f64) {
        least(&self.y)
    }

    /// The level around the place `x`.
    pub(super) fn level_at(&self, x: f64) -> f64 {
        let at = self.x.partition_point(|place| *place <= x).min(self.len());
        median(&self.y[at.saturating_sub(self.window)..at.max(1).min(self.len())])
    }

    /// `change` in parts of `level`, never infinite.
    pub(super) fn relative(change: f64, level: f64) -> f64 {
        ratio(change, level.abs())
    }
}

/// `over / under` for an `under` that may be zero: then zero or a large number.
pub(super) fn ratio(over: f64, under: f64) -> f64 {
    const LARGEST: f64 = 1e12;
    let quotient = over / under;
    if over == 0.0 || quotient.is_nan() { 0.0 } else { quotient.clamp(-LARGEST, LARGEST) }
}

/// The least of `values` and where it stands first; zero of none.
pub(super) fn least(values: &[f64]) -> (usize, f64) {
    let mut best = (0, values.first().copied().unwrap_or(0.0));
    for (at, &value) in values.iter().enumerate() {
        if value < best.1 {
            best = (at, value);
        }
    }
    best
}

/// The later half of `values`, or the last nine if that is more.
pub(super) fn later_half(values: &[f64]) -> &[f64] {
    &values[values.len() - (values.len().div_ceil(2)).max(9).min(values.len())..]
}
