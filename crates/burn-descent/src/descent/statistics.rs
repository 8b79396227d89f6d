//! Running statistics, which a forward in training changes and no optimizer sees.

use super::buffers::{buffers, unshared};
use super::values::Values;
use super::visit::{Each, each_parameter, inner};
use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;
use std::collections::HashSet;

/// The running statistics of a model at one moment, to go back to: those of batch normalisation, and
/// whatever else burn keeps in a `RunningState`.
///
/// A forward in training changes them, before its loss and gradients can be looked at. A step that
/// is skipped or refused leaves the weights as they were, and statistics that have seen its batch: a
/// batch with a NaN in it makes them NaN for good.
///
/// ```
/// use burn::nn::{BatchNorm, BatchNormConfig};
/// use burn::tensor::{Device, Tensor};
/// use burn_descent::{Build, Descent, NotFinite, Sgd, Statistics};
///
/// let device = Device::default().autodiff();
/// let mut model: BatchNorm = BatchNormConfig::new(2).init(&device);
/// let mut descent = Descent::builder(Sgd::new().build()?)
///     .lr(0.1)
///     .not_finite(NotFinite::Skip)
///     .build(&model)?;
/// for batch in [[[1.0, 2.0], [3.0, 5.0]], [[f32::NAN, 2.0], [3.0, 5.0]]] {
///     let statistics = Statistics::of(&model);
///     let loss = model.forward(Tensor::<2>::from_data(batch, &device)).square().mean();
///     let report;
///     (model, report) = descent.step(model, loss.backward())?;
///     if report.skipped {
///         model = statistics.put_back(model);
///     }
/// }
/// assert!(!model.running_mean.value_sync().to_data().iter::<f32>().any(f32::is_nan));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Statistics(Values);

impl core::fmt::Debug for Statistics {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Statistics").finish_non_exhaustive()
    }
}

impl Statistics {
    /// Those of a model now, as its latest forward left them. Nothing is copied.
    pub fn of<M: Module>(model: &M) -> Self {
        let buffers = buffers(model);
        let mut read = Read { values: Values::default(), buffers };
        each_parameter(&model.valid(), &mut read);
        Self(read.values)
    }

    /// The model with these statistics. They are its own: what its clones have is left as it is.
    #[must_use]
    pub fn put_back<M: Module>(&self, model: M) -> M {
        self.0.put_into(unshared(&model))
    }
}

struct Read {
    values: Values,
    buffers: HashSet<ParamId>,
}

impl Each for Read {
    fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        if self.buffers.contains(&param.id) {
            self.values.insert(param.id, inner(param.val()));
        }
    }
}
