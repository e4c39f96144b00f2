//! `notes.json`: what people wrote on a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The file in the directory of a run.
pub const NOTES_FILE: &str = "notes.json";

/// What people wrote on a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notes {
    /// A sentence or two.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Words to find it by, sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// On one line: `[tag] the note`; nothing where nobody wrote anything.
impl fmt::Display for Notes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags = self.tags.iter().map(|tag| format!("[{tag}]"));
        let parts = tags.chain([self.note.clone()]).filter(|part| !part.is_empty());
        formatter.write_str(&parts.collect::<Vec<_>>().join(" "))
    }
}

impl Notes {
    /// Adds `tag`, unless it is there.
    pub fn tag(&mut self, tag: &str) {
        if let Err(at) = self.tags.binary_search_by(|one| one.as_str().cmp(tag)) {
            self.tags.insert(at, tag.to_owned());
        }
    }

    /// Takes `tag` away.
    pub fn untag(&mut self, tag: &str) {
        self.tags.retain(|one| one != tag);
    }
}
