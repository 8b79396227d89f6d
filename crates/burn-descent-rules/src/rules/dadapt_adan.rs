use super::d_adaptation::{estimate, limit, only_after};
use crate::Domain::Model;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// D-Adapt Adan: Adan that finds its own learning rate by D-Adaptation.
    ///
    /// ```text
    /// dlr = d η,    Δ = g − g₋₁ (0 in step 1)
    /// m ← β₁ m + (1 − β₁) dlr g
    /// v ← β₂ v + (1 − β₂) dlr Δ
    /// n ← β₃ n + (1 − β₃) (g + β₂ Δ)²
    /// s ← β₃ s + (1 − β₃) dlr g
    /// G ← β₃ G + (1 − β₃) dlr² Σ g² / (√n + ε)
    /// d̂ = (Σ s² / (√n + ε) / (1 − β₃) − G) / Σ |s|
    /// d ← max(d, d̂), by growth_rate at most
    /// θ ← (θ − (m + β₂ v) / (√n + ε)) / (1 + dlr λ)
    /// ```
    ///
    /// The sums go over all parameters of the model that have a gradient, so it walks with `Descent`; burn's
    /// `ModuleOptimizer` shows an optimizer one parameter at a time and is refused. Groups share one estimate `d`,
    /// whatever their options are. The learning rate is a factor of what is found: 1, or a schedule that falls
    /// from 1.
    ///
    /// With `no_prox` the weights decay before the step, `θ ← (1 − dlr λ) θ`, as in AdamW. pytorch_optimizer squares
    /// `g + β₂ Δ` twice (`fourth_power`).
    ///
    /// - Defaults: the authors'. `beta1` 0.98, `beta2` 0.92, `beta3` 0.99, `eps` 1e-8, `weight_decay` 0.02, `d0` 1e-6,
    ///   no limit of growth.
    /// - Memory: five numbers a weight, and two a tensor. Traffic in f32: read 44, write 24 bytes a weight, 16 of
    ///   those read for the sums.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose square overflows stops its
    ///   weight for good (`n` infinite).
    /// - Reference: Defazio & Mishchenko 2023, <https://arxiv.org/abs/2301.07733>; around Adan in their code.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{DAdaptAdan, rules::slices::Walk};
    ///
    /// // Down |x - 3|, of which nobody says how far it is.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(DAdaptAdan::new().weight_decay(0.0), x.len())?;
    /// for t in 1..=200_u32 {
    ///     let g = [(x[0] - 3.0).signum()];
    ///     walk.step(1.0 / f64::from(t).sqrt(), &mut x, &g)?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 0.1, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct DAdaptAdan {
        /// Decay `β₁` of the average of the gradients.
        #[doc(alias = "betas")]
        beta1: Decay = 0.98,
        /// Decay `β₂` of the average of their differences, and the weight of a difference.
        #[doc(alias = "betas")]
        beta2: Decay = 0.92,
        /// Decay `β₃` of the second moment and of the sums.
        #[doc(alias = "betas")]
        beta3: Decay = 0.99,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.02,
        /// Let the weights decay before the step, by a factor.
        no_prox: bool = false,
        /// Square twice what the second moment is of.
        fourth_power: bool = false,
        /// The estimate before the first step.
        d0: Positive = 1e-6,
        /// The greatest factor by which the estimate grows in a step, at least 1; 0 is no limit.
        growth_rate: NonNegative = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`DAdaptAdan`].
    pub struct Estimate {
        /// Average of `dlr g`.
        m,
        /// Average of `dlr Δ`.
        v,
        /// Second moment.
        n: positive,
        /// Average of `dlr g` for the estimate.
        s,
        /// Gradient of the step before.
        g_prev,
        /// The estimate.
        d: Model,
        /// `G`.
        squares: Model,
    }

    /// Scalars of [`DAdaptAdan`].
    pub struct Scalars {
        beta1, one_beta1, beta2, one_beta2, beta3, one_beta3,
        /// 0 in step 1, then 1.
        later,
        /// 1 to square twice, or 0.
        twice,
        eps, lr,
        /// `λ` before the step and in it.
        decay, prox,
        growth_rate,
    }
}

impl Rule for DAdaptAdan {
    const NAME: &'static str = "dadapt_adan";
    const TITLE: &'static str = "D-Adapt Adan";
    const PAPER: Paper = Paper::arxiv("Defazio & Mishchenko 2023", "2301.07733");
    const SUMS: usize = 3;
    const ESTIMATE: Option<&'static str> = Some("d");
    type State<R: Copy> = Estimate<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Estimate<f64> {
        Estimate { m: 0.0, v: 0.0, n: 0.0, s: 0.0, g_prev: 0.0, d: self.d0, squares: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, beta3, eps, weight_decay, no_prox, .. } = *self;
        let (decay, prox) = if no_prox { (weight_decay, 0.0) } else { (0.0, weight_decay) };
        Scalars {
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            beta3,
            one_beta3: 1.0 - beta3,
            later: if t == 1 { 0.0 } else { 1.0 },
            twice: if self.fourth_power { 1.0 } else { 0.0 },
            eps,
            lr,
            decay,
            prox,
            growth_rate: limit(self.growth_rate),
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Estimate<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Estimate<R>) {
        let (zero, one) = (R::lit(0.0), R::lit(1.0));
        let dlr = s.d * k.lr;
        let change = k.later * (g - s.g_prev);
        let m = k.beta1 * s.m + k.one_beta1 * dlr * g;
        let v = k.beta2 * s.v + k.one_beta2 * dlr * change;
        let ahead = g + k.beta2 * change;
        let square = ahead * ahead;
        let square = R::select(zero.lt(k.twice), square * square, square);
        let n = k.beta3 * s.n + k.one_beta3 * square;
        let sum = k.beta3 * s.s + k.one_beta3 * dlr * g;

        let root = n.sqrt() + k.eps;
        let of_g = dlr * dlr * over.sum(Model, g * (g / root));
        let squares = k.beta3 * s.squares + k.one_beta3 * of_g;
        let of_sum = over.sum(Model, sum * (sum / root)) / k.one_beta3;
        let length = over.sum(Model, sum.abs());
        let d = estimate(s.d, of_sum - squares, length, Some(k.growth_rate));

        let step = k.decay * dlr * p + (m + k.beta2 * v) / root;
        let shrunk = (p - step) / (one + k.prox * dlr);
        let new = p - only_after(length) * (p - shrunk);
        (new, Estimate { m, v, n, s: sum, g_prev: g, d, squares })
    }
}
