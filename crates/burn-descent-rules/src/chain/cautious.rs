//! The mask of a cautious step.

use super::{Point, Transform};
use crate::transforms::cautious;
use crate::{Empty, Over, Real, fields, options};

options! {
    /// Leaves out elements whose update points against the gradient, and makes the others longer: see
    /// [`AdamW`](crate::AdamW). It stands before the learning rate, where updates point uphill.
    ///
    /// Reference: Liang et al. 2024, <https://arxiv.org/abs/2411.16085>.
    pub struct Cautious {
        /// `ξ` of the cautious step.
        xi: NonNegative = 1.0,
    }
}

fields! {
    /// Scalars of [`Cautious`].
    pub struct Caution {
        /// `ξ`.
        xi,
    }
}

impl Transform for Cautious {
    const NAME: &'static str = "cautious";
    const SUMS: usize = 1;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = Caution<R>;

    fn scalars(&self, _lr: f64, _t: u64) -> Caution<f64> {
        Caution { xi: self.xi }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        at: Point<R>,
        s: Empty<R>,
        k: Caution<R>,
        over: &mut impl Over<R>,
    ) -> (R, Empty<R>) {
        (cautious(u, at.g, Some(k.xi), over), s)
    }
}
