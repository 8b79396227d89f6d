use crate::Domain::Model;
use crate::transforms::no_less_than_zero;
use crate::{Empty, Over, Paper, Real, Rule, fields, options};

options! {
    /// Polyak SGD: gradient descent whose step follows from how far the loss is above its least value.
    ///
    /// ```text
    /// u = scaling · g
    /// γ = min((f − f*) / (‖u‖² + ε), η)
    /// θ ← θ − γ u
    /// ```
    ///
    /// `f` is the loss at the weights that `g` was taken at, so a step needs it, `f*` is `f_min`, and the norm is that
    /// of the whole model: it walks with `Descent`. The learning rate is the greatest step: 1. Where the norm is 0 there
    /// is no step. With `sps_plus` a loss below `f_min` is taken as `f_min`; else the step goes uphill there.
    ///
    /// - Defaults: optax's. `f_min` 0, `eps` 0, `scaling` 1.
    /// - Memory: none. Traffic in f32: read 12, write 4 bytes a weight, 4 of those read for the norm.
    /// - A gradient or a loss that is NaN makes the whole model NaN: set `NotFinite::Skip`. One whose norm overflows makes
    ///   no step.
    /// - Reference: Loizou et al. 2020, <https://arxiv.org/abs/2002.10542>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{PolyakSgd, rules::slices::Walk};
    ///
    /// // Down (x - 3)²: half of the way in each step.
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(PolyakSgd::new(), x.len())?;
    /// for _ in 0..3 {
    ///     let away = x[0] - 3.0;
    ///     walk.step_with_loss(1.0, away * away, &mut x, &[2.0 * away])?;
    /// }
    /// assert!((x[0] - 2.75).abs() < 1e-9, "{x:?}");
    /// // Without the loss there is no step.
    /// let error = walk.step(1.0, &mut x, &[1.0]).unwrap_err();
    /// assert!(error.to_string().contains("the value of the loss"));
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct PolyakSgd {
        /// A factor of the gradient.
        scaling: NonNegative = 1.0,
        /// The least value `f*` of the loss.
        #[doc(alias = "f_star")]
        f_min: Any = 0.0,
        /// Added to the squared norm.
        #[doc(alias = "epsilon")]
        eps: NonNegative = 0.0,
        /// A loss below `f_min` makes no step.
        sps_plus: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// Scalars of [`PolyakSgd`].
    pub struct Scalars {
        scaling,
        /// `f − f*`.
        gap,
        eps,
        /// The greatest step.
        lr,
    }
}

/// Where the squared norm is no more than this, there is no step.
pub(super) const LEAST_NORM: f64 = f64::EPSILON;

/// The ratio of a gap of the loss and a squared norm, `most` at most; 0 where the norm is 0. A NaN stays one.
#[inline(always)]
pub(super) fn polyak_step<R: Real>(gap: R, norm2: R, most: R) -> R {
    let step = gap / norm2;
    let step = R::select(most.lt(step), most, step);
    R::select(R::lit(LEAST_NORM).lt(norm2), step, R::lit(0.0) * norm2)
}

impl Rule for PolyakSgd {
    const NAME: &'static str = "polyak_sgd";
    const TITLE: &'static str = "Polyak SGD";
    const PAPER: Paper = Paper::arxiv("Loizou et al. 2020", "2002.10542");
    const SUMS: usize = 1;
    const LOSS: bool = true;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        Scalars { scaling: self.scaling, gap: f64::NAN, eps: self.eps, lr }
    }

    fn with_loss(&self, k: Scalars<f64>, loss: f64) -> Scalars<f64> {
        let gap = loss - self.f_min;
        Scalars { gap: if self.sps_plus { no_less_than_zero(gap) } else { gap }, ..k }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        _: Empty<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Empty<R>) {
        let u = k.scaling * g;
        let step = polyak_step(k.gap, over.sum(Model, u * u) + k.eps, k.lr);
        (p - step * u, Empty::new())
    }
}
