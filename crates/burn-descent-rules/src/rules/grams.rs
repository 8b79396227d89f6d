use super::moments::{Common, Moments, Scalars, step};
use crate::{Over, Paper, Real, Rule, options};

options! {
    /// Grams: the length of each step is Adam's, its direction that of the gradient itself, so that
    /// the momentum never goes uphill.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// θ ← (1 − η λ) θ − η sign(g) |m̂ / (√v̂ + eps)|
    /// ```
    ///
    /// Where the gradient is 0 nothing moves but by weight decay.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `eps` 1e-6, no weight decay.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Cao, Li & Song 2024, algorithm 1, <https://arxiv.org/abs/2412.17107>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Grams, rules::slices::Walk};
    ///
    /// // The momentum is still positive, and the gradient is followed.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(Grams::new(), x.len())?;
    /// walk.step(0.1, &mut x, &[1.0])?;
    /// let before = x[0];
    /// walk.step(0.1, &mut x, &[-0.01])?;
    /// assert!(x[0] > before);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Grams {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-6,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

impl Grams {
    fn common(&self) -> Common {
        let Self { beta1, beta2, eps, weight_decay, .. } = *self;
        let (eps_hat, eps_root_hat, decoupled_weight_decay) = (0.0, 0.0, true);
        Common { beta1, beta2, eps, eps_hat, eps_root_hat, weight_decay, decoupled_weight_decay }
    }
}

impl Rule for Grams {
    const NAME: &'static str = "grams";
    const TITLE: &'static str = "Grams";
    const PAPER: Paper = Paper::arxiv("Cao, Li & Song 2024", "2412.17107");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        self.common().scalars(lr, t)
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        (k.keep * p - g.sign() * step(m, v, k).abs(), Moments { m, v })
    }
}
