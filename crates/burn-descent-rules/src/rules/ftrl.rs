use crate::{InvalidOption, Over, Paper, Real, Rule, fields, options};

options! {
    /// FTRL-Proximal: AdaGrad that sets weights to exactly 0, for sparse linear models.
    ///
    /// ```text
    /// n ← n + g²,    σ = (n^power − n′^power) / η      n′: as it was before
    /// z ← z + g + λ θ − σ θ
    /// θ ← 0                                                      where |z| ≤ l1
    /// θ ← −(z − sign(z) l1) / ((n^power + β) / η + l2)           elsewhere
    /// ```
    ///
    /// `n` begins at `initial_accumulator_value`. Without `l1`, `l2`, `beta` and that value this is
    /// [`AdaGrad`](crate::AdaGrad) without an epsilon, at a constant learning rate.
    ///
    /// **A weight is a function of all gradients, and not of where it began.** What of its first value is left after
    /// the first step is `(n^power − n′^power) / (n^power + β + η l2)` of it: all with the defaults, little where
    /// `beta`, `l2` or `initial_accumulator_value` is large beside the gradient. Begin a linear model at 0, and do
    /// not train a network like that.
    ///
    /// As in the paper, which skips features that an example has not, a weight stays where it began until it has a
    /// gradient; with `lazy` false, as in Keras and pytorch_optimizer, it is 0 at once.
    ///
    /// - Defaults: pytorch_optimizer's. No `l1`, no `l2`, `beta` 0, `power` 0.5, `initial_accumulator_value` 0. In the
    ///   paper `beta` is 1, in Keras `initial_accumulator_value` 0.1. Keras's `l2` is half of this one, and so is its
    ///   `l2_shrinkage` of `weight_decay`.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN or infinite gradient makes its weight and state NaN, and no other; one whose square overflows stops its
    ///   weight for good (`n` infinite).
    /// - Reference: McMahan et al. 2013, algorithm 1, <https://doi.org/10.1145/2487575.2488200>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Ftrl, rules::slices::Walk};
    ///
    /// // What has a small gradient only becomes 0, exactly.
    /// let mut x = [0.0_f64, 0.0];
    /// let mut walk = Walk::new(Ftrl::new().beta(1.0).l1(0.5), x.len())?;
    /// for _ in 0..3 {
    ///     walk.step(0.1, &mut x, &[1.0, 0.1])?;
    /// }
    /// assert!(x[0] < 0.0 && x[1] == 0.0);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Ftrl {
        /// Strength of the L1 penalty, `λ₁`: what makes weights 0.
        #[doc(alias = "lambda_1")]
        l1: NonNegative = 0.0,
        /// Strength of the L2 penalty, `λ₂`.
        #[doc(alias = "lambda_2")]
        l2: NonNegative = 0.0,
        /// `β`: makes the rate of rare gradients smaller.
        beta: NonNegative = 0.0,
        /// The power of `n` by which the rate falls.
        #[doc(alias = "lr_power")]
        power: NonNegative = 0.5,
        /// The root of `n` stands in the denominator whatever the power in `σ` is, as in pytorch_optimizer.
        root_in_rate: bool = false,
        /// What `n` starts at.
        initial_accumulator_value: NonNegative = 0.0,
        /// L2 penalty `λ`, added to the gradient in `z` but not in `n`.
        #[doc(alias = "l2_shrinkage")]
        weight_decay: WeightDecay = 0.0,
        /// A weight stays where it began until it has a gradient.
        lazy: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Ftrl`].
    pub struct Sums {
        /// The gradients, less what the weights have been drawn.
        z,
        /// The squares of the gradients.
        n: positive,
    }

    /// Scalars of [`Ftrl`].
    pub struct Scalars {
        l1, l2, beta, decay,
        /// The power, where it is not a root.
        power: optional,
        /// 1 or 0.
        root_in_rate,
        /// What `n` started at.
        n0,
        /// `1 / η`, 0 where the rate is 0.
        per_lr,
        /// 1 unless the rule is lazy.
        eager,
        /// Infinite, or 0 where the rate is 0: at `n` of this a weight stands still.
        limit,
    }
}

impl Rule for Ftrl {
    const NAME: &'static str = "ftrl";
    const TITLE: &'static str = "FTRL-Proximal";
    const PAPER: Paper =
        Paper::at("McMahan et al. 2013", "https://doi.org/10.1145/2487575.2488200");
    type State<R: Copy> = Sums<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let beside = self.beta + self.l2 + self.initial_accumulator_value;
        if self.weight_decay == 0.0 || beside > 0.0 {
            return Ok(());
        }
        Err(InvalidOption {
            owner: Self::NAME,
            option: "weight_decay".into(),
            value: self.weight_decay.to_string(),
            allowed: "0 unless `beta`, `l2` or `initial_accumulator_value` is > 0: a weight that decays is divided by \
                      them until its gradients are large"
                .into(),
        })
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { l1, l2, beta, weight_decay: decay, power, .. } = *self;
        Scalars {
            l1,
            l2,
            beta,
            decay,
            power: (power != 0.5).then_some(power),
            root_in_rate: f64::from(self.root_in_rate),
            n0: self.initial_accumulator_value,
            per_lr: if lr > 0.0 { 1.0 / lr } else { 0.0 },
            eager: f64::from(!self.lazy),
            limit: if lr > 0.0 { f64::INFINITY } else { 0.0 },
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Sums<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Sums<R>) {
        let zero = R::lit(0.0);
        let n = s.n + g * g;
        let (before, after) = (root(s.n + k.n0, k.power), root(n + k.n0, k.power));
        let z = s.z + g + k.decay * p - (after - before) * k.per_lr * p;
        let of_rate = R::select(zero.lt(k.root_in_rate), (n + k.n0).sqrt(), after);
        let w = (k.l1 * z.sign() - z) / ((of_rate + k.beta) * k.per_lr + k.l2);
        // Neither 0 nor the old weight, so that a NaN is not hidden.
        let w = R::select(k.l1.lt(z.abs()), w, zero * z);
        let (still, touched) = (p + zero * g, zero.lt(n + k.eager));
        let w = R::select(touched, w, still);
        (R::select(n.lt(k.limit), w, still), Sums { z, n })
    }
}

/// The power of a sum of squares, which is its root by default.
#[inline(always)]
fn root<R: Real>(n: R, power: Option<R>) -> R {
    match power {
        Some(power) => n.powf(power),
        None => n.sqrt(),
    }
}
