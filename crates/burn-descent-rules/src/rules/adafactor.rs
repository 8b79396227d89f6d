use crate::Domain::{Column, Matrix, Row, Tensor};
use crate::transforms::{at_least, cautious, decay_or_fixed, factored_root, one_or_more};
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
    /// | pytorch_optimizer | `beta1` 0.9, `beta2_cap` 0.999, `scaled_decay` |
    /// | timm | `scaled_decay`, `min_dim_size_to_factor` 17; `scale_parameter` and `relative_step` false where a learning rate is given |
    /// | optax | `relative_step` false, `min_dim_size_to_factor` 128, `fixed_decay` |
    /// | big_vision | `relative_step` and `scale_parameter` false, `clip_threshold` 0, `beta2_cap` 0.999, `beta1` 0.9, `momentum_of_update`, `min_dim_size_to_factor` 32, `fixed_decay` |
    ///
    /// `relative_step` with `warmup_init` has `ρ = min(t η, 1 / √t)`: the learning rate is that of the first step,
    /// 1e-6 in the paper.
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
        /// `β₂ₜ` counts the steps after this many: `t − decay_offset`, 1 at least, takes the place of `t`.
        decay_offset: u64 = 0,
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
        /// With `relative_step` the rate begins at `η` and grows by that with each step.
        warmup_init: bool = false,
        /// Decay `β₁` of the first moment; 0 for none.
        #[doc(alias = "momentum")]
        beta1: Decay = 0.0,
        /// The first moment is that of the update, before the rate.
        momentum_of_update: bool = false,
        /// Leave out the weights where the first moment and the gradient do not agree; without `beta1` they always
        /// do.
        #[doc(alias = "caution")]
        cautious: bool = false,
        /// `ξ` of a cautious step; 0 for the least mean of its mask, which is 1e-3.
        cautious_xi: NonNegative = 1.0,
        /// Divide by `√(h / (1 − β₂ₜ))` instead, where `h` is the greatest root of the second moment so far, as
        /// pytorch_optimizer does.
        ams_bound: bool = false,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// The weights decay by `α λ` instead of `η λ`.
        scaled_decay: bool = false,
        /// The weights decay by `λ` instead of `η λ`.
        #[doc(alias = "unscaled_wd")]
        fixed_decay: bool = false,
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
        column: together Column,
        /// Second moment, where it is not factored.
        v: instead positive,
        /// First moment.
        m: optional,
        /// Greatest root of the second moment, with `ams_bound`.
        root_max: optional positive,
    }

    /// Scalars of [`Adafactor`].
    pub struct Scalars {
        /// `β₂ₜ` and `1 − β₂ₜ`.
        beta2, one_beta2,
        /// Added to `g²`; the least mean of `R`, and the least root of the second moment.
        added, least,
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
        /// `λ` in the gradient. Both are rarely asked for: one choice for them makes half as many forms.
        l2: optional,
        /// `ξ` of a cautious step; less than 0 where it is none.
        xi: together,
    }
}

impl Rule for Adafactor {
    const NAME: &'static str = "adafactor";
    const TITLE: &'static str = "Adafactor";
    const PAPER: Paper = Paper::arxiv("Shazeer & Stern 2018", "1804.04235");
    const SUMS: usize = 6;
    const STAGES: usize = 4;
    type State<R: Copy> = Factors<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Factors<f64> {
        let state = |there: bool| there.then_some(0.0);
        Factors {
            row: state(self.factored),
            column: state(self.factored),
            v: state(!self.factored),
            m: state(self.beta1 > 0.0),
            root_max: state(self.ams_bound),
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
        let counted = t.saturating_sub(self.decay_offset).max(1) as f64;
        let beta2 = (1.0 - counted.powf(-self.decay_rate)).min(self.beta2_cap);
        let t = t as f64;
        let most = if self.relative_step { 1.0 / t.sqrt() } else { f64::INFINITY };
        let warm = if self.relative_step && self.warmup_init { t } else { 1.0 };
        let clip = self.clip_threshold;
        let of_rate = self.scaled_decay && self.decoupled_weight_decay && !self.fixed_decay;
        let (decay, beside) =
            if of_rate { (self.weight_decay, 0.0) } else { (0.0, self.weight_decay) };
        let (l2, keep) = decay_or_fixed(beside, self.decoupled_weight_decay, self.fixed_decay, lr);
        let xi = if self.cautious && self.beta1 > 0.0 { self.cautious_xi } else { -1.0 };
        let asked = l2 > 0.0 || xi >= 0.0;
        Scalars {
            beta2,
            one_beta2: 1.0 - beta2,
            added: self.eps1,
            least: self.clamp_eps,
            rate: (warm * lr).min(most),
            clip_threshold: if clip > 0.0 { clip } else { f64::INFINITY },
            scale: f64::from(self.scale_parameter),
            least_scale: if self.scale_parameter { self.eps2 } else { 1.0 },
            beta1: self.beta1,
            one_beta1: 1.0 - self.beta1,
            of_update: f64::from(self.momentum_of_update),
            of_step: f64::from(!self.momentum_of_update),
            decay,
            keep,
            l2: asked.then_some(l2),
            xi: asked.then_some(xi),
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
        let g = k.l2.map_or(g, |l2| g + l2 * p);
        let g2 = g * g + k.added;
        let row = s.row.map(|row| k.beta2 * row + k.one_beta2 * over.mean(Row, g2));
        let column = s.column.map(|column| k.beta2 * column + k.one_beta2 * over.mean(Column, g2));
        let v = s.v.map(|v| k.beta2 * v + k.one_beta2 * g2);
        let root = match (row, column) {
            (Some(row), Some(column)) => {
                factored_root(row, column, over.mean(Matrix, row).max(k.least))
            }
            _ => v.unwrap_or(g2).sqrt(),
        };
        let root_max = s.root_max.map(|h| at_least(h, root));
        let u = g / root_max.map_or(root, |h| (h / k.one_beta2).sqrt()).max(k.least);
        let clip = R::lit(1.0) / one_or_more(over.rms(Tensor, u) / k.clip_threshold);
        let alpha = k.rate * (k.scale * over.rms(Tensor, p)).max(k.least_scale);
        // The rate stands before the first moment or behind it.
        let step = (k.of_update + k.of_step * alpha) * clip * u;
        let m = s.m.map(|m| k.beta1 * m + k.one_beta1 * step);
        let step = m.unwrap_or(step);
        let step = match k.xi {
            Some(xi) => R::select(xi.lt(R::lit(0.0)), step, cautious(step, g, k.xi, over)),
            None => step,
        };
        let step = (k.of_step + k.of_update * alpha) * step;
        let p = (k.keep - k.decay * alpha) * p - step;
        (p, Factors { row, column, v, m, root_max })
    }
}
