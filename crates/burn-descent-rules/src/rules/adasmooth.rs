use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaSmooth: RMSProp that remembers the longer, the more straight a weight has gone.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// d = θ − (θ one step ago)
    /// s ← s + d,    n ← n + |d|
    /// c = (β₂ − β₁) |s| / (n + eps) + (1 − β₂)
    /// v ← c² g² + (1 − c²) v
    /// θ ← θ − η g / √(v + eps)
    /// ```
    ///
    /// `|s| / n` is the effective ratio: 1 if all steps went the same way, 0 if they led nowhere. The
    /// paper sums over the steps of an epoch; as in pytorch_optimizer the sums here begin with the first
    /// step. `d` is remembered in the place of the weight before, which does not start at a constant.
    ///
    /// - Defaults: the paper's. `beta1` 0.5 and `beta2` 0.99, its fast and slow decay, `eps` 1e-6, no
    ///   weight decay.
    /// - Memory: four numbers a weight. Traffic in f32: read 24, write 20 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Lu 2022, <https://arxiv.org/abs/2204.00825>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaSmooth, rules::slices::Walk};
    ///
    /// // Before there is a way, c is 1 − β₂: v is a ten-thousandth of g².
    /// let mut x = [0.0_f64];
    /// Walk::new(AdaSmooth::new().eps(1e-12), 1)?.step(0.001, &mut x, &[2.0])?;
    /// assert!((x[0] + 0.1).abs() < 1e-6);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaSmooth {
        /// Fast decay `β₁`.
        #[doc(alias = "betas")]
        beta1: Decay = 0.5,
        /// Slow decay `β₂`.
        #[doc(alias = "betas")]
        beta2: Decay = 0.99,
        /// Added to the second moment and to the length of the way.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-6,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdaSmooth`].
    pub struct Way {
        /// How far the weight has come.
        s,
        /// How far it has gone.
        n: positive,
        /// Second moment.
        v: positive,
        /// Its last step.
        d,
    }

    /// Scalars of [`AdaSmooth`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        /// `keep − 1`: the way of a decay, without the rounding of the weights.
        fade,
        lr, eps,
        /// `β₂ − β₁` and `1 − β₂`.
        spread, least,
    }
}

impl Rule for AdaSmooth {
    const NAME: &'static str = "adasmooth";
    const TITLE: &'static str = "AdaSmooth";
    const PAPER: Paper = Paper::arxiv("Lu 2022", "2204.00825");
    type State<R: Copy> = Way<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (spread, least) = (self.beta2 - self.beta1, 1.0 - self.beta2);
        let fade = keep - 1.0;
        Scalars { l2, keep, fade, lr, eps: self.eps, spread, least }
    }

    #[inline(always)]
    fn update<R: Real>(p: R, g: R, s: Way<R>, k: Scalars<R>, _: &mut impl Over<R>) -> (R, Way<R>) {
        let g = g + k.l2 * p;
        let d = s.d + k.fade * p;
        let (way, n) = (s.s + d, s.n + d.abs());
        let c = k.spread * (way.abs() / (n + k.eps)) + k.least;
        let c2 = c * c;
        let v = c2 * (g * g) + (R::lit(1.0) - c2) * s.v;
        let step = k.lr / (v + k.eps).sqrt() * g;
        (k.keep * p - step, Way { s: way, n, v, d: -step })
    }
}
