//! The experiments that travel inside the binary: the files of `configs/`.

/// An experiment that is always there, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builtin {
    /// Its name: `cifar10`.
    pub name: &'static str,
    /// What it shows, in one line.
    pub purpose: String,
    /// The TOML file.
    pub text: &'static str,
}

macro_rules! builtins {
    ($($name:literal),+ $(,)?) => {
        const BUILTINS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../configs/", $name, ".toml")))),+];
    };
}

builtins![
    "linear",
    "housing",
    "housing-batchnorm",
    "mnist",
    "fashion-mnist",
    "cifar10",
    "transfer",
    "mobilenet-cifar10",
    "sentiment-small",
    "imdb",
    "imdb-adam",
    "imdb-bidirectional",
    "movielens",
    "movielens-small",
];

/// All built-in experiments, the simplest first.
pub fn builtins() -> impl Iterator<Item = Builtin> {
    BUILTINS.iter().map(|&(name, text)| Builtin { name, purpose: purpose(text), text })
}

/// The text of the built-in experiment `name`.
pub(super) fn find(name: &str) -> Option<&'static str> {
    BUILTINS.iter().find(|(known, _)| *known == name).map(|&(_, text)| text)
}

/// The names of all built-in experiments.
pub(super) fn names() -> Vec<String> {
    BUILTINS.iter().map(|&(name, _)| name.to_owned()).collect()
}

fn purpose(text: &str) -> String {
    let table = toml::from_str::<toml::Table>(text).unwrap_or_default();
    table.get("purpose").and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}
