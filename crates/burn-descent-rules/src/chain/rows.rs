//! Transforms that look at the rows of a matrix, each of which is an output.

use super::{Point, Transform};
use crate::Domain::{Row, Tensor};
use crate::transforms::adaptive_clip;
use crate::{Domain, Empty, Over, Real, fields, options};

options! {
    /// Divides each row of the update by the root of its second moment, and keeps the norm of the whole: the second
    /// half of NorMuon, after any direction.
    ///
    /// ```text
    /// v ← β₂ v + (1 − β₂) mean of u² over the row
    /// u' = u / (√v + eps)
    /// u ← ‖u‖ / (‖u'‖ + eps) · u'
    /// ```
    ///
    /// Outputs whose updates are large then take steps like the others. A vector is one row, so it stays as it is but
    /// for `eps`. As the norm is kept, a bias of `v` would cancel, and none is corrected.
    ///
    /// - Defaults: the authors'.
    /// - Memory: one number a row. What the update is made of is read once more before the step: the norms of the
    ///   whole follow from those of the rows.
    /// - An update that is NaN, or whose square overflows, makes the whole tensor NaN.
    /// - Reference: Li et al. 2025, <https://arxiv.org/abs/2510.05491>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::rules::chain::{Chain, NormalizeRows, ScaleByLearningRate};
    /// use burn_descent::rules::{View, slices::Walk};
    ///
    /// let chain = Chain::of(NormalizeRows::new()).then(ScaleByLearningRate::new());
    /// let mut x = [0.0_f64; 4];
    /// Walk::of(chain, View::matrix(2, 2))?.step(1.0, &mut x, &[0.0, 12.0, -5.0, 0.0])?;
    /// // Both rows take steps of one length, and together one as long as the gradient, which is 13.
    /// let length = (13.0_f64 * 13.0 / 2.0).sqrt();
    /// assert!((x[1] + length).abs() < 1e-6 && (x[2] - length).abs() < 1e-6);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    #[doc(alias = "NorMuon")]
    pub struct NormalizeRows {
        /// Decay `β₂` of the second moment.
        beta2: Decay = 0.95,
        /// Added to the root, and to the norm that is divided by.
        eps: Positive = 1e-10,
    }
}

fields! {
    /// State of [`NormalizeRows`].
    pub struct Rows {
        /// Second moment, a mean for each row.
        row: Row,
    }

    /// Scalars of [`NormalizeRows`].
    pub struct RowScalars { beta2, one_beta2, eps }
}

impl Transform for NormalizeRows {
    const NAME: &'static str = "normalize_rows";
    const SUMS: usize = 3;
    const STAGES: usize = 2;
    type State<R: Copy> = Rows<R>;
    type Scalars<R: Copy> = RowScalars<R>;

    fn scalars(&self, _lr: f64, _t: u64) -> RowScalars<f64> {
        RowScalars { beta2: self.beta2, one_beta2: 1.0 - self.beta2, eps: self.eps }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        _at: Point<R>,
        s: Rows<R>,
        k: RowScalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Rows<R>) {
        let (u, row, [before, after]) =
            by_lines(Row, u, s.row, [k.beta2, k.one_beta2, k.eps], over);
        (before / (after + k.eps) * u, Rows { row })
    }
}

/// `u` with each row over the root of its second moment, this moment, and the norm of `u` before and after.
#[inline(always)]
pub(crate) fn by_lines<R: Real>(
    lines: Domain,
    u: R,
    v: R,
    [beta2, one_beta2, eps]: [R; 3],
    over: &mut impl Over<R>,
) -> (R, R, [R; 2]) {
    let mean = over.mean(lines, u * u);
    let v = beta2 * v + one_beta2 * mean;
    let root = v.sqrt() + eps;
    // With this number in place of each of its elements a line is as long.
    let size = mean.sqrt();
    (u / root, v, [over.norm(Tensor, size), over.norm(Tensor, size / root)])
}

options! {
    /// Adaptive gradient clipping (AGC): shortens each row of the update to `clipping` times the norm of the row's
    /// weights, at most. It stands in front of a direction, where the update is the gradient.
    ///
    /// ```text
    /// u ← u · min(1, clipping max(‖p‖, eps) / ‖u‖)       norms of rows
    /// ```
    ///
    /// A vector is one row. The paper leaves out the last layer of a classifier.
    ///
    /// - Defaults: the paper's, `clipping` 0.01 and `eps` 1e-3, so that weights that begin at zero can grow.
    /// - Memory: none.
    /// - An update that is NaN makes its row NaN. A row whose sum of squares overflows is shortened to 0.
    /// - Reference: Brock et al. 2021, <https://arxiv.org/abs/2102.06171>; optax's `adaptive_grad_clip`.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::rules::chain::{AdaptiveGradClip, Chain, ScaleByLearningRate};
    /// use burn_descent::rules::{View, slices::Walk};
    ///
    /// let chain = Chain::of(AdaptiveGradClip::new(0.1)).then(ScaleByLearningRate::new());
    /// let mut x = [3.0_f64, 4.0, 6.0, 8.0];
    /// Walk::of(chain, View::matrix(2, 2))?.step(1.0, &mut x, &[30.0, 40.0, 0.6, 0.8])?;
    /// // The first row of the gradient is a tenth as long as its weights now, the second is so already.
    /// assert!(x.iter().zip([2.7, 3.6, 5.4, 7.2]).all(|(x, y)| (x - y).abs() < 1e-12));
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    #[doc(alias = "AGC")]
    pub struct AdaptiveGradClip(clipping: f64) {
        /// The greatest norm of a row of the update, as a share of that of its weights.
        clipping: Positive = 0.01,
        /// The least norm that weights count with.
        eps: Positive = 1e-3,
    }
}

fields! {
    /// Scalars of [`AdaptiveGradClip`].
    pub struct ClipScalars { clipping, eps }
}

impl Transform for AdaptiveGradClip {
    const NAME: &'static str = "adaptive_grad_clip";
    const SUMS: usize = 2;
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = ClipScalars<R>;

    fn scalars(&self, _lr: f64, _t: u64) -> ClipScalars<f64> {
        ClipScalars { clipping: self.clipping, eps: self.eps }
    }

    #[inline(always)]
    fn transform<R: Real>(
        u: R,
        at: Point<R>,
        s: Empty<R>,
        k: ClipScalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Empty<R>) {
        let (of_p, of_u) = (over.norm(Row, at.p), over.norm(Row, u));
        (adaptive_clip(k.clipping, k.eps, of_p, of_u) * u, s)
    }
}
