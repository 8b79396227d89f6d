use super::RAdam;
use super::moments::uncorrected;
use crate::Domain::Tensor;
use crate::transforms::decay;
use crate::{InvalidOption, Over, Paper, Real, Rule, fields, options};

/// The most projections that there may be.
const MOST_PROJECTIONS: u64 = 4;

options! {
    /// Aida: AdaBelief that compares gradient and momentum after each has been projected onto the other, so that
    /// step sizes differ less.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g,                            m̂ = m / (1 − β₁ᵗ)
    /// g⁽⁰⁾ = g,    g⁽ᵏ⁾ = ⟨g⁽ᵏ⁻¹⁾, m⁽ᵏ⁻¹⁾⟩ / (‖g⁽ᵏ⁻¹⁾‖² + xi) · g⁽ᵏ⁻¹⁾
    /// m⁽⁰⁾ = m,    m⁽ᵏ⁾ = ⟨g⁽ᵏ⁻¹⁾, m⁽ᵏ⁻¹⁾⟩ / (‖m⁽ᵏ⁻¹⁾‖² + xi) · m⁽ᵏ⁻¹⁾
    /// v ← β₂ v + (1 − β₂) (m⁽ᴷ⁾ − g⁽ᴷ⁾)² + eps_root,    v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η m̂ / (√v̂ + eps)
    /// ```
    ///
    /// `K` is `projections`, 4 at most. Products and norms are those of the tensor, and as a projection is a
    /// multiple of what is projected, all of them follow from `⟨g, m⟩`, `‖g‖²` and `‖m‖²`.
    ///
    /// `amsgrad`: `v_max ← max(v_max, v)` takes the place of `v` in `v̂`. `rectify`: the step is multiplied with the
    /// `r` of [`RAdam`], and before that sets in it is `η m̂`, or without `degenerated_to_sgd` nothing.
    ///
    /// Where epsilon stands: `eps_root` is added in every step, so it adds up to `eps_root / (1 − β₂)`; `eps` as
    /// above; `eps_hat` added to `√v` before its bias is corrected, and `eps_root_hat` under that root:
    /// pytorch_optimizer has both (`.eps(0.0).eps_hat(1e-8).eps_root_hat(1e-15)`).
    ///
    /// - Defaults: those of pytorch_optimizer. `beta1` 0.9, `beta2` 0.999, two projections, `xi` 1e-20, `eps` and
    ///   `eps_root` 1e-8, no weight decay, no AMSGrad, not rectified; `eps_hat` and `eps_root_hat` 0.
    /// - Memory: two numbers a weight, three with AMSGrad. Traffic in f32: read 28, write 12 bytes a weight, 12 of
    ///   those read for the products; 4 and 4 more with AMSGrad.
    /// - A gradient that is NaN makes its whole tensor NaN. One whose square overflows stops its weight for good (`v`
    ///   infinite), and nothing is projected in its step.
    /// - Reference: Zhang et al. 2022, <https://arxiv.org/abs/2203.13273>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Aida, AdaBelief, rules::slices::Walk};
    ///
    /// // Without projections it is AdaBelief.
    /// let (mut x, mut y) = ([1.0_f64, -2.0], [1.0_f64, -2.0]);
    /// let mut aida = Walk::new(Aida::new().projections(0), x.len())?;
    /// let mut belief = Walk::new(AdaBelief::new().eps(1e-8).eps_root(1e-8), y.len())?;
    /// for g in [[0.5, 0.1], [-0.2, 0.4]] {
    ///     aida.step(0.1, &mut x, &g)?;
    ///     belief.step(0.1, &mut y, &g)?;
    /// }
    /// assert!((x[0] - y[0]).abs() < 1e-12 && (x[1] - y[1]).abs() < 1e-12, "{x:?} {y:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Aida {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the squared deviation.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// How often gradient and momentum are projected, `K`. At most 4.
        #[doc(alias = "k")]
        projections: u64 = 2,
        /// Added to the norms.
        xi: Positive = 1e-20,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added to the squared deviation in every step.
        eps_root: Epsilon = 1e-8,
        /// Added to the root before its bias is corrected.
        eps_hat: Epsilon = 0.0,
        /// Added under the root before its bias is corrected.
        eps_root_hat: Epsilon = 0.0,
        /// Divide by the greatest squared deviation so far.
        #[doc(alias = "ams_bound")]
        amsgrad: bool = false,
        /// Rectify the step as RAdam does.
        rectify: bool = false,
        /// The `ρ_t` beyond which steps are rectified. Only with `rectify`.
        #[doc(alias = "n_sma_threshold")]
        threshold: AtLeast(4.0) = 5.0,
        /// Before the rectification sets in, step along the momentum; if false, do not step then.
        /// Only with `rectify`.
        degenerated_to_sgd: bool = true,
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

fields! {
    /// State of [`Aida`].
    pub struct Moments {
        /// First moment.
        m,
        /// Squared deviation of the projections.
        v: positive,
        /// Greatest squared deviation, with AMSGrad.
        v_max: optional positive,
    }

    /// Scalars of [`Aida`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2, projections, xi,
        /// Learning rates of the step with a denominator and of the step without one, for moments
        /// whose bias is not corrected: one is 0.
        adaptive, plain,
        /// Added to the squared deviation.
        added,
        /// Beside and under its root as it is, not corrected for bias.
        eps, eps_root,
    }
}

impl Rule for Aida {
    const NAME: &'static str = "aida";
    const TITLE: &'static str = "Aida";
    const PAPER: Paper = Paper::arxiv("Zhang et al. 2022", "2203.13273");
    const SUMS: usize = 3;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn conflict(&self) -> Result<(), InvalidOption> {
        let few = self.projections <= MOST_PROJECTIONS;
        InvalidOption::unless_all_hold(
            Self::NAME,
            &[("projections", self.projections as f64, few, "at most 4")],
        )
    }

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, xi, threshold, degenerated_to_sgd, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let radam = RAdam { beta2, threshold, degenerated_to_sgd, ..RAdam::new() };
        let (adaptive, plain) = if self.rectify { radam.rectification(t) } else { (1.0, 0.0) };
        let (lr_of_root, root_bias2) = uncorrected(lr, beta1, beta2, t);
        Scalars {
            l2,
            keep,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            projections: self.projections as f64,
            xi,
            adaptive: lr_of_root * adaptive,
            plain: lr * plain / (1.0 - beta1.powf(t as f64)),
            added: self.eps_root,
            eps: self.eps * root_bias2 + self.eps_hat,
            eps_root: self.eps_root_hat,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let g = g + k.l2 * p;
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let gm = over.sum(Tensor, g * m);
        let (gg, mm) = (over.sum(Tensor, g * g), over.sum(Tensor, m * m));
        let [of_g, of_m] = projected(gm, gg, mm, k.xi, k.projections);
        let deviation = of_m * m - of_g * g;
        let v = k.beta2 * s.v + k.one_beta2 * deviation * deviation + k.added;
        let v_max = s.v_max.map(|v_max| v_max.max(v));
        let root = (v_max.unwrap_or(v) + k.eps_root).sqrt();
        let step = m * (k.adaptive / (root + k.eps) + k.plain);
        (k.keep * p - step, Moments { m, v, v_max })
    }
}

/// The multiples of `g` and of `m` that are their mutual projections, from `⟨g, m⟩`, `‖g‖²` and `‖m‖²`.
#[inline(always)]
fn projected<R: Real>(gm: R, gg: R, mm: R, xi: R, projections: R) -> [R; 2] {
    let (zero, one) = (R::lit(0.0), R::lit(1.0));
    let (mut of_g, mut of_m) = (one, one);
    for round in 0..MOST_PROJECTIONS {
        let product = of_g * of_m * gm;
        let more = R::lit(round as f64).lt(projections);
        let project =
            |of: R, squares: R| R::select(more, of * product / (of * of * squares + xi), of);
        (of_g, of_m) = (project(of_g, gg), project(of_m, mm));
    }
    // Where the squares overflow, all of the gradient and nothing of the momentum. A NaN is not hidden.
    let squares = gg + mm;
    let finite = squares.lt(one + squares + squares);
    let unless_finite = |other: R| other + one / squares;
    [R::select(finite, of_g, unless_finite(one)), R::select(finite, of_m, unless_finite(zero))]
}
