//! Where data may be looked for and put: flags, environment variables and their defaults.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::DataError;

/// Where data may be looked for, fetched from and put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// The user's folder of data sets, looked at first.
    pub directory: Option<PathBuf>,
    /// Whether it takes the place of an experiment's `data.path`: it was given for this call.
    pub replaces_path: bool,
    /// Where downloads are kept.
    pub cache: PathBuf,
    /// The address to fetch from instead of the official ones.
    pub mirror: Option<String>,
    /// How long a server may stay silent.
    pub timeout: Duration,
}

impl LoadOptions {
    /// `data_dir` as the user gave it, else `CONVERGE_DATA`; `CONVERGE_MIRROR`; and the cache
    /// directory: `CONVERGE_CACHE`, else the one that the platform has for applications.
    pub fn from_environment(data_dir: Option<PathBuf>) -> Result<Self, DataError> {
        Self::from_variables(data_dir, |name| std::env::var_os(name))
    }

    /// Where data of the user's own are that an experiment expects at `path`: there, unless they are
    /// gone, or the directory was given for this call and holds a file or folder of the name, or is
    /// it itself.
    pub(crate) fn own(&self, path: &Path) -> PathBuf {
        let Some(directory) =
            self.directory.as_ref().filter(|_| self.replaces_path || !path.exists())
        else {
            return path.to_owned();
        };
        let name = path.file_name().unwrap_or_default();
        let itself = (directory.file_name() == Some(name)).then(|| directory.clone());
        let below = path.is_relative().then(|| directory.join(path));
        let mut places = below.into_iter().chain([directory.join(name)]).chain(itself);
        places.find(|place| place.exists()).unwrap_or_else(|| path.to_owned())
    }

    fn from_variables(
        data_dir: Option<PathBuf>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, DataError> {
        // An empty variable counts as unset, as the shell idiom `VARIABLE= command` means it.
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = |name: &str| variable(name).map(PathBuf::from);
        let mirror = match variable("CONVERGE_MIRROR") {
            None => None,
            Some(value) => {
                let value = value.to_string_lossy().trim_end_matches('/').to_owned();
                if !value.starts_with("http://") && !value.starts_with("https://") {
                    return Err(DataError::Mirror(value));
                }
                Some(value)
            }
        };
        let cache = path("CONVERGE_CACHE")
            .or_else(|| Some(path("XDG_CACHE_HOME").filter(|p| p.is_absolute())?.join("converge")))
            .or_else(|| {
                if cfg!(windows) {
                    Some(path("LOCALAPPDATA")?.join("converge").join("cache"))
                } else if cfg!(target_os = "macos") {
                    Some(path("HOME")?.join("Library/Caches/converge"))
                } else {
                    Some(path("HOME")?.join(".cache/converge"))
                }
            })
            .unwrap_or_else(|| std::env::temp_dir().join("converge-cache"));
        Ok(Self {
            replaces_path: data_dir.is_some(),
            directory: data_dir.or_else(|| path("CONVERGE_DATA")),
            cache,
            mirror,
            timeout: Duration::from_secs(30),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn options(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<LoadOptions, DataError> {
        LoadOptions::from_variables(flag.map(PathBuf::from), |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_flag_wins_over_the_variable() {
        let variables = [("CONVERGE_DATA", "/variable"), ("CONVERGE_CACHE", "/cache")];
        assert_eq!(options(Some("/flag"), &variables).unwrap().directory, Some("/flag".into()));
        assert_eq!(options(None, &variables).unwrap().directory, Some("/variable".into()));
        assert_eq!(options(None, &[("CONVERGE_DATA", "")]).unwrap().directory, None);
    }

    #[test]
    #[cfg(unix)]
    fn the_cache_directory_follows_the_platform() {
        let cache = |variables| options(None, variables).unwrap().cache;
        let all = [("CONVERGE_CACHE", "/own"), ("XDG_CACHE_HOME", "/xdg"), ("HOME", "/home/a")];
        assert_eq!(cache(&all), PathBuf::from("/own"));
        assert_eq!(cache(&all[1..]), PathBuf::from("/xdg/converge"));
        assert!(cache(&all[2..]).starts_with("/home/a"));
        assert!(cache(&[]).ends_with("converge-cache"));
    }

    #[test]
    fn data_of_ones_own_are_found_where_they_went() {
        let [old, new] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let path = old.path().join("ratings.csv");
        let at = |flag: bool, directory: &Path| {
            let variables = [("CONVERGE_DATA", directory.to_str().unwrap())];
            let flag = flag.then(|| directory.to_str().unwrap());
            options(flag, &variables).unwrap().own(&path)
        };
        assert_eq!(at(false, new.path()), path, "nowhere: the error names what was written");
        let moved = new.path().join("ratings.csv");
        std::fs::write(&moved, "").unwrap();
        assert_eq!(at(false, new.path()), moved);
        assert_eq!(at(true, &moved), moved);
        std::fs::write(&path, "").unwrap();
        assert_eq!(at(false, new.path()), path);
        assert_eq!(at(true, new.path()), moved);
    }

    #[test]
    fn a_mirror_is_an_address() {
        let mirror = |value| options(None, &[("CONVERGE_MIRROR", value)]).map(|o| o.mirror);
        assert_eq!(mirror("http://host/path/").unwrap().as_deref(), Some("http://host/path"));
        assert!(mirror("host/path").unwrap_err().to_string().contains("`host/path`"));
    }
}
