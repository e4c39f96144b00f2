//! Long curves with fewer points, honestly: the least and the greatest value of every bucket are kept,
//! so that no spike is lost, and the mean of every bucket beside them, for what is smoothed.

/// A curve as it is drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Envelope {
    /// Where points stand.
    pub x: Vec<f64>,
    /// The values: of each bucket its least and its greatest in their order, and one that is not finite
    /// where there is one.
    pub y: Vec<f64>,
    /// The mean place of the finite values of each bucket.
    pub mean_x: Vec<f64>,
    /// Their mean.
    pub mean_y: Vec<f64>,
    /// How many values a bucket has; 1 where all are drawn.
    pub bucket: usize,
}

/// The curve `x`, `y` in `most` points or so, two for each bucket.
pub(crate) fn envelope(x: &[f64], y: &[f64], most: usize) -> Envelope {
    let count = x.len().min(y.len());
    let (x, y) = (&x[..count], &y[..count]);
    let bucket = if count <= most { 1 } else { count.div_ceil((most / 2).max(1)) };
    let mut drawn = Envelope { bucket, ..Envelope::default() };
    for (x, y) in x.chunks(bucket).zip(y.chunks(bucket)) {
        for place in kept(y) {
            drawn.x.push(x[place]);
            drawn.y.push(y[place]);
        }
        let finite = || x.iter().zip(y).filter(|(_, y)| y.is_finite());
        let count = finite().count() as f64;
        if count > 0.0 {
            drawn.mean_x.push(finite().map(|(x, _)| x / count).sum());
            drawn.mean_y.push(finite().map(|(_, y)| y / count).sum());
        }
    }
    drawn
}

/// The places in a bucket that are drawn, in their order.
fn kept(y: &[f64]) -> Vec<usize> {
    let finite = || (0..y.len()).filter(|&place| y[place].is_finite());
    let least = finite().min_by(|&a, &b| y[a].total_cmp(&y[b]));
    let greatest = finite().max_by(|&a, &b| y[a].total_cmp(&y[b]));
    let gap = (0..y.len()).find(|&place| !y[place].is_finite());
    let mut places: Vec<usize> = [least, greatest, gap].into_iter().flatten().collect();
    places.sort_unstable();
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_short_curve_is_drawn_as_it_is() {
        let drawn = envelope(&[1.0, 2.0, 3.0], &[5.0, f64::NAN, 4.0], 4);
        assert_eq!((drawn.bucket, drawn.x.as_slice()), (1, [1.0, 2.0, 3.0].as_slice()));
        assert!(drawn.y[1].is_nan());
        assert_eq!((drawn.mean_x, drawn.mean_y), (vec![1.0, 3.0], vec![5.0, 4.0]));
    }

    #[test]
    fn buckets_keep_their_extremes_and_their_mean() {
        let x: Vec<f64> = (0..6).map(f64::from).collect();
        let drawn = envelope(&x, &[1.0, 9.0, 2.0, 4.0, 3.0, 8.0], 4);
        assert_eq!(drawn.bucket, 3);
        assert_eq!((drawn.x, drawn.y), (vec![0.0, 1.0, 4.0, 5.0], vec![1.0, 9.0, 3.0, 8.0]));
        assert_eq!((drawn.mean_x, drawn.mean_y), (vec![1.0, 4.0], vec![4.0, 5.0]));
    }

    proptest! {
        #[test]
        fn no_extreme_is_lost_and_few_points_are_drawn(
            y in vec(prop_oneof![9 => -1e3..1e3, 1 => Just(f64::NAN)], 0..500),
            most in 2..100_usize,
        ) {
            let x: Vec<f64> = (0..y.len()).map(|place| place as f64).collect();
            let drawn = envelope(&x, &y, most);
            let least = |y: &[f64]| y.iter().copied().fold(f64::INFINITY, f64::min);
            let greatest = |y: &[f64]| y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(least(&drawn.y).total_cmp(&least(&y)).is_eq());
            prop_assert!(greatest(&drawn.y).total_cmp(&greatest(&y)).is_eq());
            prop_assert!(drawn.x.is_sorted());
            // A gap is a third point.
            prop_assert!(drawn.y.len() <= 3 * (most / 2 + 1));
            prop_assert_eq!(drawn.y.iter().any(|y| y.is_nan()), y.iter().any(|y| y.is_nan()));
        }
    }
}
