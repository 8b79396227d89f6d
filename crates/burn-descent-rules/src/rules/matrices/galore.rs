use super::low_rank::{LowRank, Projection};
use crate::transforms::view_of_matrix;
use crate::{
    Auxiliary, Empty, Keep, Matrix, Over, Paper, Real, Rule, View, Whole, fields, options,
};

options! {
    /// GaLore: AdamW in the few directions in which the gradients of a matrix are large.
    ///
    /// ```text
    /// P = the first `rank` right singular vectors of G, in rows,     every `update_proj_gap` steps
    /// R = G Pᵀ
    /// m ← β₁ m + (1 − β₁) R
    /// v ← β₂ v + (1 − β₂) R²
    /// N = m / (√v + ε) √(1 − β₂ᵗ) / (1 − β₁ᵗ)
    /// θ ← θ − η α N P,    θ ← θ − η λ θ
    /// ```
    ///
    /// That is for a matrix with as many outputs as inputs or more; of one with fewer, `P` are left singular vectors, and
    /// `R = Pᵀ G`, so the moments have `rank` numbers for each of the longer side. `proj_type` names other sides. What
    /// has more than two dimensions is one matrix of outputs × all others.
    ///
    /// The moments stay as they are where `P` changes, as in every implementation; the sign of each singular vector, which
    /// matters then, is such that its largest number is positive on the left side. The decomposition is computed on the
    /// CPU, so the device waits for it every `update_proj_gap` steps. If it fails the last basis stays.
    ///
    /// Vectors are stepped by [`auxiliary`](Auxiliary), with an epsilon of its own.
    ///
    /// Libraries differ. pytorch_optimizer counts the steps of the first basis from 1, so the second is a step early:
    /// `early`. The authors' code and it take the singular vectors in f32.
    ///
    /// - Defaults: the authors', with rank 128, gap 200 and scale 0.25 as in their README; the others PyTorch's but for
    ///   `eps` 1e-6, no weight decay.
    /// - Memory: for a matrix of a × b, a ≥ b, `rank` (2 a + b) numbers. Traffic in f32: read 8, write 4 bytes a weight,
    ///   beside the products.
    /// - A gradient that is NaN makes its whole matrix NaN.
    /// - Reference: Zhao et al. 2024, algorithm 2, <https://arxiv.org/abs/2403.03507>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Galore, rules::slices::Walk};
    ///
    /// // One direction is all that a gradient of rank one has.
    /// let rule = Galore::new().rank(1).scale(1.0);
    /// let mut x = [0.0_f64; 6];
    /// let mut walk = Walk::of_shape(rule, &[3, 2], false)?;
    /// walk.step(0.1, &mut x, &[1.0, -2.0, 3.0, -6.0, 5.0, -10.0])?;
    /// assert!((x[1] + 2.0 * x[0]).abs() < 1e-9);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Galore {
        /// How many directions.
        rank: Count(1) = 128,
        /// A basis is for so many steps.
        update_proj_gap: Count(1) = 200,
        /// The second basis comes a step early.
        early: bool = false,
        /// What the step is multiplied by, `α`.
        scale: Positive = 0.25,
        /// The sides that are projected.
        #[doc(alias = "projection_type")]
        proj_type: Choice(Projection) = Projection::Shorter,
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root, before its bias is corrected.
        eps: Epsilon = 1e-6,
        /// Correct the bias of the moments.
        correct_bias: bool = true,
        /// Decoupled decay `λ` of the weights.
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
        /// For what is no matrix.
        auxiliary: Auxiliary = Auxiliary::new(),
    }
}

fields! {
    /// Scalars of [`Galore`] and [`Apollo`](crate::Apollo).
    pub struct Scalars {
        lr,
        /// What a decay leaves of a weight.
        keep,
    }
}

impl Galore {
    fn low_rank(&self) -> LowRank {
        let Self { rank, update_proj_gap: gap, early, proj_type: side, beta1, beta2, eps, .. } =
            *self;
        LowRank { side, rank, gap, early, beta1, beta2, eps }
    }
}

impl Rule for Galore {
    const NAME: &'static str = "galore";
    const TITLE: &'static str = "GaLore";
    const PAPER: Paper = Paper::arxiv("Zhao et al. 2024", "2403.03507");
    const WHOLES: usize = 1;
    const SUMS: usize = 1;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn auxiliary(&self) -> Option<&Auxiliary> {
        Some(&self.auxiliary)
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        Scalars { lr, keep: 1.0 - lr * self.weight_decay }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Empty<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Empty<R>) {
        let x = over.whole(g);
        (k.keep * (p - k.lr * x), s)
    }

    fn whole<M: Matrix>(&self, g: M, kept: &mut [M], at: &mut Whole) -> M {
        let low = self.low_rank();
        let [bases @ .., m, v] = kept else { return g };
        if low.is_due(at.t) {
            low.see(&g, bases, at);
        }
        let n = low.adam(&low.project(&g, bases), m, v);
        let corrected = if self.correct_bias { low.corrected(at.t) } else { 1.0 };
        low.back(&n, g.dims(), bases).scale(self.scale * corrected)
    }

    fn keeps(&self, View { matrices, rows, columns, .. }: View, _: &[usize]) -> Vec<Keep> {
        self.low_rank().keeps([matrices, rows, columns])
    }
}
