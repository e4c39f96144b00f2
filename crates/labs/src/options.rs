//! What options of several labs have in common: ranges, checks and the naming of optimizers.

use serde::{Deserialize, Serialize};

use converge_core::optim::{OptimizerSettings, Sgd};
use converge_settings::checks::{Checked, InvalidSetting};
use converge_settings::ranges::{POSITIVE, Range};

/// The whole numbers from `$low` to `$high`.
macro_rules! between {
    ($low:literal, $high:literal) => {
        converge_settings::ranges::Range::new(
            concat!("a whole number from ", $low, " to ", $high),
            |value: &usize| ($low..=$high).contains(value),
        )
    };
}
pub(crate) use between;

/// A number of things, such as steps.
pub(crate) const COUNT: Range<usize> = between!(1, 1_000_000);

/// Each of the `lists`, given with its key and length, has something in it.
pub(crate) fn not_empty<const N: usize>(lists: [(&str, usize); N]) -> Checked {
    match lists.into_iter().find(|&(_, length)| length == 0) {
        Some((key, _)) => {
            Err(InvalidSetting::new(key, "empty", "one or more, separated by commas"))
        }
        None => Ok(()),
    }
}

/// An optimizer by its name, at its default learning rate or at another: `adam`, `adam:0.1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RatedOptimizer {
    /// Its name. Every lab that has such an option says which names it knows.
    pub name: String,
    /// Its learning rate, where it is not the default.
    pub learning_rate: Option<f64>,
}

impl RatedOptimizer {
    /// The settings of the optimizer of this name, with its defaults but for the rate;
    /// `None` where there is none.
    pub fn settings(&self) -> Option<OptimizerSettings> {
        let mut settings = named(&self.name)?;
        if let Some(rate) = self.learning_rate {
            *settings.value_mut("learning_rate")? = rate;
        }
        Some(settings)
    }
}

/// The optimizer that [`OptimizerSettings`] calls `name`, with its defaults; `momentum` and
/// `nesterov` are `sgd` with momentum 0.9.
pub(crate) fn named(name: &str) -> Option<OptimizerSettings> {
    let nesterov = match name {
        "momentum" => false,
        "nesterov" => true,
        _ => return OptimizerSettings::named(name),
    };
    Some(OptimizerSettings::Sgd(Sgd { momentum: 0.9, nesterov, ..Sgd::default() }))
}

impl TryFrom<String> for RatedOptimizer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some((name, rate)) = text.split_once(':') else {
            return Ok(Self { name: text, learning_rate: None });
        };
        match rate.parse() {
            Ok(rate) if (POSITIVE.contains)(&rate) => {
                Ok(Self { name: name.to_owned(), learning_rate: Some(rate) })
            }
            _ => Err(format!("NAME or NAME:RATE, with {} for RATE", POSITIVE.expected)),
        }
    }
}

impl From<RatedOptimizer> for String {
    fn from(RatedOptimizer { name, learning_rate }: RatedOptimizer) -> Self {
        learning_rate.map_or(name.clone(), |rate| format!("{name}:{rate}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;

    #[test]
    fn an_optimizer_may_bring_its_rate() {
        let read = |text: &str| RatedOptimizer::try_from(text.to_owned());
        assert_eq!(read("sgd:0.5").unwrap().settings().unwrap().learning_rate(), 0.5);
        assert_eq!(read("adam").unwrap().settings().unwrap().name(), "adam");
        assert_eq!(read("adm").unwrap().settings(), None);
        let nesterov = read("nesterov:0.5").unwrap().settings().unwrap();
        assert!(
            matches!(nesterov, OptimizerSettings::Sgd(sgd) if sgd.nesterov && sgd.momentum == 0.9)
        );
        for text in ["adam:nan", "adam:0", "adam:-1", "adam:", "adam:x"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(String::from(read("sgd:0.5").unwrap()), "sgd:0.5");
    }

    #[test]
    fn an_empty_list_is_told_by_its_key() {
        assert_eq!(not_empty([("rates", 2)]), Ok(()));
        let error = not_empty([("rates", 2), ("starts", 0)]).unwrap_err();
        assert!(error.to_string().starts_with("`starts` is empty, but must be"), "{error}");
    }
}
