//! Grafting: the direction of one rule with the length of another's, <https://arxiv.org/abs/2002.11803>.

use crate::transforms::debias;
use crate::{Domain, Over, Real, choice};

choice! {
    /// Whose steps those of [`Shampoo`](crate::Shampoo) or [`ScalableShampoo`](crate::ScalableShampoo) are as long as.
    pub enum Graft {
        /// Nobody's: they are as long as they come.
        Nothing = "none",
        /// Those of SGD: the gradient.
        Sgd = "sgd",
        /// Those of AdaGrad.
        AdaGrad = "adagrad",
        /// Those of RMSProp, whose second moment keeps its bias.
        RmsProp = "rmsprop",
        /// Those of Adam, whose second moment has none.
        Adam = "adam",
        /// Those of the sign of the gradient: the root of the number of weights.
        Sqrtn = "sqrtn",
    }
}

impl Graft {
    /// Does it divide by a second moment?
    pub(crate) fn has_moment(self) -> bool {
        matches!(self, Self::AdaGrad | Self::RmsProp | Self::Adam)
    }

    /// The shares of `v` and of `g²` in `v`, and what corrects its bias. With a decay of 1 it is a sum.
    pub(crate) fn shares(self, beta2: f64, t: u64) -> [f64; 3] {
        match self {
            _ if self == Self::AdaGrad || beta2 == 1.0 => [1.0, 1.0, 1.0],
            Self::Adam => [beta2, 1.0 - beta2, debias(beta2, t)],
            _ => [beta2, 1.0 - beta2, 1.0],
        }
    }
}

/// The direction of the rule that is grafted, of a gradient and a second moment without bias, or of a sign where `sign`
/// is 1.
#[inline(always)]
pub(crate) fn direction<R: Real>(g: R, v: Option<R>, eps: R, sign: R) -> R {
    match v {
        Some(v) => g / (v.sqrt() + eps),
        None => R::select(R::lit(0.0).lt(sign), g.sign(), g),
    }
}

/// The direction `x` with the length of `d`, over a domain; `d` itself where `x` is 0, as it is before there is another
/// direction.
#[inline(always)]
pub(crate) fn grafted<R: Real>(x: R, d: R, of: Domain, over: &mut impl Over<R>) -> R {
    let (of_x, of_d) = (over.norm(of, x), over.norm(of, d));
    R::select(R::lit(0.0).lt(of_x), of_d / of_x * x, d)
}
