//! x
use super::error::ReadError;
use super::source::Source;
use super::table::Found;
pub(super) fn find(_text: &[u8]) -> Found { Found::default() }
pub(super) fn stream(_s: &Source) -> Result<Found, ReadError> { Ok(Found::default()) }
