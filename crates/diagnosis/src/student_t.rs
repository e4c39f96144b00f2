//! Student's t, for intervals.

/// The t with P(−t ≤ T ≤ t) = `level` for Student's T with `freedom` degrees of freedom, by bisection of
/// [`student_t_within`].
pub fn student_t(level: f64, freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, 1e6);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        *(if student_t_within(middle, freedom) < level { &mut low } else { &mut high }) = middle;
    }
    0.5 * (low + high)
}

/// P(−t ≤ T ≤ t) for Student's T with `freedom` degrees of freedom and `t` ≥ 0, by the finite series of
/// Abramowitz and Stegun, 26.7.3 and 26.7.4. Beyond 2000 degrees, 2000 are taken: the difference is
/// below 0.1%.
pub fn student_t_within(t: f64, freedom: usize) -> f64 {
    let freedom = freedom.clamp(1, 2000);
    let angle = (t / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    let mut term = if odd { cosine } else { 1.0 };
    let mut sum = if freedom == 1 { 0.0 } else { term };
    let mut index = if odd { 3 } else { 2 };
    while index + 1 < freedom + usize::from(odd) {
        let of = index as f64;
        term *= cosine * cosine * (of - 1.0) / of;
        sum += term;
        index += 2;
    }
    if odd { (angle + sine * sum) * std::f64::consts::FRAC_2_PI } else { sine * sum }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;

    #[test]
    fn quantiles_are_those_of_scipy() {
        let text = include_str!("../../../tests/golden/lab_convergence_curve.json");
        let golden: Value = serde_json::from_str(text).unwrap();
        for case in golden["quantiles"].as_array().unwrap() {
            let (level, freedom) = (case[0].as_f64().unwrap(), case[1].as_u64().unwrap());
            let expected = case[2].as_f64().unwrap();
            let computed = student_t(level, freedom as usize);
            assert!((computed / expected - 1.0).abs() < 1e-9, "{case}: {computed}");
        }
    }
}
