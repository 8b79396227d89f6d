use super::adam::Moments;
use super::moments::uncorrected;
use crate::transforms::decay;
use crate::{Over, Paper, Real, Rule, fields, options};

options! {
    /// AdaBound: Adam whose learning rate of each weight is held between bounds that close in on one
    /// rate for all: it begins as Adam and ends as SGD.
    ///
    /// ```text
    /// g ← g + λ θ                  decoupled_weight_decay: θ ← (1 − η λ) θ
    /// m ← β₁ m + (1 − β₁) g
    /// v ← β₂ v + (1 − β₂) g²
    /// η̂ = clip(η √(1 − β₂ᵗ) / (1 − β₁ᵗ) / (√(v + eps_root) + eps), lower, upper)
    /// θ ← θ − η̂ m
    ///
    /// lower = final_lr (1 − 1 / (γ t + 1)),    upper = final_lr (1 + 1 / (γ t))
    /// ```
    ///
    /// AMSBound (`amsbound`): `v_max ← max(v_max, v)` takes the place of `v` in `η̂`.
    ///
    /// As in the authors' code `η̂` is not divided by `√t`, which the paper does for its theorem. The
    /// bounds do not follow a schedule of the learning rate, as in the paper; with `base_lr` they do,
    /// as in the authors' code: `final_lr` is then multiplied with `η / base_lr`. pytorch_optimizer
    /// adds 1e-15 to `v`: `eps_root`.
    ///
    /// - Defaults: the authors'. `beta1` 0.9, `beta2` 0.999, `final_lr` 0.1, `gamma` 1e-3, `eps` 1e-8,
    ///   no weight decay, no AMSBound; `eps_root` and `base_lr` 0.
    /// - Memory: two numbers a weight, three with AMSBound. Traffic in f32: read 16, write 12 bytes a
    ///   weight; 4 and 4 more with AMSBound.
    /// - A NaN gradient makes its weight and state NaN, and no other. **A huge one is a huge step**, of
    ///   the lower bound times `m`; one whose square overflows leaves that rate for good (`v` infinite).
    /// - Reference: Luo et al. 2019, algorithm 2, <https://arxiv.org/abs/1902.09843>.
    ///
    /// ```
    /// # use burn_descent_rules::burn_descent;
    /// use burn_descent::{AdaBound, Rule};
    ///
    /// let scheduled = AdaBound::new().base_lr(1e-3).scalars(1e-4, 100);
    /// assert!((scheduled.upper - 0.01 * 11.0).abs() < 1e-12);
    /// let error = AdaBound::new().gamma(0.0).check().unwrap_err();
    /// assert_eq!(error.to_string(), "adabound: gamma = 0 is not allowed, it must be a number > 0");
    /// ```
    pub struct AdaBound {
        /// Decay `β₁` of the first moment.
        #[doc(alias = "betas")]
        beta1: Decay = 0.9,
        /// Decay `β₂` of the second moment.
        #[doc(alias = "betas")]
        beta2: Decay = 0.999,
        /// The learning rate on which the bounds close in.
        final_lr: NonNegative = 0.1,
        /// How fast the bounds close in, `γ`.
        gamma: Positive = 1e-3,
        /// The learning rate that `final_lr` is meant for; with 0 it is meant for any.
        base_lr: NonNegative = 0.0,
        /// Added to the root.
        #[doc(alias = "epsilon")]
        eps: Positive = 1e-8,
        /// Added under the root.
        eps_root: NonNegative = 0.0,
        /// Divide by the greatest second moment so far.
        #[doc(alias = "ams_bound")]
        #[doc(alias = "amsgrad")]
        amsbound: bool = false,
        /// Weight decay `λ`.
        #[doc(alias = "lambda")]
        weight_decay: WeightDecay = 0.0,
        /// The decay acts on the weights, not on the gradient: the authors' AdaBoundW.
        #[doc(alias = "weight_decouple")]
        decoupled_weight_decay: bool = false,
        /// Climb instead of descend.
        maximize: Maximize = false,
    }
}

fields! {
    /// Scalars of [`AdaBound`].
    pub struct Scalars {
        /// Weight decay as a penalty in the gradient, and as a factor of the weights.
        l2, keep,
        beta1, one_beta1, beta2, one_beta2,
        /// `η √(1 − β₂ᵗ) / (1 − β₁ᵗ)`.
        lr,
        lower, upper, eps, eps_root,
    }
}

impl Rule for AdaBound {
    const NAME: &'static str = "adabound";
    const TITLE: &'static str = "AdaBound";
    const PAPER: Paper = Paper::arxiv("Luo et al. 2019", "1902.09843");
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn start(&self) -> Moments<f64> {
        Moments { m: 0.0, v: 0.0, v_max: self.amsbound.then_some(0.0) }
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        let Self { beta1, beta2, gamma, eps, eps_root, .. } = *self;
        let (l2, keep) = decay(self.weight_decay, self.decoupled_weight_decay, lr);
        let (one_beta1, one_beta2) = (1.0 - beta1, 1.0 - beta2);
        let scale = if self.base_lr > 0.0 { lr / self.base_lr } else { 1.0 };
        let final_lr = self.final_lr * scale;
        let (lr, _) = uncorrected(lr, beta1, beta2, t);
        let closing = gamma * t as f64;
        let lower = final_lr * (1.0 - 1.0 / (closing + 1.0));
        let upper = final_lr * (1.0 + 1.0 / closing);
        Scalars { l2, keep, beta1, one_beta1, beta2, one_beta2, lr, lower, upper, eps, eps_root }
    }

    #[inline(always)]
    fn update<R: Real>(
        p: R,
        g: R,
        s: Moments<R>,
        k: Scalars<R>,
        _: &mut impl Over<R>,
    ) -> (R, Moments<R>) {
        let g = g + k.l2 * p;
        let m = k.beta1 * s.m + k.one_beta1 * g;
        let v = k.beta2 * s.v + k.one_beta2 * g * g;
        let v_max = s.v_max.map(|v_max| v_max.max(v));
        let lr = k.lr / ((v_max.unwrap_or(v) + k.eps_root).sqrt() + k.eps);
        let lr = lr.max(k.lower);
        let lr = R::select(lr.lt(k.upper), lr, k.upper);
        (k.keep * p - lr * m, Moments { m, v, v_max })
    }
}
