use crate::Domain::Model;
use crate::transforms::{debias, one_or_more};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Adan: adaptive Nesterov momentum, from the difference of two gradients.
    ///
    /// ```text
    /// d = g − g'                           the gradient of the step before; d = 0 in step 1
    /// m ← β₁ m + (1 − β₁) g,               m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) d,               v̂ = v / (1 − β₂ᵗ)
    /// n ← β₃ n + (1 − β₃) (g + β d)²,      n̂ = n / (1 − β₃ᵗ),      β = β₂
    /// θ ← (θ − η (m̂ + β v̂) / (√(n̂ + eps_root) + eps)) / (1 + η λ)
    /// ```
    ///
    /// The betas are those of the authors' code; the paper writes `1 − β` for each. With `no_prox` the
    /// decay is AdamW's: `θ ← (1 − η λ) θ − η …`. optax differs by `β = 1 − β₂` (`small_difference`)
    /// and has `eps_root` 1e-8 and AdamW's decay.
    ///
    /// - Defaults: the authors'. `beta1` 0.98, `beta2` 0.92, `beta3` 0.99, `eps` 1e-8, `eps_root` 0,
    ///   `weight_decay` 0.
    /// - Memory: four numbers a weight. Traffic in f32: read 24, write 20 bytes a weight; `max_grad_norm` reads 4 more.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows
    ///   stops its weight for good (`n` infinite).
    /// - Reference: Xie et al. 2022, algorithm 1, <https://arxiv.org/abs/2208.06677>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Adan, rules::slices::Walk};
    ///
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(Adan::new().weight_decay(0.02), x.len())?;
    /// walk.step(0.01, &mut x, &[5.0])?;
    /// assert!((x[0] - 0.99 / 1.0002).abs() < 1e-9);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Adan {
        /// Decay `β₁` of the average of gradients.
        #[doc(alias = "betas")]
        beta1: Decay = 0.98,
        /// Decay `β₂` of the average of differences.
        #[doc(alias = "betas")]
        beta2: Decay = 0.92,
        /// Decay `β₃` of the second moment.
        #[doc(alias = "betas")]
        beta3: Decay = 0.99,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Decay the weights as AdamW does, not by the proximal step.
        no_prox: bool = false,
        /// Weigh the differences with `β = 1 − β₂`, as optax does.
        small_difference: bool = false,
        /// The greatest norm of all gradients together; 0 is no limit.
        max_grad_norm: NonNegative = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Adan`].
    pub struct Moments {
        /// Average of the gradients.
        m,
        /// Average of their differences.
        v,
        /// Second moment.
        n: positive,
        /// Gradient of the step before.
        g_prev,
    }

    /// Scalars of [`Adan`].
    pub struct Scalars {
        beta1, one_beta1, beta2, one_beta2, beta3, one_beta3,
        /// 0 in step 1, then 1.
        later,
        /// Weight `β` of the difference.
        beta,
        /// Factors of the weights and of the step.
        keep, lr,
        /// `1 / (1 − βᵗ)` of the three.
        debias1, debias2, debias3,
        eps, eps_root,
        max_grad_norm: optional,
    }
}

impl Rule for Adan {
    const NAME: &'static str = "adan";
    const TITLE: &'static str = "Adan";
    const PAPER: Paper = Paper::arxiv("Xie et al. 2022", "2208.06677");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, beta3, eps, eps_root, max_grad_norm: most, .. } = *self;
        let decay = lr * self.weight_decay;
        let shrunk = 1.0 / (1.0 + decay);
        let (keep, lr) = if self.no_prox { (1.0 - decay, lr) } else { (shrunk, lr * shrunk) };
        Scalars {
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            beta3,
            one_beta3: 1.0 - beta3,
            later: if t == 1 { 0.0 } else { 1.0 },
            beta: if self.small_difference { 1.0 - beta2 } else { beta2 },
            keep,
            lr,
            debias1: debias(beta1, t),
            debias2: debias(beta2, t),
            debias3: debias(beta3, t),
            eps,
            eps_root,
            max_grad_norm: (most > 0.0).then_some(most),
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
        let g = match k.max_grad_norm {
            Some(most) => g / one_or_more((over.norm(Model, g) + k.eps) / most),
            None => g,
        };
        let d = k.later * (g - s.g_prev);
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * d;
        let ahead = g + k.beta * d;
        let n = k.beta3 * s.n + k.one_beta3 * ahead * ahead;
        let u = m * k.debias1 + k.beta * (v * k.debias2);
        let step = u / ((n * k.debias3 + k.eps_root).sqrt() + k.eps);
        (k.keep * p - k.lr * step, Moments { m, v, n, g_prev: g })
    }
}
