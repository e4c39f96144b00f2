//! Values from NumPy 2.4.6 and SciPy 1.17.1 on y = 0.5 + 2 t^−0.7 + 0.01 sin 3t, t = 1 … 40.

use super::{curve, noisy};
use crate::verdict::curve::Curve;
use crate::verdict::forecast::Expectation;
use crate::verdict::outlook::Outlook;
use crate::verdict::statistics::{median, noise, slope};
use crate::verdict::words::{count, number, percent};

fn example() -> Curve {
    let y = curve(40, |t| 0.5 + 2.0 * t.powf(-0.7) + 0.01 * (3.0 * t).sin());
    Curve::new(&curve(40, |t| t), &y, false)
}

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn noise_is_the_scaled_median_absolute_deviation_of_differences() {
    // 1.4826 * scipy.stats.median_abs_deviation(numpy.diff(y[-20:])) / sqrt(2)
    near(example().noise, 0.015_407_694_856_370_674);
}

#[test]
fn noise_takes_no_notice_of_a_trend_or_a_spike() {
    let mut y = noisy(400, 0.1, 1, |t| 5.0 - 0.01 * t);
    assert!((noise(&y) - 0.1).abs() < 0.02);
    y[200] = 1e9;
    assert!((noise(&y) - 0.1).abs() < 0.02);
    assert_eq!(noise(&[1.0, 2.0]), 0.0);
}

#[test]
fn the_mixture_is_the_likelihood_weighted_mean_of_least_squares_fits() {
    // Each member by numpy.linalg.lstsq on t > 8, weights RSS^(−32/4).
    let outlook = Outlook::new(&example(), 40.0);
    near(outlook.mixture, 0.047_458_625_267_785_576);
    near(outlook.above_best, 0.653_885_206_697_863_2 - example().best().1);
}

#[test]
fn the_line_is_that_of_the_last_third() {
    // scipy.stats.linregress over the last 13 points, times 40.
    near(Outlook::new(&example(), 40.0).line, 0.143_046_038_125_297_9);
}

#[test]
fn log_doubling_follows_its_formula() {
    near(Outlook::new(&example(), 40.0).doubling, 0.057_207_773_226_563_174);
    // Straight on a logarithmic time axis, but for levels being medians of a tenth, not ends.
    let y = curve(200, |t| 10.0 - t.log2());
    let doubling = Outlook::new(&Curve::new(&y, &y, false), 200.0).doubling;
    assert!((doubling - 1.0).abs() < 0.15, "{doubling}");
}

#[test]
fn medians_and_slopes_are_those_of_the_textbook() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
    assert_eq!(median(&[]), 0.0);
    near(slope(&[1.0, 3.0, 5.0, 7.0]), 2.0);
    assert_eq!(slope(&[1.0]), 0.0);
}

#[test]
fn long_curves_are_thinned_to_medians_of_blocks() {
    let y = curve(1000, |t| t);
    let thin = Curve::new(&y, &y, false);
    assert_eq!((thin.block, thin.len()), (5, 200));
    assert_eq!((thin.y[0], thin.x[0]), (3.0, 5.0));
    // An incomplete block joins the last.
    let more = curve(1003, |t| t);
    let thin = Curve::new(&more, &more, false);
    assert_eq!((thin.block, thin.len(), thin.x[166]), (6, 167, 1003.0));
}

#[test]
fn levels_are_medians_of_a_tenth() {
    let y = curve(40, |t| if t <= 36.0 { 1.0 } else { t });
    let steps = Curve::new(&y, &y, false);
    assert_eq!((steps.window, steps.end(), steps.start()), (4, 38.5, 1.0));
    assert_eq!(steps.best_level().1, 1.0);
    assert_eq!(steps.rise(), 37.5);
    assert_eq!(steps.progress(), 0.0);
}

#[test]
fn a_logarithmic_scale_is_for_positive_curves_of_more_than_tenfold_span() {
    let of = |y: &[f64]| Curve::new(y, y, false).logarithmic();
    assert!(of(&[1.0, 0.5, 0.11]).is_none());
    assert!(of(&[1.0, 0.5, 0.0]).is_none());
    let wide = of(&[1.0, 0.5, 0.05]).map(|curve| curve.y);
    assert_eq!(wide, Some(vec![0.0, 0.5f64.ln(), 0.05f64.ln()]));
}

#[test]
fn a_slower_pace_promises_less() {
    let curve = example();
    let at = |pace| Expectation::of(&curve, 40.0, 0.02, pace);
    assert!(at(0.1).probability < at(0.5).probability);
    assert!(at(0.5).probability < at(1.0).probability);
    assert!(at(0.1).gain < at(1.0).gain);
}

#[test]
fn numbers_are_written_with_four_digits() {
    let written: Vec<String> =
        [0.0, 0.123_456, 12.0, 1234.56, 1.5e9, 2.0e-7, -0.5].map(number).into();
    assert_eq!(written, ["0", "0.1235", "12", "1235", "1.50e9", "2.00e-7", "-0.5"]);
    assert_eq!([percent(0.001), percent(0.5), percent(0.999)], ["under 1 %", "50 %", "over 99 %"]);
    assert_eq!([count(1, "epoch"), count(2, "point")], ["1 epoch", "2 points"]);
}
