use super::moments::Common;
use crate::{InvalidOption, Over, Paper, Real, Rule, fields, options};

options! {
    /// Padam: partially adaptive, Adam whose denominator is a smaller power of the second moment,
    /// between Adam and gradient descent with momentum.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g
    /// v ← β₂ v + (1 − β₂) g²
    /// amsgrad: v_max ← max(v_max, v)   takes the place of v
    /// θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) m / (√v + eps)^(2 partial)
    /// ```
    ///
    /// `partial` ½ is AMSGrad, 0 gradient descent with momentum. The paper corrects no bias; as in the
    /// authors' code and pytorch_optimizer its correction is outside of the power.
    ///
    /// - Defaults: the authors'. `partial` 1/4 (the paper advises 1/8), `beta1` 0.9, `beta2` 0.999,
    ///   `eps` 1e-8, with AMSGrad (pytorch_optimizer has none), no weight decay.
    /// - Memory: three numbers a weight, two without AMSGrad. Traffic in f32: read 20, write 16 bytes a
    ///   weight; 4 and 4 less without AMSGrad.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite), unless `partial` is 0.
    /// - Reference: Chen et al. 2018, algorithm 1, <https://arxiv.org/abs/1806.06763>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Padam, Rule, rules::slices::Walk};
    ///
    /// let error = Padam::new().partial(0.6).check().unwrap_err();
    /// assert_eq!(error.to_string(), "padam: partial = 0.6 is not allowed, it must be in [0, 1/2]");
    /// // The first step is 16 / 16^(3/4); with `beta2` 0 the second moment has no bias.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(Padam::new().partial(0.375).beta2(0.0), x.len())?;
    /// walk.step(1.0, &mut x, &[16.0])?;
    /// assert!((x[0] + 16.0 / 8.0).abs() < 1e-8);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Padam {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// The power of the second moment, 1/2 at most.
        #[doc(alias = "p")]
        partial: NonNegative = 0.25,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Divide by the greatest second moment so far.
        amsgrad: bool = true,
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

impl Padam {
    fn common(&self) -> Common {
        Common {
            beta1: self.beta1,
            beta2: self.beta2,
            eps: 0.0,
            eps_hat: self.eps,
            eps_root_hat: 0.0,
            weight_decay: self.weight_decay,
            decoupled_weight_decay: self.decoupled_weight_decay,
        }
    }
}

fields! {
    /// State of [`Padam`].
    pub struct Moments {
        /// First moment, `exp_avg` in PyTorch packages.
        m,
        /// Second moment, `exp_avg_sq` in PyTorch packages.
        v: positive,
        /// Greatest second moment, with AMSGrad.
        v_max: optional positive,
    }
}

fields! {
    /// Scalars of [`Padam`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, lr, eps,
        /// The power of the root: `2 partial`.
        power,
    }
}

impl Rule for Padam {
    const NAME: &'static str = "padam";
    const TITLE: &'static str = "Padam";
    const PAPER: Paper = Paper::arxiv("Chen et al. 2018", "1806.06763");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let partial = (0.0..=0.5).contains(&self.partial);
        InvalidOption::unless_all_hold(
            Self::NAME,
            &[("partial", self.partial, partial, "in [0, 1/2]")],
        )
    }

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let k = self.common().scalars(lr, t);
        Scalars {
            l2: k.l2,
            keep: k.keep,
            beta1: k.beta1,
            one_beta1: k.one_beta1,
            beta2: k.beta2,
            one_beta2: k.one_beta2,
            lr: k.lr,
            eps: k.eps,
            power: 2.0 * self.partial,
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
        let v_max = s.v_max.map(|v_max| v_max.max(v));
        let root = v_max.unwrap_or(v).sqrt() + k.eps;
        (k.keep * p - k.lr * m / root.powf(k.power), Moments { m, v, v_max })
    }
}
