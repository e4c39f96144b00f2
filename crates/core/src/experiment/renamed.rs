//! Keys and names that were once called otherwise: what files and `--set` say is understood under
//! its old name too, with a warning.

use toml::{Table, Value};

use super::overrides::Override;
use super::source::Source;

/// A section, a key in it, and its name today.
const KEYS: [(&str, &str, &str); 3] = [
    ("data", "validation_share", "validation_fraction"),
    ("data", "test_share", "test_fraction"),
    ("schedule", "decay_share", "decay_fraction"),
];

/// A section, what its `name` could be, and what that is called today.
const NAMES: [(&str, &str, &str); 1] = [("data", "pictures", "images")];

/// Gives everything in `table`, which `source` says, and in `overrides` the name it has today.
/// Returns a warning for each old one. An old key beside the new one stays, and is unknown.
pub(super) fn update(
    source: &mut Source,
    table: &mut Table,
    overrides: &mut [Override],
) -> Vec<String> {
    let mut warnings = vec![];
    for (section, old, new) in KEYS {
        let mut found = table.get_mut(section).is_some_and(|value| rename(value, old, new));
        if found {
            source.rename(section, old, new);
        }
        for change in overrides.iter_mut() {
            if let [first, .., last] = change.path.as_mut_slice()
                && first == section
                && last == old
            {
                new.clone_into(last);
                found = true;
            }
        }
        if found {
            warnings.push(format!("`{section}.{old}` is now called `{section}.{new}`"));
        }
    }
    for (section, old, new) in NAMES {
        let in_file = table.get_mut(section).and_then(|section| section.get_mut("name"));
        let is_name = |change: &&mut Override| change.path == [section, "name"];
        let set = overrides.iter_mut().filter(is_name).filter_map(|change| change.value.as_mut());
        let mut found = false;
        for name in in_file.into_iter().chain(set).filter(|name| name.as_str() == Some(old)) {
            *name = new.into();
            found = true;
        }
        if found {
            warnings.push(format!("`{old}` of `{section}.name` is now called `{new}`"));
        }
    }
    warnings
}

/// Renames the key `old` in `value` and in the sections within it; whether it was there.
fn rename(value: &mut Value, old: &str, new: &str) -> bool {
    match value {
        Value::Table(settings) => {
            let mut found = false;
            if !settings.contains_key(new)
                && let Some(value) = settings.remove(old)
            {
                settings.insert(new.to_owned(), value);
                found = true;
            }
            settings.iter_mut().fold(found, |found, (_, inner)| rename(inner, old, new) || found)
        }
        Value::Array(values) => {
            // Not `any`, which would leave the values behind the first as they are.
            values.iter_mut().filter_map(|inner| rename(inner, old, new).then_some(())).count() > 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use crate::experiment::Experiment;
    use crate::experiment::tests::{TINY, error, read};

    fn fraction(experiment: &Experiment) -> f64 {
        experiment.data.validation_fraction()
    }

    #[test]
    fn an_old_key_is_understood_with_a_warning_in_a_file_and_in_an_override() {
        let warning = ["`data.validation_share` is now called `data.validation_fraction`"];
        let file = TINY.replace("\n[model]", "validation_share = 0.25\n[model]");
        assert_ne!(file, TINY);
        let old = read(&file, &[]).unwrap();
        assert_eq!((fraction(&old), old.warnings()), (0.25, &warning.map(str::to_owned)[..]));
        let old = read(TINY, &["data.validation_share=0.3"]).unwrap();
        assert_eq!((fraction(&old), old.warnings()), (0.3, &warning.map(str::to_owned)[..]));
        let old = read(&file, &["data.validation_fraction=0.3"]).unwrap();
        assert_eq!(fraction(&old), 0.3);
        assert!(!old.to_toml().unwrap().contains("share"));
        assert!(read(TINY, &["data.validation_fraction=0.3"]).unwrap().warnings().is_empty());
    }

    #[test]
    fn an_old_key_is_understood_in_a_schedule_within_a_schedule() {
        let schedule = "[schedule]\nname = \"product\"\n[[schedule.parts]]\n\
                        name = \"warmup_stable_decay\"\ndecay_share = 0.5\n\
                        [[schedule.parts]]\nname = \"cosine\"\n";
        let old = read(&format!("{TINY}{schedule}"), &[]).unwrap();
        assert_eq!(old.warnings().len(), 1, "{:?}", old.warnings());
        assert!(old.to_toml().unwrap().contains("decay_fraction = 0.5"));
    }

    #[test]
    fn an_error_of_an_old_key_shows_the_line_where_it_stands() {
        let file = TINY.replace("\n[model]", "validation_share = 1.5\n[model]");
        let said = error(&file, &[]);
        assert!(said.contains("`data.validation_fraction` is 1.5"), "{said}");
        assert!(said.contains("validation_share = 1.5"), "{said}");
        let both = file.replace("1.5\n", "0.1\nvalidation_fraction = 0.2\n");
        assert!(error(&both, &[]).contains("`data.validation_share`"));
    }

    #[test]
    fn an_old_name_of_a_data_set_is_understood_with_a_warning() {
        let changes = ["data.name=pictures", "model.name=cnn"];
        let old = read(TINY, &changes).unwrap();
        assert_eq!(old.data.name(), "images");
        assert_eq!(old.warnings(), ["`pictures` of `data.name` is now called `images`"]);
    }
}
