//! The macro for an enum that users name the variants of.

/// Declares an enum whose variants are values of settings, each with its name and meaning.
///
/// ```
/// # use converge_settings::{Kind, Settings, from_words, one_of, settings};
/// one_of! {
///     /// An activation function.
///     pub enum Activation {
///         /// tanh x
///         "tanh" => Tanh,
///         /// max(x, 0)
///         "relu" => Relu,
///     }
/// }
///
/// settings! {
///     /// A layer.
///     pub struct Layer {
///         /// What follows the sums
///         #[one_of(Activation)]
///         activation: Activation = Activation::Relu,
///     }
/// }
///
/// let layer: Layer = from_words([("activation", "tanh")])?;
/// assert_eq!(layer.activation, Activation::Tanh);
/// assert_eq!(Activation::ALL, [Activation::Tanh, Activation::Relu]);
/// assert_eq!((Layer::KEYS[0].kind)(), Kind::OneOf(&["tanh", "relu"]));
/// assert_eq!(Layer::KEYS[0].names, [("tanh", "tanh x"), ("relu", "max(x, 0)")]);
/// # Ok::<(), converge_settings::WordsError>(())
/// ```
#[macro_export]
macro_rules! one_of {
    (
        $(#[doc = $doc:literal])+
        $visibility:vis enum $enum:ident {
            $($(#[doc = $meaning:literal])+ $name:literal => $variant:ident),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        $visibility enum $enum {
            $($(#[doc = $meaning])+ #[serde(rename = $name)] $variant),+
        }

        impl $enum {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Their names, each with its meaning.
            pub const NAMES: &'static [(&'static str, &'static str)] =
                &[$(($name, concat!($($meaning),+).trim_ascii())),+];
        }
    };
}
