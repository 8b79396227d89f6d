use super::adam::{self, Moments, Scalars};
use crate::Domain::Tensor;
use crate::transforms::{cautious, one_or_more};
use crate::{Adam, Bound, InvalidOption, Over, Paper, Range, Real, Rule};
use derive_setters::Setters;
use serde::{Deserialize, Serialize};

/// AdamW: Adam with decoupled weight decay.
///
/// ```text
/// m ← β₁ m + (1 − β₁) g,        m̂ = m / (1 − β₁ᵗ)
/// v ← β₂ v + (1 − β₂) g²,       v̂ = v / (1 − β₂ᵗ)
/// u = m̂ / (√(v̂ + eps_root) + ε)
/// θ ← θ − η (u + λ θ)
/// ```
///
/// The decay acts on the weights, not on the gradient, so the adaptive denominator does not weaken
/// it. Epsilons and AMSGrad as in [`Adam`]. As in PyTorch the decay is multiplied with the
/// learning rate `η`.
///
/// With `cautious` weights whose `u` points against the gradient only decay, and the others step
/// further by `n / (number of the others + ξ)`: Liang et al. 2024,
/// <https://arxiv.org/abs/2411.16085>. `ξ` (`cautious_xi`) is 1 there and in the authors' first
/// code; 0 is their later code and timm's, where the factor is at most 1000.
///
/// With `cautious_decay` weights do not decay where `u` and the weight differ in sign: Chen et al. 2025,
/// <https://arxiv.org/abs/2510.12402>.
///
/// With `stable` the learning rate of a tensor is divided by `max(1, √(mean of g² / max(v̂, ε²)))`,
/// which stands in for clipping: StableAdamW, Wortsman et al. 2023,
/// <https://arxiv.org/abs/2304.13013>.
///
/// - Defaults: PyTorch's. As [`Adam`], and `weight_decay` 0.01.
/// - Memory: two numbers a weight, three with AMSGrad. Traffic in f32: read 16, write 12 bytes a
///   weight; 4 and 4 more with AMSGrad. Before its step `cautious` reads 12 more, or 16 with
///   AMSGrad, and `stable` 8.
/// - Bad gradients: as [`Adam`]; but with `stable` one that is NaN, or makes `v̂` overflow, makes the
///   whole tensor NaN.
/// - Reference: Loshchilov & Hutter 2017, algorithm 2, <https://arxiv.org/abs/1711.05101>.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// use burn_descent::{AdamW, Rule};
///
/// AdamW::new().weight_decay(0.1).beta2(0.95).check()?;
/// let error = AdamW::new().eps(-1.0).check().unwrap_err();
/// assert_eq!(error.to_string(), "adamw: eps = -1 is not allowed, it must be a number >= 0");
/// # Ok::<(), burn_descent::InvalidOption>(())
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
    /// Leave out weights whose step points against the gradient. Default false.
    #[doc(alias = "caution")]
    pub cautious: bool,
    /// `ξ` of a cautious step, >= 0. Default 1.
    pub cautious_xi: f64,
    /// Let no weight decay whose step makes it larger. Default false.
    pub cautious_decay: bool,
    /// Divide the learning rate of a tensor by the size of its step, as StableAdamW. Default false.
    pub stable: bool,
    /// Climb instead of descend. Default false.
    pub maximize: bool,
}

impl Default for AdamW {
    fn default() -> Self {
        let Adam { beta1, beta2, eps, eps_root, eps_hat, amsgrad, maximize, .. } = Adam::new();
        Self {
            beta1,
            beta2,
            eps,
            eps_root,
            eps_hat,
            weight_decay: 0.01,
            amsgrad,
            cautious: false,
            cautious_xi: 1.0,
            cautious_decay: false,
            stable: false,
            maximize,
        }
    }
}

impl AdamW {
    /// Adam with these options, the weight decay as its own.
    fn adam(&self) -> Adam {
        let Self { beta1, beta2, eps, eps_root, eps_hat, weight_decay, amsgrad, maximize, .. } =
            *self;
        Adam { beta1, beta2, eps, eps_root, eps_hat, weight_decay, amsgrad, maximize }
    }
}

impl Rule for AdamW {
    const NAME: &'static str = "adamw";
    const TITLE: &'static str = "AdamW";
    const PAPER: Paper =
        Paper { cite: "Loshchilov & Hutter 2017", url: "https://arxiv.org/abs/1711.05101" };
    const SUMS: usize = 2;
    type State<R: Copy> = Moments<R>;
    type Scalars<R: Copy> = Scalars<R>;

    fn bounds(&self) -> Vec<Bound> {
        let mut bounds = self.adam().bounds();
        bounds.push(Range::NonNegative.of("cautious_xi", self.cautious_xi));
        bounds
    }

    fn conflict(&self) -> Result<(), InvalidOption> {
        let name = |error| InvalidOption { owner: Self::NAME, ..error };
        self.adam().conflict().map_err(name)
    }

    fn start(&self) -> Moments<f64> {
        self.adam().start()
    }

    fn scalars(&self, lr: f64, t: u64) -> Scalars<f64> {
        Scalars {
            xi: self.cautious.then_some(self.cautious_xi),
            cautious_decay: self.cautious_decay.then_some(0.0),
            stable: self.stable.then_some(1.0),
            ..self.adam().scalars(lr, t)
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
        let g = k.sign * g;
        let (u, s) = adam::direction(g, s, k);
        let u = cautious(u, g, k.xi, over);
        let decay = match k.cautious_decay {
            Some(none) => R::select((u * p).lt(R::lit(0.0)), none, k.decay),
            None => k.decay,
        };
        let lr = match k.stable {
            Some(_) => {
                let size = g * g / (s.v * k.debias2).max(k.eps * k.eps);
                k.lr / one_or_more(over.mean(Tensor, size).sqrt())
            }
            None => k.lr,
        };
        (p - lr * (u + decay * p), s)
    }
}
