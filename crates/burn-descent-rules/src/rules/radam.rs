use super::NAdam;
use super::moments::Moments;
use crate::transforms::{debias, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// RAdam: Adam that waits with its denominator until enough gradients have been seen for it, and
    /// then lets it in gradually.
    ///
    /// ```text
    /// g ← g + λ θ
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²
    /// ρ∞ = 2 / (1 − β₂) − 1,        ρ_t = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
    /// where ρ_t > threshold:
    ///     r = √((ρ_t − 4) (ρ_t − 2) ρ∞ / ((ρ∞ − 4) (ρ∞ − 2) ρ_t))
    ///     θ ← θ − η m̂ r √(1 − β₂ᵗ) / (√v + eps)
    /// else
    ///     θ ← θ − η m̂
    /// ```
    ///
    /// With `decoupled_weight_decay` the decay acts on the weights, `θ ← (1 − η λ) θ`, and not on the
    /// gradient.
    ///
    /// The paper has no epsilon. `eps` stands where the authors and PyTorch have it. optax and optimi
    /// add theirs to the root of the corrected `v / (1 − β₂ᵗ)`: `eps_debiased`; and optax one under
    /// that root: `eps_root`. Without `degenerated_to_sgd` nothing moves before the rectification
    /// sets in, as in pytorch_optimizer. `nesterov`, of optax, has the `m̄` of [`NAdam`] with constant
    /// momentum in the place of `m̂`.
    ///
    /// - Defaults: the paper's and PyTorch's. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `threshold` 5, no
    ///   weight decay; `eps_debiased` and `eps_root` 0.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other. **A huge one is a huge step** as
    ///   long as nothing is rectified: the first five steps with the default `beta2`. One whose square
    ///   overflows stops its weight for good (`v` infinite) from then on.
    /// - Reference: Liu et al. 2019, algorithm 2, <https://arxiv.org/abs/1908.03265>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{RAdam, Rule};
    ///
    /// let scalars = |t| RAdam::new().scalars(0.1, t);
    /// assert_eq!((scalars(5).adaptive, scalars(5).plain), (0.0, 0.1));
    /// assert!(scalars(6).adaptive > 0.0 && scalars(6).plain == 0.0);
    /// let error = RAdam::new().threshold(3.0).check().unwrap_err();
    /// assert_eq!(error.to_string(), "radam: threshold = 3 is not allowed, it must be a number >= 4");
    /// ```
    pub struct RAdam {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root before its bias is corrected.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added to the root after its bias is corrected.
        eps_debiased: Epsilon = 0.0,
        /// Added under the root after its bias is corrected.
        eps_root: Epsilon = 0.0,
        /// The `ρ_t` beyond which steps are rectified.
        #[doc(alias = "n_sma_threshold")]
        threshold: AtLeast(4.0) = 5.0,
        /// Before the rectification sets in, step along the momentum; if false, do not step then,
        /// nor let the weights decay.
        degenerated_to_sgd: bool = true,
        /// Look one step of momentum ahead.
        nesterov: bool = false,
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

/// The shares of `g` and of `m` in the momentum of step `t`: `m̂`, or `m̄` that looks ahead.
pub(super) fn shares(beta1: f64, nesterov: bool, t: u64) -> (f64, f64) {
    let ahead = NAdam::new().beta1(beta1).constant_momentum(true);
    if nesterov { ahead.shares(t) } else { (0.0, debias(beta1, t)) }
}

impl RAdam {
    /// The factors of the adaptive and of the plain step `t`; one of them is 0.
    pub(super) fn rectification(&self, t: u64) -> (f64, f64) {
        let beta2_t = self.beta2.powf(t as f64);
        let rho_inf = 2.0 / (1.0 - self.beta2) - 1.0;
        let rho = rho_inf - 2.0 * t as f64 * beta2_t / (1.0 - beta2_t);
        if rho > self.threshold {
            let r = (rho - 4.0) * (rho - 2.0) * rho_inf;
            ((r / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho)).sqrt(), 0.0)
        } else {
            (0.0, f64::from(self.degenerated_to_sgd))
        }
    }
}

fields! {
    /// Scalars of [`RAdam`] and [`AdaBelief`](crate::AdaBelief).
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2,
        /// Shares of the gradient and of the first moment in the momentum.
        of_g, of_m,
        /// Learning rates of the step with a denominator and of the step without one: one is 0.
        adaptive, plain,
        /// Beside and under the root of the second moment as it is, not corrected for bias.
        eps, eps_root,
    }
}

impl Rule for RAdam {
    const NAME: &'static str = "radam";
    const TITLE: &'static str = "RAdam";
    const PAPER: Paper = Paper::arxiv("Liu et al. 2019", "1908.03265");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (of_g, of_m) = shares(beta1, self.nesterov, t);
        let (adaptive, plain) = self.rectification(t);
        let stands_still = adaptive + plain == 0.0;
        let bias2 = 1.0 - beta2.powf(t as f64);
        Scalars {
            l2,
            keep: if stands_still { 1.0 } else { keep },
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            of_g,
            of_m,
            adaptive: lr * adaptive * bias2.sqrt(),
            plain: lr * plain,
            eps: self.eps + self.eps_debiased * bias2.sqrt(),
            eps_root: self.eps_root * bias2,
        }
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
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        (k.keep * p - step(g, m, v + k.eps_root, k), Moments { m, v })
    }
}

/// The step from the first moment `m` and a second moment `v`, adaptive or plain.
#[inline(always)]
pub(super) fn step<R: Real>(g: R, m: R, v: R, k: Scalars<R>) -> R {
    let momentum = k.of_g * g + k.of_m * m;
    momentum * (k.adaptive / (v.sqrt() + k.eps) + k.plain)
}
