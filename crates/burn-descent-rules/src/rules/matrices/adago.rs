use super::orthogonal::{Momentum, Scale, Shares, Sides};
use crate::Domain::Tensor;
use crate::transforms::{at_least, at_most, view_of_matrix};
use crate::{
    Auxiliary, Matrix, NewtonSchulz, Over, Paper, Real, Rule, View, Whole, fields, options,
};

options! {
    /// AdaGO: Muon's direction, AdaGrad's length.
    ///
    /// ```text
    /// m ← μ m + (1 − μ) g
    /// v² ← v² + min(‖g‖, γ)²
    /// θ ← θ − η λ θ − max(ε, η s min(‖g‖, γ) / v) X,    X = m made orthogonal,    s = √max(1, outputs / inputs)
    /// ```
    ///
    /// An orthogonal step is as long near the minimum as far from it. Here it becomes shorter as gradients add up, and
    /// with the gradient itself. How `m` is made orthogonal is said by [`NewtonSchulz`]. Vectors and what else is not
    /// to be treated as a matrix are stepped by the [`Auxiliary`] AdamW.
    ///
    /// pytorch_optimizer divides by `v²` (`root` false) and, with `nesterov`, has the norm of `μ m + (1 − μ) g` in the
    /// rate, as it is here.
    ///
    /// - Defaults: pytorch_optimizer's, but for the root, which is the paper's. `momentum` 0.95, `gamma` 10, `eps` 5e-4,
    ///   `v²` from 1e-6 on, no weight decay.
    /// - Memory: one number a weight, and one a tensor. Traffic in f32: read 20, write 8 bytes a weight beside that
    ///   of the products.
    /// - A gradient that is NaN makes its whole matrix NaN.
    /// - Reference: Zhang et al. 2025, algorithm 1, <https://arxiv.org/abs/2509.02981>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaGO, rules::{View, slices::Walk}};
    ///
    /// let mut x = [0.0_f64; 4];
    /// let mut walk = Walk::of(AdaGO::new(), View::matrix(2, 2))?;
    /// let mut length = Vec::new();
    /// for _ in 0..4 {
    ///     let before = x;
    ///     walk.step(0.1, &mut x, &[3.0, 0.0, 0.0, 4.0])?;
    ///     length.push((before[0] - x[0]).hypot(before[3] - x[3]));
    /// }
    /// // As 1/√t.
    /// assert!((length[3] / length[0] - 0.5).abs() < 1e-6);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdaGO {
        /// Decay `μ` of the momentum.
        momentum: Decay = 0.95,
        /// Look ahead by one more step.
        nesterov: bool = false,
        /// How it is made orthogonal.
        newton_schulz: NewtonSchulz = NewtonSchulz::new(),
        /// The greatest norm `γ` that a gradient counts with.
        gamma: Positive = 10.0,
        /// The least rate `ε`.
        eps: Positive = 5e-4,
        /// `v²` before the first step.
        #[doc(alias = "v")]
        initial_accumulator_value: Positive = 1e-6,
        /// Divide by `v`, not by `v²`.
        root: bool = true,
        /// What the rate is multiplied by.
        #[doc(alias = "use_adjusted_lr")]
        scale: Choice(Scale) = Scale::Original,
        /// The size of an element's step with [`Scale::MatchRms`].
        rms: Positive = 0.2,
        /// Decoupled decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
        /// For what is no matrix.
        auxiliary: Auxiliary = Auxiliary::new(),
    }
}

fields! {
    /// State of [`AdaGO`].
    pub struct Sums {
        /// The momentum.
        m,
        /// `v²`.
        v: Tensor,
    }

    /// Scalars of [`AdaGO`].
    pub struct Scalars {
        momentum, of_g, ahead_g, ahead_m, lr, decay, gamma, eps,
        /// 1 where the norm in the rate is that of what is made orthogonal, else 0.
        ahead,
        /// 1 where `v` is divided by, else 0.
        root,
        /// Those of the scale.
        rms, least, share, wide,
    }
}

impl Rule for AdaGO {
    const NAME: &'static str = "adago";
    const TITLE: &'static str = "AdaGO";
    const PAPER: Paper = Paper::arxiv("Zhang et al. 2025", "2509.02981");
    const WHOLES: usize = 1;
    const SUMS: usize = 3;
    type State<R: Copy> = Sums<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Sums<f64> {
        Sums { m: 0.0, v: self.initial_accumulator_value }
    }

    fn auxiliary(&self) -> Option<&Auxiliary> {
        Some(&self.auxiliary)
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Shares { momentum, of_g, ahead_g, ahead_m } =
            Momentum::Average.shares(self.momentum, self.nesterov, t);
        let Sides { rms, least, share, wide } = self.scale.sides(self.rms);
        Scalars {
            momentum,
            of_g,
            ahead_g,
            ahead_m,
            lr,
            decay: lr * self.weight_decay,
            gamma: self.gamma,
            eps: self.eps,
            ahead: f64::from(self.nesterov),
            root: f64::from(self.root),
            rms,
            least,
            share,
            wide,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Sums<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Sums<R>) {
        let zero = R::lit(0.0);
        let Scalars { momentum, of_g, ahead_g, ahead_m, rms, least, share, wide, .. } = k;
        let (m, u) = Shares { momentum, of_g, ahead_g, ahead_m }.take_up(s.m, g);
        let x = over.whole(u);
        let norm = at_most(k.gamma, over.norm(Tensor, g));
        let v = s.v + norm * norm;
        let above = R::select(zero.lt(k.ahead), at_most(k.gamma, over.norm(Tensor, u)), norm);
        let below = R::select(zero.lt(k.root), v.sqrt(), v);
        let scale = Sides { rms, least, share, wide }.seen(over);
        let rate = at_least(k.eps, k.lr * scale * above / below);
        (p - k.decay * p - rate * x, Sums { m, v })
    }

    fn whole<M: Matrix>(&self, u: M, _: &mut [M], _: &mut Whole) -> M {
        self.newton_schulz.orthogonalize(u)
    }
}
