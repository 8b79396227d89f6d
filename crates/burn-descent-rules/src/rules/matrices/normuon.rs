use super::orthogonal::{Momentum, Scale, Shares, Sides};
use crate::Domain::{Column, Row, Tensor};
use crate::chain::by_lines;
use crate::transforms::view_of_matrix;
use crate::{
    Auxiliary, Matrix, NewtonSchulz, Over, Paper, Real, Rule, View, Whole, choice, fields, options,
};

choice! {
    /// Which lines of a matrix have a second moment, and are made as long as one another.
    pub enum Axis {
        /// Rows, one of each output.
        Rows = "rows",
        /// Columns, one of each input.
        Columns = "columns",
        /// Rows, or columns where these are more: those of the longer side.
        Longer = "longer",
    }
}

options! {
    /// NorMuon: Muon, with rows of its step that are all about as long.
    ///
    /// ```text
    /// m ← μ m + (1 − μ) g,    u = μ m + (1 − μ) g
    /// X = u made orthogonal
    /// v ← β₂ v + (1 − β₂) mean of X² over a row
    /// X' = X / (√v + ε)
    /// θ ← θ − η λ θ − η s ‖X‖ / (‖X'‖ + ε) X',    s = √max(1, outputs / inputs)
    /// ```
    ///
    /// The singular values of `X` are one, its rows are not: of a tall matrix some outputs would move much further than
    /// others. `v` keeps its bias, as the norm of the step is that of `X` in any case. Without `keep_norm` the step is
    /// `rms √n / (‖X'‖ + ε) X'`, so that the root of the mean of its squares is `rms`, and `s` is not there.
    ///
    /// How `u` is made orthogonal is said by [`NewtonSchulz`]. Vectors and what else is not to be treated as a matrix
    /// are stepped by the [`Auxiliary`] AdamW. [`NormalizeRows`](crate::chain::NormalizeRows) is the second half, for
    /// chains.
    ///
    /// dion has `eps` 1e-8 and no `nesterov`. modded-nanogpt and nanochat have `axis` `longer` and `beta2` 0.9.
    ///
    /// - Defaults: the authors'. `momentum` 0.95 with `nesterov`, `beta2` 0.95, `eps` 1e-10, no weight decay.
    /// - Memory: one number a weight and one a row, or a column. Traffic in f32: read 20, write 8 bytes a weight beside that of
    ///   the products.
    /// - A gradient that is NaN makes its whole matrix NaN.
    /// - Reference: Li et al. 2025, algorithm 1, <https://arxiv.org/abs/2510.05491>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{NorMuon, rules::{View, slices::Walk}};
    ///
    /// let mut x = [0.0_f64; 6];
    /// let mut walk = Walk::of(NorMuon::new(), View::matrix(3, 2))?;
    /// walk.step(0.1, &mut x, &[1.0, 2.0, 0.1, 0.1, -3.0, 1.0])?;
    /// let rows: Vec<f64> = x.chunks(2).map(|row| row[0].hypot(row[1])).collect();
    /// assert!(rows.iter().all(|norm| (norm - rows[0]).abs() < 1e-8));
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct NorMuon {
        /// Decay `μ` of the momentum.
        momentum: Decay = 0.95,
        /// Look ahead by one more step.
        nesterov: bool = true,
        /// How it is made orthogonal.
        newton_schulz: NewtonSchulz = NewtonSchulz::new(),
        /// Decay `β₂` of the second moment of rows.
        beta2: Decay = 0.95,
        /// What stands for rows.
        axis: Choice(Axis) = Axis::Rows,
        /// Added to the root and to the norm.
        eps: Positive = 1e-10,
        /// Rows that are made as long leave the norm of the step as it is.
        #[doc(alias = "update_scale")]
        keep_norm: bool = true,
        /// What the step is multiplied by, with `keep_norm`.
        #[doc(alias = "adjust_lr_fn")]
        scale: Choice(Scale) = Scale::Original,
        /// The size of an element's step with [`Scale::MatchRms`] or without `keep_norm`.
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
    /// State of [`NorMuon`].
    pub struct Moments {
        /// The momentum.
        m,
        /// Second moment, a mean for each row.
        v: optional Row,
        /// The same for each column.
        v_column: optional Column,
    }

    /// Scalars of [`NorMuon`].
    pub struct Scalars {
        momentum, of_g, ahead_g, ahead_m, lr, decay, beta2, one_beta2, eps,
        /// Those of the scale.
        rms, least, share, wide,
        /// The size of an element's step, where the norm is not kept.
        size: optional,
    }
}

impl Rule for NorMuon {
    const NAME: &'static str = "normuon";
    const TITLE: &'static str = "NorMuon";
    const PAPER: Paper = Paper::arxiv("Li et al. 2025", "2510.05491");
    const WHOLES: usize = 1;
    const SUMS: usize = 4;
    const STAGES: usize = 3;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        let by_columns = self.axis == Axis::Columns;
        let [v, v_column] = [!by_columns, by_columns].map(|is_kept| is_kept.then_some(0.0));
        Moments { m: 0.0, v, v_column }
    }

    fn for_view(&self, view: View) -> Option<Self> {
        let axis = if view.rows < view.columns { Axis::Columns } else { Axis::Rows };
        (self.axis == Axis::Longer).then(|| self.clone().axis(axis))
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
            beta2: self.beta2,
            one_beta2: 1.0 - self.beta2,
            eps: self.eps,
            rms,
            least,
            share,
            wide,
            size: (!self.keep_norm).then_some(self.rms),
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let Scalars { momentum, of_g, ahead_g, ahead_m, rms, least, share, wide, .. } = k;
        let (m, u) = Shares { momentum, of_g, ahead_g, ahead_m }.take_up(s.m, g);
        let x = over.whole(u);
        let betas = [k.beta2, k.one_beta2, k.eps];
        let (x, s, [before, after]) = match s.v_column {
            Some(v) => {
                let (x, v, norms) = by_lines(Column, x, v, betas, over);
                (x, Moments { m, v: None, v_column: Some(v) }, norms)
            }
            None => {
                let v = s.v.unwrap_or(R::lit(0.0));
                let (x, v, norms) = by_lines(Row, x, v, betas, over);
                (x, Moments { m, v: Some(v), v_column: None }, norms)
            }
        };
        let length = match k.size {
            Some(size) => size * over.count(Tensor).sqrt(),
            None => before * Sides { rms, least, share, wide }.seen(over),
        };
        (p - k.decay * p - k.lr * length / (after + k.eps) * x, s)
    }

    fn whole<M: Matrix>(&self, u: M, _: &mut [M], _: &mut Whole) -> M {
        self.newton_schulz.orthogonalize(u)
    }
}
