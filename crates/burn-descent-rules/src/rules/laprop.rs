use crate::transforms::{cautious, debias, no_less_than_zero};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// LaProp: momentum of gradients that have already been divided by their size, where Adam divides
    /// the momentum. `β₁` and `β₂` may then be chosen independently of each other.
    ///
    /// ```text
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// m ← β₁ m + (1 − β₁) g / (√v̂ + eps),          m̂ = m / (1 − β₁ᵗ)
    /// θ ← (1 − η λ) (θ − η m̂)
    /// ```
    ///
    /// `centered`: `ḡ ← β₂ ḡ + (1 − β₂) g`, and after `steps_before_using_centered` steps
    /// `max(v − ḡ², 0)` takes the place of `v` in `v̂`. `amsgrad`: so does its maximum so far.
    ///
    /// Where epsilon stands: `eps` as in the paper and in timm; `eps_hat` added to `√v` before its bias
    /// is corrected, and `eps_root_hat` under that root: pytorch_optimizer has both
    /// (`.eps(0.0).eps_hat(1e-15).eps_root_hat(1e-15)`).
    ///
    /// The decay acts on the weights after the step, as in the libraries; the authors' code does not
    /// multiply it with `η`. As in the paper the learning rate is not in the momentum: the authors'
    /// code and the libraries have it there, the same path while the rate is constant.
    ///
    /// With `cautious` weights whose step points against the gradient only decay, and the others step
    /// further: see [`AdamW`](crate::AdamW).
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `eps` 1e-15, no weight decay, not
    ///   centered, no AMSGrad, `steps_before_using_centered` 10; `eps_hat` and `eps_root_hat` 0.
    /// - Memory: two numbers a weight, one more each for `centered` and `amsgrad`. Traffic in f32:
    ///   read 16, write 12 bytes a weight; 4 and 4 more for each of the two. A cautious step reads all
    ///   of it twice, but for the weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; after one whose square overflows
    ///   its weight only runs out on its momentum (`v` infinite). Where `centered` is at work and `ḡ²`
    ///   overflows too, its weight becomes NaN.
    /// - Reference: Ziyin, Wang & Ueda 2020, algorithm 1, <https://arxiv.org/abs/2002.04839>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{LaProp, Rule, rules::slices::Walk};
    ///
    /// // A step is no longer than the learning rate, however the gradients change.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(LaProp::new().beta2(0.0), 1)?;
    /// walk.step(0.1, &mut x, &[1e-9])?;
    /// walk.step(0.1, &mut x, &[1e9])?;
    /// assert!((x[0] + 0.2).abs() < 1e-6);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct LaProp {
        /// Decay `β₁` of the momentum.
        #[doc(alias = "betas")]
        #[doc(alias = "mu")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        #[doc(alias = "nu")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-15,
        /// Added to the root before its bias is corrected.
        eps_hat: Epsilon = 0.0,
        /// Added under the root before its bias is corrected.
        eps_root_hat: Epsilon = 0.0,
        /// Subtract the squared average of the gradient from the second moment.
        centered: bool = false,
        /// Steps before the squared average is subtracted.
        steps_before_using_centered: NonNegative = 10.0,
        /// Divide by the greatest second moment so far.
        #[doc(alias = "ams_bound")]
        amsgrad: bool = false,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Leave out weights whose step points against the gradient.
        #[doc(alias = "caution")]
        cautious: bool = false,
        /// `ξ` of a cautious step.
        cautious_xi: NonNegative = 1.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`LaProp`].
    pub struct Moments {
        /// Momentum of the divided gradients.
        m,
        /// Second moment of the gradient.
        v: positive,
        /// Average of the gradient, where centered.
        g_avg: optional,
        /// Greatest second moment, with AMSGrad.
        v_max: optional positive,
    }

    /// Scalars of [`LaProp`].
    pub struct Scalars {
        /// Weight decay as a factor of the weights.
        keep,
        beta1, one_beta1, beta2, one_beta2, lr,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        /// 1 where the average is subtracted, else 0.
        centered,
        /// Beside and under the root of `v̂`.
        eps, eps_root,
        /// `ξ` of a cautious step.
        xi: optional,
    }
}

impl Rule for LaProp {
    const NAME: &'static str = "laprop";
    const TITLE: &'static str = "LaProp";
    const PAPER: Paper = Paper::arxiv("Ziyin et al. 2020", "2002.04839");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        let state = |there: bool| there.then_some(0.0);
        Moments { m: 0.0, v: 0.0, g_avg: state(self.centered), v_max: state(self.amsgrad) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, .. } = *self;
        let bias2 = 1.0 - beta2.powf(t as f64);
        Scalars {
            keep: 1.0 - lr * self.weight_decay,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            debias1: debias(beta1, t),
            debias2: 1.0 / bias2,
            centered: f64::from(t as f64 > self.steps_before_using_centered),
            eps: self.eps + self.eps_hat / bias2.sqrt(),
            eps_root: self.eps_root_hat / bias2,
            xi: self.cautious.then_some(self.cautious_xi),
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let (m_hat, s) = direction(g, s, k);
        (k.keep * (p - k.lr * cautious(m_hat, g, k.xi, over)), s)
    }
}

/// `m̂`, and the moments after the step.
#[inline(always)]
fn direction<R: Real>(g: R, s: Moments<R>, k: Scalars<R>) -> (R, Moments<R>) {
    let v = k.beta2 * s.v + k.one_beta2 * g * g;
    let g_avg = s.g_avg.map(|g_avg| k.beta2 * g_avg + k.one_beta2 * g);
    let centered = |g_avg: R| no_less_than_zero(v - k.centered * g_avg * g_avg);
    let variance = g_avg.map_or(v, centered);
    let v_max = s.v_max.map(|v_max| v_max.max(variance));
    let v_hat = v_max.unwrap_or(variance) * k.debias2;
    let m = k.beta1 * s.m + k.one_beta1 * g / ((v_hat + k.eps_root).sqrt() + k.eps);
    (m * k.debias1, Moments { m, v, g_avg, v_max })
}
