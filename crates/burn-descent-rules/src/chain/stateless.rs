//! Transforms that remember nothing.

use super::{Point, Transform};
use crate::{Empty, Over, Real, fields, options};

fields! {
    /// One number.
    pub struct One { x }
}

/// A transform with one option or none: the option, the scalar `x` from it or from the learning rate, and
/// the new update from the old one.
macro_rules! stateless {
    (
        $text:literal, $(#[$doc:meta])* $name:ident,
        $({ $(#[$option_doc:meta])* $option:ident: $kind:ident = $default:literal },)?
        |$this:ident, $lr:ident| $x:expr,
        |$u:ident, $at:ident, $k:ident| $result:expr
    ) => {
        options! {
            $(#[$doc])*
            pub struct $name($($option: f64)?) {
                $($(#[$option_doc])* $option: $kind = $default)?
            }
        }

        impl Transform for $name {
            const NAME: &'static str = $text;
            type State<R: Copy> = Empty<R>;
            type Scalars<R: Copy> = One<R>;

            fn scalars(&self, $lr: f64, _t: u64) -> One<f64> {
                let $this = self;
                One { x: $x }
            }
            #[inline(always)]
            fn transform<R: Real>(
                $u: R,
                $at: Point<R>,
                s: Empty<R>,
                One { x: $k }: One<R>,
                _: &mut impl Over<R>,
            ) -> (R, Empty<R>) {
                ($result, s)
            }
        }
    };
}

stateless! {
    "add_decayed_weights",
    /// `u + λ p`: decay of the weights; in front of all others it is a penalty in the gradient (L2).
    AddDecayedWeights,
    { /** Weight decay `λ`. */ weight_decay: WeightDecay = 0.0 },
    |this, _lr| this.weight_decay,
    |u, at, weight_decay| u + weight_decay * at.p
}

stateless! {
    "add_cautious_decay",
    /// Cautious weight decay: the weights decay where that is the way of their step, or where this is 0.
    ///
    /// ```text
    /// u ← u + λ p     where u p >= 0
    /// ```
    ///
    /// It stands behind the direction and before the learning rate, where updates point uphill, in place of
    /// [`AddDecayedWeights`]; behind [`ScaleByAdam`](super::ScaleByAdam) it is [`AdamW`](crate::AdamW) with
    /// `cautious_decay`. A NaN in update or weight stays one.
    ///
    /// Reference: Chen et al. 2025, <https://arxiv.org/abs/2510.12402>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::rules::chain::{AddCautiousDecay, Chain, ScaleByLearningRate};
    /// use burn_descent::rules::slices::Walk;
    ///
    /// let chain = Chain::of(AddCautiousDecay::new(0.5)).then(ScaleByLearningRate::new());
    /// let mut x = [2.0_f64, 2.0, -2.0];
    /// Walk::new(chain, 3)?.step(1.0, &mut x, &[0.25, -0.25, -0.25])?;
    /// // Only the second weight grows, so it does not decay.
    /// assert_eq!(x, [0.75, 2.25, -0.75]);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    #[doc(alias = "CWD")]
    AddCautiousDecay,
    { /** Weight decay `λ`. */ weight_decay: WeightDecay = 0.0 },
    |this, _lr| this.weight_decay,
    |u, at, weight_decay| {
        let zero = R::lit(0.0);
        u + R::select((u * at.p).lt(zero), zero, weight_decay) * at.p
    }
}

stateless! {
    "clip",
    /// `u` in `[-max_delta, max_delta]`: clipping by value; NaN stays NaN.
    Clip,
    { /** The greatest update. */ max_delta: Positive = 1.0 },
    |this, _lr| this.max_delta,
    |u, _at, most| u.clamp(-most, most)
}

stateless! {
    "scale",
    /// `step_size u`.
    Scale,
    { /** The factor. */ step_size: NonNegative = 1.0 },
    |this, _lr| this.step_size,
    |u, _at, step_size| step_size * u
}

stateless! {
    "scale_by_sign",
    /// `sign(u)`: -1, 0 or 1.
    ScaleBySign,
    |_this, _lr| 0.0,
    |u, _at, _none| u.sign()
}

stateless! {
    "scale_by_learning_rate",
    /// `−η u`: the learning rate, and downhill. The last of most chains.
    ScaleByLearningRate,
    |_this, lr| -lr,
    |u, _at, lr| lr * u
}
