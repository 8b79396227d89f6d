use crate::Domain::Tensor;
use crate::transforms::finite_or;
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// Amos: Adam with one second moment a tensor, whose step and decay fall by themselves, so that the weights
    /// end at a size that is expected of them.
    ///
    /// ```text
    /// ḡ² = mean of g² over the tensor
    /// v ← β v + (1 − β) ḡ²,          r = (1 − βᵗ) / (v + eps)
    /// c = 1 / √(1 + c_coef √η b),    d = 1 / (1 + d_coef √(η η̃) b)
    /// γ = c η² r ḡ²
    /// u = d (η η̃ √r g + γ θ / 2)
    /// b ← b + γ (1 + b)
    /// θ ← θ − u                      momentum: m ← μ m + (1 − μ) u, θ ← θ − m
    /// ```
    ///
    /// The size `η̃` (`scale`) that the weights of a tensor are expected to have is for each kind of layer another:
    /// give groups of their own to those for which it is known. Where it is not given, it is `½` for a vector and
    /// `√(2 / inputs)` for what has more dimensions, as in pytorch_optimizer, which however has `√(1 / in_channels)`
    /// for kernels of convolutions.
    /// Which dimension the inputs are `Descent` knows of each layer; burn's `ModuleOptimizer` does not say, and there
    /// the second one counts as such.
    ///
    /// `extra_l2` is subtracted from `γ`, which is what pytorch_optimizer does under this name: where it is more
    /// than `γ`, weights grow. It is there to follow that library.
    ///
    /// - Defaults: the authors'. `beta` 0.999, `c_coef` and `d_coef` 1/4, `eps` 2⁻¹²⁵ (pytorch_optimizer: 1e-18), no
    ///   momentum. Learning rate: about `1 / √N` for `N` batches of training examples.
    /// - Memory: two numbers a tensor; one a weight more with `momentum`. Traffic in f32: read 12, write 4 bytes a
    ///   weight, 4 of those read for the mean; 4 and 4 more with `momentum`.
    /// - A gradient that is NaN makes its whole tensor NaN; one whose square overflows stops its tensor for good
    ///   (`v` infinite).
    /// - Reference: Tian & Parikh 2022, <https://arxiv.org/abs/2210.11693>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Amos, rules::slices::Walk};
    ///
    /// // The first step is η η̃ for a gradient of the usual size, and no more than η² of the weight decays.
    /// let mut x = [1.0_f64];
    /// Walk::new(Amos::new().scale(0.2), x.len())?.step(0.01, &mut x, &[5.0])?;
    /// assert!((x[0] - (1.0 - 0.01 * 0.2 - 0.5 * 0.01 * 0.01)).abs() < 1e-9, "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Amos {
        /// Decay `β` of the second moment. `1 − β` is about the learning rate.
        beta: Decay = 0.999,
        /// Decay `μ` of the average of steps; 0 for none.
        momentum: Decay = 0.0,
        /// How fast the decay of the weights falls.
        #[doc(alias = "zeta")]
        c_coef: NonNegative = 0.25,
        /// How fast the learning rate falls.
        #[doc(alias = "zeta")]
        d_coef: NonNegative = 0.25,
        /// The size `η̃` that the weights are expected to have; 0 for one that follows from the shape.
        #[doc(alias = "eta")]
        scale: NonNegative = 0.0,
        /// Subtracted from `γ`.
        extra_l2: NonNegative = 0.0,
        /// Added to the second moment.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 2.350_988_701_644_575e-38,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Amos`].
    pub struct Decays {
        /// Second moment of the gradient, a mean over the tensor.
        v: Tensor,
        /// How far learning rate and decay have fallen.
        b: Tensor,
        /// Average of the steps.
        m: optional,
    }

    /// Scalars of [`Amos`].
    pub struct Scalars {
        beta, one_beta,
        /// `1 − βᵗ`.
        bias,
        eps,
        /// `c_coef √η` and `d_coef √(η η̃)`.
        c, d,
        /// `η²` and `η η̃`.
        lr2, lr,
        extra_l2, momentum, one_momentum,
    }
}

impl Rule for Amos {
    const NAME: &'static str = "amos";
    const TITLE: &'static str = "Amos";
    const PAPER: Paper = Paper::arxiv("Tian & Parikh 2022", "2210.11693");
    const SUMS: usize = 1;
    type State<R: Copy> = Decays<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Decays<f64> {
        Decays { v: 0.0, b: 0.0, m: (self.momentum > 0.0).then_some(0.0) }
    }

    fn for_view(&self, view: View) -> Option<Self> {
        let scale = if view.is_vector() { 0.5 } else { (2.0 / view.columns as f64).sqrt() };
        (self.scale == 0.0).then(|| self.clone().scale(scale))
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta, momentum, c_coef, d_coef, scale, extra_l2, eps, .. } = *self;
        Scalars {
            beta,
            one_beta: 1.0 - beta,
            bias: 1.0 - beta.powf(t as f64),
            eps,
            c: c_coef * lr.sqrt(),
            d: d_coef * (lr * scale).sqrt(),
            lr2: lr * lr,
            lr: lr * scale,
            extra_l2,
            momentum,
            one_momentum: 1.0 - momentum,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Decays<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Decays<R>) {
        let (zero, half, one) = (R::lit(0.0), R::lit(0.5), R::lit(1.0));
        let g2 = over.mean(Tensor, g * g);
        let v = k.beta * s.v + k.one_beta * g2;
        let r = k.bias / (v + k.eps);
        let gamma = k.lr2 * r * finite_or(g2, zero) / (one + k.c * s.b).sqrt();
        let step = k.lr * r.sqrt() * g + half * (gamma - k.extra_l2) * p;
        let u = step / (one + k.d * s.b);
        let b = s.b + gamma * (one + s.b);
        let m = s.m.map(|m| k.momentum * m + k.one_momentum * u);
        (p - m.unwrap_or(u), Decays { v, b, m })
    }
}
