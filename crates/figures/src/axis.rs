//! Axes: which values an axis spans, on which scale, and where its ticks stand.
//!
//! The axes of `plotters` choose their own ticks, also between epochs and at uneven decimals; these
//! are [`Ranged`] axes of our own, whose ticks and labels are those of a printed figure.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// How values become positions along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// The position is the value.
    Linear,
    /// The position is the base-10 logarithm of the value.
    Log,
}

impl Scale {
    fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => value.log10(),
        }
    }

    fn value(self, position: f64) -> f64 {
        match self {
            Self::Linear => position,
            Self::Log => 10_f64.powf(position),
        }
    }
}

/// An axis that spans some values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    scale: Scale,
    /// The positions of the lower and the upper end.
    ends: (f64, f64),
    /// The values that have a tick, with their labels.
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis for `values` with about `most` ticks at most.
    ///
    /// The scale is logarithmic where all values are above 0 and span more than `log_decades`
    /// powers of ten.
    pub(super) fn new(values: &[f64], log_decades: f64, most: usize) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return Self { scale: Scale::Linear, ends: (0.0, 1.0), ticks: Vec::new() };
        }
        if low > 0.0 && high.log10() - low.log10() > log_decades {
            let ends = padded(low.log10(), high.log10(), AIR);
            return Self { scale: Scale::Log, ends, ticks: log_ticks(ends, most) };
        }
        let ends = padded(low, high, AIR);
        Self { scale: Scale::Linear, ends, ticks: linear_ticks(ends, most) }
    }

    /// A linear axis from `low` to `high` with about `most` ticks at most.
    pub(super) fn linear(ends: (f64, f64), most: usize) -> Self {
        Self { scale: Scale::Linear, ends, ticks: linear_ticks(ends, most) }
    }

    /// A logarithmic axis between the positive numbers `low` and `high`.
    pub(super) fn log((low, high): (f64, f64), most: usize) -> Self {
        let ends = (low.log10(), high.log10());
        let mut ticks = log_ticks(ends, most);
        if ticks.len() < 2 {
            // Less than a decade: round numbers instead of powers.
            let mut even = linear_ticks((low, high), most);
            even.retain(|(value, _)| *value > 0.0);
            if even.len() > ticks.len() {
                ticks = even;
            }
        }
        Self { scale: Scale::Log, ends, ticks }
    }

    /// An axis of `names` at 0, 1, 2, …
    pub(super) fn named(names: &[String]) -> Self {
        let ticks = names.iter().enumerate().map(|(at, name)| (at as f64, name.clone())).collect();
        let ends = (-0.5, names.len().max(1) as f64 - 0.5);
        Self { scale: Scale::Linear, ends, ticks }
    }

    /// The same axis from `low` to `high`, with the ticks that it has.
    pub(super) fn between(self, ends: (f64, f64)) -> Self {
        Self { ends, ..self }
    }

    /// The axis of epochs `first` to `last`: ticks at whole epochs only, the first one included.
    pub(super) fn epochs(first: usize, last: usize, most: usize) -> Self {
        let (first, last) = (first as f64, last as f64);
        let step = nice_step((last - first) / most as f64).max(1.0);
        let padding = (0.015 * (last - first)).max(0.25);
        let others = multiples(step, (first, last)).filter(|tick| tick - first >= 0.5 * step);
        let ticks = std::iter::once(first).chain(others);
        Self {
            scale: Scale::Linear,
            ends: (first - padding, last + padding),
            ticks: ticks.map(|tick| (tick, format!("{tick:.0}"))).collect(),
        }
    }

    /// Whether the scale is logarithmic.
    pub(super) fn is_log(&self) -> bool {
        self.scale == Scale::Log
    }

    /// The values that have a tick, with their labels.
    pub(super) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// The positions of the lower and the upper end.
    pub(super) fn ends(&self) -> (f64, f64) {
        self.ends
    }

    /// The position of `value`: itself or its logarithm.
    pub(super) fn position(&self, value: f64) -> f64 {
        self.scale.position(value)
    }

    /// Where `value` stands: 0 at the lower end, 1 at the upper; `None` where it has no place.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let (low, high) = self.ends;
        let place = (self.scale.position(value) - low) / (high - low);
        place.is_finite().then_some(place)
    }

    /// Where `value` stands between the ends of the axis, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        let (low, high) = self.ends;
        ((self.scale.position(value) - low) / (high - low)).clamp(0.0, 1.0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        start + (self.share(*value) * f64::from(end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Light points would be unlabelled lines between the ticks.
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.iter().map(|(value, _)| *value).collect()
    }

    fn range(&self) -> Range<f64> {
        self.scale.value(self.ends.0)..self.scale.value(self.ends.1)
    }
}

impl ValueFormatter<f64> for Axis {
    /// The label of the tick at `value`; empty where there is none.
    fn format_ext(&self, value: &f64) -> String {
        let found = self.ticks.iter().find(|(tick, _)| tick.total_cmp(value).is_eq());
        found.map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

/// The share of an axis that is left free at each end.
pub(super) const AIR: f64 = 0.06;

/// `low` and `high` with a share of `air` around them; values that hardly differ count as one.
pub(super) fn padded(low: f64, high: f64, air: f64) -> (f64, f64) {
    let size = low.abs().max(high.abs());
    if high - low > (size * 1e-9).max(1e-200) {
        let padding = air * (high - low);
        (low - padding, high + padding)
    } else if size > 1e-200 {
        (low - 0.25 * size, high + 0.25 * size)
    } else {
        (-1.0, 1.0)
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `raw`.
fn nice_step(raw: f64) -> f64 {
    if raw <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(raw.log10().floor());
    let nice = [1.0, 2.0, 5.0].map(|factor| factor * power);
    // A little slack, so that rounding does not turn 0.2 into 0.5.
    nice.into_iter().find(|&step| step >= raw * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// The multiples of `step` between `low` and `high`; no more than a hundred.
fn multiples(step: f64, (low, high): (f64, f64)) -> impl Iterator<Item = f64> {
    // An end that is a multiple, but for rounding, is one.
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first).clamp(-1.0, 99.0) + 1.0;
    (0..count as u32).map(move |index| ((first + f64::from(index)) * step).max(low).min(high))
}

fn linear_ticks((low, high): (f64, f64), most: usize) -> Vec<(f64, String)> {
    let step = nice_step((high - low) / most.max(1) as f64);
    let largest = low.abs().max(high.abs());
    multiples(step, (low, high)).map(|tick| (tick, tick_label(tick, step, largest))).collect()
}

fn log_ticks((low, high): (f64, f64), most: usize) -> Vec<(f64, String)> {
    let decades = high.floor() - low.ceil() + 1.0;
    let stride = (decades / most.max(1) as f64).ceil().max(1.0);
    // Where there is room for few ticks, powers of ten alone.
    let fine = decades < 3.0 && most >= 4;
    let factors: &[f64] = if fine { &[1.0, 2.0, 5.0] } else { &[1.0] };
    multiples(stride, (low.floor(), high))
        .flat_map(|decade| factors.iter().map(move |factor| (decade, *factor)))
        .filter(|(decade, factor)| (low..=high).contains(&(decade + factor.log10())))
        .map(|(decade, factor)| (factor * 10_f64.powf(decade), log_label(decade, factor)))
        .collect()
}

fn log_label(decade: f64, factor: f64) -> String {
    let label = if (-4.0..=4.0).contains(&decade) {
        let decimals = (-decade).max(0.0) as usize;
        format!("{:.decimals$}", factor * 10_f64.powf(decade))
    } else {
        format!("{factor}e{decade}")
    };
    with_minus_signs(&label)
}

/// `tick` to the precision of `step`; in scientific notation where the axis reaches far from 1.
fn tick_label(tick: f64, step: f64, largest: f64) -> String {
    let tick = if tick.abs() < step * 0.5 { 0.0 } else { tick };
    let step_power = (step.log10() + 1e-9).floor();
    if tick == 0.0 {
        return "0".to_owned();
    }
    let tiny = step_power < if largest < 0.01 { -5.0 } else { -9.0 };
    let label = if largest >= 1e6 || tiny {
        let digits = (tick.abs().log10() + 1e-9).floor() - step_power;
        let label = format!("{tick:.*e}", digits.clamp(0.0, 15.0) as usize);
        match label.split_once('e') {
            Some((mantissa, power)) if mantissa.contains('.') => {
                format!("{}e{power}", mantissa.trim_end_matches('0').trim_end_matches('.'))
            }
            _ => label,
        }
    } else {
        format!("{tick:.*}", (-step_power).max(0.0) as usize)
    };
    with_minus_signs(&label)
}

fn with_minus_signs(label: &str) -> String {
    label.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn linear_ticks_stand_at_one_two_or_five_times_a_power_of_ten() {
        assert_eq!(labels(&Axis::new(&[0.3, 1.8], 2.0, 5)), ["0.5", "1.0", "1.5"]);
        assert_eq!(
            labels(&Axis::new(&[-4.9, 1.0], 2.0, 7)),
            ["−5", "−4", "−3", "−2", "−1", "0", "1"]
        );
        assert_eq!(labels(&Axis::new(&[1e-6, 4e-6], 2.0, 4)), ["1e−6", "2e−6", "3e−6", "4e−6"]);
        assert_eq!(
            labels(&Axis::new(&[1e7, 3e7], 2.0, 5)),
            ["1e7", "1.5e7", "2e7", "2.5e7", "3e7"]
        );
    }

    #[test]
    fn positive_values_over_many_decades_are_on_a_log_scale() {
        let axis = Axis::new(&[1e-3, 1.0], 2.0, 7);
        assert!(axis.is_log());
        assert_eq!(labels(&axis), ["0.001", "0.01", "0.1", "1"]);
        assert!((axis.share(0.031_622_776_6) - 0.5).abs() < 1e-9);
        assert!(!Axis::new(&[0.0, 1.0], 2.0, 7).is_log());
        assert!(!Axis::new(&[0.01, 1.0], 2.0, 7).is_log());
        assert!(!Axis::new(&[-1.0, 1e9], 2.0, 7).is_log());
    }

    #[test]
    fn a_log_scale_of_few_decades_has_ticks_between_them() {
        let axis = Axis::new(&[1e-3, 2e-2], 1.0, 4);
        assert_eq!(labels(&axis), ["0.001", "0.002", "0.005", "0.01", "0.02"]);
    }

    #[test]
    fn a_log_scale_with_room_for_few_ticks_has_powers_of_ten_alone() {
        assert_eq!(labels(&Axis::log((30.0, 5000.0), 3)), ["100", "1000"]);
        assert_eq!(labels(&Axis::log((30.0, 800.0), 3)), ["100"]);
        assert_eq!(labels(&Axis::log((11.0, 19.0), 5)), ["12", "14", "16", "18"]);
    }

    #[test]
    fn numbers_that_hardly_differ_have_all_their_digits() {
        assert_eq!(labels(&Axis::linear((0.99998, 1.0), 2)), ["0.99998", "0.99999", "1.00000"]);
        assert_eq!(labels(&Axis::linear((0.0, 0.3), 3)), ["0", "0.1", "0.2", "0.3"]);
    }

    #[test]
    fn epochs_have_whole_ticks_that_begin_at_the_first() {
        assert_eq!(labels(&Axis::epochs(1, 1, 12)), ["1"]);
        assert_eq!(labels(&Axis::epochs(1, 4, 12)), ["1", "2", "3", "4"]);
        assert_eq!(labels(&Axis::epochs(1, 30, 12)), ["1", "5", "10", "15", "20", "25", "30"]);
        assert_eq!(labels(&Axis::epochs(1, 1000, 12)).len(), 11);
    }

    #[test]
    fn a_constant_stands_in_the_middle() {
        for constant in [-3.0, 0.0, 1e-3, 1e90] {
            assert!((Axis::new(&[constant; 4], 1.0, 5).share(constant) - 0.5).abs() < 1e-9);
        }
    }

    proptest! {
        #[test]
        fn every_value_lies_on_its_axis(
            values in prop::collection::vec(-1e100_f64..1e100, 1..5),
            exponent in -320..100_i32,
            most in 0_usize..12,
        ) {
            let tiny: Vec<f64> = values.iter().map(|v| v / 1e100 * 10_f64.powi(exponent)).collect();
            for values in [values, tiny] {
                let axis = Axis::new(&values, 2.0, most);
                prop_assert!(axis.ends.0 < axis.ends.1);
                for value in values {
                    let position = axis.scale.position(value);
                    prop_assert!((axis.ends.0..=axis.ends.1).contains(&position));
                }
                for (tick, _) in &axis.ticks {
                    let pixel = axis.map(tick, (0, 1000));
                    prop_assert!((0..=1000).contains(&pixel));
                }
            }
        }
    }
}
