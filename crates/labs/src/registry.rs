//! The registry of labs as commands use it: a lab by its name, with its options as words.

use converge_settings::{Key, WordsError, from_words};

use super::{About, Findings, Lab, LabError, Progress};

/// Options as words, each behind its key: `("learning_rate", "0.4")`. Others have their defaults.
pub type Words<'a> = &'a [(&'a str, &'a str)];

/// A lab of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Registered {
    /// Its name: `gradient-descent`.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static About,
    /// Its options.
    pub keys: &'static [Key],
    check: fn(Words<'_>) -> Result<(), WordsError>,
    run: fn(Words<'_>, &mut dyn Progress) -> Result<Findings, LabError>,
}

impl Registered {
    pub(crate) const fn new<L: Lab>(name: &'static str) -> Self {
        Self {
            name,
            about: &L::ABOUT,
            keys: L::KEYS,
            check: |options| from_words::<L>(options.iter().copied()).map(drop),
            run: |options, progress| from_words::<L>(options.iter().copied())?.run(progress),
        }
    }

    /// Whether the lab can be run with these options.
    pub fn check(&self, options: Words<'_>) -> Result<(), WordsError> {
        (self.check)(options)
    }

    /// Runs the lab with these options; `progress` is told how far it is.
    pub fn run(
        &self,
        options: Words<'_>,
        progress: &mut dyn Progress,
    ) -> Result<Findings, LabError> {
        (self.run)(options, progress)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::{LABS, Silent};

    #[test]
    fn every_lab_has_its_own_name_and_says_what_it_asks() {
        let mut names = std::collections::BTreeSet::new();
        for Registered { name, about, .. } in LABS {
            assert!(names.insert(name), "{name} is there twice");
            assert!(about.question.ends_with('?'), "{name}: {}", about.question);
            assert!(!about.sources.is_empty() && !about.method.is_empty(), "{name}");
        }
    }

    #[test]
    fn defaults_of_every_lab_are_words_in_their_ranges() {
        for lab in LABS {
            lab.check(&[]).unwrap();
            for key in lab.keys {
                if let Some(word) = (key.default)() {
                    assert_eq!((key.accepts)(&word), Ok(()), "{} --{}", lab.name, key.option());
                    lab.check(&[(key.name, &word)]).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_lab_reads_its_options_from_words() {
        let descent = LABS.iter().find(|lab| lab.name == "gradient-descent").unwrap();
        let findings = descent.run(&[("steps", "20"), ("start", "-3")], &mut Silent).unwrap();
        assert!(findings.claims.iter().all(|claim| claim.holds));
        assert!(descent.check(&[("steps", "0")]).is_err());
        assert!(descent.check(&[("step", "1")]).is_err());
        assert!(descent.run(&[("steps", "x")], &mut Silent).is_err());
    }
}
