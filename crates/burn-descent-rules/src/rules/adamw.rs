use super::adam::{self, Moments, Scalars};
use crate::{Adam, Bound, InvalidOption, Paper, Real, Rule};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// AdamW: Adam with decoupled weight decay.
///
/// ```text
/// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
/// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
/// θ ← (1 − η λ) θ − η m̂ / (√(v̂ + eps_root) + ε)
/// ```
///
/// The decay acts on the weights, not on the gradient, so the adaptive denominator does not weaken
/// it. Epsilons and AMSGrad as in [`Adam`]. As in PyTorch the decay is multiplied with the
/// learning rate `η`.
///
/// - Defaults: PyTorch's. As [`Adam`], and `weight_decay` 0.01.
/// - Memory: two numbers a weight, three with AMSGrad. Traffic in f32: read 16, write 12 bytes a
///   weight; 4 and 4 more with AMSGrad.
/// - Bad gradients: as [`Adam`].
/// - Reference: Loshchilov & Hutter 2017, algorithm 2, <https://arxiv.org/abs/1711.05101>.
///
/// ```
/// use burn_descent_rules::{AdamW, Rule};
///
/// AdamW::new().weight_decay(0.1).beta2(0.95).check()?;
/// let error = AdamW::new().eps(-1.0).check().unwrap_err();
/// assert_eq!(error.to_string(), "adamw: eps = -1 is not allowed, it must be a number >= 0");
/// # Ok::<(), burn_descent_rules::InvalidOption>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Setters)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Decay `β₁` of the first moment, in [0, 1). Default 0.9.
    #[doc(alias = "betas")]
    pub beta1: f64,
    /// Decay `β₂` of the second moment, in [0, 1). Default 0.999.
    #[doc(alias = "betas")]
    pub beta2: f64,
    /// Added to the root, >= 0. Default 1e-8. One of the three epsilons must be > 0.
    #[doc(alias = "epsilon")]
    pub eps: f64,
    /// Added under the root, >= 0. Default 0.
    pub eps_root: f64,
    /// Added to the root before its bias is corrected, >= 0. Default 0.
    pub eps_hat: f64,
    /// Decoupled decay `λ` of the weights, >= 0. Default 0.01.
    #[doc(alias = "lambda")]
    pub weight_decay: f64,
    /// Divide by the greatest second moment so far. Default false.
    pub amsgrad: bool,
    /// Climb instead of descend. Default false.
    pub maximize: bool,
}

impl Default for AdamW {
    fn default() -> Self {
        let Adam { beta1, beta2, eps, eps_root, eps_hat, amsgrad, maximize, .. } = Adam::new();
        Self { beta1, beta2, eps, eps_root, eps_hat, weight_decay: 0.01, amsgrad, maximize }
    }
}

impl AdamW {
    /// Adam with these options, the weight decay as its own.
    fn adam(&self) -> Adam {
        let Self { beta1, beta2, eps, eps_root, eps_hat, weight_decay, amsgrad, maximize } = *self;
        Adam { beta1, beta2, eps, eps_root, eps_hat, weight_decay, amsgrad, maximize }
    }
}

impl Rule for AdamW {
    const NAME: &'static str = "adamw";
    const TITLE: &'static str = "AdamW";
    const PAPER: Paper =
        Paper { cite: "Loshchilov & Hutter 2017", url: "https://arxiv.org/abs/1711.05101" };
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn bounds(&self) -> Vec<Bound> {
        self.adam().bounds()
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        let name = |error| InvalidOption { owner: Self::NAME, ..error };
        self.adam().conflict().map_err(name)
    }

    fn start(&self) -> Moments<f64> {
        self.adam().start()
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        Scalars { decay: 1.0 - lr * self.weight_decay, ..self.adam().scalars(lr, t) }
    }

    #[inline(always)]
    fn update<R: Real>(p: R, g: R, s: Moments<R>, k: Scalars<R>) -> (R, Moments<R>) {
        let (step, s) = adam::step(k.sign * g, s, k);
        (k.decay * p - step, s)
    }
}
