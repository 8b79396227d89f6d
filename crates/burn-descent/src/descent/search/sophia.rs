//! A step that is scaled by an estimate of the curvature.

use super::{Arrival, Ground, Memory, Search, Step, Stop, Vector};
use crate::descent::DescentError;
use crate::descent::visit::inner;
use burn::tensor::{DType, Distribution, Int, Tensor};
use burn_descent_rules::{InvalidOption, check_options, options};

options! {
    /// Sophia with the Gauss-Newton-Bartlett estimate (Sophia-G): the momentum divided by the curvature, each element 1 at
    /// most.
    ///
    /// ```text
    /// m ← β₁ m + (1 − β₁) g
    /// every k-th step, the first one too:    ĝ the gradient of the mean loss of B rows whose labels the model has drawn,
    ///                                        h ← β₂ h + (1 − β₂) B ĝ²
    /// w ← (1 − lr λ) w − lr clamp(m / max(γ h, ε), −1, 1)
    /// ```
    ///
    /// It moves the weights itself, and wants a second loss: [`Descent::step_with_sampled`](crate::Descent::step_with_sampled),
    /// for which [`sample_labels`](crate::sample_labels) draws labels. A step that is due for an estimate and has none is
    /// refused.
    ///
    /// - Learning rate: about a third of AdamW's, such as 3e-4; give one, for that of a search is 1. Defaults: the paper's,
    ///   and the weight decay of the authors' program.
    /// - Memory: 2 numbers a weight, in f32 (f64 for f64). It steps by tensor operations. One more evaluation in every
    ///   `every`-th step.
    /// - A loss or gradient that is NaN or infinite refuses the step.
    /// - Hutchinson's estimate, of the paper's Sophia-H and of AdaHessian, needs the product of the Hessian with a vector, and
    ///   burn's autodiff is of first order.
    /// - Reference: Liu et al. 2023, <https://arxiv.org/abs/2305.14342>, algorithms 2 and 3. optax differs in two points, which
    ///   are options here.
    ///
    /// ```
    /// use burn::nn::loss::CrossEntropyLossConfig;
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Distribution, Int, Tensor};
    /// use burn_descent::{Descent, Sophia, sample_labels};
    ///
    /// let device = Device::default().autodiff();
    /// let mut model: Linear = LinearConfig::new(8, 3).init(&device);
    /// let mut descent = Descent::search(Sophia::new()).lr(0.01).build(&model)?;
    /// let entropy = CrossEntropyLossConfig::new().init(&device);
    /// for _ in 0..20 {
    ///     let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
    ///     let labels: Tensor<1, Int> = x.clone().narrow(1, 0, 3).argmax(1).reshape([32]);
    ///     let loss = |model: &Linear| entropy.forward(model.forward(x.clone()), labels.clone());
    ///     let sampled = |model: &Linear| {
    ///         let logits = model.forward(x.clone());
    ///         let drawn = sample_labels(logits.clone());
    ///         entropy.forward(logits, Tensor::from_inner(drawn))
    ///     };
    ///     model = descent.step_with_sampled(model, loss, sampled, 32)?.0;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "second-order")]
    #[doc(alias = "sophia-g")]
    pub struct Sophia {
        /// Decay `β₁` of the momentum.
        beta1: Decay = 0.965,
        /// Decay `β₂` of the curvature.
        beta2: Decay = 0.99,
        /// `γ`: the larger, the fewer elements are clamped.
        gamma: Positive = 0.05,
        /// The least `γ h`.
        eps: Positive = 1e-12,
        /// Decay `λ` of the weights.
        weight_decay: NonNegative = 0.1,
        /// Steps from one estimate of the curvature to the next.
        every: Count(1) = 10,
        /// Divide the momentum by `1 − β₁ᵗ`, as optax does.
        bias_correction: bool = false,
        /// An estimate counts from the next step on, as in optax.
        late: bool = false,
    }
}

impl Search for Sophia {
    fn name(&self) -> &'static str {
        "sophia"
    }

    fn check(&self) -> Result<(), InvalidOption> {
        check_options(self, self.name())
    }

    fn step(&self, ground: &mut Ground<'_>, memory: &mut Memory) -> Result<Step, DescentError> {
        let Self { beta1, beta2, gamma, eps, .. } = *self;
        let t = memory.numbers("t").first().copied().unwrap_or(0.0) + 1.0;
        let is_due = ((t - 1.0) % self.every as f64) == 0.0;
        let estimate = if is_due { Some(ground.sampled_curvature()?) } else { None };
        let g = ground.look_for_finite()?.gradient;
        let zeros = ground.weights().clone().map(|w| w.zeros_like());
        // Of a parameter that was frozen until now they have nothing.
        let mut last = |name| {
            let last = memory.vectors(name).pop();
            last.iter().fold(zeros.clone(), |zeros, last| zeros.add(1.0, last))
        };
        let m = last("m").scale(beta1).add(1.0 - beta1, &g);
        let before = last("h");
        let h = match estimate {
            Some(estimate) => before.clone().scale(beta2).add(1.0 - beta2, &estimate),
            None => before.clone(),
        };
        *memory.numbers("t") = vec![t];
        *memory.vectors("m") = vec![m.clone()];
        *memory.vectors("h") = vec![h.clone()];

        let correction = if self.bias_correction { 1.0 - beta1.powf(t) } else { 1.0 };
        let h = if self.late { before } else { h };
        let inverse = h.map(|h| h.mul_scalar(gamma).clamp_min(eps).recip());
        let u = m.scale(1.0 / correction).times(&inverse).map(|x| x.clamp(-1.0, 1.0));
        let keep = 1.0 - ground.lr() * self.weight_decay;
        let weights = ground.weights().clone().scale(keep).add(-ground.lr(), &u);
        Ok(Step::To(Arrival { weights, look: None, stop: Stop::Iterations }))
    }

    fn vectors(&self) -> usize {
        2
    }
}

/// `B ĝ²`: what the gradient `ĝ` of the mean loss of `batch` rows with drawn labels says of the curvature.
pub(super) fn gauss_newton_bartlett(gradient: Vector, batch: u64) -> Vector {
    let squared = gradient.clone().times(&gradient);
    squared.scale(batch as f64)
}

/// Draws a class for each row of logits, with the probabilities of their softmax, for
/// [`step_with_sampled`](crate::Descent::step_with_sampled). What is drawn has no graph, and follows from the
/// seed of the device.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_descent::sample_labels;
///
/// let logits = Tensor::<2>::from_floats([[9.0, -9.0], [-9.0, 9.0]], &Device::default());
/// assert_eq!(sample_labels(logits).into_data().iter::<i64>().collect::<Vec<_>>(), [0, 1]);
/// ```
pub fn sample_labels(logits: Tensor<2>) -> Tensor<1, Int> {
    let logits = inner(logits).cast(DType::F32);
    let (rows, device) = (logits.dims()[0], logits.device());
    let uniform = Distribution::Uniform(0.0, 1.0);
    let u = Tensor::<2>::random(logits.shape(), uniform, (&device, DType::F32));
    // The largest of logits with Gumbel's noise has the probabilities of the softmax.
    let gumbel = u.clamp(1e-20, 1.0 - 6e-8).log().neg().log().neg();
    (logits + gumbel).argmax(1).reshape([rows])
}
