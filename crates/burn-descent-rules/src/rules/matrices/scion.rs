use super::orthogonal::Sizes;
use crate::transforms::{at_least, view_of_matrix};
use crate::{Matrix, NewtonSchulz, Over, Paper, Real, Rule, View, Whole, choice, fields, options};

choice! {
    /// The norm of a layer that [`Scion`] steps in.
    pub enum LayerNorm {
        /// By the shape: `spectral`, and for vectors the root of the mean of squares.
        Auto = "auto",
        /// The greatest singular value: `X = √(outputs / inputs) m` made orthogonal, over the number of positions of a
        /// kernel.
        Spectral = "spectral",
        /// The greatest element: `sign(m) / inputs`, the authors' for the last layer.
        Sign = "sign",
        /// The greatest column, by the root of the mean of its squares: `m / (rms + ε)`, the authors' for the first
        /// layer.
        Column = "column",
        /// The greatest row: `m / (√inputs ‖m‖ + ε)`.
        Row = "row",
    }
}

options! {
    /// Scion: a step of a given length in the norm of each layer.
    ///
    /// ```text
    /// m ← μ m + (1 − μ) g
    /// X = the matrix of norm 1 that points most along m
    /// θ ← θ − η λ θ − η ρ X             or, with `constraint`,   θ ← (1 − η) θ − η ρ X
    /// ```
    ///
    /// The norm is that of what a layer does to its activations, `norm`: of a matrix the greatest singular value times
    /// `√(inputs / outputs)`, for which `X` is made by [`NewtonSchulz`] and so is Muon's direction. Then a learning
    /// rate fits networks of any width. With `constraint` the weights stay in the ball of radius `ρ`, once they are in
    /// it (Scion; without it, unconstrained Scion). The radius, and other norms for the first and the last layer, are
    /// for groups of parameters.
    ///
    /// Vectors are divided by the root of the mean of their squares, whatever `norm` is. There is no auxiliary rule. The
    /// authors also begin with weights of the norm `ρ`, which is not done here.
    ///
    /// pytorch_optimizer's `momentum` is `1 − μ`. With `max_scale` the factor `√(outputs / inputs)` is 1 at least.
    ///
    /// - Defaults: pytorch_optimizer's. `momentum` 0.9, `radius` 1, no constraint, no weight decay. Its example has a
    ///   radius of 50 for hidden layers and of 3000, with `sign`, for the last.
    /// - Memory: one number a weight. Traffic in f32: read 20, write 8 bytes a weight beside that of the products.
    /// - A gradient that is NaN makes its whole matrix NaN, but with `sign` and `column` only what it is in.
    /// - Reference: Pethick et al. 2025, <https://arxiv.org/abs/2502.07529>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{LayerNorm, Scion, rules::{View, slices::Walk}};
    ///
    /// let mut x = [0.0_f64; 4];
    /// let scion = Scion::new().norm(LayerNorm::Sign);
    /// Walk::of(scion, View::matrix(2, 2))?.step(0.5, &mut x, &[3.0, -0.1, 0.0, 7.0])?;
    /// assert_eq!(x, [-0.25, 0.25, 0.0, -0.25]);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Scion {
        /// Decay `μ` of the momentum.
        momentum: Decay = 0.9,
        /// The norm of the layer.
        #[doc(alias = "norm_type")]
        norm: Choice(LayerNorm) = LayerNorm::Auto,
        /// How matrices are made orthogonal.
        newton_schulz: NewtonSchulz = NewtonSchulz::new(),
        /// `√(outputs / inputs)` is 1 at least.
        max_scale: bool = false,
        /// `ε`, added to the norms of vectors, rows and columns.
        eps: Positive = 1e-8,
        /// The radius `ρ`.
        #[doc(alias = "scale")]
        radius: Positive = 1.0,
        /// Stay in the ball of that radius.
        constraint: bool = false,
        /// Decoupled decay `λ` of the weights, without `constraint`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Scion`].
    pub struct Velocity {
        /// The momentum.
        m,
    }

    /// Scalars of [`Scion`].
    pub struct Scalars {
        momentum, one_momentum,
        /// What is taken of the weights, and `η ρ`.
        decay, rate,
        /// 1 where only the sign of the momentum counts, else 0.
        sign,
    }
}

impl Rule for Scion {
    const NAME: &'static str = "scion";
    const TITLE: &'static str = "Scion";
    const PAPER: Paper = Paper::arxiv("Pethick et al. 2025", "2502.07529");
    const WHOLES: usize = 1;
    const SUMS: usize = 1;
    type State<R: Copy> = Velocity<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn view(shape: &[usize], by_columns: bool) -> View {
        view_of_matrix(shape, by_columns)
    }

    fn for_view(&self, view: View) -> Option<Self> {
        let is_other = view.is_vector() && self.norm != LayerNorm::Auto;
        is_other.then(|| self.clone().norm(LayerNorm::Auto))
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let mu = self.momentum;
        let decay = if self.constraint { 1.0 } else { self.weight_decay };
        Scalars {
            momentum: mu,
            one_momentum: 1.0 - mu,
            decay: lr * decay,
            rate: lr * self.radius,
            sign: f64::from(self.norm == LayerNorm::Sign),
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
        let m = k.momentum * s.m + k.one_momentum * g;
        let u = R::select(R::lit(0.0).lt(k.sign), m.sign(), m);
        (p - k.decay * p - k.rate * over.whole(u), Velocity { m })
    }

    fn whole<M: Matrix>(&self, m: M, _: &mut [M], at: &mut Whole) -> M {
        let Sizes { outputs, inputs, positions } = Sizes::of(at);
        let [_, rows, columns] = m.dims();
        let squares = || m.clone() * m.clone();
        let over = |norm: M| m.clone() / norm.shift(self.eps);
        if at.view.is_vector() {
            return over(squares().sum(2).scale(1.0 / columns as f64).sqrt());
        }
        match self.norm {
            LayerNorm::Auto | LayerNorm::Spectral => {
                let ratio = (outputs as f64 / inputs as f64).sqrt();
                let ratio = if self.max_scale { at_least(1.0, ratio) } else { ratio };
                self.newton_schulz.orthogonalize(m).scale(ratio / positions as f64)
            }
            LayerNorm::Sign => m.scale(1.0 / columns as f64),
            LayerNorm::Column => over(squares().sum(1).scale(1.0 / rows as f64).sqrt()),
            LayerNorm::Row => over(squares().sum(2).sqrt().scale((columns as f64).sqrt())),
        }
    }
}
