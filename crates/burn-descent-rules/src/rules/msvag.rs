use super::moments::Moments;
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// M-SVAG: momentum, shortened where the gradient is uncertain: Adam's two averages, without its
    /// sign.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β m + (1 − β) g,          m̂ = m / (1 − βᵗ)
    /// v ← β v + (1 − β) g²,         v̂ = v / (1 − βᵗ)
    /// ρ = (1 − β²ᵗ) (1 − β)² / ((1 − β²) (1 − βᵗ)²)   at most 0.9999; 0 in step 1, and if β is 0
    /// s = (v̂ − m̂²) / (1 − ρ)        the variance of the gradient
    /// γ = m̂² / (m̂² + ρ s)           between 0 and 1; 0 where m̂ is 0
    /// θ ← θ − η γ m̂
    /// ```
    ///
    /// One gradient has no variance, so the first step is whole. The libraries divide by `1 − 0.9999`
    /// there, and so multiply what rounding has left of it by ten thousand.
    ///
    /// - Defaults: the authors'. `beta` 0.9; no weight decay.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - A NaN gradient makes its weight and state NaN, and no other; one whose square overflows stops
    ///   its weight for good (`v` infinite).
    /// - Reference: Balles & Hennig 2017, <https://arxiv.org/abs/1705.07774>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{MSvag, rules::slices::Walk};
    ///
    /// // Gradients that are all alike are certain: whole steps. Doubtful ones: shorter ones.
    /// let step = |second: f64| -> Result<f64, burn_descent::InvalidOption> {
    ///     let mut x = [0.0_f64];
    ///     let mut walk = Walk::new(MSvag::new(), x.len())?;
    ///     walk.step(0.1, &mut x, &[1.0])?;
    ///     let before = x[0];
    ///     walk.step(0.1, &mut x, &[second])?;
    ///     Ok(before - x[0])
    /// };
    /// assert!((step(1.0)? - 0.1).abs() < 1e-12 && step(0.0)? < 0.03);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct MSvag {
        /// Decay `β` of both moments.
        beta: Decay = 0.9,
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
    /// Scalars of [`MSvag`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta, one_beta,
        /// `1 − βᵗ`.
        bias,
        rho, one_rho, lr,
    }
}

impl Rule for MSvag {
    const NAME: &'static str = "msvag";
    const TITLE: &'static str = "M-SVAG";
    const PAPER: Paper = Paper::arxiv("Balles & Hennig 2017", "1705.07774");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta, beta_t) = (1.0 - self.beta, self.beta.powf(t as f64));
        let bias = 1.0 - beta_t;
        let rho = (1.0 - beta_t * beta_t) * one_beta * one_beta;
        // Of one gradient there is no variance; what rounding makes of it is not to be divided by 0.
        let rho = rho / ((1.0 - self.beta * self.beta) * bias * bias);
        let rho = if t == 1 || self.beta == 0.0 { 0.0 } else { rho.min(0.9999) };
        Scalars { l2, keep, beta: self.beta, one_beta, bias, rho, one_rho: 1.0 - rho, lr }
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
        let m = k.beta * s.m + k.one_beta * g;
        let v = k.beta * s.v + k.one_beta * g * g;
        let (m_hat, v_hat) = (m / k.bias, v / k.bias);
        let square = m_hat * m_hat;
        let variance = (v_hat - square) / k.one_rho;
        let gamma = square / (square + k.rho * variance);
        // 0 / 0 where nothing has moved yet, and what overflows, are 0.
        let (zero, one) = (R::lit(0.0), R::lit(1.0));
        let gamma = R::select(zero.lt(gamma), gamma, zero);
        let gamma = R::select(one.lt(gamma), one, gamma);
        (k.keep * p - k.lr * gamma * m_hat, Moments { m, v })
    }
}
