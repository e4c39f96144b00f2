//! A number that may be typed as a formula.

use serde::{Deserialize, Serialize};

use super::expression::{Expression, values};
use crate::device;
use converge_settings::ranges::Range;

/// A finite number, read from a formula without x: `-pi/2`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Constant(pub f64);

pub(super) const CONSTANT: Range<Constant> = Range {
    expected: "a finite number or a formula for one, such as -pi/2",
    contains: |constant| constant.0.is_finite(),
    show: |&constant| constant.into(),
};

impl TryFrom<String> for Constant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || CONSTANT.expected.to_owned();
        let expression =
            Expression::parse(&text).map_err(|why| format!("{}: {why}", CONSTANT.expected))?;
        if !expression.is_constant() {
            return Err(wrong());
        }
        let device = device().map_err(|error| error.to_string())?;
        match values(&expression, &device)(&[0.0])[..] {
            [value] if value.is_finite() => Ok(Self(value)),
            _ => Err(wrong()),
        }
    }
}

impl From<Constant> for String {
    fn from(Constant(value): Constant) -> Self {
        value.to_string()
    }
}
