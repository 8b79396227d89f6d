use super::Met;
use crate::descent::arithmetic::{applied, built};
use burn::tensor::Tensor;
use burn_descent_engine::Fused;
use burn_descent_rules::Domain::Row;
use burn_descent_rules::{Empty, Over, Real, Rule, adaptive_clip, fields, options};
use std::sync::LazyLock;

options! {
    /// Adaptive gradient clipping of what is to be met times a factor, by the norms of rows. What is clipped
    /// is where a parameter is, the weights where a gradient is, and `λ` where a learning rate is.
    struct ClipAdaptive {
        /// What the gradient is to be multiplied by.
        factor: Positive = 1.0,
    }
}

fields! { struct Scalars { clipping, factor } }

/// The least norm that weights count with, so that those that begin at zero can grow.
const EPS: f64 = 1e-3;

impl Rule for ClipAdaptive {
    const NAME: &'static str = "clip_adaptive";
    const SUMS: usize = 2;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, clipping: f64, _t: u64) -> Scalars<f64> {
        Scalars { clipping, factor: self.factor }
    }
    #[inline(always)]
    fn update<R: Real>(
        g: R,
        w: R,
        s: Empty<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Empty<R>) {
        let (of_w, of_g) = (over.norm(Row, w), k.factor * over.norm(Row, g));
        (g * adaptive_clip(k.clipping, R::lit(EPS), of_w, of_g), s)
    }
}

/// The gradient, each output of it shortened to `clipping` times the norm of its weights, at most.
pub(super) fn apply<const D: usize>(met: Met<D>, clipping: f64) -> Tensor<D> {
    static RULE: LazyLock<Fused> = LazyLock::new(|| built(ClipAdaptive::new()));
    let rule = RULE.set(&[("factor", met.factor)]).expect("a factor is positive");
    applied(&rule, met.gradient, met.weights, clipping, met.place)
}
