//! Options of labs: numbers that are checked as they are read, so that wrong ones are wrong usage.

use std::str::FromStr;

use converge_core::optim::OptimizerSettings;

/// A finite number.
pub fn finite(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if value.is_finite() { Ok(value) } else { Err("must be finite".to_owned()) }
}

/// A finite number above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    let value = finite(text)?;
    if value > 0.0 { Ok(value) } else { Err("must be above 0".to_owned()) }
}

/// A number from 0 to below 1, such as a momentum.
pub fn share(text: &str) -> Result<f64, String> {
    let value = finite(text)?;
    if (0.0..1.0).contains(&value) {
        Ok(value)
    } else {
        Err("must be from 0 to below 1".to_owned())
    }
}

/// A whole number from 1 to a million, such as a number of steps.
pub fn count(text: &str) -> Result<usize, String> {
    let value = usize::from_str(text).map_err(|_| "not a whole number".to_owned())?;
    if (1..=1_000_000).contains(&value) {
        Ok(value)
    } else {
        Err("must be from 1 to 1000000".to_owned())
    }
}

/// An optimizer by its name, with its defaults; `NAME` or `NAME:learning_rate`.
pub fn optimizer(text: &str) -> Result<OptimizerSettings, String> {
    let (name, rate) = match text.split_once(':') {
        Some((name, rate)) => (name, Some(positive(rate)?)),
        None => (text, None),
    };
    let mut section = serde_json::json!({ "name": name });
    if let Some(rate) = rate {
        section["learning_rate"] = rate.into();
    }
    serde_json::from_value(section).map_err(|_| {
        format!("no such optimizer: `converge optimizers` lists {}", OptimizerSettings::NAMES.len())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;

    #[test]
    fn numbers_out_of_range_are_refused() {
        for text in ["NaN", "inf", "x", ""] {
            assert!(finite(text).is_err(), "{text}");
        }
        assert!(positive("0").is_err() && positive("-1").is_err() && positive("0.1").is_ok());
        assert!(share("1").is_err() && share("0").is_ok());
        assert!(count("0").is_err() && count("1.5").is_err() && count("20").is_ok());
    }

    #[test]
    fn an_optimizer_may_bring_its_rate() {
        assert_eq!(optimizer("sgd:0.5").unwrap().learning_rate(), 0.5);
        assert_eq!(optimizer("adam").unwrap().name(), "adam");
        assert!(optimizer("adm").is_err() && optimizer("adam:nan").is_err());
    }
}
