use crate::Domain::Tensor;
use crate::transforms::split_decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Apollo: quasi-Newton with a diagonal of the Hessian, which follows from how the average gradient changes.
    ///
    /// ```text
    /// δ = g − m,    m ← m + α δ,    α = (1 − β) / (1 − βᵗ)
    /// b ← b − (α dᵀδ + dᵀ(b d)) / (‖d‖₄ + ε′)⁴ · d²
    /// d ← m / max(|b|, σ)
    /// θ ← θ − η d
    /// ```
    ///
    /// `‖d‖₄` and the products are those of the tensor. The bound `σ` is 0.01, and `ε′ = ε / σ`. With `belief` it is
    /// `max |δ|` of the tensor, `ε′ = ε`, and `ε / α` is added to the denominator.
    ///
    /// The decay `λ θ` is added to the gradient, or with `decoupled_weight_decay` to `d`; with `stable_decay` too,
    /// over the mean of the denominator.
    ///
    /// - Defaults: the authors'. `beta` 0.9, `eps` 1e-4, no weight decay. Their warm-up, in which the rate grows
    ///   from `init_lr` 1e-5 in a straight line, is not on by default: `warmup_steps` is 500 there.
    /// - Memory: three numbers a weight. Traffic in f32: read 40, write 16 bytes a weight, 20 of those read
    ///   for the sums; `stable_decay` reads 8 more.
    /// - A NaN gradient makes its whole tensor NaN; where `‖d‖₄` overflows, `b` is left as it is.
    /// - Reference: Ma 2020, <https://arxiv.org/abs/2009.13586>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{ApolloDqn, rules::slices::Walk};
    ///
    /// // Of the Hessian nothing is known in the first step: it is 0.01.
    /// let mut x = [1.0_f64];
    /// Walk::new(ApolloDqn::new(), x.len())?.step(0.001, &mut x, &[2.0])?;
    /// assert!((x[0] - 0.8).abs() < 1e-12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct ApolloDqn {
        /// Decay `β` of the average of the gradient.
        beta: Decay = 0.9,
        /// Added to the norm of the last step.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-4,
        /// The bound is how far a gradient of the tensor is from its average; if false, 0.01.
        #[doc(alias = "rebound")]
        belief: bool = false,
        /// Steps in which the learning rate grows linearly.
        warmup_steps: NonNegative = 0.0,
        /// From which learning rate it grows.
        init_lr: NonNegative = 1e-5,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Decay the weights; if false, add the decay to the gradient.
        decoupled_weight_decay: bool = false,
        /// Divide the decay of the weights by the mean of the denominator.
        stable_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`ApolloDqn`].
    pub struct QuasiNewton {
        /// Average of the gradient.
        m,
        /// Diagonal of the Hessian.
        b,
        /// The last direction.
        d,
    }

    /// Scalars of [`ApolloDqn`].
    pub struct Scalars {
        /// Weight decay in the gradient and in the direction.
        l2, decay,
        alpha,
        /// `ε′`.
        eps,
        /// `ε / α`, with `belief`.
        belief: optional,
        /// `λ` of a stable decay.
        stable: optional,
        lr,
        /// Infinite.
        limit,
    }
}

/// The constant bound `σ`.
const BOUND: f64 = 0.01;

impl Rule for ApolloDqn {
    const NAME: &'static str = "apollo_dqn";
    const TITLE: &'static str = "Apollo";
    const PAPER: Paper = Paper::arxiv("Ma 2020", "2009.13586");
    const SUMS: usize = 5;
    const STAGES: usize = 2;
    type State<R: Copy> = QuasiNewton<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta, eps, belief, init_lr, .. } = *self;
        let decoupled = self.decoupled_weight_decay || self.stable_decay;
        let (l2, decay) = split_decay(self.weight_decay, decoupled);
        let warm = (t as f64 / self.warmup_steps).min(1.0);
        let alpha = (1.0 - beta) / (1.0 - beta.powf(t as f64));
        Scalars {
            l2,
            decay: if self.stable_decay { 0.0 } else { decay },
            alpha,
            eps: if belief { eps } else { eps / BOUND },
            belief: belief.then_some(eps / alpha),
            stable: self.stable_decay.then_some(decay),
            lr: if warm < 1.0 { init_lr + (lr - init_lr) * warm } else { lr },
            limit: f64::INFINITY,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: QuasiNewton<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, QuasiNewton<R>) {
        let g = g + k.l2 * p;
        let change = g - s.m;
        let m = s.m + k.alpha * change;

        let d2 = s.d * s.d;
        let norm = over.sum(Tensor, d2 * d2).sqrt().sqrt() + k.eps;
        let norm2 = norm * norm;
        let curvature = k.alpha * over.sum(Tensor, change * s.d) + over.sum(Tensor, s.b * d2);
        let b = s.b - curvature / norm2 * (d2 / norm2);
        // Where the norm overflows, it is as it was.
        let b = R::select(norm2.lt(k.limit), b, s.b);

        let bound = match k.belief {
            Some(_) => over.max(Tensor, change.abs()),
            None => R::lit(BOUND),
        };
        // Not the maximum, so that a NaN is not hidden.
        let root = R::select(b.abs().lt(bound), bound, b.abs());
        let root = k.belief.map_or(root, |eps| root + eps);
        let decay = k.stable.map_or(k.decay, |stable| stable / over.mean(Tensor, root));
        let new = p - k.lr / root * m - k.lr * decay * p;
        (new, QuasiNewton { m, b, d: m / root + decay * p })
    }
}
