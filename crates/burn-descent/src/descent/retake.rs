//! Taking the statistics of batch normalisation anew, for weights that it was not trained with.

use super::Descent;
use super::arithmetic::toward;
use super::values::Values;
use super::visit::{Path, inner, wide};
use burn::module::{Flag, Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Tensor};

/// Why statistics cannot be taken anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetakeError {
    /// There is nothing to take them of.
    #[error("there is no batch to take the statistics of")]
    NoBatches,
    /// The forward changed none of them.
    #[error(
        "the forward has not changed the statistics of `{statistic}`, nor any other: it has to run \
         the model it is given, on batches of a device with autodiff (`device.autodiff()`)"
    )]
    Unchanged {
        /// Path of the first of them.
        statistic: String,
    },
    /// They are not all numbers.
    #[error("the statistics of `{statistic}` are not finite: look at the batches and the weights")]
    NotFinite {
        /// Path of the first of them.
        statistic: String,
    },
}

impl Descent {
    /// [`evaluate`](Self::evaluate), with the running statistics of batch normalisation taken anew:
    /// those of training belong to the weights that trained, and a model of averaged weights can be
    /// far worse with them than either.
    ///
    /// `forward` runs the model that it is given on each batch, in training, without gradients (so
    /// dropout drops; its result is not looked at). The statistics that come back are the means of
    /// the statistics of all batches, each counting the same, as PyTorch's
    /// `torch.optim.swa_utils.update_bn`. It sees the first batch twice: how much a forward leaves
    /// of old statistics, 1 less the momentum, is measured, because burn does not tell it. A norm
    /// that is frozen, has a momentum of 0, or is not reached by `forward`, keeps its own, as does a
    /// `RunningState` of other layers than burn's `BatchNorm`. A model without batch normalisation
    /// needs no forward and gets none.
    ///
    /// ```
    /// use burn::nn::{BatchNorm, BatchNormConfig};
    /// use burn::tensor::{Device, Tensor};
    /// use burn_descent::{Build, Descent, Sgd, Swa};
    ///
    /// let device = Device::default().autodiff();
    /// let model: BatchNorm = BatchNormConfig::new(1).init(&device);
    /// let builder = Descent::builder(Sgd::new().build()?).lr(0.1).average(Swa::polyak(1));
    /// let descent = builder.build(&model)?;
    /// let batches = [[[1.0], [3.0]], [[5.0], [7.0]]].map(|x| Tensor::<2>::from_data(x, &device));
    /// let evaluated = descent.evaluate_with(&model, batches, |model, x| model.forward(x.clone()))?;
    /// let mean = evaluated.running_mean.value().into_scalar::<f32>();
    /// assert!((mean - 4.0).abs() < 1e-5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RetakeError`] if there are norms to train and no batch, if `forward` changes none of their
    /// statistics, or if they are not finite.
    pub fn evaluate_with<M: Module, B, R>(
        &self,
        model: &M,
        batches: impl IntoIterator<Item = B>,
        mut forward: impl FnMut(&M, &B) -> R,
    ) -> Result<M, RetakeError> {
        let evaluated = self.evaluate(model);
        let mut training = evaluated.clone().train().no_grad();
        let own = statistics(&training);
        if own.is_empty() {
            return Ok(evaluated);
        }
        // The statistics after a forward that found the same number in all of them.
        let mut after = |start: fn(DType) -> f64, batch: &B| -> Vec<Tensor<1>> {
            let mut values = Values::default();
            for Statistic { id, value, .. } in &own {
                values.insert(*id, value.full_like(start(value.dtype())));
            }
            training = values.put_into(training.clone());
            forward(&training, batch);
            // Settles them.
            drop(training.valid());
            statistics(&training).into_iter().map(|statistic| wide(statistic.value)).collect()
        };
        let (mut moved, mut means) = (None, vec![None; own.len()]);
        for (batch, seen) in batches.into_iter().zip(1_u64..) {
            let high = moved.is_none().then(|| after(high, &batch));
            let taken = after(|_| 0.0, &batch);
            moved = moved.or_else(|| high.map(|high| shares(&own, high, &taken)));
            for (mean, taken) in means.iter_mut().zip(taken) {
                let share = 1.0 / seen as f64;
                *mean = Some(match mean.take() {
                    Some(mean) => toward(mean, taken, share, None),
                    None => taken,
                });
            }
        }
        let moved = moved.ok_or(RetakeError::NoBatches)?;
        if moved.iter().all(|share| !share.clone().bool().any().into_scalar::<bool>()) {
            return Err(RetakeError::Unchanged { statistic: own[0].path.clone() });
        }
        let mut values = Values::default();
        for (own, (share, mean)) in own.into_iter().zip(moved.into_iter().zip(means)) {
            let Some(mean) = mean else { continue };
            let stays = share.clone().bool().bool_not();
            let value = (mean / share).cast(own.value.dtype()).mask_where(stays, own.value);
            if !value.clone().is_finite().all().into_scalar::<bool>() {
                return Err(RetakeError::NotFinite { statistic: own.path });
            }
            values.insert(own.id, value);
        }
        Ok(values.put_into(evaluated))
    }
}

/// A statistic of a norm that trains.
struct Statistic {
    id: ParamId,
    path: String,
    value: Tensor<1>,
}

/// A statistic that no batch has: what a forward leaves of it shows beside what it adds.
fn high(dtype: DType) -> f64 {
    if dtype == DType::F16 { 2_f64.powi(12) } else { 2_f64.powi(60) }
}

/// How much of a batch's statistics a forward took in: the momentum, where the norm is run once.
fn shares(own: &[Statistic], high_after: Vec<Tensor<1>>, after: &[Tensor<1>]) -> Vec<Tensor<1>> {
    let left = own.iter().zip(high_after).zip(after).map(|((own, high_after), after)| {
        (high_after - after.clone()).div_scalar(high(own.value.dtype()))
    });
    left.map(|left| left.neg().add_scalar(1.0)).collect()
}

/// The running statistics of burn's `BatchNorm`s that are not frozen. How any other layer uses what
/// it keeps is not known.
fn statistics<M: Module>(model: &M) -> Vec<Statistic> {
    #[derive(Default)]
    struct Visit {
        path: Path,
        in_norm: bool,
        trains: bool,
        found: Vec<Statistic>,
    }
    impl ModuleVisitor for Visit {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.enter(name);
            self.in_norm = container == "Struct:BatchNorm";
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.exit();
        }
        fn visit_flag(&mut self, flag: &Param<Flag>) {
            self.trains = flag.is_enabled();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let path = self.path.as_str();
            let is_statistic = path.ends_with("running_mean") || path.ends_with("running_var");
            if self.in_norm && self.trains && is_statistic {
                let (id, path, value) = (param.id, path.to_owned(), inner(param.val()));
                self.found.push(Statistic { id, path, value: value.reshape([-1]) });
            }
        }
    }
    let mut visit = Visit::default();
    model.visit(&mut visit);
    visit.found
}
