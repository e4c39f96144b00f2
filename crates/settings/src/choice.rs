//! The macro for a section whose `name` chooses one of several kinds of settings.

/// Declares a section whose `name` chooses one of several settings: an enum with a variant for each
/// of them, serde's implementations tagged by `name`, and what they have in common.
///
/// ```
/// # use converge_settings::{choice, ranges::POSITIVE, settings};
/// settings! {
///     /// A straight line.
///     pub struct Linear {
///         /// Its slope.
///         slope: f64 = 1.0 => POSITIVE,
///     }
/// }
///
/// choice! {
///     /// The `[curve]` section.
///     pub enum Curve {
///         /// `linear`
///         "linear" => Linear(Linear),
///     }
/// }
///
/// let curve: Curve = toml::from_str("name = \"linear\"\nslope = 2.0").unwrap();
/// assert_eq!(curve.name(), "linear");
/// assert_eq!(Curve::named("linear"), Some(Curve::Linear(Linear::default())));
/// ```
#[macro_export]
macro_rules! choice {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $enum:ident {
            $($(#[$about:meta])* $name:literal => $variant:ident($settings:ty)),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(tag = "name")]
        $visibility enum $enum {
            $($(#[$about])* #[serde(rename = $name)] $variant($settings)),+
        }

        impl $crate::Check for $enum {
            fn check(&self) -> $crate::checks::Checked {
                self.check()
            }
        }

        impl $enum {
            /// The names that an experiment can use.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Every kind with its default settings, in the order of [`Self::NAMES`].
            pub fn all() -> Vec<Self> {
                vec![$(Self::$variant(<$settings>::default())),+]
            }

            /// The kind called `name` with its default settings.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant(<$settings>::default())),)+
                    _ => None,
                }
            }

            /// The name, as experiments write it.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),+ }
            }

            /// Every value is in its range, and the values fit each other.
            pub fn check(&self) -> $crate::checks::Checked {
                match self { $(Self::$variant(settings) => $crate::Check::check(settings)),+ }
            }

            /// Its keys, `name` left out.
            pub fn keys(&self) -> &'static [$crate::Key] {
                match self { $(
                    Self::$variant(_) => <$settings as $crate::Settings>::KEYS
                ),+ }
            }

            /// The value of `key`; `None` where there is no such key, or of another type.
            pub fn value<T: 'static>(&self, key: &str) -> Option<&T> {
                match self { $(
                    Self::$variant(settings) => $crate::Settings::value(settings, key)
                ),+ }
            }

            /// The value of `key`, to be changed.
            pub fn value_mut<T: 'static>(&mut self, key: &str) -> Option<&mut T> {
                match self { $(
                    Self::$variant(settings) => $crate::Settings::value_mut(settings, key)
                ),+ }
            }
        }
    };
}
