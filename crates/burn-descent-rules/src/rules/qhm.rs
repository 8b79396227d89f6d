use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// QHM, quasi-hyperbolic momentum: a mixture of the gradient and its average.
    ///
    /// ```text
    /// g ← g + λ θ
    /// m ← β m + (1 − β) g
    /// θ ← θ − η ((1 − ν) g + ν m)
    /// ```
    ///
    /// `ν` 0 is plain gradient descent, `ν` 1 momentum (with an average for a velocity, so that `η` is
    /// `1 / (1 − β)` times that of [`Sgd`](crate::Sgd)), `ν = β` Nesterov's. With
    /// `decoupled_weight_decay` the decay acts on the weights: `θ ← (1 − η λ) θ − …`.
    ///
    /// - Defaults: those that the paper recommends. `momentum` 0.999, `nu` 0.7; `weight_decay` 0, a
    ///   penalty.
    /// - Memory: one number a weight; none with `momentum` 0. Traffic in f32: read 12, write 8 bytes a
    ///   weight; without momentum read 8, write 4.
    /// - A gradient that is NaN or infinite makes its weight and `m` NaN or infinite, and no other.
    /// - Reference: Ma & Yarats 2018, <https://arxiv.org/abs/1810.06801>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Qhm, Rule};
    ///
    /// Qhm::new().momentum(0.9).nu(0.5).check()?;
    /// let error = Qhm::new().nu(1.5).check().unwrap_err();
    /// assert_eq!(error.to_string(), "qhm: nu = 1.5 is not allowed, it must be in [0, 1]");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Qhm {
        /// Decay `β` of the average of the gradients. With 0 none is kept.
        #[doc(alias = "beta")]
        momentum: Decay = 0.999,
        /// Share `ν` of the average in the step.
        nu: Fraction = 0.7,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Qhm`].
    pub struct Average {
        /// Average of the gradients, with momentum.
        m: optional,
    }

    /// Scalars of [`Qhm`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta, one_beta, nu, one_nu, lr,
    }
}

impl Rule for Qhm {
    const NAME: &'static str = "qhm";
    const TITLE: &'static str = "QHM";
    const PAPER: Paper = Paper::arxiv("Ma & Yarats 2018", "1810.06801");
    type State<R: Copy> = Average<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Average<f64> {
        Average { m: (self.momentum > 0.0).then_some(0.0) }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { momentum: beta, nu, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars { l2, keep, beta, one_beta: 1.0 - beta, nu, one_nu: 1.0 - nu, lr }
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
        let step = m.map_or(g, |m| k.one_nu * g + k.nu * m);
        (k.keep * p - k.lr * step, Average { m })
    }
}
