#![allow(clippy::unwrap_used)]

use serde::{Deserialize, Serialize};

use super::*;
use crate::checks::ensure;
use crate::ranges::{COUNT, FRACTION, POSITIVE, SEED};
use crate::{Settings, from_words};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Activation {
    Relu,
    LeakyRelu,
}

/// A type that reads its own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Place(f64, f64);

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let place =
            text.split_once(':').and_then(|(x, y)| Some((x.parse().ok()?, y.parse().ok()?)));
        place.map(|(x, y)| Self(x, y)).ok_or_else(|| "x:y, such as 1:2".to_owned())
    }
}

impl From<Place> for String {
    fn from(Place(x, y): Place) -> Self {
        format!("{x}:{y}")
    }
}

crate::settings! {
    /// Every type that a word can have.
    struct Options {
        /// The learning rate
        learning_rate: f64 = 1e-5 => POSITIVE,
        /// Passes over the data,
        /// all of them
        epochs: usize = 5 => COUNT,
        /// The seed
        seed: u64 = 42 => SEED,
        /// An offset
        offset: i64 = -3,
        /// Whether to look ahead
        nesterov: bool = false,
        /// A curve
        activation: Activation = Activation::Relu,
        /// Curves
        activations: Vec<Activation> = vec![Activation::LeakyRelu, Activation::Relu],
        /// Rates
        rates: Vec<f64> = vec![0.1, 2.0] => POSITIVE,
        /// Where to start
        start: Option<Place> = None,
        /// Decay, off unless written
        decay: Option<f64> = None => FRACTION,
        /// Two numbers
        betas: [f64; 2] = [0.9, 0.999],
        /// A name
        monitor: String = "val_loss".to_owned(),
    }
    check |options| ensure(
        !options.nesterov || options.rates.len() > 1,
        "nesterov",
        options.nesterov,
        "false unless there are two rates",
    )
}

fn error(key: &str, word: &str) -> String {
    from_words::<Options>([(key, word)]).unwrap_err().to_string()
}

#[test]
fn words_of_every_type_are_read() {
    let words = [
        ("learning_rate", "1e-2"),
        ("epochs", "7"),
        ("seed", "18446744073709551615"),
        ("seed", "9"),
        ("offset", "-12"),
        ("nesterov", "true"),
        ("activation", "leaky_relu"),
        ("activations", "relu, leaky_relu"),
        ("rates", "1,2.5,1e3"),
        ("start", "1:-2"),
        ("decay", "0.5"),
        ("betas", "0.5,0.25"),
        ("monitor", "loss, of course"),
    ];
    let expected = Options {
        learning_rate: 0.01,
        epochs: 7,
        seed: 9,
        offset: -12,
        nesterov: true,
        activation: Activation::LeakyRelu,
        activations: vec![Activation::Relu, Activation::LeakyRelu],
        rates: vec![1.0, 2.5, 1000.0],
        start: Some(Place(1.0, -2.0)),
        decay: Some(0.5),
        betas: [0.5, 0.25],
        monitor: "loss, of course".to_owned(),
    };
    assert_eq!(from_words::<Options>(words).unwrap(), expected);
    assert_eq!(from_words::<Options>([]).unwrap(), Options::default());
    assert_eq!(from_words::<Options>([("rates", "")]).unwrap().rates, Vec::<f64>::new());
}

#[test]
fn the_default_of_every_key_is_a_word_that_reads_back_as_it() {
    let mut read = Options { learning_rate: 1.0, epochs: 1, ..Options::default() };
    for key in Options::KEYS {
        if let Some(word) = (key.default)() {
            read.set(key.name, &word).unwrap();
        }
    }
    assert_eq!(read, Options::default());
    let words: Vec<_> = Options::KEYS.iter().map(|key| (key.default)()).collect();
    let words: Vec<_> = words.iter().map(|word| word.as_deref().unwrap_or("–")).collect();
    let expected = [
        "1e-5",
        "5",
        "42",
        "-3",
        "false",
        "relu",
        "leaky_relu,relu",
        "0.1,2",
        "–",
        "–",
        "0.9,0.999",
        "val_loss",
    ];
    assert_eq!(words, expected);
}

#[test]
fn a_word_of_the_wrong_kind_is_told_the_right_one() {
    for (key, word, message) in [
        ("learning_rate", "fast", "is fast, but must be a number"),
        ("learning_rate", "", "is empty, but must be a number"),
        ("epochs", "1.5", "is 1.5, but must be a whole number, 0 or above"),
        ("offset", "x", "is x, but must be a whole number"),
        ("nesterov", "yes", "is yes, but must be true or false"),
        ("activation", "tanh", "is tanh, but must be one of relu, leaky_relu"),
        (
            "activations",
            "relu,tanh",
            "is relu,tanh, but must be one of relu, leaky_relu, or \
          several separated by commas",
        ),
        ("rates", "1,x", "is 1,x, but must be a number, or several separated by commas"),
        ("start", "1", "is 1, but must be x:y, such as 1:2"),
        ("betas", "1", "is 1, but must be an array of length 2"),
    ] {
        assert_eq!(error(key, word), format!("`{key}` {message}"));
    }
}

#[test]
fn ranges_are_checked_of_what_is_written_and_of_every_element_of_a_list() {
    assert_eq!(error("decay", "nan"), "`decay` is NaN, but must be at least 0 and below 1");
    assert_eq!(error("decay", "1"), "`decay` is 1, but must be at least 0 and below 1");
    assert_eq!(error("rates", "1,-2"), "`rates` is -2, but must be a finite number above 0");
    let words = [("nesterov", "true"), ("rates", "1")];
    let unfit = from_words::<Options>(words).unwrap_err().to_string();
    assert_eq!(unfit, "`nesterov` is true, but must be false unless there are two rates");
}

#[test]
fn an_unknown_key_is_told_the_known_ones() {
    assert!(error("lr", "1").starts_with("there is no setting `lr`, only learning_rate, epochs, "));
}

#[test]
fn keys_say_what_a_command_line_shows() {
    let [rate, epochs, ..] = Options::KEYS else { panic!("{:?}", Options::KEYS) };
    assert_eq!((rate.option().as_str(), rate.range), ("learning-rate", Some(POSITIVE.expected)));
    assert!((rate.accepts)("0.5").is_ok());
    let refused = (rate.accepts)("0").unwrap_err().to_string();
    assert_eq!(refused, "`learning_rate` is 0, but must be a finite number above 0");
    assert_eq!(epochs.meaning, "Passes over the data, all of them");
    let kinds: Vec<Kind> = Options::KEYS.iter().map(|key| (key.kind)()).collect();
    let names = Kind::OneOf(&["relu", "leaky_relu"]);
    let list = |kind: Kind| Kind::List(Box::new(kind));
    let expected = [
        Kind::Number,
        Kind::Count,
        Kind::Count,
        Kind::Integer,
        Kind::Flag,
        names.clone(),
        list(names),
        list(Kind::Number),
        Kind::Text,
        Kind::Number,
        list(Kind::Number),
        Kind::Text,
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn files_say_the_same_settings_with_the_same_defaults() {
    let read = toml::from_str::<Options>("epochs = 3\nactivation = \"leaky_relu\"").unwrap();
    let words = [("epochs", "3"), ("activation", "leaky_relu")];
    assert_eq!(read, from_words::<Options>(words).unwrap());
    assert!(toml::from_str::<Options>("epoch = 3").is_err());
}

#[test]
fn a_value_is_found_by_its_key_and_type() {
    let mut options = Options::default();
    *options.value_mut::<usize>("epochs").unwrap() = 9;
    assert_eq!(options.epochs, 9);
    assert_eq!(options.value::<usize>("epochs"), Some(&9));
    assert_eq!(options.value::<f64>("epochs"), None);
    assert_eq!(options.value_mut::<f64>("momentum"), None);
}
