//! The ends and the ticks of an axis. Ticks stand at one, two or five times a power of ten, as in a
//! printed figure.

/// An axis whose ends and ticks are settled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TickedAxis {
    /// Whether the position of a value is its base-10 logarithm instead of itself.
    log: bool,
    /// The positions of the lower and the upper end.
    ends: (f64, f64),
    /// The values that have a tick, with their labels.
    ticks: Vec<(f64, String)>,
}

impl TickedAxis {
    /// A linear axis from `low` to `high` with about `most` ticks at most.
    pub(super) fn linear(ends: (f64, f64), most: usize) -> Self {
        Self { log: false, ends, ticks: linear_ticks(ends, most) }
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
        Self { log: true, ends, ticks }
    }

    /// An axis of `names` at 0, 1, 2, …
    pub(super) fn named(names: &[String]) -> Self {
        let ticks = names.iter().enumerate().map(|(at, name)| (at as f64, name.clone())).collect();
        let ends = (-0.5, names.len().max(1) as f64 - 0.5);
        Self { log: false, ends, ticks }
    }

    /// An axis of the counts `first` to `last`, a little beyond both: ticks at whole numbers only,
    /// the first one included.
    pub(super) fn counts((first, last): (f64, f64), most: usize) -> Self {
        let step = nice_step((last - first) / most.max(1) as f64).max(1.0);
        // Of the largest numbers, enough to tell the ends apart.
        let padding = (0.015 * (last - first)).max(0.25).max(1e-9 * first.abs().max(last.abs()));
        let start = first.ceil();
        let others = multiples(step, (first, last)).filter(|tick| tick - start >= 0.5 * step);
        let ticks = std::iter::once(start).chain(others);
        Self {
            log: false,
            ends: (first - padding, last + padding),
            ticks: ticks.map(|tick| (tick, count_label(tick))).collect(),
        }
    }

    /// The same axis from `low` to `high`, with the ticks that it has.
    pub(super) fn between(self, ends: (f64, f64)) -> Self {
        Self { ends, ..self }
    }

    /// The values that have a tick, with their labels.
    pub(super) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// The ticks between the ends: where each stands, from 0 to 1, and its label.
    pub(super) fn places(&self) -> impl Iterator<Item = (f64, &str)> {
        let ticks = self.ticks.iter();
        let places = ticks.filter_map(|(value, label)| Some((self.place(*value)?, label.as_str())));
        places.filter(|(place, _)| (0.0..=1.0).contains(place))
    }

    /// The positions of the lower and the upper end.
    pub(super) fn ends(&self) -> (f64, f64) {
        self.ends
    }

    /// The position of `value`: itself or its logarithm.
    pub(super) fn position(&self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// Where `value` stands: 0 at the lower end, 1 at the upper; `None` where it has no place.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let (low, high) = self.ends;
        let place = (self.position(value) - low) / (high - low);
        place.is_finite().then_some(place)
    }
}

/// The fraction of an axis that is left free at each end.
pub(super) const AIR: f64 = 0.06;

/// `low` and `high` with a fraction of `air` around them; values that hardly differ count as one.
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

fn count_label(tick: f64) -> String {
    // A double counts no farther than that one by one.
    let countable = tick.abs() < 1e15;
    with_minus_signs(&if countable { format!("{tick:.0}") } else { format!("{tick:.2e}") })
}

fn with_minus_signs(label: &str) -> String {
    label.replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(axis: &TickedAxis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    fn linear(low: f64, high: f64, most: usize) -> TickedAxis {
        TickedAxis::linear(padded(low, high, AIR), most)
    }

    fn log(low: f64, high: f64, most: usize) -> TickedAxis {
        let (low, high) = padded(low.log10(), high.log10(), AIR);
        TickedAxis::log((10_f64.powf(low).max(f64::MIN_POSITIVE), 10_f64.powf(high)), most)
    }

    #[test]
    fn linear_ticks_stand_at_one_two_or_five_times_a_power_of_ten() {
        assert_eq!(labels(&linear(0.3, 1.8, 5)), ["0.5", "1.0", "1.5"]);
        assert_eq!(labels(&linear(-4.9, 1.0, 7)), ["−5", "−4", "−3", "−2", "−1", "0", "1"]);
        assert_eq!(labels(&linear(1e-6, 4e-6, 4)), ["1e−6", "2e−6", "3e−6", "4e−6"]);
        assert_eq!(labels(&linear(1e7, 3e7, 5)), ["1e7", "1.5e7", "2e7", "2.5e7", "3e7"]);
    }

    #[test]
    fn the_middle_of_a_log_scale_is_the_geometric_mean() {
        let axis = log(1e-3, 1.0, 7);
        assert_eq!(labels(&axis), ["0.001", "0.01", "0.1", "1"]);
        assert!(axis.place(0.031_622_776_6).is_some_and(|place| (place - 0.5).abs() < 1e-9));
    }

    #[test]
    fn a_log_scale_of_few_decades_has_ticks_between_them() {
        assert_eq!(labels(&log(1e-3, 2e-2, 4)), ["0.001", "0.002", "0.005", "0.01", "0.02"]);
    }

    #[test]
    fn a_log_scale_with_room_for_few_ticks_has_powers_of_ten_alone() {
        assert_eq!(labels(&TickedAxis::log((30.0, 5000.0), 3)), ["100", "1000"]);
        assert_eq!(labels(&TickedAxis::log((30.0, 800.0), 3)), ["100"]);
        assert_eq!(labels(&TickedAxis::log((11.0, 19.0), 5)), ["12", "14", "16", "18"]);
    }

    #[test]
    fn numbers_that_hardly_differ_have_all_their_digits() {
        let axis = TickedAxis::linear((0.99998, 1.0), 2);
        assert_eq!(labels(&axis), ["0.99998", "0.99999", "1.00000"]);
        assert_eq!(labels(&TickedAxis::linear((0.0, 0.3), 3)), ["0", "0.1", "0.2", "0.3"]);
    }

    #[test]
    fn counts_have_whole_ticks_that_begin_at_the_first() {
        let counts = |last| TickedAxis::counts((1.0, last), 12);
        assert_eq!(labels(&counts(1.0)), ["1"]);
        assert_eq!(labels(&counts(4.0)), ["1", "2", "3", "4"]);
        assert_eq!(labels(&counts(30.0)), ["1", "5", "10", "15", "20", "25", "30"]);
        assert_eq!(labels(&counts(1000.0)).len(), 11);
        assert_eq!(labels(&TickedAxis::counts((0.5, 2.5), 12)), ["1", "2"]);
    }

    #[test]
    fn a_constant_stands_in_the_middle() {
        for constant in [-3.0, 0.0, 1e-3, 1e90] {
            let place = linear(constant, constant, 5).place(constant);
            assert!(place.is_some_and(|place| (place - 0.5).abs() < 1e-9));
        }
    }

    proptest! {
        #[test]
        fn every_value_and_every_tick_lies_on_its_axis(
            values in prop::collection::vec(-1e100_f64..1e100, 1..5),
            exponent in -320..100_i32,
            most in 0_usize..12,
        ) {
            let tiny: Vec<f64> = values.iter().map(|v| v / 1e100 * 10_f64.powi(exponent)).collect();
            for values in [values, tiny] {
                let low = values.iter().copied().fold(f64::INFINITY, f64::min);
                let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let counts = TickedAxis::counts((low.floor(), high.ceil()), most);
                let mut axes = vec![linear(low, high, most), counts];
                if low > 1e-300 {
                    axes.push(log(low, high, most));
                }
                for axis in axes {
                    prop_assert!(axis.ends.0 < axis.ends.1);
                    for value in &values {
                        let position = axis.position(*value);
                        prop_assert!((axis.ends.0..=axis.ends.1).contains(&position));
                    }
                    for (tick, _) in &axis.ticks {
                        let place = axis.place(*tick);
                        prop_assert!(place.is_some_and(|at| (-1e-9..=1.0 + 1e-9).contains(&at)));
                    }
                }
            }
        }
    }
}
