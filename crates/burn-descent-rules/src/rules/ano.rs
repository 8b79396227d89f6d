use super::moments::Moments;
use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Ano: momentum says where to go, the gradient of the moment says how far.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g
    /// v ← β₂ v + (1 − β₂) sign(g² − v) g²,    v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η |g| sign(m) / (√v̂ + eps)
    /// ```
    ///
    /// The second moment is Yogi's, but for the `v` that is forgotten. `logarithmic_schedule`, the
    /// paper's Anolog: `β₁ = 1 − 1 / ln max(t, 2)`, which is −0.44 in the first two steps.
    ///
    /// `eps` stands where the paper and pytorch_optimizer have it; optax adds its own under the root.
    ///
    /// - Defaults: the paper's. `beta1` 0.92, `beta2` 0.99, `eps` 1e-8, no weight decay, decoupled if
    ///   there is one.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and `m` NaN, and no other; one whose square overflows stops its
    ///   weight for good (`v` infinite).
    /// - Reference: Kegreisz 2025, algorithm 1, <https://arxiv.org/abs/2508.18258>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Ano, rules::slices::Walk};
    ///
    /// // The momentum still points uphill, so the second step goes on, as far as its gradient says.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(Ano::new(), x.len())?;
    /// walk.step(1.0, &mut x, &[1.0])?;
    /// let first = x[0];
    /// walk.step(1.0, &mut x, &[-0.5])?;
    /// assert!(first < -0.9 && x[0] < first);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Ano {
        /// Decay `β₁` of the momentum.
        #[doc(alias = "betas")]
        beta1: Decay = 0.92,
        /// Decay `β₂` of the second moment. Below 0.5 `v` may become negative, and the step NaN.
        #[doc(alias = "betas")]
        beta2: Decay = 0.99,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// A `β₁` that grows with the logarithm of the step, in the place of `beta1`.
        #[doc(alias = "anolog")]
        logarithmic_schedule: bool = false,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// Scalars of [`Ano`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, lr,
        /// `1 / (1 − β₂ᵗ)`.
        debias2,
        eps,
    }
}

impl Rule for Ano {
    const NAME: &'static str = "ano";
    const TITLE: &'static str = "Ano";
    const PAPER: Paper = Paper::arxiv("Kegreisz 2025", "2508.18258");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta2, eps, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let growing = 1.0 - 1.0 / (t as f64).max(2.0).ln();
        let beta1 = if self.logarithmic_schedule { growing } else { self.beta1 };
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        let debias2 = debias(beta2, t);
        Scalars { l2, keep, beta1, one_beta1, beta2, one_beta2, lr, debias2, eps }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let g = g + k.l2 * p;
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let square = g * g;
        // Not sign(g² − v): where both are infinite there is no difference.
        let less = R::select(square.lt(s.v), -k.one_beta2 * square, R::lit(0.0));
        let change = R::select(s.v.lt(square), k.one_beta2 * square, less);
        let v = k.beta2 * s.v + change;
        let root = (v * k.debias2).sqrt() + k.eps;
        (k.keep * p - k.lr * (g.abs() * m.sign() / root), Moments { m, v })
    }
}
