use crate::Domain::{Column, Matrix, Row, Tensor};
use crate::transforms::{at_least, decay_or_fixed, factored_root, one_or_more};
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// CAME: Adafactor with momentum, whose step is smaller where update and momentum do not agree.
    ///
    /// ```text
    /// R ← β₂ R + (1 − β₂) mean of (g² + eps1) over a row,     C the same over a column
    /// u = g / √(R C / mean of R)
    /// u ← u / max(1, RMS(u) / clip_threshold)
    /// m ← β₁ m + (1 − β₁) u
    /// R' ← β₃ R' + (1 − β₃) mean of ((u − m)² + eps2) over a row,     C' the same over a column
    /// θ ← (1 − η λ) θ − η m / √(R' C' / mean of R')
    /// ```
    ///
    /// `(u − m)²` is how unstable the update is. A vector keeps a second moment for each element and steps along
    /// `m`, and so does everything without `factored`. What has more than two dimensions is a stack of matrices, of
    /// the last two; matrices of one element, as those of a convolution with kernels of size one, are stepped as
    /// vectors are.
    ///
    /// `ams_bound`, of pytorch_optimizer: `h ← max(h, √(R C / mean of R))`, and `√(h / β₂)` takes the place of that
    /// root in `u`.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `beta3` 0.9999, `eps1` 1e-30, `eps2` 1e-16,
    ///   `clip_threshold` 1, no weight decay.
    /// - Memory: one number a weight, two for each row and two for each column; two a weight for a vector. Traffic
    ///   in f32: read 28, write 8 bytes a weight, 16 of those read for the means and the length of the update.
    /// - A gradient that is NaN makes its whole tensor NaN.
    /// - Reference: Luo et al. 2023, algorithm 2, <https://arxiv.org/abs/2307.02047>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{Came, rules::{View, slices::Walk}};
    ///
    /// let mut x = [1.0_f32; 6];
    /// let mut walk = Walk::of(Came::new(), View::matrix(2, 3))?;
    /// walk.step(0.01, &mut x, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// // Two rows, three columns, and six elements.
    /// assert_eq!(walk.state().iter().map(Vec::len).collect::<Vec<_>>(), [2, 3, 2, 3, 6]);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct Came {
        /// Decay `β₁` of the first moment, which is that of the update.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Decay `β₃` of the instability.
        #[doc(alias = "betas")]
        beta3: Decay = 0.9999,
        /// Added to the square of the gradient.
        eps1: NonNegative = 1e-30,
        /// Added to the instability.
        eps2: NonNegative = 1e-16,
        /// The greatest root of the mean of the update's squares; 0 is no limit.
        clip_threshold: NonNegative = 1.0,
        /// Divide by a root that never becomes smaller, as pytorch_optimizer does.
        ams_bound: bool = false,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = true,
        /// The weights decay by `λ` instead of `η λ`.
        fixed_decay: bool = false,
        /// Keep means for rows and columns.
        factored: bool = true,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`Came`].
    pub struct Factors {
        /// Second moment, a mean for each row.
        row: optional Row,
        /// Second moment, a mean for each column.
        column: together Column,
        /// Instability, a mean for each row.
        unstable_row: together Row,
        /// Instability, a mean for each column.
        unstable_column: together Column,
        /// Second moment, where it is not factored.
        v: instead positive,
        /// First moment of the update.
        m,
        /// Greatest root of the second moment, with `ams_bound`.
        root_max: optional positive,
    }

    /// Scalars of [`Came`].
    pub struct Scalars {
        beta1, one_beta1, beta2, one_beta2, beta3, one_beta3, eps1, eps2, clip_threshold, lr,
        /// `λ` in the gradient, and what remains of the weights.
        l2: optional,
        keep,
    }
}

impl Rule for Came {
    const NAME: &'static str = "came";
    const TITLE: &'static str = "CAME";
    const PAPER: Paper = Paper::arxiv("Luo et al. 2023", "2307.02047");
    const SUMS: usize = 7;
    const STAGES: usize = 3;
    type State<R: Copy> = Factors<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Factors<f64> {
        let of_rows = self.factored.then_some(0.0);
        Factors {
            row: of_rows,
            column: of_rows,
            unstable_row: of_rows,
            unstable_column: of_rows,
            v: (!self.factored).then_some(0.0),
            m: 0.0,
            root_max: self.ams_bound.then_some(0.0),
        }
    }

    /// A vector is no matrix of one row, which has rows and columns: it is many of one element.
    fn view(shape: &[usize], by_columns: bool) -> View {
        match *shape {
            [len] => View::stack(len, 1, 1),
            _ => View::of_last_two(shape, by_columns),
        }
    }

    fn for_view(&self, view: View) -> Option<Self> {
        let single = view.rows == 1 && view.columns == 1;
        (self.factored && single).then(|| self.clone().factored(false))
    }

    fn scalars(&self, lr: f64, _t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, beta3, eps1, eps2, .. } = *self;
        let clip = self.clip_threshold;
        let decoupled = self.decoupled_weight_decay;
        let (l2, keep) = decay_or_fixed(self.weight_decay, decoupled, self.fixed_decay, lr);
        Scalars {
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            beta3,
            one_beta3: 1.0 - beta3,
            eps1,
            eps2,
            clip_threshold: if clip > 0.0 { clip } else { f64::INFINITY },
            lr,
            l2: (l2 > 0.0).then_some(l2),
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
        let g = k.l2.map_or(g, |l2| g + l2 * p);
        let g2 = g * g + k.eps1;
        let v = s.v.map(|v| k.beta2 * v + k.one_beta2 * g2);
        let pair = s.row.zip(s.column).map(|old| average(old, g2, k.beta2, k.one_beta2, over));
        let root = pair.map_or(v.unwrap_or(g2).sqrt(), |(_, _, root)| root);
        let root_max = s.root_max.map(|h| at_least(h, root));
        let u = g / root_max.map_or(root, |h| (h / k.beta2).sqrt());
        let u = u / one_or_more(over.rms(Tensor, u) / k.clip_threshold);
        let m = k.beta1 * s.m + k.one_beta1 * u;

        let unstable = (u - m) * (u - m) + k.eps2;
        let old = s.unstable_row.zip(s.unstable_column);
        let confidence = old.map(|old| average(old, unstable, k.beta3, k.one_beta3, over));
        let step = confidence.map_or(m, |(_, _, root)| m / root);
        let new = Factors {
            row: pair.map(|(row, ..)| row),
            column: pair.map(|(_, column, _)| column),
            unstable_row: confidence.map(|(row, ..)| row),
            unstable_column: confidence.map(|(_, column, _)| column),
            v,
            m,
            root_max,
        };
        (k.keep * p - k.lr * step, new)
    }
}

/// The averages of the means of `x` over a row and over a column, and the root of what they stand for.
#[inline(always)]
fn average<R: Real>(
    (row, column): (R, R),
    x: R,
    beta: R,
    one_beta: R,
    over: &mut impl Over<R>,
) -> (R, R, R) {
    // The mean of the new row, which needs no sum that is known before.
    let mean = over.mean(Matrix, beta * row + one_beta * x);
    let row = beta * row + one_beta * over.mean(Row, x);
    let column = beta * column + one_beta * over.mean(Column, x);
    (row, column, factored_root(row, column, mean))
}
