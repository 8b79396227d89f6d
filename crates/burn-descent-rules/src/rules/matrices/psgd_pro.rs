use super::kronecker::{Factors, apply, balance, is_diagonal, limited, start};
use crate::matrix::{procrustes, subspace_bound};
use crate::transforms::view_of_matrix;
use crate::{Keep, Matrix, Over, Paper, Real, Rule, Start, View, Whole, fields, options};

options! {
    /// PSGD-Pro: momentum, whitened by a factor for each side of its matrix that is learned without inverses, and stays
    /// nearly symmetric.
    ///
    /// ```text
    /// m ← β m + (1 − β) g
    /// V ~ N(0, 1),    d = m + (δ + 10⁻⁷ |m|) V
    /// P = Q₁ᵀ Q₁ d Q₂ᵀ Q₂
    /// C₁ = P Pᵀ,    C₂ = Pᵀ P,    cᵢ = numbers of m / size of Qᵢ
    /// ℓᵢ = |Cᵢ| + cᵢ,    Lᵢ ← max(β_L Lᵢ + (1 − β_L) ℓᵢ, ℓᵢ)
    /// Qᵢ ← Procrustes(Qᵢ − μ / Lᵢ (Cᵢ Qᵢ − cᵢ Qᵢ)),    μ = max(μ_min, μ₀ / √(1 + (t − 1) / warmup))
    /// U = Q₁ᵀ Q₁ m Q₂ᵀ Q₂
    /// θ ← θ − η λ θ − η U
    /// ```
    ///
    /// That is descent of `Q` in the geometry `Q^0.5 E Q^1.5`, on which products alone are needed where
    /// [`Kron`](crate::Kron) solves triangular systems. One step of a Procrustes problem turns each factor towards the
    /// symmetric one. `|·|` is a bound from below of the largest singular value, by four random vectors. Factors are scaled
    /// to have the same largest number afterwards.
    ///
    /// There is a factor for each dimension, and it is diagonal where that is 1 or more than `max_size`, and in vectors; a
    /// diagonal one is not turned, and `|·|` is its largest number. All are learned in each step. They stay as they are
    /// where numbers overflow, and the momentum has its bias.
    ///
    /// NVIDIA's Emerging-Optimizers has a square factor for each dimension whatever its size, for vectors too. Random numbers
    /// are those of this crate.
    ///
    /// - Defaults: those of Emerging-Optimizers.
    /// - Memory: a number a weight, and for a matrix of a × b the a² + b² of its factors. Traffic in f32: read 20, write 8
    ///   bytes a weight, beside the products. The host reads a few numbers of each factor in each step, for which a GPU
    ///   waits.
    /// - A gradient that is NaN makes its whole matrix NaN; the factors stay.
    /// - Reference: Li 2024, Stochastic Hessian Fittings with Lie Groups, <https://arxiv.org/abs/2402.11858>;
    ///   <https://github.com/NVIDIA-NeMo/Emerging-Optimizers>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{PsgdPro, rules::slices::Walk};
    ///
    /// // Down f(x) = (100 x₀² + x₁²) / 2, as a matrix of one column.
    /// let mut x = [1.0_f64, 1.0];
    /// let mut walk = Walk::of_shape(PsgdPro::new(), &[2, 1], false)?;
    /// for t in 0..300 {
    ///     let g = [100.0 * x[0], x[1]];
    ///     walk.step(0.02 * (1.0 - t as f64 / 300.0), &mut x, &g)?;
    /// }
    /// assert!(x.iter().all(|x| x.abs() < 0.05), "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct PsgdPro {
        /// Decay `β` of the momentum.
        momentum: Decay = 0.9,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.01,
        /// Decay `β_L` of the sizes of the factors' steps, which grow at once.
        beta_lip: Decay = 0.9,
        /// Learning rate `μ₀` of the factors.
        precond_lr: OpenFraction = 0.1,
        /// The least learning rate `μ_min` of the factors.
        min_precond_lr: Fraction = 0.01,
        /// In how many steps that learning rate falls by `√2`.
        warmup_steps: Count(1) = 10000,
        /// How much of random numbers, `δ`, is in the momentum that factors learn from.
        damping_noise_scale: NonNegative = 0.1,
        /// Each factor is this times the identity at the start.
        precond_init_scale: Positive = 1.0,
        /// The root mean square that a step is limited to; 0 for any.
        max_update_rms: NonNegative = 0.0,
        /// The largest dimension whose factor is a matrix.
        max_size: u64 = 8192,
        /// Another seed, other random numbers.
        seed: u64 = 0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`PsgdPro`].
    pub struct Velocity {
        /// The momentum.
        m,
    }

    /// Scalars of [`PsgdPro`].
    pub struct Scalars {
        beta, one_beta, lr, decay,
    }
}

/// How much of random numbers is in the momentum besides, as a share of each number.
const ROUNDING: f64 = 1e-7;
/// The random vectors by which the size of a covariance is found.
const VECTORS: usize = 4;

impl PsgdPro {
    /// The dimensions that have a factor each.
    fn axes(view: View, dims: &[usize]) -> Vec<usize> {
        if view.is_vector() { vec![view.len()] } else { dims.to_vec() }
    }

    /// The learning rate of the factors at step `t`.
    fn precond_lr_at(&self, t: u64) -> f64 {
        let warm = (t - 1) as f64 / self.warmup_steps as f64;
        (self.precond_lr / (1.0 + warm).sqrt()).max(self.min_precond_lr)
    }

    /// Brings the factors and the sizes of their steps forward.
    fn learn<M: Matrix>(&self, m: &M, factors: Factors<'_, M>, sizes: &mut [M], at: &mut Whole) {
        let v = at.normal(m, m.dims());
        let d = m.clone() + m.clone().abs().scale(ROUNDING).shift(self.damping_noise_scale) * v;
        let p = factors.whiten(&d);
        let lr = self.precond_lr_at(at.t);
        let step = |(axis, (q, size)): (usize, (&M, &M))| {
            let covariance = factors.covariance(axis, &p);
            let mean = at.view.len() as f64 / factors.axes[axis] as f64;
            let bound = match is_diagonal(q) {
                true => covariance.greatest(1),
                false => subspace_bound(&covariance, VECTORS, at),
            };
            let now = bound.shift(mean);
            let size =
                M::join(vec![now.clone().averaged_with(size, self.beta_lip), now], 2).greatest(2);
            let rate = size.full(size.dims(), lr) / size.clone();
            let q = q.clone() - (apply(&covariance, q) - q.clone().scale(mean)) * rate;
            (if is_diagonal(&q) { q } else { procrustes(&q, at) }, size)
        };
        let all = factors.q.iter().zip(sizes.iter()).enumerate();
        let (q, new): (Vec<M>, Vec<M>) = all.map(step).unzip();
        let found = are_finite(&q).then_some((q, new));
        if let Some((q, new)) = at.refreshed(found) {
            factors.q.clone_from_slice(&q);
            balance(factors.q);
            sizes.clone_from_slice(&new);
        }
    }
}

/// Is there no infinite number, and no NaN?
fn are_finite<M: Matrix>(all: &[M]) -> bool {
    let zeros = all.iter().map(|x| x.clone().scale(0.0).total()).collect();
    M::join(zeros, 2).read().iter().all(|zero| *zero == 0.0)
}

impl Rule for PsgdPro {
    const NAME: &'static str = "psgd_pro";
    const TITLE: &'static str = "PSGD-Pro";
    const PAPER: Paper = Paper::arxiv("Li 2024", "2402.11858");
    const WHOLES: usize = 1;
    const SUMS: usize = 1;
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn seed(&self) -> Option<u64> {
        Some(self.seed)
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let beta = self.momentum;
        Scalars { beta, one_beta: 1.0 - beta, lr, decay: lr * self.weight_decay }
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
        let u = over.whole(m);
        (p - k.decay * p - k.lr * u, Velocity { m })
    }

    fn whole<M: Matrix>(&self, m: M, kept: &mut [M], at: &mut Whole) -> M {
        let axes = Self::axes(at.view, &at.dims);
        let (q, sizes) = kept.split_at_mut(axes.len());
        self.learn(&m, Factors { axes: &axes, q }, sizes, at);
        let u = Factors { axes: &axes, q }.whiten(&m);
        if self.max_update_rms > 0.0 { limited(u, self.max_update_rms) } else { u }
    }

    fn keeps(&self, view: View, dims: &[usize]) -> Vec<Keep> {
        let axes = Self::axes(view, dims);
        let is_diagonal =
            |size: usize| view.is_vector() || size <= 1 || size as u64 > self.max_size;
        let factor = |(axis, size): (usize, &usize)| {
            start(axis, *size, is_diagonal(*size), self.precond_init_scale)
        };
        let size = |axis: usize| Keep {
            name: format!("l{}", axis + 1),
            dims: [1, 1, 1],
            start: Start::Full(1.0),
        };
        axes.iter().enumerate().map(factor).chain((0..axes.len()).map(size)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Dense, Random};
    use crate::noise::Draw;
    use crate::slices::Walk;
    use std::sync::Arc;

    const AXES: [usize; 2] = [4, 3];

    fn at(t: u64) -> Whole {
        let random = Random { draw: Some(Draw::new(5, t, 0)), ..Random::default() };
        let (view, dims) = (View::matrix(4, 3), AXES.to_vec());
        Whole { number: 0, t, lr: 0.1, view, dims, memory: vec![], random, failed: Arc::default() }
    }

    fn normal(t: u64) -> Dense<f64> {
        at(t).normal(&Dense { dims: [1, 1, 1], numbers: vec![0.0] }, [1, 4, 3])
    }

    /// Factors and the sizes of their steps after these momenta.
    fn learned(rule: &PsgdPro, count: u64, m: impl Fn(u64) -> Dense<f64>) -> [Vec<Dense<f64>>; 2] {
        let mut q = AXES.map(|size| m(0).identity(size)).to_vec();
        let mut sizes = vec![m(0).full([1, 1, 1], 1.0); 2];
        for t in 1..=count {
            let factors = Factors { axes: &AXES, q: &mut q };
            rule.learn(&m(t), factors, &mut sizes, &mut at(t + count));
        }
        [q, sizes]
    }

    #[test]
    fn gradients_become_white_and_factors_symmetric() {
        let colour = |t: u64| normal(t) * normal(0).with([1, 4, 1], vec![10.0, 3.0, 1.0, 0.3]);
        let count = 1000;
        let rule = PsgdPro::new().precond_lr(0.5).warmup_steps(100).damping_noise_scale(1e-3);
        let [mut q, _] = learned(&rule, count, colour);
        for q in &q {
            let apart = (q.transpose() - q.clone()).norm() / q.norm();
            assert!(apart.numbers[0] < 0.01, "{q:?}");
        }
        let mut mean = [0.0; 4];
        for t in 1..=500 {
            let white = Factors { axes: &AXES, q: &mut q }.whiten(&colour(t + 3 * count));
            let rows = (white.clone() * white).sum(2).numbers;
            mean.iter_mut().zip(&rows).for_each(|(mean, x)| *mean += x / 1500.0);
        }
        assert!(mean.iter().all(|mean| (0.5..2.0).contains(mean)), "{mean:?}");
    }

    #[test]
    fn factors_stay_finite_and_where_they_were() {
        for size in [0.0, 1e-30, 1.0, 1e30, 1e200] {
            // Of one direction only, which changes now and then.
            let m = |t: u64| normal(t / 20).narrow(1, 0, 1).scale(size) * normal(1).narrow(2, 0, 1);
            let [q, sizes] = learned(&PsgdPro::new().precond_lr(0.9), 100, m);
            let all = q.iter().chain(&sizes).flat_map(|x| &x.numbers);
            assert!(all.clone().all(|x| x.is_finite()), "{size}: {q:?} {sizes:?}");
        }
        let broken = |t: u64| normal(t).scale(if t == 0 { 1.0 } else { f64::NAN });
        let [q, sizes] = learned(&PsgdPro::new(), 3, broken);
        assert!(q.iter().all(|q| q.numbers == q.identity(q.dims[1]).numbers));
        assert!(sizes.iter().all(|size| size.numbers == [1.0]));
    }

    #[test]
    fn a_long_step_is_limited() {
        let end = |most| {
            let rule = PsgdPro::new().max_update_rms(most).weight_decay(0.0);
            let mut x = [0.0; 12];
            let mut walk = Walk::of_shape(rule, &AXES, false).unwrap();
            walk.step(1.0, &mut x, &normal(3).scale(100.0).numbers).unwrap();
            (x.iter().map(|x| x * x).sum::<f64>() / 12.0).sqrt()
        };
        assert!((end(0.5) - 0.5).abs() < 1e-9 && end(0.0) > 0.5);
        assert_eq!(end(1e6), end(0.0));
    }

    #[test]
    fn small_and_large_dimensions_have_diagonals() {
        let rule = PsgdPro::new().max_size(6);
        let dims = |shape: &[usize]| {
            let keeps = rule.keeps(PsgdPro::view(shape, false), shape);
            keeps.into_iter().map(|keep| (keep.name, keep.dims)).collect::<Vec<_>>()
        };
        let named = |name: &str, dims| (name.to_string(), dims);
        let sizes = ["l1", "l2", "l3"].map(|name| named(name, [1, 1, 1]));
        let factors = [("q1", [1, 6, 6]), ("q2", [1, 1, 1]), ("q3", [1, 7, 1])];
        let all = factors.map(|(name, dims)| named(name, dims)).into_iter().chain(sizes);
        assert_eq!(dims(&[6, 1, 7]), all.collect::<Vec<_>>());
        assert_eq!(dims(&[5]), [named("q1", [1, 5, 1]), named("l1", [1, 1, 1])]);
    }
}
