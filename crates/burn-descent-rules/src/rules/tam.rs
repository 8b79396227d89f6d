use crate::Domain::Column;
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// TAM: SGD with momentum, in which a gradient counts less where it points against the velocity.
    ///
    /// ```text
    /// s ← γ s + (1 − γ) m / ‖m‖ · g / ‖g‖
    /// m ← μ m + ((1 + s) / 2 + ε) g
    /// θ ← θ − η (m + λ θ)
    /// ```
    ///
    /// The product is taken element by element, and the norms over the first dimension, as in
    /// pytorch_optimizer: of a matrix each column has its own, of a vector there is one. In the first step `m` is
    /// `g`. The paper's text has one cosine for a layer.
    ///
    /// - Defaults: pytorch_optimizer's. `momentum` 0.9, `decay_rate` 0.9, `eps` 1e-8, no weight decay.
    /// - Memory: two numbers a weight. Traffic in f32: read 24, write 12 bytes a weight, 8 of those read for
    ///   the norms.
    /// - A NaN gradient makes its column NaN: of a vector, all of it.
    /// - Reference: Malviya et al. 2024, <https://arxiv.org/abs/2412.18790>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Tam, rules::slices::Walk};
    ///
    /// // The first gradient agrees with itself: (1 + 0.1) / 2 of it is added to it.
    /// let mut x = [1.0_f64];
    /// Walk::new(Tam::new().momentum(0.0), x.len())?.step(1.0, &mut x, &[0.5])?;
    /// assert!((x[0] - (1.0 - 0.55 * 0.5)).abs() < 1e-7);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Tam {
        /// Decay `μ` of the velocity.
        #[doc(alias = "mu")]
        momentum: Fraction = 0.9,
        /// Decay `γ` of the alignment.
        #[doc(alias = "gamma")]
        decay_rate: Fraction = 0.9,
        /// The least share of a gradient, `ε`.
        #[doc(alias = "epsilon")]
        eps: NonNegative = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Tam`].
    pub struct Torque {
        /// Average of the alignment.
        s,
        /// Velocity.
        m,
    }

    /// Scalars of [`Tam`].
    pub struct Scalars {
        /// 1 in step 1, then 0.
        first,
        momentum, gamma, one_gamma, eps, lr,
        /// `1 − η λ`.
        keep,
    }
}

impl Rule for Tam {
    const NAME: &'static str = "tam";
    const TITLE: &'static str = "TAM";
    const PAPER: Paper = Paper::arxiv("Malviya et al. 2024", "2412.18790");
    const SUMS: usize = 2;
    type State<R: Copy> = Torque<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn view(shape: &[usize], by_columns: bool) -> View {
        view(shape, by_columns)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { momentum, decay_rate: gamma, eps, .. } = *self;
        let (_, keep) = decay(self.weight_decay, true, lr);
        let first = f64::from(t == 1);
        Scalars { first, momentum, gamma, one_gamma: 1.0 - gamma, eps, lr, keep }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Torque<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Torque<R>) {
        let m = R::select(R::lit(0.0).lt(k.first), g, s.m);
        let s = k.gamma * s.s + k.one_gamma * alignment(m, g, over);
        let m = k.momentum * m + share(s, k.eps) * g;
        (k.keep * p - k.lr * m, Torque { s, m })
    }
}

/// A vector is one column, over which its norm is taken.
pub(super) fn view(shape: &[usize], by_columns: bool) -> View {
    match *shape {
        [len] => View::matrix(len, 1),
        _ => View::of(shape, by_columns),
    }
}

/// `m / ‖m‖ · g / ‖g‖`, by columns.
#[inline(always)]
pub(super) fn alignment<R: Real>(m: R, g: R, over: &mut impl Over<R>) -> R {
    unit(m, over) * unit(g, over)
}

/// `(1 + s) / 2 + ε`.
#[inline(always)]
pub(super) fn share<R: Real>(s: R, eps: R) -> R {
    (R::lit(1.0) + s) * R::lit(0.5) + eps
}

/// `x` over the norm of its column, which is 1e-12 at least.
#[inline(always)]
fn unit<R: Real>(x: R, over: &mut impl Over<R>) -> R {
    let (norm, least) = (over.norm(Column, x), R::lit(1e-12));
    // Not the maximum, so that a NaN is not hidden.
    x / R::select(norm.lt(least), least, norm)
}
