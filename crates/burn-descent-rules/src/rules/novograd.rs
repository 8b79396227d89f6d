use crate::Domain::Tensor;
use crate::transforms::{at_least, decay};
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// NovoGrad: momentum of gradients that are divided by an average norm of their tensor.
    ///
    /// ```text
    /// v ← β₂ v + (1 − β₂) ‖g‖²                               (v ← ‖g‖² in step 1)
    /// m ← β₁ m + (g / (√(v + eps_root) + eps) + λ θ)
    /// θ ← θ − η m
    /// ```
    ///
    /// The norm is that of the tensor. With `grad_averaging` what is added to `m` is multiplied by `1 − β₁`; in step 1
    /// only with `average_first`, as timm has it. With `decoupled_weight_decay` the weights decay on their own,
    /// `θ ← (1 − η λ) θ` before the step. AMSGrad (`amsgrad`): the greatest `v` so far takes the place of `v`.
    ///
    /// - Defaults: the paper's. `beta1` 0.95, `beta2` 0.98, `eps` 1e-8, no weight decay (it has 0.001), no averaging.
    ///   optax has `beta1` 0.9, `beta2` 0.25 and `eps` 1e-6.
    /// - Memory: one number a weight and one a tensor, two a tensor with AMSGrad. Traffic in f32: read 16, write 8
    ///   bytes a weight, 4 of those read for the norm.
    /// - A gradient that is NaN makes its whole tensor NaN; one whose square overflows stops its tensor for good (`v`
    ///   infinite).
    /// - Reference: Ginsburg et al. 2019, algorithm 1, <https://arxiv.org/abs/1905.11286>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{NovoGrad, rules::slices::Walk};
    ///
    /// // A first step is as long as the learning rate, whatever the gradient is.
    /// let mut x = [3.0_f64, 4.0];
    /// Walk::new(NovoGrad::new(), x.len())?.step(0.1, &mut x, &[3e-3, -2.0])?;
    /// let length = (3.0 - x[0]).hypot(4.0 - x[1]);
    /// assert!((length - 0.1).abs() < 1e-8);
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    pub struct NovoGrad {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.95,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.98,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Epsilon = 1e-8,
        /// Added under the root.
        eps_root: Epsilon = 0.0,
        /// Decay `λ` of the weights.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the first moment.
        decoupled_weight_decay: bool = false,
        /// The share of what is new in the first moment is `1 − β₁`; if false, 1.
        grad_averaging: bool = false,
        /// So it is in the first step too.
        average_first: bool = false,
        /// Divide by the greatest second moment so far.
        amsgrad: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// State of [`NovoGrad`].
    pub struct Moments {
        /// First moment.
        m,
        /// Second moment, of the norm.
        v: Tensor,
        /// Greatest second moment, with AMSGrad.
        v_max: optional Tensor,
    }

    /// Scalars of [`NovoGrad`].
    pub struct Scalars {
        /// Weight decay in the first moment, and as a factor of the weights.
        l2, keep,
        beta1, inflow,
        /// `β₂` and `1 − β₂`; 0 and 1 in the first step.
        beta2, one_beta2,
        lr, eps, eps_root,
    }
}

impl Rule for NovoGrad {
    const NAME: &'static str = "novograd";
    const TITLE: &'static str = "NovoGrad";
    const PAPER: Paper = Paper::arxiv("Ginsburg et al. 2019", "1905.11286");
    const SUMS: usize = 1;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, v_max: self.amsgrad.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, eps, eps_root, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let averages = self.grad_averaging && (t > 1 || self.average_first);
        let inflow = if averages { 1.0 - beta1 } else { 1.0 };
        let beta2 = if t > 1 { self.beta2 } else { 0.0 };
        Scalars { l2, keep, beta1, inflow, beta2, one_beta2: 1.0 - beta2, lr, eps, eps_root }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        over: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let v = k.beta2 * s.v + k.one_beta2 * over.sum(Tensor, g * g);
        let v_max = s.v_max.map(|v_max| at_least(v_max, v));
        let root = (v_max.unwrap_or(v) + k.eps_root).sqrt();
        let m = k.beta1 * s.m + k.inflow * (g / (root + k.eps) + k.l2 * p);
        (k.keep * p - k.lr * m, Moments { m, v, v_max })
    }
}
