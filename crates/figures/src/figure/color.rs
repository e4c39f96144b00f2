//! Colours by their part in a figure; what they are on a page is up to its palette.

/// How the values of a heat map become colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ColorScale {
    /// From the least to the greatest, dark to light (Viridis).
    Sequential {
        /// By the logarithm; what is not positive stays blank.
        log: bool,
    },
    /// Two hues away from `middle`, which is neutral.
    Diverging {
        /// The neutral value.
        middle: f64,
    },
    /// Whole numbers 0, 1, 2, … as classes, in the colours of [`Color::Series`], paler beyond the
    /// seventh. Names for them stand in the legend where the plot has bars of that name and colour,
    /// which may be none: `bars: vec![]`.
    Classes,
}

/// A colour by its part in the figure; the same in all figures of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Color {
    /// The first, second, … of colours that colour-blind people can tell apart; beyond the seventh
    /// they repeat, and lines get other dashes.
    Series(usize),
    /// What is not a measurement: references, theory, what stands behind.
    Neutral,
    /// Like text.
    Ink,
}
