use super::orthogonal::Scale;
use crate::matrix::Slices;
use crate::transforms::view_of_matrix;
use crate::{
    Auxiliary, Coefficients, Matrix, NewtonSchulz, Over, Paper, Real, Rule, View, Whole, fields,
    options,
};

options! {
    /// Dion2: Muon on the largest rows or columns of the momentum only.
    ///
    /// ```text
    /// u = m + g
    /// S = the ⌈α n⌉ of n rows of u with the greatest sums of |u|     columns, where there are fewer of them
    /// X = u[S] made orthogonal
    /// m[S] ← μ u[S],    m ← u elsewhere
    /// θ ← θ − η λ θ
    /// θ[S] ← θ[S] − η s X,    s = √(outputs / inputs)
    /// ```
    ///
    /// A row that is not taken stays in the momentum whole, so that its turn comes. With `fraction` 1 all are taken: that
    /// is [`Muon`](crate::Muon) with `form` `heavy_ball` and no `nesterov`. Where only the share `α` is made orthogonal,
    /// the products take `α²` of the time or less. Of rows with equal sums the first are taken.
    ///
    /// How it is made orthogonal is said by [`NewtonSchulz`], whose options are named `newton_schulz.steps` and so on; `s`
    /// is that of the whole matrix. A kernel of a convolution is one matrix, outputs × (inputs and positions). Vectors and
    /// what else is not to be treated as a matrix are stepped by the [`Auxiliary`] AdamW.
    ///
    /// The authors' code computes `X` in bf16; it selects among the slices of each shard where a matrix is distributed;
    /// and a kernel there is a matrix of each output and input unless `flatten` is on. Its `rms_norm` is `scale`
    /// `match_rms`.
    ///
    /// - Defaults: the authors'. `fraction` 0.25, `ef_decay` 0.95, `weight_decay` 0.01, learning rate 0.01.
    /// - Memory: one number a weight. Traffic in f32: read 28, write 8 bytes a weight, beside the products; the host reads
    ///   the sums of the slices, for which a device waits twice.
    /// - A gradient that is NaN makes its whole matrix NaN.
    /// - Reference: Ahn et al. 2025, <https://arxiv.org/abs/2512.16928>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Dion2, rules::{View, slices::Walk}};
    ///
    /// let rule = Dion2::new().fraction(0.5).weight_decay(0.0);
    /// let mut x = [0.0_f64; 4];
    /// let mut walk = Walk::of(rule, View::matrix(2, 2))?;
    /// walk.step(0.1, &mut x, &[3.0, 4.0, 4.0, -2.0])?;
    /// // The second row is smaller, and waits.
    /// assert!(x[0] < -0.05 && x[1] < -0.06 && x[2..] == [0.0; 2]);
    /// walk.step(0.1, &mut x, &[-3.0, -4.0, 4.0, -2.0])?;
    /// assert!(x[2] < -0.07 && x[3] > 0.03);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Dion2 {
        /// The share `α` of rows or columns that a step is taken in, one at least.
        #[doc(alias = "rank_fraction")]
        fraction: Fraction = 0.25,
        /// What is left, `μ`, of the momentum where a step has been taken.
        ef_decay: Decay = 0.95,
        /// How it is made orthogonal.
        newton_schulz: NewtonSchulz = NewtonSchulz::new()
            .coefficients(Coefficients::PolarExpressDeployed)
            .safety(1.02)
            .eps(1e-8)
            .eps_added(true),
        /// What the step is multiplied by.
        #[doc(alias = "adjust_lr")]
        scale: Choice(Scale) = Scale::Spectral,
        /// The size of an element's step with [`Scale::MatchRms`].
        rms: Positive = 0.2,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.01,
        /// Climb instead of descend.
        maximize: Maximize = false,
        /// For what is no matrix.
        auxiliary: Auxiliary = Auxiliary::new(),
    }
}

fields! {
    /// State of [`Dion2`].
    pub struct Velocity {
        /// The momentum.
        m,
    }

    /// Scalars of [`Dion2`].
    pub struct Scalars {
        ef_decay, lr, decay,
    }
}

impl Rule for Dion2 {
    const NAME: &'static str = "dion2";
    const TITLE: &'static str = "Dion2";
    const PAPER: Paper = Paper::arxiv("Ahn et al. 2025", "2512.16928");
    const WHOLES: usize = 2;
    const SUMS: usize = 2;
    const STAGES: usize = 2;
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn auxiliary(&self) -> Option<&Auxiliary> {
        Some(&self.auxiliary)
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        Scalars { ef_decay: self.ef_decay, lr, decay: lr * self.weight_decay }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Velocity<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Velocity<R>) {
        let u = s.m + g;
        let chosen = over.whole(u);
        let x = over.whole(chosen * u);
        let kept = R::select(R::lit(0.0).lt(chosen), k.ef_decay, R::lit(1.0));
        (p - k.decay * p - k.lr * x, Velocity { m: kept * u })
    }

    /// First 1 in the slices that are chosen and 0 elsewhere. Then, of the same ones, which are all that is left, the step.
    fn whole<M: Matrix>(&self, u: M, _: &mut [M], at: &mut Whole) -> M {
        let [_, outputs, inputs] = u.dims();
        let chosen = Slices::largest(&u, self.fraction);
        let slices = u.pick(chosen.dim, &chosen.places);
        chosen.put_back(match at.number {
            0 => slices.full(slices.dims(), 1.0),
            _ => {
                let x = self.newton_schulz.orthogonalize(slices);
                x.scale(self.scale.of(outputs, inputs, self.rms))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Dense;
    use crate::slices::Walk;
    use crate::{Momentum, Muon};

    fn matrix(rows: usize, columns: usize, numbers: &[f64]) -> Dense<f64> {
        Dense { dims: [1, rows, columns], numbers: numbers.to_vec() }
    }

    fn mixed(t: usize, count: usize) -> Vec<f64> {
        (0..count).map(|i| ((t * 31 + i * 17) as f64 * 0.7).sin()).collect()
    }

    /// What the text says, computed without a mask.
    fn slowly(rule: &Dion2, dims: [usize; 2], steps: usize) -> Vec<f64> {
        let [rows, columns] = dims;
        let mut p = matrix(rows, columns, &vec![0.5; rows * columns]);
        let mut m = p.full(p.dims, 0.0);
        for t in 0..steps {
            m = m + matrix(rows, columns, &mixed(t, rows * columns));
            let chosen = Slices::largest(&m, rule.fraction);
            let x = m.pick(chosen.dim, &chosen.places);
            let x = rule.newton_schulz.orthogonalize(x);
            p = p.scale(1.0 - 0.1 * rule.weight_decay);
            let scale = 0.1 * (rows as f64 / columns as f64).sqrt();
            for (place, [r, c]) in (0..rows * columns).map(|i| (i, [i / columns, i % columns])) {
                let [of, along] = if chosen.dim == 1 { [r, c] } else { [c, r] };
                if let Some(number) = chosen.places.iter().position(|place| *place == of) {
                    let [r, c] = if chosen.dim == 1 { [number, along] } else { [along, number] };
                    p.numbers[place] -= scale * x.numbers[r * x.dims[2] + c];
                    m.numbers[place] *= rule.ef_decay;
                }
            }
        }
        p.numbers
    }

    #[test]
    fn it_steps_as_its_text_says() {
        for fraction in [1.0, 0.5, 0.25] {
            for dims in [[5, 8], [8, 5], [4, 4], [1, 6], [6, 1]] {
                let rule = Dion2::new().fraction(fraction);
                let mut x = vec![0.5; dims[0] * dims[1]];
                let mut walk = Walk::of_shape(rule.clone(), &dims, false).unwrap();
                let count = x.len();
                (0..6).for_each(|t| walk.step(0.1, &mut x, &mixed(t, count)).unwrap());
                let apart = x.iter().zip(slowly(&rule, dims, 6)).map(|(a, b)| (a - b).abs());
                assert!(apart.fold(0.0, f64::max) < 1e-12, "{fraction} {dims:?}");
            }
        }
    }

    #[test]
    fn all_slices_are_muon() {
        let dion2 = Dion2::new().fraction(1.0);
        let muon = Muon::new()
            .momentum(dion2.ef_decay)
            .nesterov(false)
            .form(Momentum::HeavyBall)
            .newton_schulz(dion2.newton_schulz.clone())
            .scale(Scale::Spectral)
            .weight_decay(dion2.weight_decay);
        let (mut x, mut y) = ([0.5; 15], [0.5; 15]);
        let mut one = Walk::of_shape(dion2, &[5, 3], false).unwrap();
        let mut other = Walk::of_shape(muon, &[5, 3], false).unwrap();
        for t in 0..10 {
            one.step(0.1, &mut x, &mixed(t, 15)).unwrap();
            other.step(0.1, &mut y, &mixed(t, 15)).unwrap();
            assert!(x.iter().zip(y).all(|(x, y)| (x - y).abs() < 1e-12), "{t}: {x:?} {y:?}");
        }
    }

    #[test]
    fn nothing_moves_without_a_gradient_and_no_nan_is_hidden() {
        let end = |g: [f64; 12]| {
            let mut x = [0.5; 12];
            let rule = Dion2::new().weight_decay(0.0);
            let mut walk = Walk::of_shape(rule, &[3, 4], false).unwrap();
            (0..3).for_each(|_| walk.step(0.1, &mut x, &g).unwrap());
            x
        };
        assert_eq!(end([0.0; 12]), [0.5; 12]);
        for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for place in [0, 5, 11] {
                let mut g = [1.0; 12];
                g[place] = broken;
                assert!(end(g).iter().all(|x| x.is_nan()), "{broken} {place}");
            }
        }
    }
}
