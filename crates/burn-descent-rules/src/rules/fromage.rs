use crate::Domain::Tensor;
use crate::transforms::{at_least, trust};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Fromage: a step as long as the learning rate times the weights, which keeps their length.
    ///
    /// ```text
    /// θ ← (θ − η ‖θ‖ / ‖g‖ · g) / √(1 + η²)
    /// ```
    ///
    /// The norms are those of the tensor, `min_norm` at least; where one of them is 0 their ratio is 1. A tensor whose
    /// gradient is all zeros stays as it is, where optax and pytorch_optimizer still divide it by the root. With
    /// `p_bound` the weights of a tensor become at most so many times as long as they were before the first step.
    ///
    /// - Defaults: the authors'. No bound, `min_norm` 0; optax has 1e-6.
    /// - Memory: no state; with `p_bound` one number a tensor. Traffic in f32: read 16, write 4 bytes a weight, 8 of
    ///   those read for the norms; 8 more are read with `p_bound`.
    /// - A gradient that is NaN makes its whole tensor NaN.
    /// - Reference: Bernstein et al. 2020, algorithm 1, <https://arxiv.org/abs/2002.03432>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Fromage, rules::slices::Walk};
    ///
    /// // The gradient is orthogonal to the weights, which stay as long as they are.
    /// let mut x = [3.0_f64, 4.0];
    /// Walk::new(Fromage::new(), x.len())?.step(0.1, &mut x, &[-4e-3, 3e-3])?;
    /// assert!((x[0].hypot(x[1]) - 5.0).abs() < 1e-12 && x[0] > 3.0);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Fromage {
        /// The least norm of weights and gradient.
        min_norm: NonNegative = 0.0,
        /// How long the weights may become, in units of how long they were; 0 is no limit.
        p_bound: NonNegative = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Fromage`].
    pub struct Bound {
        /// The greatest norm of the weights, where there is a bound.
        longest: optional Tensor,
    }

    /// Scalars of [`Fromage`].
    pub struct Scalars {
        lr, min_norm, p_bound,
        /// `1 / √(1 + η²)`.
        shrink,
        /// 1 in the first step, then 0.
        first,
    }
}

impl Rule for Fromage {
    const NAME: &'static str = "fromage";
    const TITLE: &'static str = "Fromage";
    const PAPER: Paper = Paper::arxiv("Bernstein et al. 2020", "2002.03432");
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Bound<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Bound<f64> {
        Bound { longest: (self.p_bound > 0.0).then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { min_norm, p_bound, .. } = *self;
        Scalars { lr, min_norm, p_bound, shrink: 1.0 / 1.0_f64.hypot(lr), first: f64::from(t == 1) }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Bound<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Bound<R>) {
        let (zero, one) = (R::lit(0.0), R::lit(1.0));
        let (length, of_g) = (over.norm(Tensor, p), over.norm(Tensor, g));
        let (above, below) = (at_least(k.min_norm, length), at_least(k.min_norm, of_g));
        let shrink = R::select(zero.lt(of_g), k.shrink, one);
        let p = shrink * (p - k.lr * trust(above, below, above / below) * g);
        let Some(longest) = s.longest else { return (p, s) };
        let longest = R::select(zero.lt(k.first), k.p_bound * length, longest);
        let length = over.norm(Tensor, p);
        let p = R::select(longest.lt(length), p * longest / length, p);
        (p, Bound { longest: Some(longest) })
    }
}
