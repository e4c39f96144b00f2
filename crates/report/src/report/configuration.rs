//! The settings of a run, those that differ from the built-in experiment marked.

use crate::configuration::{Change, change};
use crate::page::{Page, escape, marked};
use crate::training::Training;

/// The settings, those that differ from the reference marked.
pub(super) fn section(page: &mut Page, training: &Training) {
    if training.settings.is_empty() {
        return;
    }
    page.section("Configuration");
    let none = vec![];
    let (name, reference) =
        training.reference.as_ref().map_or((None, &none), |(name, all)| (Some(name), all));
    let mut differ = 0;
    let rows: String = training
        .settings
        .iter()
        .map(|setting| {
            let change = name.map_or(Change::None, |_| change(setting, reference));
            let (class, other) = match change {
                Change::None => ("", String::new()),
                Change::Value(value) => (" class=\"changed\"", value),
                Change::Added => (" class=\"changed\"", "–".to_owned()),
            };
            differ += usize::from(!class.is_empty());
            let (key, value, other) =
                (escape(&setting.key), escape(&setting.value), escape(&other));
            let other = if name.is_some() { format!("<td>{other}</td>") } else { String::new() };
            format!("<tr{class}><td><code>{key}</code></td><td>{value}</td>{other}</tr>\n")
        })
        .collect();
    let told = match name {
        Some(name) => {
            let removed = reference.iter().filter(|one| {
                training.settings.iter().all(|setting| setting.key != one.key)
            });
            let removed: Vec<String> = removed.map(|one| format!("`{}`", one.key)).collect();
            let also = if removed.is_empty() {
                String::new()
            } else {
                format!(" It has no {}.", removed.join(", "))
            };
            let keys = match differ {
                0 => "No key differs".to_owned(),
                1 => "1 key differs".to_owned(),
                _ => format!("{differ} keys differ"),
            };
            let marked = if differ > 0 { ", as marked" } else { "" };
            format!("{keys} from the built-in experiment `{name}`{marked}.{also}")
        }
        None if training.trained_by().is_some() => {
            "As the program that trained it told them.".to_owned()
        }
        None => "There is no built-in experiment of this name, so that nothing tells which keys were set \
                 and which are defaults."
            .to_owned(),
    };
    let column = if name.is_some() { "<th>built-in</th>" } else { "" };
    page.add(&format!(
        "<p>{}</p>\n<div class=\"wide\"><table><thead><tr><th>key</th><th>value</th>\
         {column}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n",
        marked(&told)
    ));
}
