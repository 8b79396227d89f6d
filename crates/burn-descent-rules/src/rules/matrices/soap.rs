use super::eigenbasis::{Side, average, decompose, follow, turn_all, turn_all_back};
use crate::transforms::{debias, view_of_matrix};
use crate::{Empty, Keep, Matrix, Over, Paper, Real, Rule, View, Whole, fields, options};

options! {
    /// SOAP: Adam in the eigenbasis of Shampoo's preconditioner.
    ///
    /// ```text
    /// L ← β L + (1 − β) G Gᵀ,       R ← β R + (1 − β) Gᵀ G,       β = shampoo_beta
    /// M ← β₁ M + (1 − β₁) G
    /// V ← β₂ V + (1 − β₂) (Q_Lᵀ G Q_R)²
    /// U = Q_L [√(1 − β₂ᵗ) / (1 − β₁ᵗ) · Q_Lᵀ M Q_R / (√V + ε)] Q_Rᵀ
    /// θ ← (θ − η U) (1 − η λ)
    /// Q_L, Q_R ← QR(L Q_L), QR(R Q_R)                                 every `precondition_frequency` steps
    /// ```
    ///
    /// The first call takes no step: it finds the eigenvectors of the first `L` and `R`, which are `Q_L` and `Q_R`.
    /// A tensor of more dimensions has such a factor for each of them; a dimension of more than
    /// `max_precondition_dim`, and a vector, has none, so that a tensor without any is stepped by Adam.
    ///
    /// With `kl` a factor is the average of what the other one has whitened (KL-SOAP):
    /// `L ← β L + (1 − β) / n · G Q_R Λ⁻¹ Q_Rᵀ Gᵀ`, with `Λ = max(diag(Q_Rᵀ R Q_R), kl_eps)` and `n` columns, and the
    /// same for `R`; in the first call `Λ` is 1.
    ///
    /// - Defaults: those of the authors.
    /// - Memory: two numbers a weight, and for a matrix of `m` by `n` `2 m² + 2 n²` more. Traffic in f32: read 8, write
    ///   4 bytes a weight, and the products; every so many steps the factors are read by the host, whose f64 holds the QR.
    /// - A gradient that is NaN makes its whole tensor NaN. In the first call it makes the factors NaN, and then the
    ///   bases stay the identity; so do bases of which a factorisation fails.
    /// - Reference: Vyas et al. 2024, <https://arxiv.org/abs/2409.11321>; `kl`: Lin et al. 2025,
    ///   <https://arxiv.org/abs/2509.03378>.
    /// - Elsewhere: the authors and pytorch_optimizer step as above; pytorch_optimizer adds `eps` where the authors have
    ///   `normalize_eps`. heavyball has `beta1` 0.9, `precondition_frequency` 2, `max_precondition_dim` 2048, `count_first`,
    ///   `decay_first`, `lift` 1e-8 and `clamp_eps` in place of `eps`. What is sorted there, columns of `Q` and with them
    ///   `V`, is left in its place here, which is the same.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Soap, rules::{View, slices::Walk}};
    ///
    /// let mut x = [3.0_f64, 4.0, 0.0, 12.0];
    /// let mut walk = Walk::of(Soap::new().weight_decay(0.0), View::matrix(2, 2))?;
    /// walk.step(0.1, &mut x, &[1.0, -2.0, 0.1, 0.0])?;
    /// assert_eq!(x, [3.0, 4.0, 0.0, 12.0]);
    /// // Along both pairs of vectors, whatever their singular values are.
    /// walk.step(0.1, &mut x, &[1.0, -2.0, 0.1, 0.0])?;
    /// let length = x.iter().zip([3.0, 4.0, 0.0, 12.0]).map(|(x, old)| (x - old).powi(2)).sum::<f64>();
    /// assert!((length.sqrt() - 0.1 * 2.0_f64.sqrt()).abs() < 1e-6);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Soap {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.95,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.95,
        /// Decay `β` of the factors.
        shampoo_beta: Decay = 0.95,
        /// Added to the root of the second moment.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// The least of that root, its bias corrected.
        clamp_eps: Epsilon = 0.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.01,
        /// The weights decay before the step.
        decay_first: bool = false,
        /// How many steps are taken in a basis.
        precondition_frequency: Count(1) = 10,
        /// The first call counts as one of them.
        count_first: bool = false,
        /// The first call takes no step.
        skip_first: bool = true,
        /// The largest dimension that has a factor.
        #[doc(alias = "max_precond_dim")]
        max_precondition_dim: Count(1) = 10000,
        /// Dimensions become one as long as that is not larger.
        merge_dims: bool = false,
        /// Vectors have a factor, too.
        precondition_1d: bool = false,
        /// Correct the bias of the moments.
        correct_bias: bool = true,
        /// Divide a step by its root mean square.
        #[doc(alias = "normalize_grads")]
        normalize_gradient: bool = false,
        /// Added to that.
        normalize_eps: NonNegative = 1e-30,
        /// The share of the greatest eigenvalue that is added to all before a QR.
        lift: NonNegative = 0.0,
        /// A factor is of what the others have whitened.
        kl: bool = false,
        /// The least eigenvalue of which an inverse is taken for that.
        kl_eps: Positive = 1e-8,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// Scalars of [`Soap`].
    pub struct Scalars {
        lr,
        /// What is left of the weights before the step, and after it.
        before, after,
    }
}

impl Rule for Soap {
    const NAME: &'static str = "soap";
    const TITLE: &'static str = "SOAP";
    const PAPER: Paper = Paper::arxiv("Vyas et al. 2024", "2409.11321");
    const WHOLES: usize = 1;
    const SUMS: usize = 1;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let steps = t > self.skipped();
        let left = if steps { 1.0 - lr * self.weight_decay } else { 1.0 };
        let (before, after) = if self.decay_first { (left, 1.0) } else { (1.0, left) };
        Scalars { lr, before, after }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        _: Empty<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Empty<R>) {
        let u = over.whole(g);
        ((k.before * p - k.lr * u) * k.after, Empty::new())
    }

    fn whole<M: Matrix>(&self, g: M, kept: &mut [M], at: &mut Whole) -> M {
        let sides = self.sides(at.view, &at.dims);
        let [m, v, kept @ ..] = kept else { return g };
        let t = at.t - self.skipped().min(at.t);
        if at.t == 1 {
            self.average(&g, &sides, kept, true);
            decompose(kept, at);
        }
        if t == 0 {
            // Not 0, so that a NaN is not hidden.
            return g.scale(0.0);
        }
        let turned = turn_all(g.clone(), &sides, kept);
        *m = g.clone().averaged_with(m, self.beta1);
        *v = (turned.clone() * turned).averaged_with(v, self.beta2);
        let (debias1, debias2) = match self.correct_bias {
            true => (debias(self.beta1, t), debias(self.beta2, t).sqrt()),
            false => (1.0, 1.0),
        };
        let root = v.clone().sqrt().shift(self.eps).scale(debias2).at_least(self.clamp_eps);
        let u = turn_all(m.clone().scale(debias1), &sides, kept) / root;
        let u = turn_all_back(u, &sides, kept);
        if at.t > 1 {
            self.average(&g, &sides, kept, false);
            let counted = if self.count_first { at.t } else { t };
            if counted.is_multiple_of(self.precondition_frequency) {
                follow(kept, self.lift, at);
            }
        }
        if self.normalize_gradient { self.normalize(u) } else { u }
    }

    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep> {
        let moments =
            ["m", "v"].map(|name| Keep::zeros(name, [view.matrices, view.rows, view.columns]));
        moments.into_iter().chain(Side::keeps(&self.sides(view, dims))).collect()
    }
}

impl Soap {
    /// How many calls take no step.
    fn skipped(&self) -> u64 {
        u64::from(self.skip_first)
    }

    /// The dimensions that have a factor.
    fn sides(&self, view: View, dims: &[usize]) -> Vec<Side> {
        if view.is_vector() && !self.precondition_1d {
            return Vec::new();
        }
        let most = usize::try_from(self.max_precondition_dim).unwrap_or(usize::MAX);
        let merged = if self.merge_dims { merge(dims, most) } else { dims.to_vec() };
        Side::all(&merged).into_iter().filter(|side| side.size <= most).collect()
    }

    /// Brings the factors forward. The first time there are no bases yet in which the others could be whitened.
    fn average<M: Matrix>(&self, g: &M, sides: &[Side], kept: &mut [M], first: bool) {
        if !self.kl {
            return average(g, sides, kept, self.shampoo_beta);
        }
        let whitened = |(number, side): (usize, &Side)| {
            let x = if first { g.clone() } else { self.whiten(g, number, sides, kept) };
            x.scale((side.others() as f64).sqrt().recip())
        };
        let whitened: Vec<M> = sides.iter().enumerate().map(whitened).collect();
        for (number, x) in whitened.iter().enumerate() {
            let (side, pair) = (&sides[number..=number], &mut kept[2 * number..][..2]);
            average(x, side, pair, self.shampoo_beta);
        }
    }

    /// All dimensions but one in their bases, and there over the roots of their eigenvalues.
    fn whiten<M: Matrix>(&self, g: &M, but: usize, sides: &[Side], kept: &[M]) -> M {
        let mut x = g.clone();
        for (number, (side, pair)) in sides.iter().zip(kept.chunks_exact(2)).enumerate() {
            if number != but {
                let (factor, basis) = (&pair[0], &pair[1]);
                let values = (basis.clone() * factor.times(basis)).sum(1);
                let roots = values.at_least(self.kl_eps).sqrt();
                x = side.weigh(&side.turn(&x, basis), &(roots.full(roots.dims(), 1.0) / roots));
            }
        }
        x
    }

    /// A step whose root mean square is 1.
    fn normalize<M: Matrix>(&self, u: M) -> M {
        let count: usize = u.dims().iter().product();
        let squares = (u.clone() * u.clone()).total().sum(0);
        let rms = squares.scale(1.0 / count as f64).sqrt();
        u / rms.shift(self.normalize_eps)
    }
}

/// Dimensions that are next to each other made one, as long as it is at most so large.
fn merge(dims: &[usize], most: usize) -> Vec<usize> {
    let mut merged: Vec<usize> = Vec::new();
    for size in dims {
        match merged.last_mut() {
            Some(last) if *last * size <= most => *last *= size,
            _ => merged.push(*size),
        }
    }
    merged
}
