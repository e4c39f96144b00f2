use super::{curve, noisy, validation};
use crate::verdict::{Forecast, Options, judge};

fn forecast(y: &[f64], options: &Options) -> Forecast {
    let Some(forecast) = judge(&validation(y), options).forecast else { panic!("no forecast") };
    forecast
}

#[test]
fn by_default_as_many_points_again_and_two_percent_are_asked_for() {
    let found = forecast(&curve(30, |t| 1.0 + 1.0 / t), &Options::default());
    assert_eq!(found.horizon, 30);
    // 2 % of 1.0333…; the noise of the smooth end is below.
    assert!((found.worthwhile - 0.02 * (1.0 + 1.0 / 30.0)).abs() < 1e-12);
    assert_eq!(found.level, 0.9);
}

#[test]
fn the_spread_over_seeds_raises_what_is_worth_having() {
    let options = Options { seed_deviation: Some(0.5), ..Options::default() };
    assert_eq!(forecast(&curve(30, |t| 1.0 + 1.0 / t), &options).worthwhile, 1.0);
    let asked = Options { worthwhile: Some(0.25), horizon: Some(7), ..options };
    let found = forecast(&curve(30, |t| 1.0 + 1.0 / t), &asked);
    assert_eq!((found.worthwhile, found.horizon), (0.25, 7));
}

#[test]
fn a_longer_horizon_promises_no_less() {
    let y = noisy(50, 0.003, 1, |t| 2.0 * t.powf(-0.3));
    let at = |horizon| forecast(&y, &Options { horizon: Some(horizon), ..Options::default() });
    let gains: Vec<f64> = [5, 20, 50, 200].map(|horizon| at(horizon).gain).into();
    assert!(gains.is_sorted(), "{gains:?}");
    let probabilities: Vec<f64> = [5, 20, 50, 200].map(|horizon| at(horizon).probability).into();
    assert!(probabilities.is_sorted(), "{probabilities:?}");
}

#[test]
fn intervals_hold_what_power_laws_then_do() {
    let mut held = 0;
    for seed in 0..100 {
        let power = 0.2 + 0.01 * f64::from(seed);
        let y = noisy(100, 0.004, seed, |t| 0.5 + 2.0 * t.powf(-power));
        let found = forecast(&y[..50], &Options::default());
        let least = |y: &[f64]| y.iter().copied().fold(f64::INFINITY, f64::min);
        let gain = (least(&y[..50]) - least(&y)).max(0.0);
        held += u32::from(found.interval[0] <= gain && gain <= found.interval[1]);
        assert!(found.interval[0] >= 0.0 && found.interval[0] <= found.gain);
        assert!(found.gain <= found.interval[1]);
    }
    assert!((80..=100).contains(&held), "{held} of 100 held");
}

#[test]
fn a_run_that_ends_without_numbers_has_no_forecast() {
    let mut y = curve(30, |t| 1.0 / t);
    y.push(f64::NAN);
    assert_eq!(judge(&validation(&y), &Options::default()).forecast, None);
}
