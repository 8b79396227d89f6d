use super::kronecker::{Factors, limited, start};
use crate::transforms::{debias, view_of_matrix};
use crate::{Keep, Matrix, Over, Paper, Real, Rule, View, Whole, choice, fields, options};

choice! {
    /// How a tensor of more than two dimensions becomes a matrix for [`Kron`].
    pub enum Merge {
        /// The first dimension × all others or all but the last × the last, whichever is closer to a square.
        Closest = "closest",
        /// All but the last × the last.
        Last = "last",
        /// It does not: there is a factor for each dimension.
        Nothing = "none",
    }
}

choice! {
    /// Which factors of [`Kron`] are diagonal however small they are.
    pub enum Diagonal {
        /// None.
        Nothing = "none",
        /// That of the largest dimension, if there is only one as large.
        Larger = "smart_one_diag",
        /// That of the largest dimension.
        Largest = "one_diag",
        /// All.
        All = "all_diag",
    }
}

options! {
    /// PSGD-Kron: momentum, whitened by a factor for each side of its matrix that is learned by descent.
    ///
    /// ```text
    /// m ← β m + (1 − β) g,    G = m / (1 − βᵗ)
    /// at each refresh:
    ///     V ~ N(0, 1),    G ← G + √(2⁻²³) mean|G| V
    ///     A = Q₁ G Q₂ᵀ,    B = Q₁⁻ᵀ V Q₂⁻¹
    ///     Q₁ ← Q₁ − μ triu(A Aᵀ − B Bᵀ) Q₁ / |A Aᵀ + B Bᵀ|
    ///     Q₂ ← Q₂ − μ triu(Aᵀ A − Bᵀ B) Q₂ / |Aᵀ A + Bᵀ B|
    /// U = Q₁ᵀ Q₁ G Q₂ᵀ Q₂
    /// θ ← θ − η (U min(1, 1.1 / RMS(U)) + λ θ)
    /// ```
    ///
    /// `Q` are upper triangular, with a diagonal that stays positive, and diagonal where a dimension is 1 or more than
    /// `max_size_triangular`, in vectors, and as `memory_save_mode` says. `|·|` is a lower bound of the largest singular
    /// value, that of a diagonal its largest number. Vectors have one factor, and no decay.
    ///
    /// A refresh comes when there have been `1 / p` steps since the last one, where `p = exp(−prob_decay (t − 1 −
    /// flat_start))`, between `min_prob` and `max_prob`: in each of the first 500 steps, after 4000 steps in every 34th.
    /// It solves triangular systems on the CPU, for which the device waits. None is taken of gradients that are all zeros,
    /// or where numbers overflow: the last factors stay. After each, factors are scaled to have the same largest number.
    ///
    /// Libraries differ. kron_torch scales factors in one of a hundred refreshes, which is the same but for rounding; it
    /// solves in f32; and of a tensor with more dimensions it takes, by a sign, nearly always [`Merge::Last`]. Random
    /// numbers are those of this crate.
    ///
    /// - Defaults: kron_torch's. No weight decay.
    /// - Memory: a number a weight, and for a matrix of a × b the a² + b² of its factors. Traffic in f32: read 20, write 8
    ///   bytes a weight, beside the products.
    /// - A gradient that is NaN makes its whole matrix NaN; the factors stay.
    /// - Reference: Li 2024, Stochastic Hessian Fittings with Lie Groups, <https://arxiv.org/abs/2402.11858>; Pooladzandi
    ///   & Li 2024, <https://arxiv.org/abs/2402.04553>; <https://github.com/evanatyourservice/kron_torch>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Kron, rules::slices::Walk};
    ///
    /// // Down f(x) = (100 x₀² + x₁²) / 2, as a matrix of one column.
    /// let mut x = [1.0_f64, 1.0];
    /// let mut walk = Walk::of_shape(Kron::new(), &[2, 1], false)?;
    /// for t in 0..300 {
    ///     let g = [100.0 * x[0], x[1]];
    ///     walk.step(0.02 * (1.0 - t as f64 / 300.0), &mut x, &g)?;
    /// }
    /// assert!(x.iter().all(|x| x.abs() < 0.05), "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Kron {
        /// Decay `β` of the momentum.
        #[doc(alias = "beta")]
        b1: Decay = 0.9,
        /// Decay `λ` of the weights, but not of vectors.
        weight_decay: WeightDecay = 0.0,
        /// The largest share of steps that refresh.
        #[doc(alias = "preconditioner_update_probability")]
        max_prob: Fraction = 1.0,
        /// The least share of them.
        min_prob: Fraction = 0.03,
        /// How fast their share falls.
        prob_decay: NonNegative = 0.001,
        /// From which step on.
        flat_start: u64 = 500,
        /// The largest dimension with a triangular factor.
        max_size_triangular: u64 = 8192,
        /// With fewer dimensions all factors are diagonal.
        min_ndim_triangular: u64 = 2,
        /// Which factors are diagonal besides.
        memory_save_mode: Choice(Diagonal) = Diagonal::Nothing,
        /// How more than two dimensions become two.
        #[doc(alias = "merge_dims")]
        merge: Choice(Merge) = Merge::Closest,
        /// Learning rate `μ` of the factors.
        precond_lr: OpenFraction = 0.1,
        /// What `Q₁ ⊗ Q₂` is times the identity at the start.
        precond_init_scale: Positive = 1.0,
        /// Another seed, other random numbers.
        seed: u64 = 0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Kron`].
    pub struct Velocity {
        /// The momentum.
        m,
    }

    /// Scalars of [`Kron`].
    pub struct Scalars {
        beta, one_beta, debias, lr, decay,
    }
}

/// The most that the RMS of a step is.
const MOST: f64 = 1.1;
/// How much of random numbers is in a gradient at a refresh, as a share of its mean size.
const DAMPING: f64 = 3.452_669_830_012_439_3e-4;

impl Kron {
    /// The dimensions that have a factor each.
    fn axes(&self, view: View, dims: &[usize]) -> Vec<usize> {
        match dims {
            _ if view.is_vector() => vec![view.len()],
            [first, .., last] if dims.len() > 2 && self.merge != Merge::Nothing => {
                let (others, before) = (view.len() / first.max(&1), view.len() / last.max(&1));
                let closer = first.abs_diff(others) < last.abs_diff(before);
                match closer && self.merge == Merge::Closest {
                    true => vec![*first, others],
                    false => vec![before, *last],
                }
            }
            _ => dims.to_vec(),
        }
    }

    /// Which of their factors are diagonal.
    fn diagonal(&self, axes: &[usize]) -> Vec<bool> {
        let largest = axes.iter().max().copied().unwrap_or(0);
        let as_large = axes.iter().filter(|size| **size == largest).count();
        let last = axes.iter().rposition(|size| *size == largest);
        let is_diagonal = |(axis, size): (usize, &usize)| {
            let size = *size as u64;
            let saved = match self.memory_save_mode {
                Diagonal::Nothing => false,
                Diagonal::Larger => as_large == 1 && axes.len() > 1 && last == Some(axis),
                Diagonal::Largest => last == Some(axis),
                Diagonal::All => true,
            };
            let few = (axes.len() as u64) < self.min_ndim_triangular;
            saved || few || size <= 1 || size > self.max_size_triangular
        };
        axes.iter().enumerate().map(is_diagonal).collect()
    }

    /// The share of steps that refresh, at step `t`.
    fn prob(&self, t: u64) -> f64 {
        let late = (t - 1) as f64 - self.flat_start as f64;
        let prob = self.max_prob * (-self.prob_decay * late).exp();
        prob.max(self.min_prob).min(self.max_prob)
    }

    /// The gradient with the random numbers that are added to it where factors descend.
    fn refresh<M: Matrix>(&self, g: M, factors: Factors<'_, M>, at: &mut Whole) -> M {
        let size = g.clone().abs().total().read().iter().sum::<f64>() / at.view.len() as f64;
        let size = match at.refreshed(Some(size).filter(|size| size.is_finite())) {
            Some(size) if size > 0.0 => size,
            _ => return g,
        };
        let v = at.normal(&g, g.dims());
        let g = g + v.clone().scale(DAMPING * size);
        at.refreshed(factors.descend(&g, &v, self.precond_lr));
        g
    }
}

impl Rule for Kron {
    const NAME: &'static str = "kron";
    const TITLE: &'static str = "PSGD-Kron";
    const PAPER: Paper = Paper::arxiv("Li 2024", "2402.11858");
    const WHOLES: usize = 1;
    const SUMS: usize = 1;
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn for_view(&self, view: View) -> Option<Self> {
        view.is_vector().then(|| self.clone().weight_decay(0.0))
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn memory(&self) -> Vec<(&'static str, f64)> {
        vec![("steps_since_refresh", 0.0)]
    }

    fn remember(&self, _lr: f64, t: u64, k: Scalars<f64>, memory: &mut [f64]) -> Scalars<f64> {
        if let [since, ..] = memory {
            *since += 1.0;
            if *since >= 1.0 / self.prob(t) {
                *since = 0.0;
            }
        }
        k
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let beta = self.b1;
        Scalars {
            beta,
            one_beta: 1.0 - beta,
            debias: debias(beta, t),
            lr,
            decay: self.weight_decay,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Velocity<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Velocity<R>) {
        let m = k.beta * s.m + k.one_beta * g;
        let x = over.whole(m * k.debias);
        (p - k.lr * (x + k.decay * p), Velocity { m })
    }

    fn whole<M: Matrix>(&self, g: M, q: &mut [M], at: &mut Whole) -> M {
        let axes = self.axes(at.view, &at.dims);
        let is_due = at.memory.first() == Some(&0.0);
        let g = if is_due { self.refresh(g, Factors { axes: &axes, q }, at) } else { g };
        limited(Factors { axes: &axes, q }.whiten(&g), MOST)
    }

    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep> {
        let axes = self.axes(view, dims);
        let scale = self.precond_init_scale.powf(1.0 / axes.len() as f64);
        let all = self.diagonal(&axes).into_iter().zip(&axes).enumerate();
        all.map(|(axis, (is_diagonal, size))| start(axis, *size, is_diagonal, scale)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dimension_that_is_left_has_a_factor() {
        let axes =
            |merge, shape: &[usize]| Kron::new().merge(merge).axes(Kron::view(shape, false), shape);
        assert_eq!(axes(Merge::Closest, &[6, 4, 3, 3]), [6, 36]);
        assert_eq!(axes(Merge::Last, &[6, 4, 3, 3]), [72, 3]);
        assert_eq!(axes(Merge::Nothing, &[6, 4, 3, 3]), [6, 4, 3, 3]);
        assert_eq!(axes(Merge::Nothing, &[7]), [7]);
        let diagonal = |mode| Kron::new().memory_save_mode(mode).diagonal(&[9, 9, 4]);
        assert_eq!(diagonal(Diagonal::Larger), [false; 3]);
        assert_eq!(diagonal(Diagonal::Largest), [false, true, false]);
    }

    #[test]
    fn refreshes_become_rare() {
        let rule = Kron::new();
        let mut memory = [0.0];
        let mut is_due = |t| {
            rule.remember(0.1, t, rule.scalars(0.1, t), &mut memory);
            memory == [0.0]
        };
        let due: Vec<u64> = (1..=6000).filter(|t| is_due(*t)).collect();
        assert_eq!(due[..500], (1..=500).collect::<Vec<_>>());
        let late: Vec<u64> = due.into_iter().filter(|t| *t > 4100).collect();
        assert!(late.windows(2).all(|pair| pair[1] - pair[0] == 34));
    }
}
