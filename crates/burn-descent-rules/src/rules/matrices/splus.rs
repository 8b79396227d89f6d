use super::eigenbasis::{Side, average, decompose, turn_all, turn_all_back};
use crate::transforms::{debias, decay_or_fixed, view_of_matrix};
use crate::{Keep, Matrix, Over, Paper, Real, Rule, View, Whole, fields, options};

options! {
    /// SPlus: the sign of the momentum in the eigenbasis of Shampoo, and an average of the weights to evaluate.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) G
    /// U = Q_L sign(Q_Lᵀ m Q_R) Q_Rᵀ
    /// L ← β₂ L + (1 − β₂) G Gᵀ,     R ← β₂ R + (1 − β₂) Gᵀ G
    /// Q_L, Q_R ← eigenvectors of L, R                   in the first step and every `inverse_steps`
    /// θ ← θ − η s U,      s = 2 / (outputs + inputs)
    /// x̄ ← x̄ + (1 − β) / (1 − βᵗ) (θ − x̄),               β = ema_rate
    /// θ ← θ − η s λ θ
    /// ```
    ///
    /// The weights to evaluate are their average `x̄`; the state is `x̄ − θ`, which few bytes can hold. Before the first
    /// step `Q_L` and `Q_R` are the identity. A tensor of more dimensions is one matrix. A side of `max_dim` or more has no basis, and the steps of a matrix with a larger one are
    /// those of vectors: `s` is `nonstandard_constant`, without bases.
    ///
    /// - Defaults: pytorch_optimizer's, which are those of the authors.
    /// - Memory: two numbers a weight, and for a matrix of `m` by `n` `2 m² + 2 n²` more. Traffic in f32: read 16, write
    ///   8 bytes a weight, and the products; every so many steps the factors are read by the host, whose f64 holds the
    ///   eigenvectors.
    /// - A gradient that is NaN makes its whole tensor NaN. Where a factor has no eigenvectors its basis stays.
    /// - Reference: Frans et al. 2025, A Stable Whitening Optimizer for Efficient Neural Network Training,
    ///   <https://arxiv.org/abs/2506.07254>.
    /// - Elsewhere: in pytorch_optimizer a tensor of more than two dimensions is stepped like a vector.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{SPlus, rules::{View, slices::Walk}};
    ///
    /// let mut x = [3.0_f64, 4.0, 0.0, 12.0];
    /// let mut walk = Walk::of(SPlus::new().weight_decay(0.0), View::matrix(2, 2))?;
    /// walk.step(0.1, &mut x, &[1.0, -2.0, 0.1, 0.0])?;
    /// assert_eq!(x, [2.95, 4.05, -0.05, 12.0]);
    /// // The weights to evaluate are an average, which has seen one step.
    /// assert!((walk.evaluate(&x)[0] - 2.95).abs() < 1e-9);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct SPlus {
        /// Decay `β₁` of the momentum.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the factors.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay of the average of the weights.
        ema_rate: Decay = 0.999,
        /// How many steps are taken in a basis.
        inverse_steps: Count(1) = 100,
        /// What the steps of vectors are multiplied by.
        nonstandard_constant: Positive = 0.001,
        /// A side that is as large has no basis.
        max_dim: Count(1) = 10000,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.01,
        /// Decay of the weights themselves instead of a penalty in the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// The weights decay by `λ` instead of `η s λ`.
        fixed_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`SPlus`].
    pub struct Average {
        /// `x̄ − θ`.
        d,
    }

    /// Scalars of [`SPlus`].
    pub struct Scalars {
        lr,
        /// The penalty in the gradient, and what is left of the weights.
        l2, left,
        /// What is left of the average.
        keep,
    }
}

impl Rule for SPlus {
    const NAME: &'static str = "splus";
    const TITLE: &'static str = "SPlus";
    const PAPER: Paper = Paper::arxiv("Frans et al. 2025", "2506.07254");
    const WHOLES: usize = 1;
    const SUMS: usize = 1;
    type State<R: Copy> = Average<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    /// The constant of a matrix is its own.
    fn for_view(&self, view: View) -> Option<Self> {
        let is_small = (view.rows.max(view.columns) as u64) <= self.max_dim;
        let constant = 2.0 / (view.rows + view.columns) as f64;
        (is_small && !view.is_vector()).then(|| self.clone().nonstandard_constant(constant))
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { ema_rate, weight_decay, decoupled_weight_decay, fixed_decay, .. } = *self;
        let lr = lr * self.nonstandard_constant;
        let (l2, left) = decay_or_fixed(weight_decay, decoupled_weight_decay, fixed_decay, lr);
        Scalars { lr, l2, left, keep: 1.0 - (1.0 - ema_rate) * debias(ema_rate, t) }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Average<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Average<R>) {
        let mean = p + s.d;
        let u = over.whole(g + k.l2 * p);
        let p = p - k.lr * u;
        let decayed = k.left * p;
        (decayed, Average { d: k.keep * (mean - p) + (p - decayed) })
    }

    fn whole<M: Matrix>(&self, g: M, kept: &mut [M], at: &mut Whole) -> M {
        let sides = self.sides(at.view);
        let [m, kept @ ..] = kept else { return g };
        *m = g.clone().averaged_with(m, self.beta1);
        let u = turn_all(m.clone(), &sides, kept).sign();
        let u = turn_all_back(u, &sides, kept);
        average(&g, &sides, kept, self.beta2);
        if at.t == 1 || at.t.is_multiple_of(self.inverse_steps) {
            decompose(kept, at);
        }
        u
    }

    fn keeps(&self, view: View, _: &[usize]) -> Vec<Keep> {
        let m = Keep::zeros("m", [view.matrices, view.rows, view.columns]);
        [m].into_iter().chain(Side::keeps(&self.sides(view))).collect()
    }

    fn evaluate<R: Real>(p: R, s: Average<R>, _: Scalars<R>) -> R {
        p + s.d
    }
}

impl SPlus {
    /// The sides that have a basis.
    fn sides(&self, view: View) -> Vec<Side> {
        if view.is_vector() {
            return Vec::new();
        }
        let sides = Side::all(&[view.matrices, view.rows, view.columns]);
        sides.into_iter().filter(|side| (side.size as u64) < self.max_dim).collect()
    }
}
