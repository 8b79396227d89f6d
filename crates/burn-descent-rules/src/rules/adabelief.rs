use super::RAdam;
use super::radam::{self, Scalars};
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaBelief: Adam that divides by how far the gradient is from what was expected, `m`, and not by
    /// its size: large steps where the gradient is as believed.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g,                      m̂ = m / (1 − β₁ᵗ)
    /// s ← β₂ s + (1 − β₂) (g − m)² + eps_root,    ŝ = s / (1 − β₂ᵗ)
    /// θ ← θ − η m̂ / (√ŝ + eps)
    /// ```
    ///
    /// `amsgrad`: `s_max ← max(s_max, s)` takes the place of `s` in `ŝ`. `rectify`: the last line is
    /// that of [`RAdam`], with its `degenerated_to_sgd`. `nesterov`, of optax: the `m̄` of
    /// [`NAdam`](crate::NAdam) with constant momentum takes the place of `m̂`.
    ///
    /// The paper and PyTorch packages have one `ε` in both places; optax has two, as here. `eps_root`
    /// is added in every step, so it adds up to `eps_root / (1 − β₂)`.
    ///
    /// - Defaults: the paper's, and of its authors' code `eps` and `eps_root` 1e-16 and the decay
    ///   decoupled. `beta1` 0.9, `beta2` 0.999, no weight decay, no AMSGrad; not rectified (the
    ///   authors' code and timm do).
    /// - Memory: two numbers a weight, three with AMSGrad. Traffic in f32: read 16, write 12 bytes a
    ///   weight; 4 and 4 more with AMSGrad.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`s` infinite). With `rectify` a huge one is a huge step at first, as in
    ///   [`RAdam`].
    /// - Reference: Zhuang et al. 2020, algorithm 2, <https://arxiv.org/abs/2010.07468>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaBelief, Rule};
    ///
    /// AdaBelief::new().eps(1e-8).eps_root(1e-8).rectify(true).check()?;
    /// let error = AdaBelief::new().eps(0.0).eps_root(0.0).check().unwrap_err();
    /// let expected = "adabelief: eps = 0 is not allowed, it must be > 0 unless eps_root is";
    /// assert_eq!(error.to_string(), expected);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaBelief {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the squared deviation.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-16,
        /// Added to the squared deviation in every step.
        eps_root: Epsilon = 1e-16,
        /// Divide by the greatest squared deviation so far.
        #[doc(alias = "ams_bound")]
        amsgrad: bool = false,
        /// Rectify as RAdam does.
        rectify: bool = false,
        /// Before the rectification sets in, step along the momentum; if false, only decoupled
        /// weight decay acts then. Only with `rectify`.
        degenerated_to_sgd: bool = true,
        /// Look one step of momentum ahead.
        nesterov: bool = false,
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

impl AdaBelief {
    /// RAdam with what the two have in common; only its second moment is another.
    fn radam(&self) -> RAdam {
        RAdam {
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps,
            degenerated_to_sgd: self.degenerated_to_sgd,
            nesterov: self.nesterov,
            weight_decay: self.weight_decay,
            decoupled_weight_decay: self.decoupled_weight_decay,
            ..RAdam::new()
        }
    }
}

fields! {
    /// State of [`AdaBelief`].
    pub struct Moments {
        /// First moment, `exp_avg` in PyTorch packages.
        m,
        /// Squared deviation from it, `exp_avg_var` in PyTorch packages.
        s: positive,
        /// Greatest squared deviation, with AMSGrad.
        s_max: optional positive,
    }
}

impl Rule for AdaBelief {
    const NAME: &'static str = "adabelief";
    const TITLE: &'static str = "AdaBelief";
    const PAPER: Paper = Paper::arxiv("Zhuang et al. 2020", "2010.07468");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, s: 0.0, s_max: self.amsgrad.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let (_, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let rectified = Scalars { keep, eps_root: self.eps_root, ..self.radam().scalars(lr, t) };
        let root_bias2 = (1.0 - self.beta2.powf(t as f64)).sqrt();
        let (adaptive, eps) = (lr * root_bias2, self.eps * root_bias2);
        match self.rectify {
            true => rectified,
            false => Scalars { adaptive, plain: 0.0, eps, ..rectified },
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
        let deviation = g - m;
        let s_max = s.s_max;
        let s = k.beta2 * s.s + k.one_beta2 * deviation * deviation + k.eps_root;
        let s_max = s_max.map(|s_max| s_max.max(s));
        let step = radam::step(g, m, s_max.unwrap_or(s), k);
        (k.keep * p - step, Moments { m, s, s_max })
    }
}
