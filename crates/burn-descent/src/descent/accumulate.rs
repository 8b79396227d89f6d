//! Micro-batches that make one step.

use super::arithmetic;
use super::param::is_frozen;
use super::visit::{Each, Tensors, compute_dtype, each_parameter, inner};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn_descent_engine::Reading;
use core::ops::RangeInclusive;

/// What is told of the batch that gradients are of.
///
/// ```
/// use burn_descent::Batch;
///
/// let batch = Batch::new().weight(17.0).loss(0.3);
/// assert_eq!(batch.weight, 17.0);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Batch {
    /// What it counts in the mean over micro-batches: its number of examples, where they are uneven. From 1e-12 to
    /// 1e12; 1 by default.
    pub weight: f64,
    /// The loss at the model as it is, not scaled: for [optimizers that need its value](burn_descent_rules::Rule::LOSS).
    /// Of micro-batches their mean counts. Where no optimizer needs it, it is not looked at, and nothing waits for the
    /// device that it lies on.
    pub loss: Option<Reading>,
}

impl Batch {
    /// A batch that counts 1, of which nothing else is told.
    pub fn new() -> Self {
        Self { weight: 1.0, loss: None }
    }

    /// The same with this weight.
    pub fn weight(self, weight: f64) -> Self {
        Self { weight, ..self }
    }

    /// The same with this loss: a number, or the tensor that holds it.
    pub fn loss(self, loss: impl Into<Reading>) -> Self {
        Self { loss: Some(loss.into()), ..self }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

/// A batch of this weight.
impl From<f64> for Batch {
    fn from(weight: f64) -> Self {
        Self::new().weight(weight)
    }
}

/// The weights that a micro-batch may have. Their sums with gradients stay within f32.
pub(super) const WEIGHTS: RangeInclusive<f64> = 1e-12..=1e12;

/// The loss where no optimizer needs it.
pub(super) const NO_LOSS: f64 = f64::NAN;

/// The weighted sum of the gradients so far. Their mean is the sum times one factor, which the
/// optimizers' pass takes up.
#[derive(Default)]
pub(super) struct Accumulator {
    /// How many micro-batches it has seen.
    pub(super) seen: u32,
    /// The sum of their weights.
    pub(super) weight: f64,
    /// The weighted sum of their losses, where an optimizer needs it.
    pub(super) loss: f64,
    pub(super) sums: Tensors,
}

/// What the micro-batches of a step come to.
pub(super) struct Whole {
    /// The sums of their gradients.
    pub(super) gradients: Tensors,
    /// What makes the sums means.
    pub(super) factor: f64,
    /// The mean of the losses, where an optimizer needs it.
    pub(super) loss: f64,
}

impl Accumulator {
    /// Is the next micro-batch the last of `count`?
    pub(super) fn completes(&self, count: u32) -> bool {
        self.seen + 1 >= count
    }

    /// Takes in the gradients and the loss of a micro-batch; after the last of `count` gives what they come to.
    pub(super) fn take_in<M: Module>(
        &mut self,
        count: u32,
        model: &M,
        gradients: Tensors,
        weight: f64,
        loss: f64,
    ) -> Option<Whole> {
        if count == 1 {
            return Some(Whole { gradients, factor: 1.0, loss });
        }
        let completes = self.completes(count);
        each_parameter(model, &mut Add { gradients, sums: &mut self.sums, weight });
        self.seen += 1;
        self.weight += weight;
        self.loss += weight * loss;
        completes.then(|| self.whole(model)).flatten()
    }

    /// What there is, where the model is now; `None` if there is nothing. What has been frozen since is left out.
    pub(super) fn whole<M: Module>(&mut self, model: &M) -> Option<Whole> {
        let Self { seen, weight, loss, sums } = core::mem::take(self);
        if seen == 0 {
            return None;
        }
        let mut beside = Beside { sums, found: Tensors::new() };
        each_parameter(model, &mut beside);
        Some(Whole { gradients: beside.found, factor: 1.0 / weight, loss: loss / weight })
    }
}

struct Add<'a> {
    gradients: Tensors,
    sums: &'a mut Tensors,
    weight: f64,
}

impl Each for Add<'_> {
    fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return };
        let dtype = compute_dtype(gradient.dtype());
        let sum = match self.sums.remove::<D>(param.id) {
            Some(sum) => {
                let sum = sum.to_device(&gradient.device()).cast(dtype);
                arithmetic::add(sum, gradient, self.weight)
            }
            None if self.weight == 1.0 => gradient.cast(dtype),
            None => gradient.cast(dtype).mul_scalar(self.weight),
        };
        self.sums.register(param.id, sum);
    }
}

/// Sums on the device of their parameters and in the precision of these, which may have changed.
struct Beside {
    sums: Tensors,
    found: Tensors,
}

impl Each for Beside {
    fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        if is_frozen(param) {
            return;
        }
        let Some(sum) = self.sums.remove::<D>(param.id) else { return };
        let weights = inner(param.val());
        let sum = sum.to_device(&weights.device()).cast(compute_dtype(weights.dtype()));
        self.found.register(param.id, sum);
    }
}
