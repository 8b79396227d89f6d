use crate::Domain::{Column, Row};
use crate::transforms::at_least;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// SM3: AdaGrad of a matrix, from one number for each row and one for each column.
    ///
    /// ```text
    /// ν = min(R, C) + g²
    /// R ← max of ν over a row,       C ← max of ν over a column
    /// m ← μ m + (1 − μ) g / √(ν + eps)
    /// θ ← (1 − η λ) θ − η m
    /// ```
    ///
    /// With `beta`, of pytorch_optimizer, `ν = β min(R, C) + (1 − β) g²`, and `R` and `C` never become smaller.
    ///
    /// A vector is one row, so that each element has a number of its own and this is AdaGrad. What has more than two
    /// dimensions is one matrix, of the first and of all others; optax and pytorch_optimizer keep a number for each
    /// index of each dimension there.
    ///
    /// - Defaults: `momentum` 0.9, as in optax; `eps` 1e-30, as in pytorch_optimizer (the paper has none, and says
    ///   that 0 / 0 is 0; optax 1e-8); no `beta`, no weight decay.
    /// - Memory: a number for each row and one for each column, and one a weight for the momentum. Traffic in f32:
    ///   read 16, write 8 bytes a weight, 4 of those read for the maxima.
    /// - A NaN gradient makes its weight NaN, and no other: rows and columns do not see it. One whose square overflows
    ///   stops its weight for good.
    /// - Reference: Anil et al. 2019, algorithm SM3-II, <https://arxiv.org/abs/1901.11150>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Sm3, rules::{View, slices::Walk}};
    ///
    /// let mut x = [1.0_f64; 4];
    /// let mut walk = Walk::of(Sm3::new().momentum(0.0), View::matrix(2, 2))?;
    /// walk.step(0.1, &mut x, &[3.0, 4.0, 1.0, 0.0])?;
    /// // The greatest squares of both rows, and of both columns.
    /// assert_eq!(walk.state(), [[16.0, 1.0], [9.0, 16.0]]);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Sm3 {
        /// Decay `μ` of the average of the steps; 0 for none.
        momentum: Decay = 0.9,
        /// Decay `β` of the second moment; 0 for a sum of all squares.
        beta: Decay = 0.0,
        /// Added under the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-30,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Sm3`].
    pub struct Covers {
        /// Greatest sum of squares in each row.
        row: Row,
        /// Greatest sum of squares in each column.
        column: Column,
        /// Average of the steps.
        m: optional,
    }

    /// Scalars of [`Sm3`].
    pub struct Scalars {
        momentum, one_momentum, eps, lr, keep,
        /// The share of what was there, and of the new square.
        old, new,
        /// 1 where rows and columns never become smaller, else 0.
        holds,
    }
}

impl Rule for Sm3 {
    const NAME: &'static str = "sm3";
    const TITLE: &'static str = "SM3";
    const PAPER: Paper = Paper::arxiv("Anil et al. 2019", "1901.11150");
    const SUMS: usize = 2;
    type State<R: Copy> = Covers<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Covers<f64> {
        Covers { row: 0.0, column: 0.0, m: (self.momentum > 0.0).then_some(0.0) }
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { momentum, beta, eps, .. } = *self;
        Scalars {
            momentum,
            one_momentum: 1.0 - momentum,
            eps,
            lr,
            keep: 1.0 - lr * self.weight_decay,
            old: if beta > 0.0 { beta } else { 1.0 },
            new: 1.0 - beta,
            holds: f64::from(beta > 0.0),
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Covers<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Covers<R>) {
        let zero = R::lit(0.0);
        let least = R::select(s.row.lt(s.column), s.row, s.column);
        let nu = k.old * least + k.new * g * g;
        // A maximum may hide a NaN or not: it is left to its weight.
        let seen = R::select(zero.lt(nu), nu, zero);
        let held = |old: R| R::select(zero.lt(k.holds), old, zero);
        let row = at_least(held(s.row), over.max(Row, seen));
        let column = at_least(held(s.column), over.max(Column, seen));
        let u = g / (nu + k.eps).sqrt();
        let m = s.m.map(|m| k.momentum * m + k.one_momentum * u);
        (k.keep * p - k.lr * m.unwrap_or(u), Covers { row, column, m })
    }
}
