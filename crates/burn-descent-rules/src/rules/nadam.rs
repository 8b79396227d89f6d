use super::moments::Moments;
use crate::transforms::{cautious, debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// NAdam: Adam that looks one step of momentum ahead, as Nesterov's does.
    ///
    /// ```text
    /// g ← g + λ θ
    /// m ← β₁ m + (1 − β₁) g
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// m̄ = (1 − μ_t) g / (1 − μ₁ … μ_t) + μ_t₊₁ m / (1 − μ₁ … μ_t₊₁)
    /// θ ← θ − η m̄ / (√(v̂ + eps_root) + eps)
    ///
    /// μ_t = β₁ (1 − 0.96^(t ψ) / 2)       constant_momentum: μ_t = β₁
    /// ```
    ///
    /// With `decoupled_weight_decay` the decay acts on the weights, `θ ← (1 − η λ) θ`, and not on the
    /// gradient: NAdamW.
    ///
    /// The libraries have four NAdams. PyTorch's is the default (`ψ` is its `momentum_decay`); Keras'
    /// is `.momentum_decay(1.0)`; optax's `.constant_momentum(true)`; and timm's NAdamW and the
    /// textbooks' also correct the bias of `m` as of this step:
    /// `.constant_momentum(true).next_bias(false)`.
    ///
    /// With `cautious` weights whose step points against the gradient only decay, and the others step
    /// further: see [`AdamW`](crate::AdamW).
    ///
    /// - Defaults: PyTorch's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `momentum_decay` 0.004, no weight
    ///   decay; `eps_root` 0.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight. A cautious step
    ///   reads all of it twice. The product of all `μ` is a closed form of `t`, not a state.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Dozat 2016, <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{NAdam, Rule};
    ///
    /// let keras = NAdam::new().momentum_decay(1.0).eps(1e-7);
    /// keras.check()?;
    /// // The closed form of the product of momenta is the product.
    /// let (mut product, q) = (1.0, 0.96_f64.powf(0.004));
    /// (1..=5).for_each(|i| product *= 0.9 * (1.0 - 0.5 * q.powi(i)));
    /// let of_g = (1.0 - 0.9 * (1.0 - 0.5 * q.powi(5))) / (1.0 - product);
    /// assert!((NAdam::new().scalars(1e-3, 5).of_g - of_g).abs() < 1e-12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct NAdam {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// How fast the momentum `μ` of a step grows from half of `β₁` to `β₁`, `ψ`.
        #[doc(alias = "psi")]
        #[doc(alias = "schedule_decay")]
        momentum_decay: NonNegative = 0.004,
        /// `μ` is `β₁` in every step.
        constant_momentum: bool = false,
        /// Correct the bias of `m` as of the next step, for which it is meant; if false, as of this
        /// step.
        next_bias: bool = true,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        decoupled_weight_decay: bool = false,
        /// Leave out weights whose step points against the gradient.
        #[doc(alias = "caution")]
        cautious: bool = false,
        /// `ξ` of a cautious step.
        cautious_xi: NonNegative = 1.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

impl NAdam {
    /// The shares of `g` and of `m` in `m̄` at step `t`.
    pub(super) fn shares(&self, t: u64) -> (f64, f64) {
        let (t, ln_q) = (t as f64, self.momentum_decay * 0.96_f64.ln());
        let grows = !self.constant_momentum;
        let mu = |t: f64| self.beta1 * if grows { 1.0 - 0.5 * (t * ln_q).exp() } else { 1.0 };
        let growth = if grows { ln_product(ln_q, t).exp() } else { 1.0 };
        let product = self.beta1.powf(t) * growth;
        let bias = 1.0 - product;
        let bias_of_m = if self.next_bias { 1.0 - product * mu(t + 1.0) } else { bias };
        ((1.0 - mu(t)) / bias, mu(t + 1.0) / bias_of_m)
    }
}

/// `ln ∏ᵢ (1 − qⁱ / 2)` for i from 1 to t, without a loop over i: the logarithms as series,
/// `−Σₖ 2⁻ᵏ / k · Σᵢ qᵏⁱ`, whose inner sums are geometric.
fn ln_product(ln_q: f64, t: f64) -> f64 {
    let geometric = |ln_q: f64| match ln_q == 0.0 {
        true => t,
        false => ln_q.exp() * (t * ln_q).exp_m1() / ln_q.exp_m1(),
    };
    // After as many terms as a number has bits nothing is left to add.
    (1..=f64::MANTISSA_DIGITS)
        .map(f64::from)
        .map(|k| -geometric(k * ln_q) * 0.5_f64.powf(k) / k)
        .sum()
}

fields! {
    /// Scalars of [`NAdam`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, lr,
        /// Shares of the gradient and of the first moment in `m̄`.
        of_g, of_m,
        /// `1 / (1 − β₂ᵗ)`.
        debias2,
        eps, eps_root,
        /// `ξ` of a cautious step.
        xi: optional,
    }
}

impl Rule for NAdam {
    const NAME: &'static str = "nadam";
    const TITLE: &'static str = "NAdam";
    const PAPER: Paper =
        Paper::at("Dozat 2016", "https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, eps_root, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (of_g, of_m) = self.shares(t);
        Scalars {
            l2,
            keep,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            of_g,
            of_m,
            debias2: debias(beta2, t),
            eps,
            eps_root,
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
        let g = g + k.l2 * p;
        let (u, s) = direction(g, s, k);
        (k.keep * p - k.lr * cautious(u, g, k.xi, over), s)
    }
}

/// `m̄ / (√(v̂ + eps_root) + eps)`, and the moments after the step.
#[inline(always)]
fn direction<R: Real>(g: R, s: Moments<R>, k: Scalars<R>) -> (R, Moments<R>) {
    let m = k.beta1 * s.m + k.one_beta1 * g;
    let v = k.beta2 * s.v + k.one_beta2 * g * g;
    let m_bar = k.of_g * g + k.of_m * m;
    let v_hat = v * k.debias2;
    (m_bar / ((v_hat + k.eps_root).sqrt() + k.eps), Moments { m, v })
}
