use crate::Domain::{Column, Row, Tensor};
use crate::transforms::{decay_or_fixed, one_or_more};
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// RACS: a gradient whose rows and columns are scaled, and whose length grows slowly.
    ///
    /// ```text
    /// s ← β s + (1 − β) mean of g² over a row,       q ← β q + (1 − β) mean of g² over a column
    /// u = g / (√(s + eps) √(q + eps))
    /// u ← u / max(1, ‖u‖ / (γ (φ + eps))),       from the second step on
    /// φ ← ‖u‖
    /// θ ← (1 − η λ) θ − η α u
    /// ```
    ///
    /// That is the form of pytorch_optimizer, with `q` at 1 and `s` at 0 before the first step. The paper finds the two
    /// together, in each step by a few iterations to a fixed point of `g² ≈ s q`. Here neither takes account of the
    /// other, so that `u` grows as gradients become smaller, and only `γ` holds it back.
    ///
    /// A vector is a column. What has more than two dimensions is one matrix, of the first and of all others.
    ///
    /// - Defaults: `beta` 0.9, `alpha` 0.05, `gamma` 1.01, `eps` 1e-8, no weight decay.
    /// - Memory: a number for each row, one for each column, and one a tensor. Traffic in f32: read 16, write 4 bytes a
    ///   weight, 8 of those read for the means and the length of the update.
    /// - A gradient that is NaN makes its whole tensor NaN.
    /// - Reference: Gong et al. 2025, algorithm 1, <https://arxiv.org/abs/2502.07752>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Racs, rules::{View, slices::Walk}};
    ///
    /// let mut x = [1.0_f64; 6];
    /// let mut walk = Walk::of(Racs::new(), View::matrix(2, 3))?;
    /// walk.step(0.02, &mut x, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// let length = walk.state()[2][0];
    /// walk.step(0.02, &mut x, &[-3.0, 2.0, -1.0, 9.0, 5.0, 2.0])?;
    /// // The update is longer by a hundredth at most.
    /// assert!(walk.state()[2][0] < 1.0101 * length);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Racs {
        /// Decay `β` of the means of squares.
        beta: Decay = 0.9,
        /// A factor `α` of the learning rate.
        alpha: Positive = 0.05,
        /// The factor `γ` by which the length of the update grows at most.
        gamma: Positive = 1.01,
        /// Added under the roots, and to the length.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// The weights decay by `λ` instead of `η λ`.
        fixed_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Racs`].
    pub struct Scales {
        /// Average of the mean square of each row.
        s: Row,
        /// Average of the mean square of each column.
        q: Column,
        /// Length of the last update.
        phi: Tensor,
    }

    /// Scalars of [`Racs`].
    pub struct Scalars {
        beta, one_beta, eps,
        /// `γ`, infinite in the first step.
        gamma,
        /// `η α`.
        step,
        /// `λ` in the gradient, and what remains of the weights.
        l2: optional,
        keep,
    }
}

impl Rule for Racs {
    const NAME: &'static str = "racs";
    const TITLE: &'static str = "RACS";
    const PAPER: Paper = Paper::arxiv("Gong et al. 2025", "2502.07752");
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Scales<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Scales<f64> {
        Scales { s: 0.0, q: 1.0, phi: 0.0 }
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        match *shape {
            [len] => View::matrix(len, 1),
            _ => View::of(shape, by_columns),
        }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta, eps, gamma, .. } = *self;
        let decoupled = self.decoupled_weight_decay;
        let (l2, keep) = decay_or_fixed(self.weight_decay, decoupled, self.fixed_decay, lr);
        Scalars {
            beta,
            one_beta: 1.0 - beta,
            eps,
            gamma: if t > 1 { gamma } else { f64::INFINITY },
            step: lr * self.alpha,
            l2: (l2 > 0.0).then_some(l2),
            keep,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Scales<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Scales<R>) {
        let g = k.l2.map_or(g, |l2| g + l2 * p);
        let row = k.beta * s.s + k.one_beta * over.mean(Row, g * g);
        let column = k.beta * s.q + k.one_beta * over.mean(Column, g * g);
        let u = g / ((row + k.eps).sqrt() * (column + k.eps).sqrt());
        let length = over.norm(Tensor, u);
        let longer = one_or_more(length / (k.gamma * (s.phi + k.eps)));
        let phi = length / longer;
        (k.keep * p - k.step * (u / longer), Scales { s: row, q: column, phi })
    }
}
