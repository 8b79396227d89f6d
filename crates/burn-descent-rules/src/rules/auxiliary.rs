use crate::chain::{AdamMoments, AdamScalars, Point, ScaleByAdam, Transform};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdamW for what a rule of whole matrices leaves aside: vectors, embeddings, the head.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
    /// θ ← θ − η ratio (m̂ / (√v̂ + ε) + λ θ)
    /// ```
    ///
    /// With `nesterov` `m̂` is that of [`NAdam`](crate::NAdam), as in [`ScaleByAdam`]. Its options stand among those of
    /// the rule, with `auxiliary.` in front: `auxiliary.beta2`.
    ///
    /// - Defaults: PyTorch's of AdamW; no decay, as usual for vectors and embeddings.
    /// - Memory: two numbers a weight. Traffic in f32: read 16, write 12 bytes a weight.
    /// - Reference: Loshchilov & Hutter 2017, algorithm 2, <https://arxiv.org/abs/1711.05101>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Auxiliary, Muon};
    ///
    /// let muon = Muon::new().auxiliary(Auxiliary::new().lr_ratio(0.1).beta2(0.95));
    /// # drop(muon);
    /// ```
    pub struct Auxiliary {
        /// Its learning rate as a multiple of that of the rule.
        lr_ratio: NonNegative = 1.0,
        /// Decay `β₁` of the first moment.
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        beta2: Decay = 0.999,
        /// Added to the root.
        eps: NonNegative = 1e-8,
        /// Added to the root before its bias is corrected, as in Keras.
        eps_hat: NonNegative = 0.0,
        /// Added under the root.
        eps_root: NonNegative = 0.0,
        /// Look one step ahead.
        nesterov: bool = false,
        /// Decoupled decay `λ` of the weights.
        weight_decay: WeightDecay = 0.0,
    }
}

fields! {
    /// Scalars of [`Auxiliary`].
    pub struct Scalars {
        beta1, one_beta1, beta2, one_beta2, of_g, of_m, debias2, eps, eps_root, lr, decay,
    }
}

impl Rule for Auxiliary {
    const NAME: &'static str = "auxiliary";
    const TITLE: &'static str = "AdamW";
    const PAPER: Paper = Paper::arxiv("Loshchilov & Hutter 2017", "1711.05101");
    type State<R: Copy> = AdamMoments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { lr_ratio, beta1, beta2, eps, eps_hat, eps_root, nesterov, .. } = *self;
        let adam = ScaleByAdam { beta1, beta2, eps, eps_root, nesterov }.scalars(lr, t);
        let AdamScalars { one_beta1, one_beta2, of_u, of_m, debias2, .. } = adam;
        Scalars {
            beta1,
            one_beta1,
            beta2,
            one_beta2,
            of_g: of_u,
            of_m,
            debias2,
            eps: eps + eps_hat * debias2.sqrt(),
            eps_root,
            lr: lr * lr_ratio,
            decay: self.weight_decay,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: AdamMoments<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, AdamMoments<R>) {
        let Scalars { beta1, one_beta1, beta2, one_beta2, of_g: of_u, of_m, .. } = k;
        let Scalars { debias2, eps, eps_root, .. } = k;
        let adam =
            AdamScalars { beta1, one_beta1, beta2, one_beta2, of_u, of_m, debias2, eps, eps_root };
        let (u, s) = ScaleByAdam::transform(g, Point { p, g }, s, adam, over);
        (p - k.lr * (u + k.decay * p), s)
    }
}
