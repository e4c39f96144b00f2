//! Settings: from one declaration of each key come the struct, its serde implementations, its
//! defaults, the check of its ranges and the description that catalogues and command lines show.
//!
//! A module declares the settings that it owns with [`settings!`], an enum among their values with
//! [`one_of!`] and, where `name` chooses one of several kinds, the section with [`choice!`].
//! Experiment files read them with serde, command lines with [`from_words`]; both get the same
//! defaults and the same errors.
//!
//! ```
//! use converge_settings::{Settings, from_words, ranges::{COUNT, POSITIVE}, settings};
//!
//! settings! {
//!     /// Gradient descent on a parabola.
//!     pub struct Descent {
//!         /// The learning rate η
//!         learning_rate: f64 = 0.1 => POSITIVE,
//!         /// Steps to take
//!         steps: usize = 50 => COUNT,
//!         /// Where to start, one run each
//!         starts: Vec<f64> = vec![-5.0, 5.0],
//!     }
//! }
//!
//! let descent: Descent = from_words([("learning_rate", "0.4"), ("starts", "1,2,3")])?;
//! assert_eq!(descent, Descent { learning_rate: 0.4, starts: vec![1.0, 2.0, 3.0], steps: 50 });
//!
//! let error = from_words::<Descent>([("steps", "0")]).unwrap_err();
//! assert_eq!(error.to_string(), "`steps` is 0, but must be a whole number from 1 to 1000000000");
//!
//! let [rate, ..] = Descent::KEYS else { unreachable!() };
//! assert_eq!((rate.option(), rate.meaning), ("learning-rate".to_owned(), "The learning rate η"));
//! assert_eq!((rate.default)(), Some("0.1".to_owned()));
//! # Ok::<(), converge_settings::WordsError>(())
//! ```

pub mod checks;
mod choice;
mod declaration;
mod key;
mod one_of;
pub mod ranges;
mod words;

pub use declaration::{Check, Settings, WordsError, from_words};
pub use key::Key;
pub use words::{Kind, kind, read, write};
