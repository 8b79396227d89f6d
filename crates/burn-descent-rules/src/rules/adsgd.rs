use crate::Domain::Model;
use crate::transforms::split_decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdSGD: gradient descent that finds its rate from how fast the gradient of the whole model changes along the
    /// way. The faster it does, the shorter the steps; where it hardly does, they grow a little each time.
    ///
    /// ```text
    /// ρ' = ρ √(1 + amplifier ϑ)                                      ρ = η in the beginning
    /// ρ ← min(ρ', ‖Δθ‖ / (dampening ‖Δg‖)) + eps                     ρ' where a norm is 0
    /// ϑ ← ρ over what it was before
    /// θ ← (1 − ρ λ) θ − ρ g                                          without decoupled_weight_decay θ − ρ (g + λ θ)
    /// ```
    ///
    /// `Δg` is by how much the gradient is another than in the step before, `Δθ` that step. The norms go over all
    /// parameters of the model that have a gradient, so the rule walks with `Descent`; burn's `ModuleOptimizer`
    /// shows an optimizer one parameter at a time and is refused. Groups share one rate.
    ///
    /// pytorch_optimizer, which calls it ASGD, takes differences of norms for norms of differences:
    /// `‖θ‖ − ‖θ'‖` and `‖g‖ − ‖g'‖`, where both are positive. That is `of_norms`; it needs no memory.
    ///
    /// The learning rate `η` is a factor of what is found: a constant, where the first step begins, or a schedule.
    ///
    /// - Defaults: those of the authors' code for networks. `amplifier` 0.02, `dampening` 1, `theta` 1, `eps` 1e-5, no
    ///   weight decay. The paper's method for convex functions is `amplifier` 1, `dampening` 2 and `eps` of next to
    ///   nothing.
    /// - Memory: one number a weight, none with `of_norms`; and four a model. Traffic in f32: read 16, write 8 bytes
    ///   a weight, 8 of those read for the norms; with `of_norms` write 4.
    /// - A gradient that is NaN makes its weight NaN; the rate only grows from then on. One that is huge is a huge
    ///   step, as in SGD.
    /// - Reference: Malitsky & Mishchenko 2019, algorithm 1, <https://arxiv.org/abs/1910.09529>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdSgd, rules::slices::Walk};
    ///
    /// // Down 50 x², from a rate that is a thousandth of what is good.
    /// let mut x = [1.0_f64];
    /// let mut walk = Walk::new(AdSgd::new().amplifier(1.0).dampening(2.0).eps(1e-12), x.len())?;
    /// for _ in 0..60 {
    ///     let g = [100.0 * x[0]];
    ///     walk.step(1e-5, &mut x, &g)?;
    /// }
    /// assert!(x[0].abs() < 1e-6, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdSgd {
        /// How fast the rate grows.
        #[doc(alias = "alpha")]
        amplifier: NonNegative = 0.02,
        /// How far below the measured bound the rate stays.
        #[doc(alias = "damping")]
        dampening: Positive = 1.0,
        /// `ϑ` before the first step.
        theta: NonNegative = 1.0,
        /// Added to a rate that is bounded.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-5,
        /// Measure by differences of norms.
        of_norms: bool = false,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdSgd`].
    pub struct Rate {
        /// The gradient of the step before, without `of_norms`.
        g_prev: optional,
        /// Norm of all gradients in the step before.
        g_norm: Model,
        /// Norm of all weights before it, with `of_norms`.
        p_norm: Model,
        /// The rate over the learning rate.
        rho: Model,
        /// By how much it has grown in the step before.
        theta: Model,
    }

    /// Scalars of [`AdSgd`].
    pub struct Scalars { l2, decay, lr, amplifier, dampening, eps }
}

impl Rule for AdSgd {
    const NAME: &'static str = "adsgd";
    const TITLE: &'static str = "AdSGD";
    const PAPER: Paper = Paper::arxiv("Malitsky & Mishchenko 2019", "1910.09529");
    const SUMS: usize = 2;
    type State<R: Copy> = Rate<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Rate<f64> {
        let g_prev = (!self.of_norms).then_some(0.0);
        // More than any norm, so that the first one is not seen as a growth.
        let p_norm = f64::from(f32::MAX);
        Rate { g_prev, g_norm: 0.0, p_norm, rho: 1.0, theta: self.theta }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { amplifier, dampening, eps, .. } = *self;
        let (l2, decay) = split_decay(self.weight_decay, self.decoupled_weight_decay);
        Scalars { l2, decay, lr, amplifier, dampening, eps }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Rate<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Rate<R>) {
        let (zero, one) = (R::lit(0.0), R::lit(1.0));
        let before = k.lr * s.rho;
        let g_norm = over.norm(Model, g);
        let (dp, dg, p_norm) = match s.g_prev {
            Some(g_prev) => (before * s.g_norm, over.norm(Model, g - g_prev), s.p_norm),
            None => {
                let p_norm = over.norm(Model, p);
                (p_norm - s.p_norm, g_norm - s.g_norm, p_norm)
            }
        };
        let grown = before * (one + k.amplifier * s.theta).sqrt();
        let bound = dp / (k.dampening * dg);
        let bounded = R::select(bound.lt(grown), bound, grown) + k.eps;
        let rate = R::select(zero.lt(dp), R::select(zero.lt(dg), bounded, grown), grown);
        // Of a learning rate of 0 nothing is learned.
        let rho = R::select(zero.lt(k.lr), rate / k.lr, s.rho);
        let rate = k.lr * rho;
        let p = p - rate * (k.decay * p + (g + k.l2 * p));
        let g_prev = s.g_prev.map(|_| g);
        (p, Rate { g_prev, g_norm, p_norm, rho, theta: rho / s.rho })
    }
}

#[cfg(test)]
mod tests {
    use super::AdSgd;
    use crate::slices::Walk;

    /// The paper's algorithm 1, in which the way is measured and not computed.
    #[test]
    fn it_goes_the_way_of_the_paper() {
        let norm = |x: [f64; 2]| x[0].hypot(x[1]);
        let less = |a: [f64; 2], b: [f64; 2]| [a[0] - b[0], a[1] - b[1]];
        let gradient = |x: [f64; 2]| [x[0] + x[1].sin(), 25.0 * x[1].powi(3)];
        let rule = AdSgd::new().amplifier(1.0).dampening(2.0).eps(1e-300);
        let mut walk = Walk::new(rule, 2).unwrap();
        let (mut ours, mut x) = ([1.0, -2.0], [1.0, -2.0]);
        let (mut rho, mut theta, mut before): (f64, f64, _) = (1e-4, 1.0, None);
        for step in 0..50 {
            let g = gradient(x);
            let grown = (1.0 + theta).sqrt() * rho;
            let new = before.map_or(grown, |(x_prev, g_prev)| {
                grown.min(norm(less(x, x_prev)) / (2.0 * norm(less(g, g_prev))))
            });
            before = Some((x, g));
            (theta, rho) = (new / rho, new);
            x = less(x, g.map(|g| rho * g));
            let g = gradient(ours);
            walk.step(1e-4, &mut ours, &g).unwrap();
            assert!(norm(less(ours, x)) < 1e-9, "step {step}: {ours:?}, not {x:?}");
        }
        assert!(norm(gradient(x)) < 0.2, "{x:?}");
    }
}
