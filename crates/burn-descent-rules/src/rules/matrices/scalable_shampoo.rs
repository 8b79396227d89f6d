use super::grafting::{direction, grafted};
use crate::Domain::Tensor;
use crate::matrix::{Blocks, Ridge, inverse_root};
use crate::transforms::{decay, view_of_matrix};
use crate::{Graft, Keep, Matrix, Merging, Over, Paper, Real, Rule, View, Whole, fields, options};

options! {
    /// Scalable Shampoo: Shampoo of blocks whose roots are taken now and then, with the length of another rule's step.
    ///
    /// ```text
    /// d = g,  g / (√v + ε),  or sign(g)                            the rule that is grafted
    /// L ← β₂ L + (1 − β₂) G Gᵀ,    R ← β₂ R + (1 − β₂) Gᵀ G        of each block
    /// x = L^(−1/4) G R^(−1/4),     x ← x ‖d‖ / ‖x‖
    /// d ← d + λ θ,                 x ← x + λ θ
    /// n ← β₁ n + d,                m ← β₁ m + x
    /// θ ← θ − η (β₁ m + x)                                         with nesterov, else m
    /// ```
    ///
    /// Before `start_preconditioning_step` `n` and `d` take the places of `m` and `x`. Neighbouring dimensions whose
    /// product is no longer than a block are made one, and each dimension that is left has a factor: a tensor that
    /// becomes one dimension has one, of all its elements. A block of k dimensions has the power `−1 / (2 k)`. Until
    /// the roots are first taken, they are 1. What has no factors, by `skip_preconditioning_rank_lt` or
    /// `max_precondition_dim`, goes along `d`.
    ///
    /// The roots are those of the eigenvalues and `relative_eps` of the greatest, on the host: as exact as doubles are.
    /// The references iterate (coupled Newton) to about three digits; pytorch_optimizer's `use_svd` is `relative_eps` 0.
    ///
    /// pytorch_optimizer has two peculiarities, [`Merging::PytorchOptimizer`]. With its
    /// `moving_average_for_momentum` both momenta are averages, `m ← β₁ m + (1 − β₁) x`, and so is the look-ahead.
    ///
    /// - Defaults: pytorch_optimizer's, but for how dimensions are merged, which is the authors' way. `beta1` 0.9,
    ///   `beta2` 0.999, `block_size` 512, roots every 1000 steps, first steps like SGD up to the 25th, `nesterov`,
    ///   `matrix_eps` 1e-6, no weight decay.
    /// - Memory: two numbers a weight, three with a graft that has a second moment; of a block of m × n two factors and their
    ///   roots, `2 m² + 2 n²`. Traffic in f32: read 20, write 12 bytes a weight, 4 of those read for factors and norms,
    ///   beside that of the products.
    /// - A gradient that is NaN makes its weight NaN, and the factors of its block, whose roots stay the last good ones.
    /// - Reference: Anil et al. 2020, <https://arxiv.org/abs/2002.09018>; grafting Agarwal et al. 2020,
    ///   <https://arxiv.org/abs/2002.11803>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{ScalableShampoo, rules::{View, slices::Walk}};
    ///
    /// let rule = ScalableShampoo::new().start_preconditioning_step(1).preconditioning_compute_steps(1);
    /// let mut x = [0.0_f64; 4];
    /// let mut walk = Walk::of(rule.nesterov(false), View::matrix(2, 2))?;
    /// walk.step(0.1, &mut x, &[3.0, 0.0, 0.0, -4.0])?;
    /// // As long as the step of SGD.
    /// let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
    /// assert!((length - 0.5).abs() < 1e-12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct ScalableShampoo {
        /// Decay `β₁` of the momenta.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the factors, and of the second moment of the rule that is grafted; with 1 factors are sums.
        #[doc(alias = "betas")]
        beta2: Fraction = 0.999,
        /// The momenta are averages.
        moving_average_for_momentum: bool = false,
        /// Look ahead by one more step.
        nesterov: bool = true,
        /// The power is `−1` over this; 0 for twice the number of factors.
        inverse_exponent_override: NonNegative = 0.0,
        /// The first step along the direction of Shampoo.
        start_preconditioning_step: Count(1) = 25,
        /// Every how many steps the roots are taken.
        preconditioning_compute_steps: Count(1) = 1000,
        /// Every how many steps the factors follow the gradient.
        statistics_compute_steps: Count(1) = 1,
        /// The length of a block at most.
        block_size: Count(1) = 512,
        /// Which dimensions are made one.
        #[doc(alias = "shape_interpretation")]
        merging: Choice(Merging) = Merging::Small,
        /// Tensors of fewer dimensions have no factors.
        skip_preconditioning_rank_lt: u64 = 1,
        /// Tensors with a dimension that is longer have no factors.
        max_precondition_dim: u64 = 8192,
        /// Whose steps these are as long as.
        #[doc(alias = "graft_type")]
        graft: Choice(Graft) = Graft::Sgd,
        /// Added to the root of the second moment of that rule.
        diagonal_eps: Positive = 1e-10,
        /// What the factors begin with on their diagonals.
        matrix_eps: Epsilon = 1e-6,
        /// Added to the eigenvalues of the factors, as a share of the greatest.
        relative_eps: Epsilon = 1e-6,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the directions.
        decoupled_weight_decay: bool = false,
        /// The rate is that of the step; if false, that of the directions, before decay and momenta.
        decoupled_learning_rate: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`ScalableShampoo`].
    pub struct Momenta {
        /// Momentum of Shampoo's direction.
        m,
        /// Momentum of the direction of the rule that is grafted.
        n,
        /// The second moment of that rule.
        v: optional positive,
    }

    /// Scalars of [`ScalableShampoo`].
    pub struct Scalars {
        beta1,
        /// The share of a direction in its momentum.
        of_x,
        /// The share of the momentum in the step, and that of the direction.
        ahead_m, ahead_x,
        /// Of the rule that is grafted: the shares of `v` and of `g²`, and what corrects its bias.
        of_v, of_g2, debias2, eps,
        /// The rate of the directions, and that of the step.
        lr_before, lr,
        /// `λ` in the directions, and what remains of the weights beside it.
        l2, keep,
        /// 1 from the first step along Shampoo's direction on, else 0.
        started,
        /// 1 where the length is another rule's, else 0, and 1 where that rule's direction is a sign.
        grafts, sign,
    }
}

impl Rule for ScalableShampoo {
    const NAME: &'static str = "scalable_shampoo";
    const TITLE: &'static str = "Scalable Shampoo";
    const PAPER: Paper = Paper::arxiv("Anil et al. 2020", "2002.09018");
    const WHOLES: usize = 1;
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Momenta<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Momenta<f64> {
        Momenta { m: 0.0, n: 0.0, v: self.graft.has_moment().then_some(0.0) }
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, .. } = *self;
        let of_x = if self.moving_average_for_momentum { 1.0 - beta1 } else { 1.0 };
        let (ahead_m, ahead_x) = if self.nesterov { (beta1, of_x) } else { (1.0, 0.0) };
        let [of_v, of_g2, debias2] = self.graft.shares(beta2, t);
        let (lr_before, lr_of_step) =
            if self.decoupled_learning_rate { (1.0, lr) } else { (lr, 1.0) };
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        Scalars {
            beta1,
            of_x,
            ahead_m,
            ahead_x,
            of_v,
            of_g2,
            debias2,
            eps: self.diagonal_eps,
            lr_before,
            lr: lr_of_step,
            l2,
            keep,
            started: f64::from(t >= self.start_preconditioning_step),
            grafts: f64::from(self.graft != Graft::Nothing),
            sign: f64::from(self.graft == Graft::Sqrtn),
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Momenta<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Momenta<R>) {
        let zero = R::lit(0.0);
        let v = s.v.map(|v| k.of_v * v + k.of_g2 * g * g);
        let d = direction(g, v.map(|v| v * k.debias2), k.eps, k.sign);
        let x = over.whole(g);
        let long = grafted(x, d, Tensor, over);
        let x = R::select(zero.lt(k.grafts), long, x);
        let (d, x) = (k.lr_before * d + k.l2 * p, k.lr_before * x + k.l2 * p);
        let (m, n) = (k.beta1 * s.m + k.of_x * x, k.beta1 * s.n + k.of_x * d);
        let along = |m: R, x: R| k.ahead_m * m + k.ahead_x * x;
        let u = R::select(zero.lt(k.started), along(m, x), along(n, d));
        (k.keep * p - k.lr * u, Momenta { m, n, v })
    }

    /// Where there are no factors, nothing; with no graft, the gradient.
    fn whole<M: Matrix>(&self, g: M, kept: &mut [M], at: &mut Whole) -> M {
        let Some(blocks) = self.blocks(at.view, &at.dims) else {
            return if self.graft == Graft::Nothing { g } else { g.full(g.dims(), 0.0) };
        };
        if at.t.is_multiple_of(self.statistics_compute_steps) {
            let share = if self.beta2 == 1.0 { 1.0 } else { 1.0 - self.beta2 };
            blocks.follow(&g, kept, self.beta2, share);
        }
        if at.t.is_multiple_of(self.preconditioning_compute_steps) {
            let exponent = match self.inverse_exponent_override {
                0.0 => 2.0 * blocks.order() as f64,
                exponent => exponent,
            };
            let counted = (at.t / self.statistics_compute_steps) as f64;
            let least = self.matrix_eps * self.beta2.powf(counted);
            let ridge = Ridge { least, added: 0.0, share: self.relative_eps };
            blocks.renew(kept, at, |factor, _| inverse_root(&factor, -1.0 / exponent, ridge));
        }
        blocks.precondition(&g, kept, |x| x)
    }

    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep> {
        let blocks = self.blocks(view, dims);
        blocks.map_or(Vec::new(), |blocks| blocks.keeps(self.matrix_eps, 1.0))
    }
}

impl ScalableShampoo {
    fn blocks(&self, view: View, dims: &[usize]) -> Option<Blocks> {
        let rank = if view.is_vector() { 1 } else { dims.len() as u64 };
        let most = self.max_precondition_dim;
        let merged = self.merging.of(view, dims, self.block_size);
        let has_factors = rank >= self.skip_preconditioning_rank_lt
            && dims.iter().all(|dim| *dim as u64 <= most)
            && !merged.is_empty();
        has_factors.then(|| Blocks::of(merged, self.block_size))
    }
}
