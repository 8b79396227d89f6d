use super::signsgd::{Average, Scalars};
use crate::{Over, Paper, Real, Rule, SignSgd, options};

options! {
    /// Tiger: the sign of an average, the least memory a step with momentum can have.
    ///
    /// ```text
    /// m ← β m + (1 − β) g
    /// θ ← (1 − η λ) θ − η sign(m)
    /// ```
    ///
    /// It is Signum, [`SignSgd`] with momentum, with other defaults, and [`Lion`](crate::Lion) with
    /// `β₁ = β₂`. The author scales `η` by the size of each weight matrix and has no decay of biases:
    /// that is a matter of parameter groups here.
    ///
    /// - Defaults: the author's. `beta` 0.965, `weight_decay` 0.01, decoupled.
    /// - Memory: one number a weight. Traffic in f32: read 12, write 8 bytes a weight.
    /// - Bad gradients: as [`SignSgd`] with momentum.
    /// - Reference: Su 2023, <https://github.com/bojone/tiger>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Rule, SignSgd, Tiger};
    ///
    /// let signum = SignSgd::new().momentum(0.965).weight_decay(0.01);
    /// assert_eq!(Tiger::new().scalars(0.1, 1), signum.scalars(0.1, 1));
    /// ```
    pub struct Tiger {
        /// Decay `β` of the average of the gradients.
        #[doc(alias = "momentum")]
        beta: Decay = 0.965,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.01,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

impl Tiger {
    /// Signum with these options.
    fn signum(&self) -> SignSgd {
        let Self { beta, weight_decay, decoupled_weight_decay, maximize } = *self;
        SignSgd { momentum: beta, weight_decay, decoupled_weight_decay, maximize }
    }
}

impl Rule for Tiger {
    const NAME: &'static str = "tiger";
    const TITLE: &'static str = "Tiger";
    const PAPER: Paper = Paper::at("Su 2023", "https://github.com/bojone/tiger");
    type State<R: Copy> = Average<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Average<f64> {
        self.signum().start()
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        self.signum().scalars(lr, t)
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Average<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Average<R>) {
        SignSgd::update(p, g, s, k, over)
    }
}
