use super::sgd;
use crate::Domain::Tensor;
use crate::transforms::{at_most, split_decay, trust, view_of_matrix};
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// LARS: SGD with momentum, each tensor's gradient as long as a small share of its weights.
    ///
    /// ```text
    /// λ = trust_coefficient ‖θ‖ / (‖g‖ + β ‖θ‖ + eps)
    /// v ← m v + η λ (g + β θ)
    /// θ ← θ − v
    /// ```
    ///
    /// `β` is the weight decay and `m` the momentum. The norms are those of the tensor; where `‖θ‖` is 0, or what
    /// stands below, `λ` is 1.
    ///
    /// The forms that there are, by options:
    ///
    /// | form | options |
    /// |---|---|
    /// | paper | as by default |
    /// | optax | `decay_in_norm`: below stands `‖g + β θ‖ + eps` |
    /// | pytorch_optimizer | `classic` and `adapt_vectors` false, `dampen_first` |
    /// | timm | `classic` and `adapt_without_decay` false, `eps` 1e-8, `momentum` 0 |
    ///
    /// Without `classic` the learning rate is not in the velocity, `v ← m v + λ (g + β θ)` and `θ ← θ − η v`: see
    /// [`Sgd`](crate::Sgd). With `trust_clip` it is a limit of the rate of a tensor, `η min(λ / η, 1)`, which is LARC.
    ///
    /// - Defaults: the paper's. `trust_coefficient` 0.001, `momentum` 0.9, no weight decay (it has 0.0005 for
    ///   ImageNet); `eps` 0.
    /// - Memory: one number a weight, none without momentum. Traffic in f32: read 20, write 8 bytes a weight, 8 of
    ///   those read for the norms.
    /// - A gradient that is NaN makes its whole tensor NaN.
    /// - Reference: You, Gitman & Ginsburg 2017, algorithm 1, <https://arxiv.org/abs/1708.03888>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Lars, rules::slices::Walk};
    ///
    /// // A first step is a thousandth of the weights times the learning rate, whatever the gradient is.
    /// let mut x = [3.0_f64, 4.0];
    /// Walk::new(Lars::new(), x.len())?.step(2.0, &mut x, &[1e-3, -2.0])?;
    /// let length = (3.0 - x[0]).hypot(4.0 - x[1]);
    /// assert!((length - 0.01).abs() < 1e-9);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Lars {
        /// The share of the weights' norm.
        #[doc(alias = "trust_coeff")]
        trust_coefficient: Positive = 0.001,
        /// Decay `m` of the velocity. With 0 no velocity is kept.
        momentum: Decay = 0.9,
        /// Share of the gradient that is kept out of the velocity.
        dampening: Fraction = 0.0,
        /// The first gradient is dampened too.
        dampen_first: bool = false,
        /// Look ahead by one more momentum step.
        nesterov: bool = false,
        /// The learning rate goes into the velocity.
        classic: bool = true,
        /// Weight decay `β`.
        #[doc(alias = "beta")]
        weight_decay: WeightDecay = 0.0,
        /// Take the norm of `g + β θ`, and not that of each.
        decay_in_norm: bool = false,
        /// Added to the norm of the gradient.
        #[doc(alias = "epsilon")]
        eps: NonNegative = 0.0,
        /// `λ` is the learning rate of a tensor, and `η` its limit.
        trust_clip: bool = false,
        /// Take the ratio where `weight_decay` is 0 too.
        #[doc(alias = "always_adapt")]
        adapt_without_decay: bool = true,
        /// Vectors have a ratio and a weight decay too; if false, they are stepped by SGD.
        adapt_vectors: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Lars`].
    pub struct Velocity {
        /// The velocity.
        v: optional,
    }

    /// Scalars of [`Lars`].
    pub struct Scalars {
        decay,
        /// `β` inside of the norm of the gradient, and beside it.
        in_norm, beside_norm,
        eps, momentum,
        /// Share of the gradient in the velocity, and of gradient and velocity in the step.
        inflow, of_g, of_v,
        /// The share of the weights' norm, where there is a ratio.
        trust: optional,
        /// What the ratio is multiplied with, and how much that is at most.
        of_trust, most_trust,
    }
}

impl Rule for Lars {
    const NAME: &'static str = "lars";
    const TITLE: &'static str = "LARS";
    const PAPER: Paper = Paper::arxiv("You et al. 2017", "1708.03888");
    const SUMS: usize = 2;
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Velocity<f64> {
        Velocity { v: (self.momentum > 0.0).then_some(0.0) }
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn for_view(&self, view: View) -> Option<Self> {
        let sgd = || self.clone().weight_decay(0.0).adapt_without_decay(false).adapt_vectors(true);
        (view.is_vector() && !self.adapt_vectors).then(sgd)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { weight_decay, momentum, eps, .. } = *self;
        let inflow = if t == 1 && !self.dampen_first { 1.0 } else { 1.0 - self.dampening };
        let [inflow, of_g, of_v] = sgd::shares(momentum, inflow, self.nesterov, self.classic, lr);
        let (in_norm, beside_norm) = split_decay(weight_decay, !self.decay_in_norm);
        let adapts = self.adapt_without_decay || weight_decay > 0.0;
        let (of_trust, most_trust) =
            if self.trust_clip { (1.0 / lr, 1.0) } else { (1.0, f64::INFINITY) };
        Scalars {
            decay: weight_decay,
            in_norm,
            beside_norm,
            eps,
            momentum,
            inflow,
            of_g,
            of_v,
            trust: adapts.then_some(self.trust_coefficient),
            of_trust,
            most_trust,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Velocity<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Velocity<R>) {
        let ratio = match k.trust {
            Some(coefficient) => {
                let of_p = over.norm(Tensor, p);
                let below = over.norm(Tensor, g + k.in_norm * p) + k.beside_norm * of_p;
                let ratio = trust(of_p, below, coefficient * of_p / (below + k.eps));
                at_most(k.most_trust, k.of_trust * ratio)
            }
            None => R::lit(1.0),
        };
        let g = ratio * (g + k.decay * p);
        let (step, v) = sgd::step(g, s.v, k.momentum, [k.inflow, k.of_g, k.of_v]);
        (p - step, Velocity { v })
    }
}
