//! Texts as they were read or drawn, before they become samples.

use std::path::Path;

use crate::{DataError, SourceFile};

pub(crate) const TITLE: &str = "texts";

/// Texts, each behind its class, 0 or 1.
pub(super) type Labelled = Vec<(u32, String)>;

/// Texts as they were read or drawn.
pub(super) struct Corpus {
    pub(super) class_names: Vec<String>,
    pub(super) texts: Texts,
    pub(super) files: Vec<SourceFile>,
}

/// Texts with or without a split of their own.
pub(super) enum Texts {
    /// A training and a test split; one that was not asked for may be empty.
    Split(Labelled, Labelled),
    /// All in one.
    Whole(Labelled),
}

/// `classes`, if they are two.
pub(super) fn two(path: &Path, classes: Vec<String>) -> Result<Vec<String>, DataError> {
    if classes.len() == 2 {
        return Ok(classes);
    }
    let (count, mut names) = (classes.len(), classes);
    names.truncate(5);
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(", ") + if count > 5 { ", …" } else { "" };
    let problem = match count {
        0 => "holds no labelled text, but texts of two classes are needed".to_owned(),
        1 => format!("holds the class {names} only, but two are needed"),
        _ => format!("holds {count} classes ({names}), but two are needed"),
    };
    Err(DataError::unusable(path, problem))
}
