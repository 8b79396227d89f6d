use crate::Domain::Tensor;
use crate::transforms::debias;
use crate::{InvalidOption, Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaShift: a gradient is divided by the size of an older one, with which it has nothing to do.
    ///
    /// ```text
    /// m = Σ β₁ⁱ gₜ₋ᵢ / Σ β₁ⁱ                      i from 0 to n − 1
    /// v ← β₂ v + (1 − β₂) max gₜ₋ₙ²              over the tensor
    /// θ ← θ − η m / (√(v / (1 − β₂ᵗ⁻ⁿ)) + eps)    from step n + 1 on
    /// ```
    ///
    /// `n` is `keep_num`. The paper and pytorch_optimizer keep ten whole gradients; here it is four at most, the
    /// default. In the first `n` steps the weights stay where they are.
    ///
    /// - Defaults: the paper's, but for `keep_num`. `beta1` 0.9, `beta2` 0.999, `keep_num` 4, `eps` 1e-10.
    /// - Memory: `keep_num` numbers a weight. Traffic in f32: read 24, write 20 bytes a weight with four of them, 4 of
    ///   those read for the maximum; 4 and 4 less for each that is not kept.
    /// - A NaN or infinite gradient makes its weight NaN. An infinite one, or one whose square overflows, stops its
    ///   whole tensor after `n` steps (`v` infinite).
    /// - Reference: Zhou et al. 2018, algorithm 3, <https://arxiv.org/abs/1810.00143>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaShift, rules::slices::Walk};
    ///
    /// // The second gradient over the size of the first.
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(AdaShift::new().keep_num(1), x.len())?;
    /// walk.step(0.1, &mut x, &[2.0])?;
    /// assert_eq!(x, [1.0]);
    /// walk.step(0.1, &mut x, &[3.0])?;
    /// assert!((x[0] - (1.0 - 0.1 * 3.0 / 2.0)).abs() < 1e-9);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaShift {
        /// Decay `β₁` of older gradients in the mean.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// How many gradients are kept, `n`: not more than 4.
        keep_num: Count(1) = 4,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-10,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdaShift`].
    pub struct Kept {
        /// The gradient of the step before.
        g1,
        /// The one before that, if it is kept.
        g2: optional,
        /// The third, if it is kept.
        g3: optional,
        /// The fourth, if it is kept.
        g4: optional,
        /// Second moment.
        v: Tensor,
    }

    /// Scalars of [`AdaShift`].
    pub struct Scalars {
        beta1, beta2, one_beta2,
        /// `1 / Σ β₁ⁱ`.
        newest,
        /// `1 / (1 − β₂ᵗ⁻ⁿ)`; 0 in the first `n` steps.
        debias2,
        eps, lr,
    }
}

impl Rule for AdaShift {
    const NAME: &'static str = "adashift";
    const TITLE: &'static str = "AdaShift";
    const PAPER: Paper = Paper::arxiv("Zhou et al. 2018", "1810.00143");
    const SUMS: usize = 1;
    type State<R: Copy> = Kept<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let n = self.keep_num;
        InvalidOption::unless_all_hold(Self::NAME, &[("keep_num", n as f64, n <= 4, "4 or less")])
    }

    fn start(&self) -> Kept<f64> {
        let kept = |number: u64| (number <= self.keep_num).then_some(0.0);
        Kept { g1: 0.0, g2: kept(2), g3: kept(3), g4: kept(4), v: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, keep_num: n, eps, .. } = *self;
        let newest = 1.0 / (0..n).map(|i| beta1.powf(i as f64)).sum::<f64>();
        let debias2 = if t > n { debias(beta2, t - n) } else { 0.0 };
        Scalars { beta1, beta2, one_beta2: 1.0 - beta2, newest, debias2, eps, lr }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Kept<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Kept<R>) {
        let zero = R::lit(0.0);
        let mean = (g, k.beta1, s.g1);
        let (sum, _, oldest) = [s.g2, s.g3, s.g4].into_iter().fold(mean, |mean, older| {
            let (sum, share, newer) = mean;
            older.map_or(mean, |older| (sum + share * newer, share * k.beta1, older))
        });
        let most = over.max(Tensor, oldest * oldest);
        let moves = zero.lt(k.debias2);
        let v = R::select(moves, k.beta2 * s.v + k.one_beta2 * most, s.v);
        let new = p - k.lr * k.newest * sum / ((v * k.debias2).sqrt() + k.eps);
        // Not `p`, so that a NaN is not hidden.
        let new = R::select(moves, new, p + zero * g);
        let (g3, g4) = (s.g3.and(s.g2), s.g4.and(s.g3));
        (new, Kept { g1: g, g2: s.g2.map(|_| s.g1), g3, g4, v })
    }
}
