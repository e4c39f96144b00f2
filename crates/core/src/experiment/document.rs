//! An experiment file with the overrides on top: what it says, and who is to blame for an error.

use toml::Table;

use super::Settings;
use super::error::{ExperimentError, Place, SettingError};
use super::fault::{Fault, Problem};
use super::overrides::{self, Override};
use super::registry::{self, TOP_LEVEL, sections};
use super::renamed;
use super::source::Source;

/// A parsed file and overrides.
pub(super) struct Document {
    source: Source,
    overrides: Vec<Override>,
    table: Table,
    /// What is written under an old name.
    warnings: Vec<String>,
}

impl Document {
    /// Parses `text`, which came from `origin`, and puts `overrides` on top.
    pub(super) fn new(
        text: &str,
        origin: &str,
        overrides: &[String],
    ) -> Result<Self, ExperimentError> {
        let (mut source, mut table) = Source::parse(text, origin)?;
        let mut overrides =
            overrides.iter().map(|text| Override::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let warnings = renamed::update(&mut source, &mut table, &mut overrides);
        let mut document = Self { source, overrides, table, warnings };
        match overrides::apply(&document.overrides, &mut document.table) {
            Ok(()) => Ok(document),
            Err(problem) => Err(document.error(problem)),
        }
    }

    /// The settings, with `name` for an experiment that does not name itself.
    pub(super) fn settings(&self, name: &str) -> Result<Settings, Problem> {
        let known = [&TOP_LEVEL[..], &sections()].concat();
        if let Some(key) = self.table.keys().find(|key| !known.contains(&key.as_str())) {
            let known = known.into_iter().map(str::to_owned).collect();
            return Err(Problem::new([key], Fault::UnknownKey(known)));
        }
        let mut settings = Settings::read(&self.table, name)?;
        let checkpoints = self.table.get("checkpoints").and_then(toml::Value::as_table);
        let monitor_is_written = checkpoints.is_some_and(|section| section.contains_key("monitor"));
        if !monitor_is_written {
            if let Some(early_stopping) = &settings.early_stopping {
                settings.checkpoints.monitor.clone_from(&early_stopping.monitor);
            } else if settings.data.validation_fraction() == 0.0 {
                "loss".clone_into(&mut settings.checkpoints.monitor);
            }
        }
        Ok(settings)
    }

    /// What is to be said of an experiment that can run.
    pub(super) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// The error that tells the user of `problem`.
    pub(super) fn error(&self, problem: Problem) -> ExperimentError {
        let place = self.place(&problem);
        let notes = notes(&problem, self.name_beside(&problem.path));
        SettingError::new(problem, place, notes).into()
    }

    /// The `name` that stands beside the key at `path`.
    fn name_beside(&self, path: &[String]) -> Option<&str> {
        let (section, deeper) = path.split_last()?.1.split_first()?;
        let table = deeper.iter().try_fold(self.table.get(section)?, |value, part| {
            let index = part.trim_matches(['[', ']']).parse::<usize>();
            index.map_or_else(|_| value.get(part), |index| value.get(index))
        });
        table?.get("name")?.as_str()
    }

    /// Where the setting was written that causes `problem`: an override comes before the file,
    /// and a written key before the section that lacks it.
    fn place(&self, problem: &Problem) -> Place {
        let path = problem.path.as_slice();
        let section = path.get(..1).unwrap_or_default();
        let set_by = |test: &dyn Fn(&[String]) -> bool| {
            let found = self.overrides.iter().rev().find(|change| test(&change.path));
            found.map(|change| Place::Override(change.text.clone()))
        };
        let in_file = |path: &[String]| self.source.has(path).then(|| self.source.place(path));
        set_by(&|set| path.starts_with(set))
            .or_else(|| {
                problem.because.iter().find_map(|cause| set_by(&|set| cause.starts_with(set)))
            })
            .or_else(|| in_file(path))
            .or_else(|| set_by(&|set| set.starts_with(path)))
            .or_else(|| {
                set_by(&|set| matches!(set, [at, key] if section == [at.clone()] && key == "name"))
            })
            .or_else(|| in_file(section))
            .or_else(|| set_by(&|set| set.starts_with(section)))
            .unwrap_or_else(|| self.source.place(path))
    }
}

/// What else helps with `problem`, in a section that has `name`.
fn notes(problem: &Problem, name: Option<&str>) -> Vec<String> {
    let section = problem.path.first().map_or("", String::as_str);
    let key = problem.path.last().map_or("", String::as_str);
    match (&problem.fault, problem.path.as_slice()) {
        (Fault::Missing(_), [section]) => {
            vec![format!(
                "add `[{section}]` with a `name`, one of: {}",
                list(registry::names(section))
            )]
        }
        (Fault::Missing(_), [section, name]) if name == "name" => {
            vec![format!("one of: {}", list(registry::names(section)))]
        }
        (Fault::Invalid { .. }, [section]) if !registry::names(section).is_empty() => {
            vec![format!("`{section}.name` chooses one of: {}", list(registry::names(section)))]
        }
        (Fault::UnknownKey(keys), _) => {
            let owner = match (problem.path.len(), name) {
                (1, _) => "an experiment has".to_owned(),
                (_, Some(name)) if !registry::names(section).is_empty() => format!("`{name}` has"),
                _ => format!("`[{section}]` has"),
            };
            let mut notes = vec![match keys.as_slice() {
                [] => format!("{owner} no keys"),
                keys => format!("{owner}: {}", list(keys)),
            }];
            notes.extend(homes(section, key));
            notes
        }
        _ => Vec::new(),
    }
}

/// The sections that do have `key`: `section` itself, with another name, before all others.
fn homes(section: &str, key: &str) -> Option<String> {
    let homes = registry::homes(key);
    if let Some((_, names)) = homes.iter().find(|(home, _)| *home == section) {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        return Some(format!("`{key}` is a key of {}", list(&names)));
    }
    if sections().contains(&key) {
        return Some(format!("`[{key}]` is a section of its own"));
    }
    if TOP_LEVEL.contains(&key) {
        return Some(format!("`{key}` stands above all sections"));
    }
    let homes: Vec<_> = homes.iter().map(|(home, _)| format!("`{home}.{key}`")).collect();
    (!homes.is_empty()).then(|| format!("there is {}", list(&homes)))
}

fn list<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}
