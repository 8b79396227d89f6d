use super::moments::uncorrected;
use crate::Domain::{Model, Tensor};
use crate::transforms::{debias, split_decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// SWATS: Adam, until the rate that SGD would need for its step no longer changes; then SGD.
    ///
    /// ```text
    /// Adam:  m ← β₁ m + (1 − β₁) g,    v ← β₂ v + (1 − β₂) g²
    ///        d = − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε),    θ ← θ + d
    ///        γ = dᵀd / −dᵀg,    λ ← β₂ λ + (1 − β₂) γ,    λ̂ = λ / (1 − β₂ᵗ)
    ///        where t > 1, λ̂ > 0 and |λ̂ − γ| < atol + rtol |γ|: go on with SGD at the rate Λ = λ̂
    /// SGD:   m ← β₁ m + g,    θ ← θ − (1 − β₁) Λ m
    /// ```
    ///
    /// `λ` is an average for each tensor, as in pytorch_optimizer, and the first that agrees with `γ` switches all
    /// tensors; the paper has one for all weights. Where two agree in one step, the greater rate is taken. A
    /// schedule goes on behind the switch: SGD's rate is to `Λ` as the learning rate is to what it was then.
    ///
    /// A switch concerns the whole model, which `Descent` sees and burn's `ModuleOptimizer` does not: there it is
    /// refused.
    ///
    /// - Defaults: the paper's. `beta1` 0.9, `beta2` 0.999, `eps_hat` 1e-9, `atol` 1e-9, `rtol` 0, no weight
    ///   decay.
    /// - Memory: two numbers a weight, three with AMSGrad. Traffic in f32: read 32, write 12 bytes a weight,
    ///   16 of those read for the sums.
    /// - A NaN gradient makes its weight NaN, and its tensor never switches.
    /// - Reference: Keskar & Socher 2017, algorithm 1, <https://arxiv.org/abs/1712.07628>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Swats, rules::slices::Walk};
    ///
    /// // Where Adam's step is always a tenth of the gradient, so is SGD's: 1 / 10 is found at once.
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(Swats::new().beta1(0.0), x.len())?;
    /// for _ in 0..3 {
    ///     walk.step(0.1, &mut x, &[1.0])?;
    /// }
    /// walk.step(0.1, &mut x, &[5.0])?;
    /// assert!((x[0] - (0.7 - 0.5)).abs() < 1e-7);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Swats {
        /// Decay `β₁` of the first moment, and of SGD's velocity.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment, and of `λ`.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root of the second moment as it is, not corrected for bias.
        #[doc(alias = "epsilon")]
        eps_hat: Epsilon = 1e-9,
        /// Added under that root.
        eps_root_hat: Epsilon = 0.0,
        /// How far `λ̂` may be from `γ`.
        atol: NonNegative = 1e-9,
        /// How far it may be in units of `γ`.
        rtol: NonNegative = 0.0,
        /// Weight decay.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Decay the weights; if false, add the decay to the gradient.
        decoupled_weight_decay: bool = false,
        /// Divide by the greatest second moment so far.
        amsgrad: bool = false,
        /// SGD's step is `Λ m`, without `1 − β₁`: what pytorch_optimizer's `nesterov` comes to.
        whole_velocity: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Swats`].
    pub struct Phase {
        /// First moment, then SGD's velocity.
        m,
        /// Second moment.
        v: positive,
        /// Greatest second moment, with AMSGrad.
        v_max: optional positive,
        /// Average of SGD's rate.
        lambda: Tensor,
        /// SGD's rate over the learning rate; 0 as long as Adam steps.
        ratio: Model,
    }

    /// Scalars of [`Swats`].
    pub struct Scalars {
        /// Weight decay in the gradient and in the weights.
        l2, decay,
        beta1, one_beta1, beta2, one_beta2,
        lr,
        /// Adam's rate, for moments whose bias is not corrected.
        rate,
        eps, eps_root, atol, rtol,
        /// `1 / (1 − β₂ᵗ)`; 0 in step 1, in which nothing is decided.
        debias2,
        /// `1 − β₁`, or 1 with `whole_velocity`.
        of_velocity,
    }
}

impl Rule for Swats {
    const NAME: &'static str = "swats";
    const TITLE: &'static str = "SWATS";
    const PAPER: Paper = Paper::arxiv("Keskar & Socher 2017", "1712.07628");
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Phase<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Phase<f64> {
        Phase { m: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0), lambda: 0.0, ratio: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps_hat: eps, eps_root_hat: eps_root, atol, rtol, .. } = *self;
        let (l2, decay) = split_decay(self.weight_decay, self.decoupled_weight_decay);
        let one_beta1 = 1.0 - beta1;
        Scalars {
            l2,
            decay,
            beta1,
            one_beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            rate: uncorrected(lr, beta1, beta2, t).0,
            eps,
            eps_root,
            atol,
            rtol,
            debias2: if t == 1 { 0.0 } else { debias(beta2, t) },
            of_velocity: if self.whole_velocity { 1.0 } else { one_beta1 },
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Phase<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Phase<R>) {
        let zero = R::lit(0.0);
        let by_sgd = |sgd: R, adam: R| R::select(zero.lt(s.ratio), sgd, adam);
        let lr = by_sgd(k.lr * s.ratio, k.lr);
        let g = g + k.l2 * p;
        let p = p - lr * k.decay * p;

        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let v_max = s.v_max.map(|v_max| v_max.max(v));
        let d = zero - k.rate * m / ((v_max.unwrap_or(v) + k.eps_root).sqrt() + k.eps);
        let (dd, dg) = (over.sum(Tensor, d * d), over.sum(Tensor, d * g));
        let found = zero.lt(dg.abs());
        let gamma = dd / (zero - dg);
        let lambda = R::select(found, k.beta2 * s.lambda + k.one_beta2 * gamma, s.lambda);
        let hat = lambda * k.debias2;
        let near = (hat - gamma).abs().lt(k.atol + k.rtol * gamma.abs());
        let agreed = R::select(found, R::select(near, hat, zero), zero);
        let agreed = over.max(Model, R::select(zero.lt(agreed), agreed, zero));
        let now = R::select(zero.lt(agreed), agreed / k.lr, zero);

        let velocity = k.beta1 * s.m + g;
        let step = by_sgd(zero - lr * k.of_velocity * velocity, d);
        let m = by_sgd(velocity, R::select(zero.lt(agreed), zero, m));
        (p + step, Phase { m, v, v_max, lambda, ratio: by_sgd(s.ratio, now) })
    }
}

#[cfg(test)]
mod tests {
    use super::Swats;
    use crate::slices::Walk;

    /// Down `c x² / 2` of three weights in two tensors, 12 steps. The expected ends are those of
    /// pytorch_optimizer's algorithm, written down once more in Python; SGD goes on after step 2.
    #[test]
    fn sgd_goes_on_in_all_tensors_at_the_rate_that_was_found() {
        let rule = Swats::new().beta1(0.5).beta2(0.9).eps_hat(0.1).rtol(0.1).atol(1e-8);
        let rule = rule.eps_root_hat(1e-15);
        for (whole, expected) in [
            (false, [0.42672652656327137, -0.018182352483391437, 0.13613351274347213]),
            (true, [0.17920938886203497, 0.00990011544483946, 0.09521812484552884]),
        ] {
            let rule = rule.clone().whole_velocity(whole);
            let (mut a, mut b) = ([1.0_f64, -0.5], [0.25_f64]);
            let mut walks = [2, 1].map(|len| Walk::new(rule.clone(), len).expect("sound options"));
            for _ in 0..12 {
                let (of_a, of_b) = ([a[0], 3.0 * a[1]], [0.5 * b[0]]);
                let [first, second] = &mut walks;
                let mut all = [(first, &mut a[..], &of_a[..]), (second, &mut b[..], &of_b[..])];
                Walk::step_together(0.1, &mut all).expect("a step");
            }
            for (end, expected) in [a[0], a[1], b[0]].into_iter().zip(expected) {
                assert!((end - expected).abs() < 1e-12, "{end} {expected}");
            }
        }
    }
}
