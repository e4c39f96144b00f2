//! Symmetric matrices with the eigenvalues that NumPy finds, by `tests/golden/make_spectrum.py`.
#![allow(clippy::unwrap_used, clippy::unnecessary_wraps)]

use std::convert::Infallible;

pub(crate) struct Case {
    pub(crate) rows: usize,
    /// Row by row.
    pub(crate) matrix: Vec<f64>,
    /// In rising order.
    pub(crate) eigenvalues: Vec<f64>,
    pub(crate) largest_vector: Vec<f64>,
    pub(crate) trace: f64,
}

impl Case {
    pub(crate) fn product(&self, vector: &[f64]) -> Result<Vec<f64>, Infallible> {
        let rows = self.matrix.chunks(self.rows);
        Ok(rows.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum()).collect())
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let text = include_str!("../../../tests/golden/spectrum.json");
    let golden: serde_json::Value = serde_json::from_str(text).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect()
    };
    let case = |value: &serde_json::Value| Case {
        rows: usize::try_from(value["rows"].as_u64().unwrap()).unwrap(),
        matrix: numbers(&value["matrix"]),
        eigenvalues: numbers(&value["eigenvalues"]),
        largest_vector: numbers(&value["largest_vector"]),
        trace: value["trace"].as_f64().unwrap(),
    };
    golden["cases"].as_array().unwrap().iter().map(case).collect()
}
