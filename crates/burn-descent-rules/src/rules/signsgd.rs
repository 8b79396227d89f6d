use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// SignSGD, and with momentum Signum: every weight moves by the learning rate.
    ///
    /// ```text
    /// signSGD   θ ← (1 − η λ) θ − η sign(g)
    /// Signum    m ← β m + (1 − β) g
    ///           θ ← (1 − η λ) θ − η sign(m)
    /// ```
    ///
    /// Without `decoupled_weight_decay` the decay is a penalty in the gradient: `g ← g + λ θ`.
    ///
    /// - Defaults: the paper's Signum. `momentum` 0.9 (0 is signSGD), `weight_decay` 0, decoupled.
    /// - Memory: one number a weight; none without momentum. Traffic in f32: read 12, write 8 bytes a
    ///   weight; without momentum read 8, write 4.
    /// - A NaN gradient makes its weight and `m` NaN, and no other; an infinite one moves its weight
    ///   by `η`, with momentum in all later steps.
    /// - Reference: Bernstein et al. 2018, algorithms 1 and 2, <https://arxiv.org/abs/1802.04434>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{SignSgd, rules::slices::Walk};
    ///
    /// let mut x = [1.0, -3.0, 2.0];
    /// let mut walk = Walk::new(SignSgd::new().momentum(0.0), x.len())?;
    /// walk.step(0.5, &mut x, &[1e-9, 5.0, 0.0])?;
    /// assert_eq!(x, [0.5, -3.5, 2.0]);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct SignSgd {
        /// Decay `β` of the average of the gradients. With 0 none is kept.
        #[doc(alias = "beta")]
        momentum: Decay = 0.9,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`SignSgd`] and [`Tiger`](crate::Tiger).
    pub struct Average {
        /// Average of the gradients, with momentum.
        m: optional,
    }

    /// Scalars of [`SignSgd`] and [`Tiger`](crate::Tiger).
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta, one_beta, lr,
    }
}

impl Rule for SignSgd {
    const NAME: &'static str = "signsgd";
    const TITLE: &'static str = "SignSGD";
    const PAPER: Paper = Paper::arxiv("Bernstein et al. 2018", "1802.04434");
    type State<R: Copy> = Average<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Average<f64> {
        Average { m: (self.momentum > 0.0).then_some(0.0) }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars { l2, keep, beta: self.momentum, one_beta: 1.0 - self.momentum, lr }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Average<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Average<R>) {
        let g = g + k.l2 * p;
        let m = s.m.map(|m| k.beta * m + k.one_beta * g);
        (k.keep * p - k.lr * m.unwrap_or(g).sign(), Average { m })
    }
}
