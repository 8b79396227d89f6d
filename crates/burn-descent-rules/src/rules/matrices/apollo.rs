use super::galore::Scalars;
use super::low_rank::{LowRank, Projection};
use crate::transforms::view_of_matrix;
use crate::{
    Auxiliary, Empty, Keep, Matrix, Over, Paper, Real, Rule, View, Whole, choice, options,
};

choice! {
    /// Where the directions of [`Apollo`] are from.
    pub enum Directions {
        /// Drawn.
        Random = "random",
        /// The first singular vectors of the gradient.
        Singular = "svd",
    }
}

choice! {
    /// What the steps of [`Apollo`] have one size for each of.
    pub enum Channels {
        /// A row or a column: an index of the longer side.
        Channel = "channel",
        /// The matrix.
        Tensor = "tensor",
    }
}

options! {
    /// APOLLO: the gradient of a matrix, each row as long as AdamW would have it in a few random directions.
    ///
    /// ```text
    /// P ~ N(0, 1 / rank),    of rank × inputs,                    every `update_proj_gap` steps
    /// R = G Pᵀ
    /// m ← β₁ m + (1 − β₁) R
    /// v ← β₂ v + (1 − β₂) R²
    /// N = m / (√v + ε)
    /// S = √α diag(‖N[i]‖ / ‖R[i]‖) G                                   row by row
    /// S ← S / max(1, ‖S‖ / 1.01 ‖S of the last step‖)
    /// θ ← θ − η √(1 − β₂ᵗ) / (1 − β₁ᵗ) S,    θ ← θ − η λ θ
    /// ```
    ///
    /// That is for a matrix with as many outputs as inputs or more; of one with fewer, it is `R = Pᵀ G`, and columns are
    /// what is scaled. What has more than two dimensions is one matrix of outputs × all others. Vectors are stepped by
    /// [`auxiliary`](Auxiliary), with an epsilon of its own.
    ///
    /// [`mini`](Self::mini) is APOLLO-Mini: rank 1, and one size for the whole matrix. With `proj` at `svd` the directions
    /// are those of [`Galore`](crate::Galore).
    ///
    /// A norm grows by 1 % a step at most, the limiter of Fira. So a matrix whose first gradient is all zeros sets out
    /// slowly, from a norm of 1e-8; `disable_nl` switches it off.
    ///
    /// Libraries differ. pytorch_optimizer scales what is projected and projects it back, `R` in place of `G` above and
    /// then `α S P` (`low_rank_step`), it limits the norm before it is multiplied by `√α`, its decay has the correction of the
    /// bias in its rate (`corrected_decay`), and it counts the steps of the first basis from 1 (`early`). Random numbers are
    /// those of this crate.
    ///
    /// - Defaults: the authors', with rank 256 and gap 200 as in their README. `eps` 1e-6, no weight decay.
    /// - Memory: for a matrix of a × b, a ≥ b, `rank` (2 a + b) numbers. Traffic in f32: read 8, write 4 bytes a weight,
    ///   beside the products.
    /// - A gradient that is NaN makes its whole matrix NaN.
    /// - Reference: Zhu et al. 2024, algorithm 1, <https://arxiv.org/abs/2412.05270>; the limiter: Chen et al. 2024,
    ///   <https://arxiv.org/abs/2410.01623>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Apollo, rules::slices::Walk};
    ///
    /// // The step of a row is along its gradient.
    /// let mut x = [0.0_f64; 6];
    /// let mut walk = Walk::of_shape(Apollo::new().rank(1), &[3, 2], false)?;
    /// walk.step(0.1, &mut x, &[1.0, -2.0, 3.0, -6.0, 5.0, 10.0])?;
    /// assert!((x[1] + 2.0 * x[0]).abs() < 1e-12 && (x[5] - 2.0 * x[4]).abs() < 1e-12);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Apollo {
        /// How many directions.
        rank: Count(1) = 256,
        /// They are for so many steps.
        update_proj_gap: Count(1) = 200,
        /// The second ones come a step early.
        early: bool = false,
        /// The square of what the step is multiplied by, `α`.
        scale: Positive = 1.0,
        /// Multiply by it before the norm is limited.
        scale_front: bool = false,
        /// What has a size of its own.
        scale_type: Choice(Channels) = Channels::Channel,
        /// Where the directions are from.
        proj: Choice(Directions) = Directions::Random,
        /// Let the norm of a step grow as it likes.
        disable_nl: bool = false,
        /// Step in the projected directions only, as in pytorch_optimizer.
        low_rank_step: bool = false,
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
        /// The rate of the decay is corrected as that of the step is.
        corrected_decay: bool = false,
        /// Another seed, other directions.
        seed: u64 = 0,
        /// Climb instead of descend.
        maximize: Maximize = false,
        /// For what is no matrix.
        auxiliary: Auxiliary = Auxiliary::new(),
    }
}

/// Added to norms that are divided by.
const LEAST: f64 = 1e-8;
/// The most by which a norm grows in a step.
const GROWTH: f64 = 1.01;

impl Apollo {
    /// APOLLO-Mini: rank 1, one size a matrix, and `α` 128.
    pub fn mini() -> Self {
        Self::new().rank(1).scale(128.0).scale_type(Channels::Tensor)
    }

    fn low_rank(&self) -> LowRank {
        let Self { rank, update_proj_gap: gap, early, beta1, beta2, eps, .. } = *self;
        LowRank { side: Projection::Shorter, rank, gap, early, beta1, beta2, eps }
    }

    fn corrected(&self, t: u64) -> f64 {
        if self.correct_bias { self.low_rank().corrected(t) } else { 1.0 }
    }
}

impl Rule for Apollo {
    const NAME: &'static str = "apollo";
    const TITLE: &'static str = "APOLLO";
    const PAPER: Paper = Paper::arxiv("Zhu et al. 2024", "2412.05270");
    const WHOLES: usize = 1;
    const SUMS: usize = 1;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn auxiliary(&self) -> Option<&Auxiliary> {
        Some(&self.auxiliary)
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let of_decay = if self.corrected_decay { self.corrected(t) } else { 1.0 };
        Scalars { lr, keep: 1.0 - lr * of_decay * self.weight_decay }
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
        let [bases @ .., m, v, last] = kept else { return g };
        if low.is_due(at.t) {
            match self.proj {
                Directions::Random => low.draw(&g, bases, at),
                Directions::Singular => low.see(&g, bases, at),
            }
        }
        let r = low.project(&g, bases);
        let n = low.adam(&r, m, v);
        let norm = |x: &M| match self.scale_type {
            Channels::Channel => {
                let projected = if g.dims()[1] < g.dims()[2] { 1 } else { 2 };
                (x.clone() * x.clone()).sum(projected).sqrt()
            }
            Channels::Tensor => x.norm(),
        };
        let sizes = norm(&n) / norm(&r).shift(LEAST);
        let root = self.scale.sqrt();
        let (front, end) = if self.scale_front { (root, 1.0) } else { (1.0, root) };
        let scaled = if self.low_rank_step { r } else { g.clone() };
        let mut s = (scaled * sizes).scale(front);
        if !self.disable_nl {
            let mut norm = s.norm();
            if at.t > 1 {
                let growth = norm.clone() / last.clone().shift(LEAST);
                let limit = growth.at_least(GROWTH).scale(1.0 / GROWTH);
                (s, norm) = (s / limit.clone(), norm / limit);
            }
            *last = norm;
        }
        if self.low_rank_step {
            s = low.back(&s, g.dims(), bases).scale(self.scale);
        }
        s.scale(end * self.corrected(at.t))
    }

    fn keeps(&self, View { matrices, rows, columns, .. }: View, _: &[usize]) -> Vec<Keep> {
        let mut all = self.low_rank().keeps([matrices, rows, columns]);
        all.push(Keep::zeros("norm", [matrices, 1, 1]));
        all
    }
}
