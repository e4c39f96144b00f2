//! Why nothing is served.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// There is no such folder.
    #[error(
        "there is no folder `{}`: train something first (`converge train mnist`), or name the folder \
         that holds the runs",
        .0.display()
    )]
    NoFolder(PathBuf),
    /// What was named is a file.
    #[error("`{}` is not a folder: name the one that holds the runs", .0.display())]
    NotAFolder(PathBuf),
    /// The folder cannot be read.
    #[error("cannot read the folder `{}`: {error}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// Another program listens there.
    #[error(
        "{0} is in use, perhaps by another `converge watch`: choose another port, or 0 for any that is \
         free"
    )]
    InUse(SocketAddr),
    /// One cannot listen there.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The system's error.
        error: io::Error,
    },
    /// The token could be guessed, or does not fit into an address.
    #[error(
        "the token is {0}: take 16 or more letters, digits, `-` and `_`, or none to have one drawn"
    )]
    BadToken(&'static str),
    /// No token could be drawn.
    #[error("the system gives no random numbers to draw a token from ({0}): choose one yourself")]
    NoRandomness(getrandom::Error),
    /// The charts have no library to draw them.
    #[error(transparent)]
    Charts(#[from] converge_report::ReportError),
    /// The server ended.
    #[error("the server ended: {0}")]
    Server(io::Error),
}
