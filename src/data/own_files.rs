//! Finds files of the user's own, which an experiment names by their path.

use std::path::{Path, PathBuf};

use super::{DataError, LoadOptions};

/// `path` as it is, else below the data directory.
pub(super) fn find(path: &Path, options: &LoadOptions) -> Result<PathBuf, DataError> {
    let below = options.directory.as_ref().map(|directory| directory.join(path));
    [Some(path.to_owned()), below].into_iter().flatten().find(|path| path.exists()).ok_or_else(
        || DataError::Unavailable {
            reason: match &options.directory {
                Some(directory) => {
                    format!(
                        "`{}` exists neither here nor in `{}`",
                        path.display(),
                        directory.display()
                    )
                }
                None => format!("`{}` does not exist", path.display()),
            },
            hint: "set `data.path` to where it is, or use `--data synthetic`".to_owned(),
        },
    )
}
