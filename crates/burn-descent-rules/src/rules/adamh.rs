use crate::Domain::Matrix;
use crate::transforms::{at_least, debias, first_norm, on_sphere};
use crate::{Over, Paper, Real, Rule, View, fields, options, transforms};

options! {
    /// AdamH: steps in Adam's direction that keep the norm of a matrix as it was (Hyperball).
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// u = m̂ / max(√v̂ + eps, clamp_eps) + λ θ
    /// θ ← θ − η R u / ‖u‖,    θ ← R θ / ‖θ‖
    /// ```
    ///
    /// The norms are those of the matrix, as which a tensor of more dimensions is taken too, and `R` is the norm of its
    /// weights before the first step. So `η` is about the angle by which the weights turn, whatever their size is, and
    /// a weight decay changes little: it points along the weights. Weights that are all zeros stay so.
    ///
    /// Vectors, such as biases, are stepped by AdamW: `θ ← θ − η u`. So are matrices with `hyperball` false.
    ///
    /// heavyball's HyperBallAdamW is this with `beta1` 0, and `clamp_eps` in place of `eps`.
    /// [`Hyperball`](crate::chain::Hyperball) is the step without its direction, for chains.
    ///
    /// - Defaults: heavyball's. `beta1` 0.9, `beta2` 0.99, `eps` 1e-8, no weight decay.
    /// - Memory: two numbers a weight, and one a matrix. Traffic in f32: read 48, write 12 bytes a weight, 32 of
    ///   those read for the norms.
    /// - A gradient that is NaN makes its whole matrix NaN; in a vector its weight.
    /// - Reference: Wen et al. 2025, Fantastic Pretraining Optimizers and Where to Find Them 2.1,
    ///   <https://psychedelic-sunstone-851.notion.site/Fantastic-Pretraining-Optimizers-and-Where-to-Find-Them-2-1-Hyperball-Optimization-2e924306e6f280e7a5ffee00eb40a0dd>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdamH, rules::{View, slices::Walk}};
    ///
    /// let mut x = [3.0_f64, 4.0, 0.0, 12.0];
    /// let mut walk = Walk::of(AdamH::new(), View::matrix(2, 2))?;
    /// for g in [[1.0, -2.0, 0.1, 0.0], [0.5, 0.1, 3.0, -1.0]] {
    ///     walk.step(0.1, &mut x, &g)?;
    /// }
    /// let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    /// assert!((norm - 13.0).abs() < 1e-12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdamH {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.99,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// The least that is divided by.
        clamp_eps: Epsilon = 0.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Keep the norm of matrices.
        hyperball: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdamH`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment.
        v: positive,
        /// The norm `R` of the weights, where it is kept.
        radius: optional Matrix,
    }

    /// Scalars of [`AdamH`].
    pub struct Scalars {
        beta1, one_beta1, beta2, one_beta2, lr, eps, clamp_eps, decay,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        /// 1 in the first step, then 0.
        first,
    }
}

impl Rule for AdamH {
    const NAME: &'static str = "adamh";
    const TITLE: &'static str = "AdamH";
    const PAPER: Paper = Paper::at(
        "Wen et al. 2025",
        "https://psychedelic-sunstone-851.notion.site/Fantastic-Pretraining-Optimizers-and-Where-to-Find-Them-2-1-Hyperball-Optimization-2e924306e6f280e7a5ffee00eb40a0dd",
    );
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, radius: self.hyperball.then_some(0.0) }
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        transforms::view_of_matrix(shape, by_columns)
    }

    fn for_view(&self, view: View) -> Option<Self> {
        (view.is_vector() && self.hyperball).then(|| self.clone().hyperball(false))
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, clamp_eps, weight_decay, .. } = *self;
        Scalars {
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            eps,
            clamp_eps,
            decay: weight_decay,
            debias1: debias(beta1, t),
            debias2: debias(beta2, t),
            first: f64::from(t == 1),
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
        let below = at_least(k.clamp_eps, (v * k.debias2).sqrt() + k.eps);
        let u = m * k.debias1 / below + k.decay * p;
        let radius = s.radius.map(|radius| first_norm(p, k.first, (Matrix, radius), over));
        let p = match radius {
            Some(radius) => on_sphere(p, u, k.lr, (Matrix, radius), over),
            None => p - k.lr * u,
        };
        (p, Moments { m, v, radius })
    }
}
