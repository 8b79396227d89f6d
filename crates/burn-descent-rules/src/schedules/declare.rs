//! The declaration of a schedule.

/// Declares the struct of a schedule, each of its options told once: its name, its kind as in
/// [`options!`](crate::options), its default where it has one, and its meaning. Those without a default are what `new`
/// takes; the others have setters. `ranges` is for [`Schedule::bounds`](crate::Schedule::bounds).
///
/// A default may follow from what `new` takes. Kinds of schedules alone: `Steps` are a number of steps > 0, and
/// `Optional(NonNegative)` is `None` until it is set.
macro_rules! schedule {
    (
        $(#[$meta:meta])*
        pub struct $name:ident($($given:ident: $given_type:ty),*) {
            $(
                $(#[$option_meta:meta])*
                $option:ident: $kind:ident $(($of:tt))? $(= $default:expr)?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$option_meta])*
                #[doc = concat!(
                    " ", schedule!(@allowed $kind $($of)?) $(, "Default ", stringify!($default), ".")?
                )]
                pub $option: schedule!(@type $kind $($of)?),
            )*
        }

        impl $name {
            /// With these options, and the others at their defaults.
            pub fn new($($given: $given_type),*) -> Self {
                $($(let $option = $default;)?)*
                Self { $($option),* }
            }

            $(schedule! {
                @setter $(#[$option_meta])* $option: $kind $(($of))? $(= $default)?
            })*

            /// The options that are numbers, with their ranges.
            fn ranges(&self) -> Vec<crate::Bound> {
                let all = [$(schedule!(@bound self.$option, $option, $kind $($of)?)),*];
                all.into_iter().flatten().collect()
            }
        }
    };

    (@setter $(#[$meta:meta])* $option:ident: $kind:ident $(($of:tt))?) => {};
    (@setter $(#[$meta:meta])* $option:ident: $kind:ident $(($of:tt))? = $default:expr) => {
        $(#[$meta])*
        #[doc = concat!(
            " ", schedule!(@allowed $kind $($of)?), "Default ", stringify!($default), "."
        )]
        pub fn $option(mut self, $option: schedule!(@given $kind $($of)?)) -> Self {
            self.$option = $option.into();
            self
        }
    };

    (@type Steps) => { u64 };
    (@type Optional $kind:ident) => { Option<f64> };
    (@type $kind:ident $($of:tt)?) => { $crate::options!(@type $kind $($of)?) };

    (@given Optional $kind:ident) => { f64 };
    (@given $kind:ident $($of:tt)?) => { schedule!(@type $kind $($of)?) };

    (@bound $value:expr, $name:ident, bool) => { None };
    (@bound $value:expr, $name:ident, u64) => { None };
    (@bound $value:expr, $name:ident, Choice $words:ident) => { None };
    (@bound $value:expr, $name:ident, Steps) => {
        Some(crate::Range::Positive.of(stringify!($name), $value as f64))
    };
    (@bound $value:expr, $name:ident, Optional $kind:ident) => {
        $value.map(|number| crate::Range::$kind.of(stringify!($name), number))
    };
    (@bound $value:expr, $name:ident, $kind:ident) => {
        Some(crate::Range::$kind.of(stringify!($name), $value))
    };

    (@allowed Steps) => { "Greater than 0. " };
    (@allowed Optional $kind:ident) => { $crate::options!(@allowed $kind) };
    (@allowed $kind:ident $($of:tt)?) => { $crate::options!(@allowed $kind $($of)?) };
}
pub(super) use schedule;
