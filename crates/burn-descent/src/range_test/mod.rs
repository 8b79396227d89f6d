//! Which learning rate? A short run over all of them.

mod curve;

pub use curve::{RangeCurve, RangePoint};

use crate::{Descent, DescentError, Ema, InvalidOption, Refused, Report, Schedule};
use burn::module::Module;
use burn::tensor::{Tensor, TensorReadError};
use burn_descent_rules::schedules::Exponential;
use burn_descent_rules::{check_options, options};

options! {
    /// The learning rate range test: a run whose learning rate grows from step to step, by the same
    /// factor each time, until the loss diverges.
    ///
    /// ```text
    /// η(t) = min_lr (max_lr / min_lr)^(t / (steps − 1)),    t = 0 .. steps − 1
    /// ```
    ///
    /// It walks a copy of the model, as [`Descent::fresh`] does: the model, the statistics of its
    /// normalisation and the walk stay as they are. All groups get the same rate, whatever their own
    /// schedules; everything else is as it was asked for. It tells of the optimizer and the batch size
    /// it is run with, and of the weights it begins at: usually those before the first step.
    ///
    /// A step takes as many batches as it [accumulates](crate::Builder::accumulate), and its loss is
    /// their mean; one that [loss scaling](crate::LossScale) has skipped is taken again with the next
    /// ones. The sweep ends early, which is no error, when the loss has grown too much, or it or a
    /// gradient that something looks at is not finite.
    ///
    /// - Defaults: those of fastai and PyTorch Lightning.
    /// - Cost: `steps` steps, and a copy of the weights and states. A GPU waits for each loss.
    /// - Reference: Smith 2015, <https://arxiv.org/abs/1506.01186>; the growth by a factor and the
    ///   smoothing are fastai's.
    ///
    /// ```
    /// use burn::nn::{Linear, LinearConfig};
    /// use burn::tensor::{Device, Distribution, Tensor};
    /// use burn_descent::{AdamW, Build, Descent, RangeTest};
    ///
    /// let device = Device::default().autodiff();
    /// let model: Linear = LinearConfig::new(8, 1).init(&device);
    /// let descent = Descent::builder(AdamW::new().build()?).lr(1e-3).build(&model)?;
    ///
    /// let batches = std::iter::repeat_with(|| {
    ///     let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
    ///     (x.clone(), x.sum_dim(1))
    /// });
    /// let curve = RangeTest::new().min_lr(1e-5).run(&descent, &model, batches, |model, (x, y)| {
    ///     (model.forward(x.clone()) - y.clone()).square().mean()
    /// })?;
    /// let lr = curve.suggestion().unwrap_or(1e-3);
    /// assert!((1e-5..=10.0).contains(&lr));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "lr_find")]
    #[doc(alias = "LRFinder")]
    pub struct RangeTest {
        /// The learning rate of the first step.
        min_lr: Positive = 1e-7,
        /// The learning rate of the last step, more than `min_lr`.
        max_lr: Positive = 10.0,
        /// The steps of the sweep.
        steps: Count(2) = 100,
        /// The decay of the debiased moving average of the losses.
        smooth: Decay = 0.98,
        /// The sweep ends when the smoothed loss is this many times the best. (Below 0 the same distance
        /// counts: `diverge − 1` times the size of the best.)
        diverge: MoreThan(1.0) = 4.0,
    }
}

impl RangeTest {
    /// Runs the test with `descent` as it is before its first step, from the weights of `model`. Both are left as they are.
    ///
    /// `loss` is the loss of a model on one of the `batches`; SAM calls it twice for each. The
    /// batches must last: `.cycle()` a short list.
    ///
    /// # Errors
    /// An option out of its range, a step that is refused, a loss that is not one number, too few
    /// batches.
    pub fn run<M: Module, B>(
        &self,
        descent: &Descent,
        model: &M,
        batches: impl IntoIterator<Item = B>,
        mut loss: impl FnMut(&M, &B) -> Tensor<1>,
    ) -> Result<RangeCurve, RangeError> {
        self.check()?;
        let factor = (self.max_lr / self.min_lr).powf(1.0 / (self.steps - 1) as f64);
        let rates = Exponential::new(self.min_lr, factor).end(self.max_lr);
        let smoothing = Ema::new(self.smooth);
        let mut walk = descent.fresh_on(rates.clone());
        // A clone would share the running statistics of normalisation.
        let mut model = model.valid().train();
        let mut batches = batches.into_iter();
        let mut curve = RangeCurve::default();
        let mut loss_scale = None;
        while walk.steps() < self.steps && !curve.diverged {
            let lr = rates.at(walk.steps());
            let Some((after, report, loss)) = step(&mut walk, model, &mut batches, &mut loss)?
            else {
                curve.diverged = true;
                break;
            };
            model = after;
            if report.skipped {
                // It can only be hoped for while the scale falls.
                curve.diverged = report.loss_scale == loss_scale;
            } else {
                curve.add(lr, loss, &smoothing);
                curve.diverged = curve.exceeds(self.diverge);
            }
            loss_scale = report.loss_scale;
        }
        Ok(curve)
    }

    fn check(&self) -> Result<(), InvalidOption> {
        check_options(self, NAME)?;
        let Self { min_lr, max_lr, .. } = *self;
        let least = [("max_lr", max_lr, max_lr > min_lr, "a number > min_lr")];
        InvalidOption::unless_all_hold(NAME, &least)
    }
}

const NAME: &str = "range_test";

/// A step, and the mean loss of its batches; `None` if that or a gradient is not finite.
fn step<M: Module, B>(
    walk: &mut Descent,
    mut model: M,
    batches: &mut impl Iterator<Item = B>,
    loss: &mut impl FnMut(&M, &B) -> Tensor<1>,
) -> Result<Option<(M, Report, f64)>, RangeError> {
    let (mut sum, mut count) = (0.0, 0.0);
    loop {
        let batch = batches.next().ok_or(RangeError::OutOfBatches { steps: walk.steps() })?;
        let (after, report, loss) = match walk.step_with(model, |model| loss(model, &batch)) {
            Ok(stepped) => stepped,
            Err(Refused {
                error: DescentError::NotFinite { .. } | DescentError::BadLoss { .. },
                ..
            }) => return Ok(None),
            Err(refused) => return Err(DescentError::from(refused).into()),
        };
        sum += loss.try_into_scalar::<f64>()?;
        count += 1.0;
        if !f64::is_finite(sum) {
            return Ok(None);
        }
        if report.stepped || report.skipped {
            return Ok(Some((after, report, sum / count)));
        }
        model = after;
    }
}

/// Why there is no curve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// An option is out of its range.
    #[error(transparent)]
    Option(#[from] InvalidOption),
    /// A step was refused.
    #[error(transparent)]
    Step(#[from] DescentError),
    /// The loss cannot be read.
    #[error("the loss of a batch must be one number that can be read: {0}")]
    Loss(#[from] TensorReadError),
    /// There were too few batches.
    #[error("the batches ran out after {steps} steps; give more of them, such as by `.cycle()`")]
    OutOfBatches {
        /// The steps that were taken.
        steps: u64,
    },
}

#[cfg(test)]
mod tests;
