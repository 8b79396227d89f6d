use super::moments::Moments;
use super::projection::without_radial;
use crate::transforms::{debias, view_of_matrix};
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// AdamP: Adam whose step does not make scale-invariant weights longer.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// u = m̂ / (√v̂ + ε),    ε = eps + eps_hat / √(1 − β₂ᵗ)
    /// if |cos(θ, g)| < δ / √dim(θ):    u ← u − (θ̂ · u) θ̂,    λ ← λ wd_ratio
    /// θ ← (1 − η λ) θ − η u
    /// ```
    ///
    /// `θ̂` is `θ / (‖θ‖ + projection_eps)`. The condition is asked of each output of a matrix, a row: where it holds
    /// for all rows, each row is projected on its own; else it is asked of the tensor as one vector. A vector, such as
    /// a bias, is not projected, nor is anything with `delta` 0.
    ///
    /// With `nesterov` the first moment in the step is `β₁ m + (1 − β₁) g`. `eps_hat` is added to `√v` before its bias
    /// is corrected, as in pytorch_optimizer.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, `delta` 0.1, `wd_ratio` 0.1, no weight decay.
    /// - Memory: two numbers a weight. Traffic in f32: read 32, write 12 bytes a weight, 16 of those read for
    ///   the products and norms.
    /// - A gradient that is NaN makes its weight NaN, and what is projected with it.
    /// - Reference: Heo et al. 2020, algorithm 2, <https://arxiv.org/abs/2006.08217>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdamP, rules::{View, slices::Walk}};
    ///
    /// // The gradient is orthogonal to the weights, Adam's direction is not.
    /// let mut x = [3.0_f64, 1.0];
    /// Walk::of(AdamP::new(), View::matrix(1, 2).by_columns())?.step(0.1, &mut x, &[1.0, -3.0])?;
    /// let moved = [x[0] - 3.0, x[1] - 1.0];
    /// assert!((moved[0] * 3.0 + moved[1]).abs() < 1e-7 && moved[0] < 0.0);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdamP {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added to the root before its bias is corrected.
        eps_hat: Epsilon = 0.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// How far from orthogonal `δ` a gradient may be to weights that are taken as scale invariant.
        delta: NonNegative = 0.1,
        /// A factor of the weight decay where weights are scale invariant.
        wd_ratio: Fraction = 0.1,
        /// Look ahead by one more step of the first moment.
        nesterov: bool = false,
        /// Added to the norm of the weights.
        projection_eps: Positive = 1e-8,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// Scalars of [`AdamP`].
    pub struct Scalars {
        beta1, one_beta1, beta2, one_beta2, lr, eps,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        /// Shares of the first moment and of the gradient in the step.
        of_m, of_g,
        /// `η λ`.
        decay,
        wd_ratio, projection_eps,
        /// `δ`, where there is a projection.
        delta: optional,
    }
}

impl Rule for AdamP {
    const NAME: &'static str = "adamp";
    const TITLE: &'static str = "AdamP";
    const PAPER: Paper = Paper::arxiv("Heo et al. 2020", "2006.08217");
    const SUMS: usize = 9;
    const STAGES: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn for_view(&self, view: View) -> Option<Self> {
        (view.is_vector() && self.delta > 0.0).then(|| self.clone().delta(0.0))
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, wd_ratio, projection_eps, delta, .. } = *self;
        let (debias1, debias2) = (debias(beta1, t), debias(beta2, t));
        let (of_m, of_g) = if self.nesterov { (beta1, 1.0 - beta1) } else { (1.0, 0.0) };
        Scalars {
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            eps: self.eps + self.eps_hat * debias2.sqrt(),
            debias1,
            debias2,
            of_m,
            of_g,
            decay: lr * self.weight_decay,
            wd_ratio,
            projection_eps,
            delta: (delta > 0.0).then_some(delta),
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
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let u = (k.of_m * m + k.of_g * g) * k.debias1 / ((v * k.debias2).sqrt() + k.eps);
        let (u, of_decay) = match k.delta {
            Some(delta) => without_radial(u, p, g, [delta, k.wd_ratio, k.projection_eps], over),
            None => (u, R::lit(1.0)),
        };
        (p - k.decay * of_decay * p - k.lr * u, Moments { m, v })
    }
}
