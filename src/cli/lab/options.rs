//! The command of a lab, made of the keys of its options.

use anyhow::Result;
use clap::builder::{
    NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser as _,
    ValueParser,
};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, Subcommand};

use converge_labs::{Findings, LABS, LabError, Progress, Registered};
use converge_settings::checks::InvalidSetting;
use converge_settings::{Key, Kind, WordsError};

/// A lab with its options, given or by default.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub lab: &'static Registered,
    options: Vec<(&'static Key, String)>,
}

impl Chosen {
    /// The lab with all options at their defaults.
    pub(super) fn at_defaults(lab: &'static Registered) -> Self {
        let options = lab.keys.iter().filter_map(|key| Some((key, default(key)?))).collect();
        Self { lab, options }
    }

    /// Its options without dashes in front, and their values as they were written.
    pub(super) fn told(&self) -> impl Iterator<Item = (String, String)> {
        self.options.iter().map(|(key, word)| (key.option(), word.clone()))
    }

    pub(super) fn run(&self, progress: &mut dyn Progress) -> Result<Findings, LabError> {
        self.lab.run(&self.words(), progress)
    }

    fn words(&self) -> Vec<(&str, &str)> {
        self.options.iter().map(|(key, word)| (key.name, word.as_str())).collect()
    }
}

impl FromArgMatches for Chosen {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (name, matches) =
            matches.subcommand().ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        let lab = LABS.iter().find(|lab| lab.name == name);
        let lab = lab.ok_or_else(|| clap::Error::new(ErrorKind::InvalidSubcommand))?;
        let word = |key: &'static Key| {
            let words: Vec<&str> =
                matches.get_many::<String>(key.name)?.map(String::as_str).collect();
            Some((key, words.join(",")))
        };
        let chosen = Self { lab, options: lab.keys.iter().filter_map(word).collect() };
        lab.check(&chosen.words()).map_err(|error| wrong_usage(lab, error))?;
        Ok(chosen)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Chosen {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(LABS.iter().map(self::command))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        LABS.iter().any(|lab| lab.name == name)
    }
}

/// The default of `key`, unless it is nothing or an empty list.
fn default(key: &Key) -> Option<String> {
    (key.default)().filter(|word| !word.is_empty())
}

fn command(lab: &Registered) -> Command {
    Command::new(lab.name).about(lab.about.question).args(lab.keys.iter().map(argument))
}

fn argument(key: &'static Key) -> Arg {
    let argument =
        Arg::new(key.name).long(key.option()).value_name(key.name.to_uppercase()).help(key.meaning);
    let argument = match default(key) {
        Some(word) => argument.default_value(word),
        None => argument,
    };
    let (kind, argument, list) = match (key.kind)() {
        Kind::List(element) => (*element, argument.action(ArgAction::Append), true),
        kind => (kind, argument, false),
    };
    match kind {
        Kind::Flag => argument.value_parser(["true", "false"]),
        Kind::OneOf(names) => {
            argument.value_delimiter(list.then_some(',')).value_parser(one_of(names, key))
        }
        Kind::Count | Kind::Integer | Kind::Number => {
            let argument = argument.allow_negative_numbers(true).allow_hyphen_values(list);
            argument.value_parser(checked(key, key.range))
        }
        Kind::Text | Kind::List(_) | Kind::Section => {
            argument.allow_hyphen_values(true).value_parser(checked(key, None))
        }
    }
}

/// One of `names`, shown with their meanings where `key` has them.
fn one_of(names: &[&'static str], key: &Key) -> PossibleValuesParser {
    let value = |&name: &&'static str| {
        let value = PossibleValue::new(name);
        match key.names.iter().find(|(known, _)| *known == name) {
            Some((_, meaning)) => value.help(*meaning),
            None => value,
        }
    };
    PossibleValuesParser::new(names.iter().map(value))
}

/// Words that `key` accepts. Others are refused by its `range`, or by what their type says of them.
fn checked(key: &'static Key, range: Option<&'static str>) -> ValueParser {
    let check = move |word: String| {
        let Err(InvalidSetting { value, expected, .. }) = (key.accepts)(&word) else {
            return Ok(word);
        };
        // The error may be about one element of a list.
        let element = if value == word { String::new() } else { format!("{value} ") };
        Err(format!("{element}must be {}", range.unwrap_or(&expected)))
    };
    NonEmptyStringValueParser::new().try_map(check).into()
}

/// The error of options of `lab` that do not fit each other.
fn wrong_usage(lab: &Registered, error: WordsError) -> clap::Error {
    let message = match error {
        WordsError::Invalid(InvalidSetting { key, value, expected }) => {
            let option = key.replace('_', "-");
            format!("invalid value '{value}' for '--{option}': must be {expected}")
        }
        unknown @ WordsError::UnknownKey { .. } => unknown.to_string(),
    };
    let mut command = command(lab).bin_name(format!("converge lab {}", lab.name));
    clap::Error::raw(ErrorKind::ValueValidation, message).format(&mut command)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn chosen(arguments: &[&str]) -> Result<Chosen, clap::Error> {
        let labs = Chosen::augment_subcommands(Command::new("lab"));
        let matches = labs.try_get_matches_from([&["lab"], arguments].concat())?;
        Chosen::from_arg_matches(&matches)
    }

    fn told(chosen: &Chosen) -> Vec<(String, String)> {
        chosen.told().collect()
    }

    #[test]
    fn every_lab_is_a_command_and_its_defaults_are_those_of_the_command_line() {
        for lab in LABS {
            let given = chosen(&[lab.name]).unwrap();
            assert_eq!(given.lab.name, lab.name);
            assert_eq!(told(&given), told(&Chosen::at_defaults(lab)));
        }
    }

    #[test]
    fn options_are_told_as_they_were_given_and_by_default() {
        let given = chosen(&["gradient-descent", "--learning-rate", "0.250"]).unwrap();
        let expected = [("learning-rate", "0.250"), ("start", "5"), ("steps", "50")];
        assert_eq!(told(&given), expected.map(|(name, word)| (name.to_owned(), word.to_owned())));
    }

    #[test]
    fn lists_are_given_with_commas_or_one_by_one() {
        let commas = chosen(&["learning-rate", "--learning-rate", "0.1,0.2"]).unwrap();
        let each = ["learning-rate", "--learning-rate", "0.1", "--learning-rate", "0.2"];
        assert_eq!(told(&commas), told(&chosen(&each).unwrap()));
        let names = chosen(&["activations", "--activations", "relu,tanh"]).unwrap();
        assert_eq!(told(&names)[0].1, "relu,tanh");
    }

    #[test]
    fn wrong_values_are_refused_by_their_option() {
        for (arguments, said) in [
            (
                &["gradient-descent", "--start", "x"][..],
                "'--start <START>': must be a finite number",
            ),
            (&["learning-rate", "--learning-rate", "1,-2"], "-2 must be a finite number above 0"),
            (&["activations", "--activations", "relu,tan"], "tanh"),
            (&["metropolis", "--scales", ""], "a value is required"),
            (&["q-learning", "--slippery", "yes"], "true, false"),
            (&["integration", "--to", "pi"], "'--to': must be left out"),
            (&["k-means", "--points", "2"], "'--clusters': must be at most"),
        ] {
            let error = chosen(arguments).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }
}
