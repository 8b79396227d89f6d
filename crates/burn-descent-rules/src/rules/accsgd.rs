use crate::transforms::decay;
use crate::{InvalidOption, Over, Paper, Real, Rule, fields, options};

options! {
    /// AccSGD: accelerated gradient descent with short steps and, on an average of the weights, long
    /// ones; for gradients of small batches, where momentum alone is no faster than none.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// α = 1 − ξ c² / κ,             ζ = c / (c + 1 − α)
    /// w ← α w + (1 − α) (θ − (κ / c) η g)          w ← θ before step 1
    /// θ ← ζ (θ − η g) + (1 − ζ) w
    /// ```
    ///
    /// Kept is `e = w − θ`, which begins with 0 and forgets nothing to rounding, so that the lines are
    /// those of a momentum: `e ← α e − (1 − α) (κ / c) η g`, `θ ← θ − ζ η g + (1 − ζ) e`,
    /// `e ← ζ (e + η g)`. The learning rate is in it. Decoupled decay moves `w` as far as `θ`.
    ///
    /// - Defaults: the authors'. `kappa` 1000, `xi` 10, `constant` 0.7, no weight decay.
    /// - Memory: one number a weight. Traffic in f32: read 12, write 8 bytes a weight.
    /// - A gradient that is NaN or infinite makes its weight and state NaN or infinite, and no other.
    /// - Reference: Kidambi et al. 2018, algorithm 3, <https://arxiv.org/abs/1803.05591>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AccSgd, Rule};
    ///
    /// AccSgd::new().kappa(100.0).xi(5.0).check()?;
    /// let error = AccSgd::new().kappa(2.0).check().unwrap_err();
    /// let expected = "accsgd: kappa = 2 is not allowed, it must be a number > xi * constant ^ 2";
    /// assert_eq!(error.to_string(), expected);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AccSgd {
        /// How much longer the long steps are, `κ`; more than `ξ c²`.
        kappa: Positive = 1000.0,
        /// The statistical advantage `ξ`, at most `√κ` in the paper.
        xi: Positive = 10.0,
        /// The constant `c`, at most 1.
        constant: Positive = 0.7,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AccSgd`].
    pub struct Lead {
        /// How far the average of the long steps is ahead of the weight.
        e,
    }

    /// Scalars of [`AccSgd`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        alpha,
        /// `(1 − α) (κ / c) η`.
        long,
        lr, zeta, one_zeta,
    }
}

impl Rule for AccSgd {
    const NAME: &'static str = "accsgd";
    const TITLE: &'static str = "AccSGD";
    const PAPER: Paper = Paper::arxiv("Kidambi et al. 2018", "1803.05591");
    type State<R: Copy> = Lead<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let Self { kappa, xi, constant, .. } = *self;
        let least = xi * constant * constant;
        let needs = [
            ("constant", constant, constant <= 1.0, "a number > 0 and <= 1"),
            ("kappa", kappa, kappa > least, "a number > xi * constant ^ 2"),
        ];
        InvalidOption::unless_all_hold(Self::NAME, &needs)
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { kappa, xi, constant: c, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let one_alpha = xi * c * c / kappa;
        let zeta = c / (c + one_alpha);
        let (alpha, one_zeta) = (1.0 - one_alpha, 1.0 - zeta);
        Scalars { l2, keep, alpha, long: one_alpha * kappa / c * lr, lr, zeta, one_zeta }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Lead<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Lead<R>) {
        let g = g + k.l2 * p;
        let e = k.alpha * s.e - k.long * g;
        let p = k.keep * p - k.zeta * k.lr * g + k.one_zeta * e;
        (p, Lead { e: k.zeta * (e + k.lr * g) })
    }
}
