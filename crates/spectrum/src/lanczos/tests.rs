#![allow(clippy::unwrap_used, clippy::float_cmp, clippy::unnecessary_wraps)]

use std::convert::Infallible;
use std::f64::consts::PI;

use super::*;
use crate::golden;

type Product = Result<Vec<f64>, Infallible>;

fn on(_: &Extremes) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn exact(products: usize) -> Limits {
    Limits { products, tolerance: 1e-12, wanted: Wanted::Both }
}

fn diagonal(values: &[f64]) -> impl Fn(&[f64]) -> Product {
    move |vector| Ok(vector.iter().zip(values).map(|(a, b)| a * b).collect())
}

/// −1, 2, −1: its eigenvalues are 2 − 2 cos(kπ/(n+1)).
fn laplacian(vector: &[f64]) -> Product {
    let at = |index: Option<usize>| index.and_then(|index| vector.get(index)).unwrap_or(&0.0);
    let row = |row: usize| 2.0 * vector[row] - at(row.checked_sub(1)) - at(Some(row + 1));
    Ok((0..vector.len()).map(row).collect())
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(1.0)
}

#[test]
fn the_discrete_laplacian_has_the_eigenvalues_of_its_closed_form() {
    for rows in [1, 2, 3, 10, 100] {
        let found = Lanczos::new(rows, 1).run(&exact(200), laplacian, on).unwrap();
        let eigenvalue = |k: usize| 2.0 - 2.0 * (k as f64 * PI / (rows as f64 + 1.0)).cos();
        assert!(close(found.largest.value, eigenvalue(rows), 1e-11), "{rows}: {found:?}");
        assert!(close(found.smallest.value, eigenvalue(1), 1e-11), "{rows}: {found:?}");
        assert!(found.products <= rows);
    }
}

#[test]
fn bounds_hold_at_every_step() {
    let values: Vec<f64> = (0..60).map(|row| f64::from(row).powi(2) / 100.0 - 3.0).collect();
    let mut steps = 0;
    let watch = |so_far: &Extremes| {
        for ritz in [so_far.largest, so_far.smallest] {
            let nearest =
                values.iter().map(|value| (value - ritz.value).abs()).fold(f64::MAX, f64::min);
            assert!(nearest <= ritz.bound + 1e-12, "{so_far:?}");
        }
        steps += 1;
        ControlFlow::Continue(())
    };
    let limits = Limits { products: 59, tolerance: 1e-2, wanted: Wanted::Both };
    let found = Lanczos::new(60, 0).run(&limits, diagonal(&values), watch).unwrap();
    assert_eq!((found.ended, found.products), (Ended::Tolerance, steps));
    assert!(close(found.largest.value, 31.81, 1e-4) && (found.smallest.value + 3.0).abs() < 0.32);
}

#[test]
fn random_matrices_have_the_eigenvalues_and_vectors_of_numpy() {
    for case in golden::cases() {
        let found = Lanczos::new(case.rows, 7).run(&exact(500), |v| case.product(v), on).unwrap();
        let (first, last) = (case.eigenvalues[0], case.eigenvalues[case.rows - 1]);
        assert!(close(found.smallest.value, first, 1e-10), "{found:?} {first}");
        assert!(close(found.largest.value, last, 1e-10), "{found:?} {last}");
        let cosine = dot(&found.largest_vector, &case.largest_vector).abs();
        assert!(close(cosine, 1.0, 1e-9), "{cosine}");
        let product = case.product(&found.smallest_vector).unwrap();
        let mut rest = product;
        add(&mut rest, -found.smallest.value, &found.smallest_vector);
        assert!(length(&rest) < 1e-9 * last.abs().max(first.abs()).max(1.0), "{}", length(&rest));
    }
}

#[test]
fn equal_eigenvalues_are_found_once_and_end_it_early() {
    let mut values = vec![2.0; 30];
    values.extend([5.0; 20]);
    values.extend([-1.0; 3]);
    let found = Lanczos::new(53, 0).run(&exact(50), diagonal(&values), on).unwrap();
    assert_eq!((found.ended, found.products), (Ended::Complete, 3));
    assert!(close(found.largest.value, 5.0, 1e-13) && close(found.smallest.value, -1.0, 1e-13));
    assert_eq!(found.largest.bound, 0.0);
}

#[test]
fn one_row_and_the_zero_matrix_take_one_product() {
    let found = Lanczos::new(1, 0).run(&exact(5), diagonal(&[-4.0]), on).unwrap();
    assert!(close(found.largest.value, -4.0, 1e-15) && found.products == 1, "{found:?}");
    assert!(close(found.largest_vector[0].abs(), 1.0, 1e-15));
    let found = Lanczos::new(9, 0).run(&exact(5), diagonal(&[0.0; 9]), on).unwrap();
    assert_eq!((found.largest.value, found.smallest.value, found.products), (0.0, 0.0, 1));
    assert_eq!(found.ended, Ended::Complete);
}

#[test]
fn going_on_is_the_same_as_not_stopping() {
    let case = &golden::cases()[0];
    let limits = |products| Limits { products, tolerance: 0.0, wanted: Wanted::Both };
    let whole = Lanczos::new(case.rows, 2).run(&limits(8), |v| case.product(v), on).unwrap();
    let mut parts = Lanczos::new(case.rows, 2);
    let first = parts.run(&limits(3), |v| case.product(v), on).unwrap();
    assert_eq!((first.products, first.ended), (3, Ended::Products));
    assert_eq!(parts.run(&limits(8), |v| case.product(v), on).unwrap(), whole);
    // Nothing is multiplied where the limits are met.
    let unused = |_: &[f64]| -> Product { panic!("no product is needed") };
    assert_eq!(parts.run(&limits(8), unused, on).unwrap(), whole);
}

#[test]
fn the_caller_ends_it_and_only_one_end_may_be_wanted() {
    let values: Vec<f64> = (1..=200).map(f64::from).chain([1000.0]).collect();
    let stop = |so_far: &Extremes| {
        if so_far.products == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let found = Lanczos::new(201, 0).run(&exact(50), diagonal(&values), stop).unwrap();
    assert_eq!((found.products, found.ended), (4, Ended::Interrupted));
    let one = Limits { products: 100, tolerance: 1e-3, wanted: Wanted::Largest };
    let both = Limits { wanted: Wanted::Both, ..one };
    let fewer = Lanczos::new(201, 0).run(&one, diagonal(&values), on).unwrap();
    let more = Lanczos::new(201, 0).run(&both, diagonal(&values), on).unwrap();
    assert!(fewer.products < more.products);
    assert!(close(fewer.largest.value, 1000.0, 1e-3));
}

#[test]
fn products_that_are_no_numbers_or_too_short_are_errors_never_a_hang() {
    let mut calls = 0;
    let breaks = |vector: &[f64]| -> Product {
        calls += 1;
        Ok(vector
            .iter()
            .map(|value| if calls == 3 { f64::NAN } else { value * f64::from(calls) })
            .collect())
    };
    // Products that follow no matrix are no error until one is not finite.
    let error = Lanczos::new(3, 0).run(&exact(50), diagonal(&[1.0, 2.0, f64::INFINITY]), on);
    assert!(matches!(error, Err(SpectrumError::NotFinite { product: 1, .. })), "{error:?}");
    let error = Lanczos::new(50, 0).run(&exact(50), breaks, on);
    assert!(!matches!(error, Ok(Extremes { products: 4.., .. })), "{error:?}");
    let short = Lanczos::new(3, 0).run(&exact(5), |_| Ok::<_, Infallible>(vec![1.0]), on);
    let message = short.unwrap_err().to_string();
    assert!(message.starts_with("product 1 has 1 values, but the matrix has 3 rows"), "{message}");
    let none = Lanczos::new(3, 0).run(&exact(0), laplacian, on);
    assert_eq!(none, Err(SpectrumError::NoProducts));
    assert_eq!(Lanczos::new(0, 0).run(&exact(5), laplacian, on), Err(SpectrumError::NoRows));
    let failed = Lanczos::new(3, 0).run(&exact(5), |_| Err("the run was stopped"), on);
    assert_eq!(failed.unwrap_err().to_string(), "the run was stopped");
}
