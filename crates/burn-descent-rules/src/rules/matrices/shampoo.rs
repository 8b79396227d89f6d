use super::grafting::{direction, grafted};
use crate::Domain::Tensor;
use crate::matrix::{Blocks, Ridge, inverse_root};
use crate::transforms::{debias, decay, view_of_matrix};
use crate::{Graft, Keep, Matrix, Merging, Over, Paper, Real, Rule, View, Whole, fields, options};

options! {
    /// Shampoo: the gradient times an inverse root of a factor for each axis of the tensor.
    ///
    /// ```text
    /// g ← g + λ θ
    /// L ← L + G Gᵀ,    R ← R + Gᵀ G                from L = R = ε
    /// θ ← θ − η L^(−1/4) G R^(−1/4)
    /// ```
    ///
    /// A tensor of k dimensions has k factors, each of the gradient unfolded along its axis, and the power is
    /// `−1 / (2 k)`. So of a vector it is full-matrix AdaGrad. What is longer than `block_size` is cut into blocks with
    /// factors of their own.
    ///
    /// The roots are taken every `precondition_frequency` steps from the eigenvalues, on the host. Until the first
    /// time, weights stay where they are, or with `graft` go the way of the other rule. Where a decomposition fails,
    /// the roots of the time before are kept, and the report counts it.
    ///
    /// The forms that there are, by options:
    ///
    /// | form | options |
    /// |---|---|
    /// | pytorch_optimizer | as by default, `block_size` 0 |
    /// | Meta's Distributed Shampoo | `beta1` 0.9, `matrix_eps` 0, `root_eps` 1e-12, `merging` `small`, decoupled decay; a factor is an average with `beta2` less than 1; `graft` `adam` and the rate of Adam as its authors recommend |
    ///
    /// With `momentum` `μ` the gradient is `(1 − μ) g + μ u` before all else, where `u` is the last direction,
    /// multiplied by roots already: pytorch_optimizer's. With `beta1` what is multiplied by the roots is an average of
    /// the gradient, and the factors are of the gradient itself: Meta's.
    ///
    /// With `graft` the step has the direction of Shampoo and the length of the other rule's, over the whole tensor;
    /// Meta's is that of each block.
    ///
    /// - Defaults: pytorch_optimizer's, with Meta's blocks. `matrix_eps` 1e-6, factors that are sums, `block_size` 1024,
    ///   roots in each step; no momentum, no average, no graft, no weight decay.
    /// - Memory: of a matrix of m × n two factors and their roots, `2 m² + 2 n²` numbers; one a weight more with each of
    ///   `momentum`, `beta1` and a graft that has a second moment. Traffic in f32: read 12, write 4 bytes a weight, 4 of
    ///   those read for the factors, beside that of the products.
    /// - A gradient that is NaN makes its whole tensor NaN, with `graft` its weight; and its factors, whose roots stay the
    ///   last good ones.
    /// - Reference: Gupta et al. 2018, algorithm 2, <https://arxiv.org/abs/1802.09568>; grafting Agarwal et al. 2020,
    ///   <https://arxiv.org/abs/2002.11803>; Shi et al. 2023, <https://arxiv.org/abs/2309.06497>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Shampoo, rules::{View, slices::Walk}};
    ///
    /// // The first step makes all singular values 1, but for epsilon.
    /// let mut x = [0.0_f64; 4];
    /// let mut walk = Walk::of(Shampoo::new().matrix_eps(1e-12), View::matrix(2, 2))?;
    /// walk.step(0.1, &mut x, &[3.0, 0.0, 0.0, -0.5])?;
    /// assert!((x[0] + 0.1).abs() < 1e-9 && (x[3] - 0.1).abs() < 1e-9);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Shampoo {
        /// The share `μ` of the last direction in the gradient.
        momentum: Decay = 0.0,
        /// Decay `β₁` of an average of the gradient; 0 for none.
        beta1: Decay = 0.0,
        /// Decay `β₂` of the factors; with 1 they are sums.
        beta2: Fraction = 1.0,
        /// Correct the bias of the average and of factors that are averages.
        #[doc(alias = "use_bias_correction")]
        correct_bias: bool = true,
        /// What the factors begin with on their diagonals.
        matrix_eps: Epsilon = 1e-6,
        /// Added to the eigenvalues of the factors.
        #[doc(alias = "epsilon")]
        root_eps: Epsilon = 0.0,
        /// The power is `−1` over this; 0 for twice the number of factors.
        #[doc(alias = "inverse_exponent_override")]
        exponent_override: NonNegative = 0.0,
        /// Every how many steps the roots are taken.
        #[doc(alias = "preconditioning_compute_steps")]
        precondition_frequency: Count(1) = 1,
        /// The length of a block at most; 0 for no blocks.
        #[doc(alias = "max_preconditioner_dim")]
        block_size: u64 = 1024,
        /// Which dimensions are made one.
        merging: Choice(Merging) = Merging::Nothing,
        /// Whose steps these are as long as.
        graft: Choice(Graft) = Graft::Nothing,
        /// Decay of the second moment of that rule; AdaGrad's is a sum.
        graft_beta2: Decay = 0.999,
        /// Added to its root.
        graft_eps: Positive = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Shampoo`].
    pub struct State {
        /// The last direction, with momentum.
        last: optional,
        /// The average of the gradient.
        m: optional,
        /// The second moment of the rule that is grafted.
        v: optional positive,
    }

    /// Scalars of [`Shampoo`].
    pub struct Scalars {
        lr,
        /// `λ` in the gradient, and what remains of the weights beside it.
        l2, keep,
        momentum, one_momentum, beta1, one_beta1,
        /// `1 / (1 − β₁ᵗ)`.
        debias1,
        /// Of the rule that is grafted: the shares of `v` and of `g²`, and what corrects its bias.
        of_v, of_g2, debias2,
        /// 1 where its direction is a sign.
        sign,
        /// Its epsilon, where there is one.
        graft_eps: optional,
    }
}

impl Rule for Shampoo {
    const NAME: &'static str = "shampoo";
    const TITLE: &'static str = "Shampoo";
    const PAPER: Paper = Paper::arxiv("Gupta et al. 2018", "1802.09568");
    const WHOLES: usize = 2;
    const SUMS: usize = 4;
    const STAGES: usize = 3;
    type State<R: Copy> = State<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> State<f64> {
        let state = |there: bool| there.then_some(0.0);
        State {
            last: state(self.momentum > 0.0),
            m: state(self.beta1 > 0.0),
            v: state(self.graft.has_moment()),
        }
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        // There is no direction before the first.
        let momentum = if t == 1 { 0.0 } else { self.momentum };
        let [of_v, of_g2, debias2] = self.graft.shares(self.graft_beta2, t);
        Scalars {
            lr,
            l2,
            keep,
            momentum,
            one_momentum: 1.0 - momentum,
            beta1: self.beta1,
            one_beta1: 1.0 - self.beta1,
            debias1: if self.correct_bias { debias(self.beta1, t) } else { 1.0 },
            of_v,
            of_g2,
            debias2,
            sign: f64::from(self.graft == Graft::Sqrtn),
            graft_eps: (self.graft != Graft::Nothing).then_some(self.graft_eps),
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: State<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, State<R>) {
        let g = match s.last {
            Some(last) => k.one_momentum * g + k.momentum * last,
            None => g,
        };
        let g = g + k.l2 * p;
        let m = s.m.map(|m| k.beta1 * m + k.one_beta1 * over.whole(g));
        let u = m.map_or(g, |m| k.debias1 * m);
        let x = over.whole(u);
        let v = s.v.map(|v| k.of_v * v + k.of_g2 * g * g);
        let x = match k.graft_eps {
            Some(eps) => {
                let d = direction(u, v.map(|v| v * k.debias2), eps, k.sign);
                grafted(x, d, Tensor, over)
            }
            None => x,
        };
        (k.keep * p - k.lr * x, State { last: s.last.map(|_| x), m, v })
    }

    /// The factors follow the gradient, which is given back where an average of it is multiplied by the roots.
    fn whole<M: Matrix>(&self, u: M, kept: &mut [M], at: &mut Whole) -> M {
        let blocks = self.blocks(at.view, &at.dims);
        if at.number == 0 {
            let share = if self.beta2 == 1.0 { 1.0 } else { 1.0 - self.beta2 };
            blocks.follow(&u, kept, self.beta2, share);
            if at.t.is_multiple_of(self.precondition_frequency) {
                blocks.renew(kept, at, |factor, at| self.root(factor, blocks.order(), at.t));
            }
            if self.beta1 > 0.0 {
                return u;
            }
        }
        blocks.precondition(&u, kept, |x| x)
    }

    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep> {
        self.blocks(view, dims).keeps(self.matrix_eps, 0.0)
    }
}

impl Shampoo {
    fn blocks(&self, view: View, dims: &[usize]) -> Blocks {
        Blocks::of(self.merging.of(view, dims, self.block_size), self.block_size)
    }

    fn root<M: Matrix>(&self, factor: M, order: usize, t: u64) -> Option<M> {
        let exponent = match self.exponent_override {
            0.0 => 2.0 * order as f64,
            exponent => exponent,
        };
        let corrects = self.correct_bias && self.beta2 < 1.0;
        let debias = if corrects { debias(self.beta2, t) } else { 1.0 };
        // What is left of that with which the factors began, and so the least that an eigenvalue can be.
        let least = self.matrix_eps * self.beta2.powf(t as f64) * debias;
        let ridge = Ridge { least, added: self.root_eps, share: 0.0 };
        inverse_root(&factor.scale(debias), -1.0 / exponent, ridge)
    }
}
