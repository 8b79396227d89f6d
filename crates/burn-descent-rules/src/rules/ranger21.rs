use crate::Domain::{Column, Model, Row, Tensor};
use crate::transforms::{adaptive_clip, at_least, softplus};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// Ranger21: AdamW with positive-negative momentum, and much around it.
    ///
    /// ```text
    /// g ← g · min(1, agc_clipping_value max(‖θ‖, agc_eps) / ‖g‖)       by rows
    /// g ← g − mean of g over its row                                of a matrix
    /// g ← g / σ(g)                                                  of more than two elements
    /// v ← β₂ v + (1 − β₂) g²,       v_max ← max(v_max, v)
    /// θ ← (1 − η λ / √((1 + Σ v̂) / N)) θ                            the sum over the model of N weights
    /// θ ← (1 − 2 η norm_loss_factor (1 − 1 / ‖θ‖)) θ                  by rows
    /// m ← β₁² m″ + (1 − β₁²) g                                       m″: of the step before the last
    /// u = ((1 + β₀) m − β₀ m′) / √((1 + β₀)² + β₀²)
    /// θ ← θ − η / (1 − β₁ᵗ) · u / softplus(√v̂_max + ε)
    /// every lookahead_merge_time steps:  θ ← θ₀ + lookahead_blending_alpha (θ − θ₀),  θ₀ ← θ
    /// ```
    ///
    /// A vector is one row. `softplus(x) = ln(1 + exp(b x)) / b`, with `beta_softplus` for `b`.
    ///
    /// With `num_iterations` the learning rate grows linearly at first, and falls to `warm_down_min_lr` in the last
    /// 28 % of them; 0, as by default, leaves that to a schedule. It warms up for `2 / (1 − β₂)` steps, or for 22 % of
    /// all where that is more than 45 % of them.
    ///
    /// The decay needs a sum over the model, which `Descent` takes and burn's `ModuleOptimizer` cannot: there it is
    /// refused.
    ///
    /// - Defaults: pytorch_optimizer's.
    /// - Memory: five numbers a weight. Traffic in f32: read 52, write 24 bytes a weight, 24 of those
    ///   read for the sums.
    /// - A NaN gradient makes its whole tensor NaN, and by the decay the whole model.
    /// - Reference: Wright & Demeure 2021, <https://arxiv.org/abs/2106.13731>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Ranger21, rules::slices::Walk};
    ///
    /// // Down f(x) = ‖x‖² / 2, whose gradient is x.
    /// let mut x = [1.0_f64, -2.0, 3.0];
    /// let mut walk = Walk::new(Ranger21::new(), x.len())?;
    /// for _ in 0..100 {
    ///     let g = x;
    ///     walk.step(0.02, &mut x, &g)?;
    /// }
    /// assert!(x.iter().map(|x| x * x).sum::<f64>() < 13.0);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Ranger21 {
        /// How far the newer momentum stands before the older one, `β₀`.
        beta0: Decay = 0.9,
        /// Decay `β₁` of the momentum.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Make small denominators larger.
        use_softplus: bool = true,
        /// How soon they are left as they are.
        beta_softplus: Positive = 50.0,
        /// The greatest norm of a row of the gradient, in units of that of the weights.
        agc_clipping_value: NonNegative = 0.01,
        /// The least norm of the weights in that.
        agc_eps: NonNegative = 1e-3,
        /// Take the mean of a row from its gradients.
        centralize_gradients: bool = true,
        /// Divide the gradients of a tensor by their deviation.
        normalize_gradients: bool = true,
        /// Steps between two of Lookahead.
        lookahead_merge_time: Count(1) = 5,
        /// Its share of the weights as they are.
        lookahead_blending_alpha: Fraction = 0.5,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 1e-4,
        /// How fast rows are drawn to a norm of 1.
        norm_loss_factor: WeightDecay = 1e-4,
        /// Steps of the learning rate's own schedule; 0 for none.
        num_iterations: u64 = 0,
        /// Where that ends.
        warm_down_min_lr: NonNegative = 3e-5,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Ranger21`].
    pub struct Moments {
        /// The newer momentum.
        m,
        /// The older one.
        m_prev,
        /// Second moment.
        v: positive,
        /// Greatest second moment.
        v_max: positive,
        /// `θ₀ − θ`.
        d,
    }

    /// Scalars of [`Ranger21`].
    pub struct Scalars {
        clip, agc_eps,
        /// 1 or 0.
        centralize, normalize,
        /// `β₁²` and `1 − β₁²`.
        beta1, one_beta1,
        beta2, one_beta2,
        /// `1 / (1 − β₂ᵗ)`.
        debias2,
        /// `η λ` and `2 η norm_loss_factor`.
        decay, norm_loss,
        /// Factors of the newer and of the older momentum: learning rate and bias are in them.
        of_m, of_prev,
        eps,
        /// `b`, where softplus is used.
        softplus: optional,
        /// 1 in the steps of Lookahead, else 0, and its share.
        merge, fast,
    }
}

impl Ranger21 {
    /// The learning rate of step `t`.
    fn lr(&self, lr: f64, t: u64) -> f64 {
        if self.num_iterations == 0 {
            return lr;
        }
        let (t, all) = (t as f64, self.num_iterations as f64);
        let steps = (2.0 / (1.0 - self.beta2)).ceil();
        let warm_up = if steps / all > 0.45 { (0.22 * all).floor() } else { steps };
        let start = (0.72 * all).floor();
        let down = ((t + 1.0 - start).max(1.0) / (all - start + 1.0)).min(1.0);
        match t {
            t if t >= start => {
                (lr - (lr - self.warm_down_min_lr) * down).max(self.warm_down_min_lr)
            }
            t if t <= warm_up => lr * t / warm_up,
            _ => lr,
        }
    }
}

impl Rule for Ranger21 {
    const NAME: &'static str = "ranger21";
    const TITLE: &'static str = "Ranger21";
    const PAPER: Paper = Paper::arxiv("Wright & Demeure 2021", "2106.13731");
    const SUMS: usize = 6;
    const STAGES: usize = 4;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta0, beta2, agc_eps, eps, .. } = *self;
        let lr = self.lr(lr, t);
        let beta1 = self.beta1 * self.beta1;
        let rate = lr / (1.0 - self.beta1.powf(t as f64)) / (1.0 + beta0).hypot(beta0);
        let merges = t.is_multiple_of(self.lookahead_merge_time);
        Scalars {
            clip: self.agc_clipping_value,
            agc_eps,
            centralize: f64::from(self.centralize_gradients),
            normalize: f64::from(self.normalize_gradients),
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            debias2: 1.0 / (1.0 - beta2.powf(t as f64)),
            decay: lr * self.weight_decay,
            norm_loss: 2.0 * lr * self.norm_loss_factor,
            of_m: rate * (1.0 + beta0),
            of_prev: rate * beta0,
            eps,
            softplus: self.use_softplus.then_some(self.beta_softplus),
            merge: f64::from(merges),
            fast: self.lookahead_blending_alpha,
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
        let (zero, one, tiny) = (R::lit(0.0), R::lit(1.0), R::lit(1e-8));
        let slow = p + s.d;

        let (of_p, of_g) = (over.norm(Row, p), over.norm(Row, g));
        let clipped = adaptive_clip(k.clip, k.agc_eps, of_p, of_g);
        let centred = R::select(one.lt(over.count(Column)), k.centralize, zero);
        let middle = R::select(zero.lt(centred), over.mean(Row, g), zero);
        let g = clipped * (g - middle);

        let n = over.count(Tensor);
        let deviation = g - over.mean(Tensor, g);
        let sigma = (over.sum(Tensor, deviation * deviation) / (n - one)).sqrt();
        let normed = R::select(R::lit(2.0).lt(n), k.normalize, zero);
        let by_sigma = |x: R, sigma: R| R::select(zero.lt(normed), x / (sigma + tiny), x);
        let g = by_sigma(g, sigma);

        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let v_max = at_least(v, s.v_max);
        let size = (one + over.sum(Model, v * k.debias2)) / over.count(Model);
        let keep = one - k.decay / size.sqrt();
        let unit = (keep * of_p).abs() + k.eps;
        let p = keep * (one - k.norm_loss * (one - one / unit)) * p;

        // What has been normed is normed once more.
        let g = by_sigma(g, sigma / (sigma + tiny));
        let m = k.beta1 * s.m_prev + k.one_beta1 * g;
        let root = (v_max * k.debias2).sqrt() + k.eps;
        let root = k.softplus.map_or(root, |b| softplus(root * b) / b);
        let p = p - (k.of_m * m - k.of_prev * s.m) / root;
        let p = R::select(zero.lt(k.merge), slow + k.fast * (p - slow), p);
        let d = R::select(zero.lt(k.merge), zero, slow - p);
        (p, Moments { m, m_prev: s.m, v, v_max, d })
    }
}
