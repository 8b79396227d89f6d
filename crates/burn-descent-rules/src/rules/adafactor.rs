use crate::Domain::{Column, Matrix, Row, Tensor};
use crate::transforms::{decay, one_or_more};
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// Adafactor: the second moment of a matrix from a mean for each row and one for each column.
    ///
    /// ```text
    /// R ← β₂ₜ R + (1 − β₂ₜ) mean of (g² + eps1) over a row,       β₂ₜ = 1 − t^(−decay_rate)
    /// C ← β₂ₜ C + (1 − β₂ₜ) mean of (g² + eps1) over a column
    /// u = g / √(R C / mean of R)
    /// u ← u / max(1, RMS(u) / clip_threshold)
    /// ρ = min(η, 1 / √t),    α = ρ max(eps2, RMS(θ))
    /// θ ← (1 − η λ) θ − α u
    /// ```
    ///
    /// A vector keeps a second moment for each element, and so does a matrix that has fewer rows or columns than
    /// `min_dim_size_to_factor`. What has more than two dimensions is a stack of matrices, of the last two.
    ///
    /// The forms that there are, by options:
    ///
    /// | form | options |
    /// |---|---|
    /// | PyTorch | `eps1` 0 and `clamp_eps` 1.2e-7 in f32, 2.2e-16 in f64 |
    /// | paper, Hugging Face, Keras | as by default; without `relative_step` where a learning rate is given |
    /// | Hugging Face without a scale | `scale_parameter` and `relative_step` false, `scaled_decay` |
    /// | optax | `relative_step` false, `min_dim_size_to_factor` 128; its decay is `weight_decay` over the rate |
    /// | big_vision | `relative_step` and `scale_parameter` false, `clip_threshold` 0, `beta2_cap` 0.999, `beta1` 0.9, `momentum_of_update`, `min_dim_size_to_factor` 32 |
    ///
    /// With `clamp_eps` the mean of `R` is that at least, and what the root is taken of its square: PyTorch's first
    /// epsilon, which is added to nothing.
    ///
    /// - Defaults: the paper's. `decay_rate` 0.8, `eps1` 1e-30, `eps2` 1e-3, `clip_threshold` 1, the rate relative to
    ///   the step and to the size of the weights, no momentum, no weight decay.
    /// - Memory: a number for each row and one for each column; one a weight more with `beta1`. Traffic in f32: read
    ///   20, write 4 bytes a weight, 8 of those read for the means, and 4 for the length of the update.
    /// - A gradient that is NaN makes its whole tensor NaN.
    /// - Reference: Shazeer & Stern 2018, algorithms 4 and 5, <https://arxiv.org/abs/1804.04235>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Adafactor, rules::{View, slices::Walk}};
    ///
    /// let rule = Adafactor::new().relative_step(false);
    /// let mut x = [1.0_f32; 6];
    /// let mut walk = Walk::of(rule, View::matrix(2, 3))?;
    /// walk.step(0.01, &mut x, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// // Two rows and three columns.
    /// assert_eq!(walk.state().iter().map(Vec::len).collect::<Vec<_>>(), [2, 3]);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Adafactor {
        /// How fast the decay `β₂ₜ = 1 − t^(−decay_rate)` goes to 1.
        #[doc(alias = "beta2_decay")]
        decay_rate: Positive = 0.8,
        /// The greatest `β₂ₜ`.
        beta2_cap: Fraction = 1.0,
        /// Added to the square of the gradient.
        eps1: NonNegative = 1e-30,
        /// The least size of the weights to which the rate is relative.
        eps2: NonNegative = 1e-3,
        /// The least root of the second moment.
        clamp_eps: NonNegative = 0.0,
        /// The greatest root of the mean of the update's squares; 0 is no limit.
        #[doc(alias = "d")]
        clip_threshold: NonNegative = 1.0,
        /// Multiply the rate by the root of the mean of the weights' squares.
        #[doc(alias = "multiply_by_parameter_scale")]
        scale_parameter: bool = true,
        /// The rate is `1 / √t` at most.
        relative_step: bool = true,
        /// Decay `β₁` of the first moment; 0 for none.
        #[doc(alias = "momentum")]
        beta1: Decay = 0.0,
        /// The first moment is that of the update, before the rate.
        momentum_of_update: bool = false,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The weights decay by `α λ` instead of `η λ`.
        scaled_decay: bool = false,
        /// Factor the second moment of matrices.
        factored: bool = true,
        /// How many rows and columns a matrix must have to be factored.
        min_dim_size_to_factor: Positive = 1.0,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Adafactor`].
    pub struct Factors {
        /// Second moment, a mean for each row.
        row: optional Row,
        /// Second moment, a mean for each column.
        column: optional Column,
        /// Second moment, where it is not factored.
        v: optional,
        /// First moment.
        m: optional,
    }

    /// Scalars of [`Adafactor`].
    pub struct Scalars {
        /// `β₂ₜ` and `1 − β₂ₜ`.
        beta2, one_beta2,
        /// Added to `g²`; the least mean of `R`, and the least second moment.
        added, least_mean, least_v,
        /// `ρ`.
        rate,
        clip_threshold,
        /// The share of the weights' size in the rate, 0 or 1, and the least that `ρ` is multiplied by.
        scale, least_scale,
        beta1, one_beta1,
        /// 1 and 0 where the first moment is that of the update, else 0 and 1.
        of_update, of_step,
        /// `λ` of `α`, and what remains of the weights beside it.
        decay, keep,
    }
}

impl Rule for Adafactor {
    const NAME: &'static str = "adafactor";
    const TITLE: &'static str = "Adafactor";
    const PAPER: Paper = Paper::arxiv("Shazeer & Stern 2018", "1804.04235");
    const SUMS: usize = 5;
    type State<R: Copy> = Factors<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Factors<f64> {
        let state = |there: bool| there.then_some(0.0);
        Factors {
            row: state(self.factored),
            column: state(self.factored),
            v: state(!self.factored),
            m: state(self.beta1 > 0.0),
        }
    }

    fn view(shape: &[usize], by_columns: bool) -> View {
        View::of_last_two(shape, by_columns)
    }

    fn for_view(&self, view: View) -> Option<Self> {
        let small = (view.rows.min(view.columns) as f64) < self.min_dim_size_to_factor;
        (self.factored && (view.is_vector() || small)).then(|| self.clone().factored(false))
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let beta2 = (1.0 - (t as f64).powf(-self.decay_rate)).min(self.beta2_cap);
        let most = if self.relative_step { 1.0 / (t as f64).sqrt() } else { f64::INFINITY };
        let clip = self.clip_threshold;
        let (decay, keep) = decay(self.weight_decay, !self.scaled_decay, lr);
        Scalars {
            beta2,
            one_beta2: 1.0 - beta2,
            added: self.eps1,
            least_mean: self.clamp_eps,
            least_v: self.clamp_eps * self.clamp_eps,
            rate: lr.min(most),
            clip_threshold: if clip > 0.0 { clip } else { f64::INFINITY },
            scale: f64::from(self.scale_parameter),
            least_scale: if self.scale_parameter { self.eps2 } else { 1.0 },
            beta1: self.beta1,
            one_beta1: 1.0 - self.beta1,
            of_update: f64::from(self.momentum_of_update),
            of_step: f64::from(!self.momentum_of_update),
            decay,
            keep,
        }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Factors<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Factors<R>) {
        let g2 = g * g + k.added;
        let row = s.row.map(|row| k.beta2 * row + k.one_beta2 * over.mean(Row, g2));
        let column = s.column.map(|column| k.beta2 * column + k.one_beta2 * over.mean(Column, g2));
        let v = s.v.map(|v| k.beta2 * v + k.one_beta2 * g2);
        let v_hat = match (row, column) {
            (Some(row), Some(column)) => row / over.mean(Matrix, row).max(k.least_mean) * column,
            _ => v.unwrap_or(g2),
        };
        let u = g / v_hat.max(k.least_v).sqrt();
        let clip = R::lit(1.0) / one_or_more(over.rms(Tensor, u) / k.clip_threshold);
        let alpha = k.rate * (k.scale * over.rms(Tensor, p)).max(k.least_scale);
        // The rate stands before the first moment or behind it.
        let step = (k.of_update + k.of_step * alpha) * clip * u;
        let m = s.m.map(|m| k.beta1 * m + k.one_beta1 * step);
        let step = (k.of_step + k.of_update * alpha) * m.unwrap_or(step);
        let p = (k.keep - k.decay * alpha) * p - step;
        (p, Factors { row, column, v, m })
    }
}
