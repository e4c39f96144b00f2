//! A page that follows all training runs of a folder while they train: `converge watch`.
//!
//! [`serve`] looks at a folder for as long as a page is open, and at nothing while none is. What is new
//! it pushes as server-sent events: a page never asks twice, and takes up again by itself after the
//! server was gone. [`Background`] does the same beside a training, and tells the pages when that ends.
//! Runs are followed by the times and sizes of their files, of which only what was appended is read, so it
//! makes no difference which process or machine trains them.
//!
//! - `server`: addresses and pages; `access`: who may see them; `events`: what is pushed;
//! - `folder`, `summary`: the list of runs and how each stands; `follow`, `appended`, `curve`: the curves of
//!   those that somebody looks at;
//! - `stop`: asks a run to stop; `load`: what the machine does.
//!
//! Text of runs reaches a page as JSON and becomes text nodes there, never HTML.

mod access;
mod appended;
mod curve;
mod error;
mod events;
mod folder;
mod follow;
mod load;
mod server;
mod stop;
mod summary;

pub use error::WatchError;
pub use server::{Background, Options, serve};
