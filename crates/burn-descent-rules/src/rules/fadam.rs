use crate::Domain::Tensor;
use crate::transforms::one_or_more;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// FAdam: Adam as a natural gradient, by a diagonal of the Fisher information; momentum is that of the natural
    /// gradient, and the decay of the weights is natural too.
    ///
    /// ```text
    /// F ← β₂ₜ F + (1 − β₂ₜ) g²,       β₂ₜ = β₂ (1 − β₂ᵗ⁻¹) / (1 − β₂ᵗ)
    /// ε = min(eps, eps2 RMS(g))                                                  eps where g is 0
    /// f = F^p + ε^(2 p)
    /// u = g / f,     u ← u / max(1, RMS(u) / clip)
    /// m ← β₁ m + (1 − β₁) u
    /// w = θ / f,     w ← w / max(1, RMS(w) / clip)
    /// θ ← θ − η (m + λ w)
    /// ```
    ///
    /// The means go over the tensor. `m` keeps its bias; `F` has none.
    ///
    /// - Defaults: those of the authors' code. `beta1` 0.9, `beta2` 0.999, `p` ½, `clip` 1, `eps` 1e-8, `eps2` 0.01, `weight_decay` 0.1.
    /// - Memory: two numbers a weight. Traffic in f32: read 32, write 12 bytes a weight, 16 of those read for the
    ///   means.
    /// - A gradient that is NaN makes its whole tensor NaN. One whose square overflows stops its weight but for what
    ///   its momentum holds (`F` infinite).
    /// - Reference: Hwang 2024, <https://arxiv.org/abs/2405.12807>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{FAdam, rules::slices::Walk};
    ///
    /// // The first natural gradient is 1 or -1, a tenth of which is the momentum.
    /// let mut x = [0.0_f64; 2];
    /// Walk::new(FAdam::new(), x.len())?.step(0.1, &mut x, &[3.0, -0.02])?;
    /// assert!((x[0] + 0.01).abs() < 1e-6 && (x[1] - 0.01).abs() < 1e-6, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct FAdam {
        /// Decay `β₁` of the momentum.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the Fisher information.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// The power of the Fisher information that the gradient is divided by.
        p: Positive = 0.5,
        /// The greatest root of the mean of the squares of a natural gradient.
        clip: Positive = 1.0,
        /// The greatest epsilon.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// The greatest epsilon beside the size of the gradient.
        #[doc(alias = "eps_2")]
        eps2: Positive = 0.01,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.1,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`FAdam`].
    pub struct Fisher {
        /// Momentum of the natural gradient.
        m,
        /// Diagonal of the Fisher information, `fim` in PyTorch packages.
        f: positive,
    }

    /// Scalars of [`FAdam`].
    pub struct Scalars {
        beta1, one_beta1,
        /// `β₂ₜ` and `1 − β₂ₜ`.
        beta2, one_beta2,
        clip, eps, eps2, weight_decay, lr,
        /// The power, where it is not a root.
        p: optional,
    }
}

impl Rule for FAdam {
    const NAME: &'static str = "fadam";
    const TITLE: &'static str = "FAdam";
    const PAPER: Paper = Paper::arxiv("Hwang 2024", "2405.12807");
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Fisher<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, p, clip, eps, eps2, weight_decay, .. } = *self;
        let bias = |t: u64| 1.0 - beta2.powf(t as f64);
        let beta2 = beta2 * bias(t - 1) / bias(t);
        Scalars {
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            clip,
            eps,
            eps2,
            weight_decay,
            lr,
            p: (p != 0.5).then_some(p),
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Fisher<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Fisher<R>) {
        let f = k.beta2 * s.f + k.one_beta2 * g * g;
        let small = k.eps2 * over.rms(Tensor, g);
        let eps = R::select(small.lt(k.eps), small, k.eps);
        let eps = R::select(R::lit(0.0).lt(small), eps, k.eps);
        let base = match k.p {
            Some(p) => f.powf(p) + eps.powf(p + p),
            None => f.sqrt() + eps,
        };
        let u = g / base;
        let u = u / one_or_more(over.rms(Tensor, u) / k.clip);
        let m = k.beta1 * s.m + k.one_beta1 * u;
        let w = p / base;
        let w = w / one_or_more(over.rms(Tensor, w) / k.clip);
        (p - k.lr * (m + k.weight_decay * w), Fisher { m, f })
    }
}
