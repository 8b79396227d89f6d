use crate::Domain::Model;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// DoG: SGD whose step is how far the model has come, over all gradients so far.
    ///
    /// ```text
    /// g ← g + λ θ
    /// r̄ ← max(r̄, ‖θ − θ₀‖),    before the first step r_ε = init_scale (1 + ‖θ₀‖)
    /// G ← G + ‖g‖²
    /// θ ← θ − η r̄ / √(G + ε) · g
    /// ```
    ///
    /// The norms are those of the whole model, so it walks with `Descent`; burn's `ModuleOptimizer` shows an optimizer
    /// one parameter at a time and is refused. The learning rate is a factor: 1. The authors evaluate an average of
    /// the weights, which `Descent` keeps beside any optimizer.
    ///
    /// `init_distance` is another `r_ε`; with `init_lr` the first step is taken at that rate, and what it moves is the
    /// first distance.
    ///
    /// - Defaults: the authors'. `init_scale` 1e-6, `eps` 1e-8, `weight_decay` 0. For a model with batch
    ///   normalisation they advise an `init_scale` of 1e-4.
    /// - Memory: one number a weight, and two a tensor. Traffic in f32: read 24, write 8 bytes a weight, 12 of those
    ///   read for the norms.
    /// - A gradient that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose norm overflows stops the
    ///   model for good (`G` infinite).
    /// - Reference: Ivgi, Hinder & Carmon 2023, <https://arxiv.org/abs/2302.12022>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{DoG, rules::slices::Walk};
    ///
    /// // Down (x - 3)², of which nobody says how far it is.
    /// let mut x = [0.0_f64];
    /// let mut walk = Walk::new(DoG::new(), x.len())?;
    /// for _ in 0..200 {
    ///     let g = [2.0 * (x[0] - 3.0)];
    ///     walk.step(1.0, &mut x, &g)?;
    /// }
    /// assert!((x[0] - 3.0).abs() < 0.01, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct DoG {
        /// The distance before the first step is this times `1 + ‖θ₀‖`.
        #[doc(alias = "reps_rel")]
        init_scale: Positive = 1e-6,
        /// The distance before the first step, instead of that; 0 for that.
        init_distance: NonNegative = 0.0,
        /// The learning rate of the first step, instead of a distance; 0 for none.
        #[doc(alias = "init_eta")]
        init_lr: NonNegative = 0.0,
        /// Added under the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// L2 penalty `λ`, added to the gradient.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`DoG`].
    pub struct Distance {
        /// How far the weight has come, `θ − θ₀`.
        moved,
        /// `r̄`.
        r: Model,
        /// `G`.
        squares: Model,
    }

    /// Scalars of [`DoG`].
    pub struct Scalars {
        weight_decay, eps, lr,
        /// `init_scale` in step 1 where it counts, else 0.
        scale,
        /// `init_lr` in step 1, then 0.
        first_lr,
    }
}

impl Rule for DoG {
    const NAME: &'static str = "dog";
    const TITLE: &'static str = "DoG";
    const PAPER: Paper = Paper::arxiv("Ivgi et al. 2023", "2302.12022");
    const SUMS: usize = 3;
    const ESTIMATE: Option<&'static str> = Some("r");
    type State<R: Copy> = Distance<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Distance<f64> {
        let r = if self.init_lr > 0.0 { 0.0 } else { self.init_distance };
        Distance { moved: 0.0, r, squares: 0.0 }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { init_scale, init_distance, init_lr, eps, weight_decay, .. } = *self;
        let scale = if init_distance > 0.0 || init_lr > 0.0 { 0.0 } else { init_scale };
        let first = if t == 1 { 1.0 } else { 0.0 };
        Scalars { weight_decay, eps, lr, scale: first * scale, first_lr: first * init_lr }
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
        let r = s.r + k.scale * (R::lit(1.0) + over.norm(Model, p));
        let here = over.norm(Model, s.moved);
        let r = R::select(here.lt(r), r, here);
        let squares = s.squares + over.sum(Model, g * g);
        let rate = r / (squares + k.eps).sqrt();
        let rate = R::select(R::lit(0.0).lt(k.first_lr), k.first_lr, rate);
        let new = p - k.lr * rate * g;
        (new, Distance { moved: s.moved + (new - p), r, squares })
    }
}
