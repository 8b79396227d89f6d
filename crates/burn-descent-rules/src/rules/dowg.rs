use crate::Domain::Model;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// DoWG: SGD whose step is how far the model has come, over gradients weighted by that distance.
    ///
    /// ```text
    /// g ← g + λ θ
    /// r̄² ← max(r̄², ‖θ − θ₀‖²),    before the first step init_sq_distance
    /// v ← v + r̄² ‖g‖²
    /// θ ← θ − η r̄² / (√v + ε) · g
    /// ```
    ///
    /// The norms are those of the whole model, so it walks with `Descent`; burn's `ModuleOptimizer` shows an optimizer
    /// one parameter at a time and is refused. The learning rate is a factor: 1.
    ///
    /// - Defaults: optax's. `eps` 1e-4, which is `init_sq_distance` too where that is 0; `weight_decay` 0.
    /// - Memory: one number a weight, and two a tensor. Traffic in f32: read 24, write 8 bytes a weight, 12 of those
    ///   read for the norms.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose norm overflows stops the
    ///   model for good (`v` infinite).
    /// - Reference: Khaled, Mishchenko & Jin 2023, <https://arxiv.org/abs/2305.16284>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{DoWG, rules::slices::Walk};
    ///
    /// // Down (x - 3)², of which nobody says how far it is.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(DoWG::new(), x.len())?;
    /// for _ in 0..200 {
    ///     let g = [2.0 * (x[0] - 3.0)];
    ///     walk.step(1.0, &mut x, &g)?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 0.01, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct DoWG {
        /// The squared distance before the first step; 0 for `eps`.
        #[doc(alias = "init_estim_sq_dist")]
        init_sq_distance: NonNegative = 0.0,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-4,
        /// L2 penalty `λ`, added to the gradient.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`DoWG`].
    pub struct Distance {
        /// How far the weight has come, `θ − θ₀`.
        moved,
        /// `r̄²`.
        r2: Model,
        /// Weighted sum of the squared norms.
        v: Model,
    }

    /// Scalars of [`DoWG`].
    pub struct Scalars { weight_decay, eps, lr }
}

impl Rule for DoWG {
    const NAME: &'static str = "dowg";
    const TITLE: &'static str = "DoWG";
    const PAPER: Paper = Paper::arxiv("Khaled et al. 2023", "2305.16284");
    const SUMS: usize = 2;
    const ESTIMATE: Option<&'static str> = Some("r2");
    type State<R: Copy> = Distance<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Distance<f64> {
        let given = self.init_sq_distance > 0.0;
        let r2 = if given { self.init_sq_distance } else { self.eps };
        Distance { moved: 0.0, r2, v: 0.0 }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        Scalars { weight_decay: self.weight_decay, eps: self.eps, lr }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Distance<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Distance<R>) {
        let g = g + k.weight_decay * p;
        let here = over.sum(Model, s.moved * s.moved);
        let r2 = R::select(here.lt(s.r2), s.r2, here);
        let v = s.v + r2 * over.sum(Model, g * g);
        let new = p - k.lr * r2 / (v.sqrt() + k.eps) * g;
        (new, Distance { moved: s.moved + (new - p), r2, v })
    }
}
