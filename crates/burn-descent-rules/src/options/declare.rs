//! The declaration of options.

/// Declares a struct of options, each told once: its name, what it is, its default and its meaning.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::rules::{options, to_pairs};
///
/// options! {
///     /// Options of a rule.
///     pub struct Momentum {
///         /// Decay `μ` of the velocity.
///         #[doc(alias = "mu")]
///         momentum: Decay = 0.9,
///         /// Decay of the weights.
///         weight_decay: WeightDecay = 0.0,
///         /// Look ahead by one more step.
///         nesterov: bool = false,
///         /// Climb instead of descend.
///         maximize: Maximize = false,
///     }
/// }
///
/// let momentum = Momentum::new().momentum(0.5).nesterov(true);
/// assert_eq!(to_pairs(&momentum)[0], ("momentum".into(), "0.5".into()));
/// ```
///
/// That is a struct with public fields, `Default`, `new`, a setter for each option, and serde's traits,
/// by names as in a file. Its [`Options`](crate::Options) are read and set by name, checked by
/// [`check`](crate::Rule::check), listed and saved wherever options are.
///
/// | kind | values | |
/// |---|---|---|
/// | `Decay` | `[0, 1)` | a decay rate of an average |
/// | `Fraction` | `[0, 1]` | a share |
/// | `OpenFraction` | `(0, 1)` | a share that is neither nothing nor all |
/// | `Positive` | `> 0` | |
/// | `NonNegative` | `>= 0` | |
/// | `MoreThan(1.0)` | `> 1` | |
/// | `AtLeast(4.0)` | `>= 4` | |
/// | `Epsilon` | `>= 0` | keeps a denominator from 0: of all that a rule has one must be > 0 |
/// | `WeightDecay` | `>= 0` | draws the weights to 0: see [`Role`](crate::Role) |
/// | `Maximize` | true or false | turns every gradient around before the rule meets it |
/// | `bool` | true or false | |
/// | `u64` | whole numbers | |
/// | `Count(1)` | whole numbers `>= 1` | |
/// | `Choice(Kind)` | a word of an `enum` declared with [`choice!`](crate::choice) | |
/// | `Auxiliary` | options, each with `auxiliary.` in front | [`Auxiliary`](crate::Auxiliary) |
/// | `NewtonSchulz` | options, each with `newton_schulz.` in front | [`NewtonSchulz`](crate::NewtonSchulz) |
///
/// Range and default are added to the documentation of each option. `struct Scale(step_size: f64) { .. }`
/// makes a `new` that takes these options.
#[macro_export]
macro_rules! options {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(($($given:ident: $given_type:ty),*))? {
            $(
                $(#[$option_meta:meta])*
                $option:ident: $kind:ident $(($edge:tt))? = $default:expr
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $(
                $(#[$option_meta])*
                #[doc = concat!(
                    " ", $crate::options!(@allowed $kind $($edge)?),
                    "Default ", stringify!($default), "."
                )]
                pub $option: $crate::options!(@type $kind $($edge)?),
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($option: $default,)* }
            }
        }

        #[allow(clippy::needless_update, clippy::new_without_default, dead_code)]
        impl $name {
            /// With these options, and the others at their defaults.
            $vis fn new($($($given: $given_type),*)?) -> Self {
                Self { $($($given,)*)? ..Self::default() }
            }

            $(
                $(#[$option_meta])*
                #[doc = concat!(
                    " ", $crate::options!(@allowed $kind $($edge)?),
                    "Default ", stringify!($default), "."
                )]
                $vis fn $option(mut self, $option: $crate::options!(@type $kind $($edge)?)) -> Self {
                    self.$option = $option;
                    self
                }
            )*
        }

        impl $crate::Options for $name {
            fn each(&mut self, see: &mut dyn FnMut($crate::OptionMut<'_>)) {
                $($crate::ShowOption::show(
                    &mut self.$option,
                    stringify!($option),
                    $crate::options!(@range $kind $($edge)?),
                    $crate::options!(@role $kind),
                    see,
                );)*
                let _ = see;
            }
        }

        $crate::options_by_name!([] $name);
    };

    (@type bool) => { bool };
    (@type Maximize) => { bool };
    (@type Auxiliary) => { $crate::Auxiliary };
    (@type NewtonSchulz) => { $crate::NewtonSchulz };
    (@type u64) => { u64 };
    (@type Count $edge:tt) => { u64 };
    (@type Choice $words:tt) => { $words };
    (@type $kind:ident $($edge:tt)?) => { f64 };

    (@range bool) => { None };
    (@range Maximize) => { None };
    (@range Auxiliary) => { None };
    (@range NewtonSchulz) => { None };
    (@range u64) => { None };
    (@range Choice $words:tt) => { None };
    (@range Count $edge:tt) => { Some($crate::Range::AtLeast($edge as f64)) };
    (@range Epsilon) => { Some($crate::Range::NonNegative) };
    (@range WeightDecay) => { Some($crate::Range::NonNegative) };
    (@range $kind:ident $($edge:tt)?) => { Some($crate::Range::$kind$(($edge))?) };

    (@role Epsilon) => { Some($crate::Role::Epsilon) };
    (@role WeightDecay) => { Some($crate::Role::WeightDecay) };
    (@role Maximize) => { Some($crate::Role::Maximize) };
    (@role $kind:ident) => { None };

    (@allowed Decay) => { "In [0, 1). " };
    (@allowed Fraction) => { "In [0, 1]. " };
    (@allowed OpenFraction) => { "In (0, 1). " };
    (@allowed Positive) => { "Greater than 0. " };
    (@allowed NonNegative) => { "0 or more. " };
    (@allowed MoreThan $edge:tt) => { concat!("More than ", stringify!($edge), ". ") };
    (@allowed AtLeast $edge:tt) => { concat!(stringify!($edge), " or more. ") };
    (@allowed Count $edge:tt) => { concat!(stringify!($edge), " or more. ") };
    (@allowed Epsilon) => { "0 or more; not all epsilons may be 0. " };
    (@allowed WeightDecay) => { "0 or more. " };
    (@allowed $kind:ident $($words:tt)?) => { "" };
}

/// Declares an `enum` of which an option is a word: `coefficients: Choice(Coefficients) = Coefficients::Jordan`. The
/// first is its default.
#[macro_export]
macro_rules! choice {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(#[$first_meta:meta])* $first:ident = $first_word:literal
            $(, $(#[$word_meta:meta])* $variant:ident = $word:literal)* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        $vis enum $name {
            $(#[$first_meta])*
            #[doc = concat!(" In a file: `", $first_word, "`.")]
            #[default]
            $first,
            $($(#[$word_meta])* #[doc = concat!(" In a file: `", $word, "`.")] $variant,)*
        }

        impl $crate::Choice for $name {
            fn words(&self) -> &'static [&'static str] {
                &[$first_word $(, $word)*]
            }
            fn word(&self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$variant => $word,)*
                }
            }
            fn choose(&mut self, word: &str) -> bool {
                *self = match word {
                    $first_word => Self::$first,
                    $($word => Self::$variant,)*
                    _ => return false,
                };
                true
            }
        }

        impl<'a> From<&'a mut $name> for $crate::Slot<'a> {
            fn from(slot: &'a mut $name) -> Self {
                $crate::Slot::Word(slot)
            }
        }
    };
}
