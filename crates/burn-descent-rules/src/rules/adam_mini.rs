use crate::Domain::{Matrix, Row};
use crate::transforms::debias;
use crate::{Over, Paper, Real, Rule, View, fields, options};

options! {
    /// Adam-mini: Adam with one second moment for each row, or each head.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g,                            m̂ = m / (1 − β₁ᵗ)
    /// v ← β₂ v + (1 − β₂) mean of g² over a block,      v̂ = v / (1 − β₂ᵗ)
    /// θ ← (1 − η λ) θ − η m̂ / (√v̂ + eps)
    /// ```
    ///
    /// A block is a row: what makes one output, a token of an embedding or a neuron of a layer. A vector is one row. In
    /// a group with `heads`, a block is all rows of a head; with `whole_tensor` it is all of a tensor.
    ///
    /// The authors choose by the names of the parameters, here they are groups of a walk: heads for queries and keys;
    /// rows for embeddings, the output layer, values, projections and perceptrons; the whole tensor for norms;
    /// [`AdamW`](crate::AdamW) for biases.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `eps` 1e-8, no weight decay.
    /// - Memory: one number a weight, and one for each block. Traffic in f32: read 16, write 8 bytes a weight, 4 of those
    ///   read for the means.
    /// - A gradient that is NaN makes its whole block NaN.
    /// - Reference: Zhang et al. 2024, <https://arxiv.org/abs/2406.16793>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdamMini, rules::{View, slices::Walk}};
    ///
    /// let mut x = [1.0_f64; 4];
    /// let mut walk = Walk::of(AdamMini::new(), View::matrix(2, 2))?;
    /// walk.step(0.1, &mut x, &[7.0, 1.0, 3.0, -3.0])?;
    /// // Each row by the root of its mean square: 5, and 3.
    /// let expected = [1.0 - 0.14, 1.0 - 0.02, 1.0 - 0.1, 1.0 + 0.1];
    /// assert!(x.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-8), "{x:?}");
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct AdamMini {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// One second moment for all of a tensor, or of a head.
        whole_tensor: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`AdamMini`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment, one for each row.
        row: optional Row,
        /// Second moment, one for the tensor or a head.
        whole: instead Matrix,
    }

    /// Scalars of [`AdamMini`].
    pub struct Scalars {
        keep, beta1, one_beta1, beta2, one_beta2, lr,
        /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`.
        debias1, debias2,
        eps,
    }
}

impl Rule for AdamMini {
    const NAME: &'static str = "adam_mini";
    const TITLE: &'static str = "Adam-mini";
    const PAPER: Paper = Paper::arxiv("Zhang et al. 2024", "2406.16793");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn for_view(&self, view: View) -> Option<Self> {
        (view.matrices > 1 && !self.whole_tensor).then(|| self.clone().whole_tensor(true))
    }

    fn start(&self) -> Moments<f64> {
        let state = |there: bool| there.then_some(0.0);
        Moments { m: 0.0, row: state(!self.whole_tensor), whole: state(self.whole_tensor) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, eps, .. } = *self;
        Scalars {
            keep: 1.0 - lr * self.weight_decay,
            beta1,
            one_beta1: 1.0 - beta1,
            beta2,
            one_beta2: 1.0 - beta2,
            lr,
            debias1: debias(beta1, t),
            debias2: debias(beta2, t),
            eps,
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
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let row = s.row.map(|v| k.beta2 * v + k.one_beta2 * over.mean(Row, g * g));
        let whole = s.whole.map(|v| k.beta2 * v + k.one_beta2 * over.mean(Matrix, g * g));
        let v = row.or(whole).unwrap_or(g * g);
        let u = m * k.debias1 / ((v * k.debias2).sqrt() + k.eps);
        (k.keep * p - k.lr * u, Moments { m, row, whole })
    }
}
