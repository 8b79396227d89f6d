use super::orthogonal::{Kernels, Momentum, Scale, Shares};
use crate::transforms::view_of_matrix;
use crate::{
    Auxiliary, Matrix, NewtonSchulz, Over, Paper, Real, Rule, View, Whole, fields, options,
};

options! {
    /// Muon: momentum, of which all singular values are made 1.
    ///
    /// ```text
    /// m ← μ m + (1 − μ) g
    /// u = μ m + (1 − μ) g                                with nesterov, else m
    /// θ ← θ − η λ θ − η s X,    X = u made orthogonal,    s = √max(1, outputs / inputs)
    /// ```
    ///
    /// How `u` is made orthogonal is said by [`NewtonSchulz`], whose options are named `newton_schulz.steps` and so on.
    /// Vectors, and what else is not to be treated as a matrix, such as embeddings and the last layer, are stepped by
    /// the [`Auxiliary`] AdamW. A kernel of a convolution is one matrix, or one of each position: `kernels`.
    ///
    /// The forms that there are, by options:
    ///
    /// | form | options |
    /// |---|---|
    /// | PyTorch | as by default; `match_rms_adamw` is `scale` `match_rms`, `spectral_unclamped` is `spectral` |
    /// | Jordan | `newton_schulz.eps_added`, `weight_decay` 0, `auxiliary.beta2` 0.95, `auxiliary.eps` 1e-10 |
    /// | optax | `form` `corrected`, `newton_schulz.eps_added` and `newton_schulz.eps` 1e-8; `consistent_rms` is `scale` `match_rms`; its AdamW has the same `nesterov` |
    /// | Keras | `form` `heavy_ball`, `scale` `match_rms`, `newton_schulz.eps_added`, `auxiliary.eps` 0 and `auxiliary.eps_hat` 1e-7 |
    /// | Moonlight | `form` `heavy_ball`, `scale` `match_rms` |
    /// | timm | `newton_schulz.coefficients` `quintic`, `scale` `match_rms`, no `nesterov` |
    /// | dion | `newton_schulz.coefficients` `deployed`, `newton_schulz.safety` 1.02, `scale` `spectral`, no `nesterov` |
    /// | heavyball | `form` `added`, `newton_schulz.coefficients` `quintic` |
    ///
    /// With `cautious_decay` weights do not decay where step and weight differ in sign: Chen et al. 2025,
    /// <https://arxiv.org/abs/2510.12402>. With `adaptive` the step is `⟨u, X⟩ X`: `⟨u, X⟩` is the dual of the spectral
    /// norm of `u`, so that the step is as long as the gradient again (Bernstein & Newhouse 2024).
    ///
    /// Libraries agree on `η λ`: the decay does not have the factor `s`. Jordan's own code takes `s` of a kernel
    /// from the last two sizes of its shape; here, as elsewhere, from outputs and all others.
    ///
    /// - Defaults: PyTorch's. `momentum` 0.95 with `nesterov`, `weight_decay` 0.1. Its learning rate is 1e-3, Jordan's
    ///   0.02; with `match_rms` that of AdamW is one.
    /// - Memory: one number a weight, and while a matrix is stepped a few more. Traffic in f32: read 20, write 8 bytes a
    ///   weight, 8 of those read for the momentum, beside that of the products.
    /// - A gradient that is NaN makes its whole matrix NaN.
    /// - Reference: Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>; Liu et al. 2025,
    ///   <https://arxiv.org/abs/2502.16982>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Muon, rules::{View, slices::Walk}};
    ///
    /// let muon = Muon::new().weight_decay(0.0);
    /// let mut x = [0.0_f64; 4];
    /// let mut walk = Walk::of(muon, View::matrix(2, 2))?;
    /// walk.step(0.1, &mut x, &[30.0, 0.0, 0.0, -1.0])?;
    /// // The singular values of the gradient are 30 and 1, those of the step about as large as the rate.
    /// assert!(x[0] < -0.06 && x[0] > -0.12 && x[3] > 0.06 && x[3] < 0.12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Muon {
        /// Decay `μ` of the momentum.
        #[doc(alias = "beta")]
        momentum: Decay = 0.95,
        /// Look ahead by one more step.
        nesterov: bool = true,
        /// How the momentum is taken up.
        form: Choice(Momentum) = Momentum::Average,
        /// How it is made orthogonal.
        newton_schulz: NewtonSchulz = NewtonSchulz::new(),
        /// The matrices of a kernel.
        #[doc(alias = "conv_mode")]
        kernels: Choice(Kernels) = Kernels::Flattened,
        /// What the step is multiplied by.
        #[doc(alias = "adjust_lr_fn")]
        scale: Choice(Scale) = Scale::Original,
        /// The size of an element's step with [`Scale::MatchRms`].
        #[doc(alias = "rms_rate")]
        #[doc(alias = "consistent_rms")]
        rms: Positive = 0.2,
        /// The step is as long as the dual norm of what is made orthogonal.
        adaptive: bool = false,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.1,
        /// Weights decay only where the step has their sign.
        #[doc(alias = "cautious_weight_decay")]
        cautious_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
        /// For what is no matrix.
        auxiliary: Auxiliary = Auxiliary::new(),
    }
}

fields! {
    /// State of [`Muon`].
    pub struct Velocity {
        /// The momentum.
        m,
    }

    /// Scalars of [`Muon`].
    pub struct Scalars {
        momentum, of_g, ahead_g, ahead_m, lr, decay,
        /// What weights decay by where the step has not their sign, if that differs.
        decay_against: optional,
    }
}

impl Rule for Muon {
    const NAME: &'static str = "muon";
    const TITLE: &'static str = "Muon";
    const PAPER: Paper =
        Paper::at("Jordan et al. 2024", "https://kellerjordan.github.io/posts/muon/");
    const WHOLES: usize = 1;
    const SUMS: usize = 1;
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn auxiliary(&self) -> Option<&Auxiliary> {
        Some(&self.auxiliary)
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Shares { momentum, of_g, ahead_g, ahead_m } =
            self.form.shares(self.momentum, self.nesterov, t);
        let decay = lr * self.weight_decay;
        let decay_against = self.cautious_decay.then_some(0.0);
        Scalars { momentum, of_g, ahead_g, ahead_m, lr, decay, decay_against }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Velocity<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Velocity<R>) {
        let Scalars { momentum, of_g, ahead_g, ahead_m, .. } = k;
        let (m, u) = Shares { momentum, of_g, ahead_g, ahead_m }.take_up(s.m, g);
        let x = over.whole(u);
        let decay = match k.decay_against {
            Some(against) => R::select((x * p).lt(R::lit(0.0)), against, k.decay),
            None => k.decay,
        };
        (p - decay * p - k.lr * x, Velocity { m })
    }

    fn whole<M: Matrix>(&self, u: M, _: &mut [M], at: &mut Whole) -> M {
        self.kernels.each(u, at, |u| {
            let [_, outputs, inputs] = u.dims();
            let scale = self.scale.of(outputs, inputs, self.rms);
            if !self.adaptive {
                return self.newton_schulz.orthogonalize(u).scale(scale);
            }
            let x = self.newton_schulz.orthogonalize(u.clone());
            let dual = (u * x.clone()).total().sum(0);
            x.scale(scale) * dual
        })
    }
}
