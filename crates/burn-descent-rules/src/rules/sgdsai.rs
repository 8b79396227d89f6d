use crate::Domain::{Column, Tensor};
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// SGD-SaI: SGD with momentum, the rate of each tensor scaled once, by its first gradient.
    ///
    /// ```text
    /// in step 1:  G = ‖g‖ / (σ(g) + ε)      signal to noise
    /// m ← μ m + (1 − μ) g
    /// θ ← (1 − η λ) θ − η G m
    /// ```
    ///
    /// `σ` is the standard deviation of the tensor's gradient. Of a vector, of a matrix of one row, and where `σ` is
    /// 0, `G` is `‖g‖`. A tensor whose first gradient is 0 is never moved, nor is one whose `‖g‖` overflows
    /// or is NaN.
    ///
    /// - Defaults: pytorch_optimizer's. `momentum` 0.9, `weight_decay` 0.01, `eps` 1e-8.
    /// - Memory: one number a weight, none with `momentum` 0. Traffic in f32: read 20, write 8 bytes a
    ///   weight, 8 of those read for the sums.
    /// - A NaN gradient makes its weight NaN, and no other.
    /// - Reference: Xu et al. 2024, <https://arxiv.org/abs/2412.11768>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{SgdSai, rules::slices::Walk};
    ///
    /// let mut x = [1.0_f64, 1.0];
    /// let rule = SgdSai::new().momentum(0.0).weight_decay(0.0);
    /// let mut walk = Walk::new(rule, x.len())?;
    /// walk.step(0.01, &mut x, &[3.0, 4.0])?;
    /// walk.step(0.01, &mut x, &[3.0, 0.0])?;
    /// assert!((x[0] - 0.7).abs() < 1e-12 && (x[1] - 0.8).abs() < 1e-12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct SgdSai {
        /// Decay `μ` of the average of the gradient.
        #[doc(alias = "mu")]
        momentum: Fraction = 0.9,
        /// Added to the deviation.
        #[doc(alias = "epsilon")]
        eps: NonNegative = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.01,
        /// Decay the weights; if false, add the decay to the gradient, but not in `G`.
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`SgdSai`].
    pub struct Signal {
        /// Average of the gradient.
        m: optional,
        /// `G`.
        gsnr: Tensor,
    }

    /// Scalars of [`SgdSai`].
    pub struct Scalars {
        /// 1 in step 1, then 0.
        first,
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        momentum, one_momentum, eps, lr,
        /// Infinite: no `G` is.
        limit,
    }
}

impl Rule for SgdSai {
    const NAME: &'static str = "sgdsai";
    const TITLE: &'static str = "SGD-SaI";
    const PAPER: Paper = Paper::arxiv("Xu et al. 2024", "2412.11768");
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Signal<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Signal<f64> {
        Signal { m: (self.momentum > 0.0).then_some(0.0), gsnr: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { momentum, eps, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let first = f64::from(t == 1);
        let (one_momentum, limit) = (1.0 - momentum, f64::INFINITY);
        Scalars { first, l2, keep, momentum, one_momentum, eps, lr, limit }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Signal<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Signal<R>) {
        let (zero, one) = (R::lit(0.0), R::lit(1.0));
        let deviation = g - over.mean(Tensor, g);
        let variance = over.sum(Tensor, deviation * deviation) / (over.count(Tensor) - one);
        let is_matrix = one.lt(over.count(Column));
        let sigma = R::select(is_matrix, variance.sqrt(), zero);
        let norm = over.norm(Tensor, g);
        let ratio = R::select(zero.lt(sigma), norm / (sigma + k.eps), norm);
        let ratio = R::select(norm.lt(k.limit), ratio, zero);
        let gsnr = R::select(zero.lt(k.first), ratio, s.gsnr);

        let g = g + k.l2 * p;
        let m = s.m.map(|m| k.momentum * m + k.one_momentum * g);
        (k.keep * p - k.lr * gsnr * m.unwrap_or(g), Signal { m, gsnr })
    }
}
