//! Which run a name on a command line stands for: `latest`, the beginning of a name, or a path.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::RecordError;
use super::files::none_if_absent;
use super::run_directory::RunDirectory;

/// The run that `name` stands for: what lies there, if anything does; else the newest run in `folder`
/// for `latest`; else the one run whose name begins so. A name with a folder of its own, as in
/// `runs/latest`, is looked for in that one. What no run is called is returned as it is.
pub fn find_run(name: &Path, folder: &Path) -> Result<PathBuf, RecordError> {
    if name.exists() {
        return Ok(name.to_owned());
    }
    let own = name.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = own.unwrap_or(folder);
    let Some(beginning) = name.file_name().and_then(|name| name.to_str()) else {
        return Ok(name.to_owned());
    };
    if beginning == "latest" {
        return newest(folder);
    }
    let entries = none_if_absent(fs::read_dir(folder));
    let entries = entries.map_err(|error| RecordError::read(folder, error))?;
    let mut fitting: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(beginning))
        .map(|entry| entry.path())
        .filter(|path| RunDirectory::is_at(path))
        .collect();
    match fitting.as_slice() {
        [] => Ok(name.to_owned()),
        [_] => Ok(fitting.remove(0)),
        _ => {
            fitting.sort();
            Err(RecordError::Ambiguous { name: name.to_owned(), runs: fitting })
        }
    }
}

/// The newest run in `folder`, of those that can be read.
fn newest(folder: &Path) -> Result<PathBuf, RecordError> {
    let mut runs = RunDirectory::list(folder).into_iter().filter_map(Result::ok);
    let newest = runs.next_back().ok_or_else(|| RecordError::NoRuns(folder.to_owned()))?;
    Ok(newest.path().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A run called `name`, begun at `started`.
    fn run(folder: &Path, name: &str, started: &str) {
        let path = folder.join(name);
        fs::create_dir(&path).unwrap();
        fs::copy("tests/linear/run.json", path.join("run.json")).unwrap();
        let mut run = RunDirectory::open(&path).unwrap();
        run.record.started = started.to_owned();
        run.write().unwrap();
    }

    #[test]
    fn a_run_is_found_by_its_age_and_by_the_beginning_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        // Begun in Tokyo, and five hours later in New York, where the clock shows less.
        run(folder, "mnist-20261130-090000", "2026-11-30T09:00:00+09:00");
        run(folder, "mnist-20261130-000000", "2026-11-30T00:00:00-05:00");
        fs::create_dir(folder.join("mnist-notes")).unwrap();
        let find = |name: &str| find_run(Path::new(name), folder);
        let path = |name: &str| folder.join(name);
        assert_eq!(find("latest").unwrap(), path("mnist-20261130-000000"));
        assert_eq!(find("mnist-20261130-09").unwrap(), path("mnist-20261130-090000"));
        let own = folder.join("latest");
        assert_eq!(find_run(&own, Path::new("elsewhere")).unwrap(), path("mnist-20261130-000000"));
        let whole = path("mnist-20261130-090000");
        assert_eq!(find_run(&whole, folder).unwrap(), whole);
        assert_eq!(find("cifar").unwrap(), Path::new("cifar"));
        let several = find("mnist").unwrap_err().to_string();
        assert!(several.contains("2 runs") && several.contains("mnist-20261130-09"), "{several}");
        let none = find_run(Path::new("latest"), Path::new("elsewhere")).unwrap_err().to_string();
        assert_eq!(none, "there are no runs in `elsewhere`");
    }
}
