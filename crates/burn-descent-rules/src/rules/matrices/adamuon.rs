use super::orthogonal::{Kernels, Momentum, Scale, Shares, Sides};
use crate::Domain::{Column, Row, Tensor};
use crate::transforms::{debias, view_of_matrix};
use crate::{
    Auxiliary, Matrix, NewtonSchulz, Over, Paper, Real, Rule, View, Whole, fields, options,
};

options! {
    /// AdaMuon: Muon, with a second moment of its step for each element.
    ///
    /// ```text
    /// m ← μ m + (1 − μ) g
    /// X = m made orthogonal
    /// v ← β₂ v + (1 − β₂) X²,    v̂ = v / (1 − β₂ᵗ)
    /// X' = X / (√v̂ + ε)
    /// θ ← θ − η λ θ − η s √min(outputs, inputs) / (‖X'‖ + ε) X'
    /// s = rms √max(outputs, inputs)
    /// ```
    ///
    /// So an element's step is of the size `rms`, that of AdamW. How `m` is made orthogonal is said by
    /// [`NewtonSchulz`]. Vectors and what else is not to be treated as a matrix are stepped by the [`Auxiliary`] AdamW.
    ///
    /// With `sign` the signs of the momentum are made orthogonal, as in the paper; no library's run of that is recorded.
    ///
    /// timm's AdaMuon is this with `momentum` 0.95, `newton_schulz.coefficients` `quintic` and `eps` 1e-7, without
    /// `debias`; with its `rms_to_rms` it is `scale` `spectral` without `keep_norm`, and `v` has no bias.
    ///
    /// - Defaults: pytorch_optimizer's. `momentum` 0.9, `beta2` 0.95, `eps` 1e-10, `scale` `match_rms`, no weight
    ///   decay.
    /// - Memory: two numbers a weight. Traffic in f32: read 28, write 12 bytes a weight beside that of the products.
    /// - A gradient that is NaN makes its whole matrix NaN.
    /// - Reference: Si et al. 2025, <https://arxiv.org/abs/2507.11005>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaMuon, rules::{View, slices::Walk}};
    ///
    /// let mut x = [0.0_f64; 6];
    /// let mut walk = Walk::of(AdaMuon::new(), View::matrix(3, 2))?;
    /// walk.step(0.1, &mut x, &[1.0, 2.0, 0.1, 0.1, -3.0, 1.0])?;
    /// // In the first step all elements go as far: a fifth of the rate.
    /// assert!(x.iter().all(|x| (x.abs() - 0.02).abs() < 1e-8));
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaMuon {
        /// Decay `μ` of the momentum.
        #[doc(alias = "betas")]
        momentum: Decay = 0.9,
        /// Look ahead by one more step.
        nesterov: bool = false,
        /// Make the signs of the momentum orthogonal.
        sign: bool = false,
        /// How it is made orthogonal.
        newton_schulz: NewtonSchulz = NewtonSchulz::new(),
        /// The matrices of a kernel. The length of the step is that of all of them, so both words for positions say the
        /// same.
        #[doc(alias = "conv_mode")]
        kernels: Choice(Kernels) = Kernels::Flattened,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.95,
        /// Added to the root and to the norm.
        eps: Positive = 1e-10,
        /// Correct the bias of the second moment.
        debias: bool = true,
        /// The step is as long as that of an orthogonal matrix.
        keep_norm: bool = true,
        /// What the step is multiplied by.
        #[doc(alias = "adjust_lr_fn")]
        scale: Choice(Scale) = Scale::MatchRms,
        /// The size of an element's step with [`Scale::MatchRms`].
        rms: Positive = 0.2,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
        /// For what is no matrix.
        auxiliary: Auxiliary = Auxiliary::new(),
    }
}

fields! {
    /// State of [`AdaMuon`].
    pub struct Moments {
        /// The momentum.
        m,
        /// Second moment of the orthogonal step.
        v: positive,
    }

    /// Scalars of [`AdaMuon`].
    pub struct Scalars {
        momentum, of_g, ahead_g, ahead_m, lr, decay, beta2, one_beta2, eps,
        /// `1 / (1 − β₂ᵗ)`, or 1.
        debias,
        /// Those of the scale.
        rms, least, share, wide,
        /// 1 where only the sign counts of what is made orthogonal, else 0.
        sign,
        /// There where the norm is kept.
        keep_norm: optional,
    }
}

impl Rule for AdaMuon {
    const NAME: &'static str = "adamuon";
    const TITLE: &'static str = "AdaMuon";
    const PAPER: Paper = Paper::arxiv("Si et al. 2025", "2507.11005");
    const WHOLES: usize = 1;
    const SUMS: usize = 2;
    const STAGES: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn auxiliary(&self) -> Option<&Auxiliary> {
        Some(&self.auxiliary)
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Shares { momentum, of_g, ahead_g, ahead_m } =
            Momentum::Average.shares(self.momentum, self.nesterov, t);
        let Sides { rms, least, share, wide } = self.scale.sides(self.rms);
        Scalars {
            momentum,
            of_g,
            ahead_g,
            ahead_m,
            lr,
            decay: lr * self.weight_decay,
            beta2: self.beta2,
            one_beta2: 1.0 - self.beta2,
            eps: self.eps,
            debias: if self.debias { debias(self.beta2, t) } else { 1.0 },
            rms,
            least,
            share,
            wide,
            sign: f64::from(self.sign),
            keep_norm: self.keep_norm.then_some(1.0),
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
        let Scalars { momentum, of_g, ahead_g, ahead_m, rms, least, share, wide, .. } = k;
        let (m, u) = Shares { momentum, of_g, ahead_g, ahead_m }.take_up(s.m, g);
        let u = R::select(R::lit(0.0).lt(k.sign), u.sign(), u);
        let x = over.whole(u);
        let v = k.beta2 * s.v + k.one_beta2 * x * x;
        let x = x / ((v * k.debias).sqrt() + k.eps);
        let length = match k.keep_norm {
            Some(_) => {
                let (outputs, inputs) = (over.count(Column), over.count(Row));
                // The smaller side.
                let norm = (outputs * inputs / outputs.max(inputs)).sqrt();
                norm / (over.norm(Tensor, x) + k.eps)
            }
            None => R::lit(1.0),
        };
        let scale = Sides { rms, least, share, wide }.seen(over);
        (p - k.decay * p - k.lr * scale * length * x, Moments { m, v })
    }

    fn whole<M: Matrix>(&self, u: M, _: &mut [M], at: &mut Whole) -> M {
        self.kernels.each(u, at, |u| self.newton_schulz.orthogonalize(u))
    }
}
