//! Transforms that remember nothing.

use super::{Point, Transform};
use crate::{Bound, Domain, Fields, Fixed, Over, Presence, Range, Real, fields};
use core::marker::PhantomData;
use serde::{Deserialize, Serialize};

/// No number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nothing<R>(PhantomData<R>);

impl<R> Nothing<R> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R: Copy> Fields<R> for Nothing<R> {
    type Forms = Fixed;
    #[inline(always)]
    fn read<P: Presence>(_lane: impl FnMut(usize) -> R) -> Self {
        Self::new()
    }
    #[inline(always)]
    fn write<P: Presence>(self, _lane: impl FnMut(usize, &'static str, R)) {}
    fn presence(&self) -> u32 {
        0
    }
    fn domains<P: Presence>(_lane: impl FnMut(usize, Domain)) {}
}

fields! {
    /// One number.
    pub struct One { x }
}

/// A transform with one option or none: the option with its range and default, the scalar `x` from
/// it or from the learning rate, and the new update from the old one.
macro_rules! stateless {
    (
        $(#[$doc:meta])*
        $name:ident, $text:literal, [$($(#[$option_doc:meta])* $option:ident: $range:ident $($role:ident)? = $default:literal)?],
        |$this:ident, $lr:ident| $x:expr,
        |$u:ident, $at:ident, $k:ident| $result:expr
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$option_doc])* pub $option: f64,)?
        }

        impl $name {
            /// The transform.
            pub fn new($($option: f64)?) -> Self {
                Self { $($option)? }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($option: $default)? }
            }
        }

        impl Transform for $name {
            const NAME: &'static str = $text;
            type State<R: Copy> = Nothing<R>;
            type Scalars<R: Copy> = One<R>;

            fn bounds(&self) -> Vec<Bound> {
                vec![$(Range::$range.of(stringify!($option), self.$option)$(.$role())?)?]
            }
            fn start(&self) -> Nothing<f64> {
                Nothing::new()
            }
            fn scalars(&self, $lr: f64, _t: u64) -> One<f64> {
                let $this = self;
                One { x: $x }
            }
            #[inline(always)]
            fn transform<R: Real>(
                $u: R,
                $at: Point<R>,
                s: Nothing<R>,
                One { x: $k }: One<R>,
                _: &mut impl Over<R>,
            ) -> (R, Nothing<R>) {
                ($result, s)
            }
        }
    };
}

stateless! {
    /// `u + λ p`: decay of the weights; in front of all others it is a penalty in the gradient (L2).
    AddDecayedWeights, "add_decayed_weights",
    [/** Weight decay `λ`, >= 0. Default 0. */ weight_decay: NonNegative as_weight_decay = 0.0],
    |this, _lr| this.weight_decay,
    |u, at, weight_decay| u + weight_decay * at.p
}

stateless! {
    /// `u` in `[-max_delta, max_delta]`: clipping by value; NaN stays NaN.
    Clip, "clip",
    [/** The greatest update, > 0. Default 1. */ max_delta: Positive = 1.0],
    |this, _lr| this.max_delta,
    |u, _at, most| u.clamp(-most, most)
}

stateless! {
    /// `step_size u`.
    Scale, "scale",
    [/** The factor, >= 0. Default 1. */ step_size: NonNegative = 1.0],
    |this, _lr| this.step_size,
    |u, _at, step_size| step_size * u
}

stateless! {
    /// `sign(u)`: -1, 0 or 1.
    ScaleBySign, "scale_by_sign",
    [],
    |_this, _lr| 0.0,
    |u, _at, _none| u.sign()
}

stateless! {
    /// `−η u`: the learning rate, and downhill. The last of most chains.
    ScaleByLearningRate, "scale_by_learning_rate",
    [],
    |_this, lr| -lr,
    |u, _at, lr| lr * u
}
