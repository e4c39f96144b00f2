//! A curve of any length in a bounded number of buckets, taken up value by value.
//!
//! Every bucket keeps its least and its greatest value with their places, so that no spike is lost, and its
//! mean. When there are too many, neighbours are merged, and buckets are twice as long from then on.

use serde_json::{Value, json};

/// Even: neighbours are merged in pairs.
const MOST_BUCKETS: usize = 1200;

#[derive(Debug)]
pub(crate) struct Curve {
    /// How many values a bucket takes.
    size: usize,
    buckets: Vec<Bucket>,
    /// How many buckets are known elsewhere, the last of them perhaps as it was before it was full.
    sent: usize,
    changed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    least: (f64, f64),
    greatest: (f64, f64),
    /// The sums of the places and of the values that are finite, and their number.
    sum: (f64, f64),
    finite: usize,
    count: usize,
}

impl Default for Curve {
    fn default() -> Self {
        Self { size: 1, buckets: vec![], sent: 0, changed: false }
    }
}

impl Curve {
    pub(crate) fn push(&mut self, x: f64, y: f64) {
        let one = Bucket::of(x, y);
        self.changed = true;
        match self.buckets.last_mut() {
            Some(last) if last.count < self.size => *last = last.merged(&one),
            _ => {
                if self.buckets.len() == MOST_BUCKETS {
                    self.halve();
                }
                self.buckets.push(one);
            }
        }
    }

    fn halve(&mut self) {
        self.buckets = self.buckets.chunks(2).map(|pair| pair[0].merged(&pair[1])).collect();
        self.size *= 2;
        self.sent = 0;
    }

    /// What changed since the last call: so many buckets `kept`, then the new ones as
    /// `[x, least, x, greatest, x, mean]`, with a seventh number where a value was not finite.
    pub(crate) fn news(&mut self) -> Option<Value> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let kept = self.sent.saturating_sub(1);
        let new: Vec<Vec<Option<f64>>> = self.buckets[kept..].iter().map(Bucket::numbers).collect();
        self.sent = self.buckets.len();
        Some(json!({ "size": self.size, "kept": kept, "new": new }))
    }
}

impl Bucket {
    fn of(x: f64, y: f64) -> Self {
        if y.is_finite() {
            Self { least: (x, y), greatest: (x, y), sum: (x, y), finite: 1, count: 1 }
        } else {
            let (least, greatest) = ((x, f64::INFINITY), (x, f64::NEG_INFINITY));
            Self { least, greatest, sum: (0.0, 0.0), finite: 0, count: 1 }
        }
    }

    fn merged(&self, later: &Self) -> Self {
        Self {
            least: if later.least.1 < self.least.1 { later.least } else { self.least },
            greatest: if later.greatest.1 > self.greatest.1 {
                later.greatest
            } else {
                self.greatest
            },
            sum: (self.sum.0 + later.sum.0, self.sum.1 + later.sum.1),
            finite: self.finite + later.finite,
            count: self.count + later.count,
        }
    }

    fn numbers(&self) -> Vec<Option<f64>> {
        let count = self.finite as f64;
        let all = [
            self.least.0,
            self.least.1,
            self.greatest.0,
            self.greatest.1,
            self.sum.0 / count,
            self.sum.1 / count,
        ];
        let mut numbers: Vec<_> = all.map(|one| Some(one).filter(|one| one.is_finite())).into();
        numbers.extend((self.finite < self.count).then_some(Some(1.0)));
        numbers
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn points(news: &Value) -> Vec<Vec<Option<f64>>> {
        serde_json::from_value(news["new"].clone()).unwrap()
    }

    #[test]
    fn a_million_values_keep_their_spike_in_few_buckets() {
        let mut curve = Curve::default();
        for step in 0..1_000_000 {
            let spike = if step == 123_456 { 99.0 } else { 0.0 };
            curve.push(f64::from(step), spike + f64::from(step % 7));
        }
        let news = curve.news().unwrap();
        let points = points(&news);
        assert!(
            points.len() <= MOST_BUCKETS && points.len() > MOST_BUCKETS / 3,
            "{}",
            points.len()
        );
        assert!(points.iter().any(|one| one[2..4] == [Some(123_456.0), Some(99.0 + 4.0)]));
        assert!(points.iter().map(|one| one[4]).is_sorted());
    }

    #[test]
    fn only_what_changed_is_told_and_the_last_bucket_again() {
        let mut curve = Curve::default();
        assert_eq!(curve.news(), None);
        (0..3).for_each(|step| curve.push(f64::from(step), 1.0));
        assert_eq!(curve.news().unwrap()["kept"], 0);
        assert_eq!(curve.news(), None);
        curve.push(3.0, 2.0);
        let news = curve.news().unwrap();
        assert_eq!((news["kept"].as_u64(), points(&news).len()), (Some(2), 2));
        (4..=MOST_BUCKETS).for_each(|step| curve.push(step as f64, 1.0));
        let news = curve.news().unwrap();
        // Merged: all is new.
        assert_eq!((news["kept"].as_u64(), news["size"].as_u64()), (Some(0), Some(2)));
    }

    #[test]
    fn a_value_that_is_not_finite_is_a_gap_beside_the_finite_ones() {
        let mut curve = Curve { size: 2, ..Curve::default() };
        curve.push(1.0, f64::NAN);
        curve.push(2.0, 5.0);
        curve.push(3.0, f64::INFINITY);
        let points = points(&curve.news().unwrap());
        assert_eq!(points[0], [2.0, 5.0, 2.0, 5.0, 2.0, 5.0, 1.0].map(Some));
        assert_eq!((points[1][1], points[1][5], points[1][6]), (None, None, Some(1.0)));
    }
}
