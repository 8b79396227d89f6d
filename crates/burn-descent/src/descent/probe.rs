//! Where the gradient of a step is taken: methods that look away from where they stand.

use super::accumulate::Batch;
use super::apply::States;
use super::gradients::{IntoGradients, norm};
use super::group::Member;
use super::group_step::{GroupStep, times};
use super::param::{Change, change};
use super::visit::{Each, Tensors, compute_dtype, each_parameter, inner};
use super::{Descent, DescentError, Refused, Report};
use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;
use burn_descent_engine::Reading;
use burn_descent_rules::{InvalidOption, Range};

/// Where the gradient of a step is taken. What steps down it still stands at the weights, so
/// nothing is lost to rounding on the way back.
///
/// Walks with a probe take their steps with [`Descent::step_with`].
///
/// ```
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, Distribution, Tensor};
/// use burn_descent::{Build, Descent, Probe, Sgd};
///
/// let device = Device::default().autodiff();
/// let model: Linear = LinearConfig::new(8, 1).init(&device);
/// let sgd = Sgd::new().momentum(0.9).build()?;
/// let mut descent = Descent::builder(sgd).lr(0.1).probe(Probe::sam(0.05)).build(&model)?;
///
/// let x = Tensor::<2>::random([32, 8], Distribution::Default, &device);
/// let y = x.clone().sum_dim(1);
/// let (model, report, loss) =
///     descent.step_with(model, |model| (model.forward(x.clone()) - y.clone()).square().mean())?;
/// # drop((model, report, loss));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Probe {
    /// See [`Probe::sam`].
    Sam {
        /// How far uphill.
        rho: f64,
    },
    /// See [`Probe::asam`].
    Asam {
        /// How far uphill.
        rho: f64,
        /// Added to the size of each weight.
        eta: f64,
    },
    /// Where the optimizer would go without a gradient: on its momentum alone.
    ///
    /// With [`Sgd`](crate::Sgd) and momentum this is Nesterov's method in its classic form, which
    /// [`Nesterov`](crate::Nesterov) writes as one pass. One gradient a step, and one more pass. Optimizers that look
    /// at the whole model, or need the loss, cannot say where they would go, and are refused.
    Ahead,
}

impl Probe {
    /// Sharpness-aware minimisation: the gradient at the worst point within `rho` (> 0, usually
    /// 0.05), to the first order. Two gradients a step.
    ///
    /// ```text
    /// e = ρ g / ‖g‖,    the gradient at w + e
    /// ```
    ///
    /// Reference: Foret et al. 2020, <https://arxiv.org/abs/2010.01412>.
    #[doc(alias = "sharpness")]
    pub fn sam(rho: f64) -> Self {
        Self::Sam { rho }
    }

    /// Adaptive SAM: distances are measured in units of each weight, of `|w| + eta`. Usual: `rho`
    /// (> 0) 0.5 to 2, `eta` (>= 0) 0.01. Costs what SAM costs.
    ///
    /// ```text
    /// T = |w| + η,    e = ρ T² g / ‖T g‖,    the gradient at w + e
    /// ```
    ///
    /// Reference: Kwon et al. 2021, <https://arxiv.org/abs/2102.11600>; as there η is added for
    /// all parameters.
    pub fn asam(rho: f64, eta: f64) -> Self {
        Self::Asam { rho, eta }
    }

    pub(super) fn check(&self) -> Result<(), InvalidOption> {
        match self {
            Probe::Sam { rho } => Range::Positive.of("rho", *rho).check("sam"),
            Probe::Asam { rho, eta } => {
                Range::Positive.of("rho", *rho).check("asam")?;
                Range::NonNegative.of("eta", *eta).check("asam")
            }
            Probe::Ahead => Ok(()),
        }
    }
}

impl Descent {
    /// A step down the loss that `loss` computes for a model: the new model, what came of it, and
    /// the loss at the model as it was (without its graph; at the point looked at with
    /// [`Probe::Ahead`]).
    ///
    /// `loss` is called as often as the method looks: once, and twice for SAM. It must compute the
    /// same batch each time. With [`loss scaling`](crate::LossScale) the loss is scaled here.
    ///
    /// # Errors
    /// Those of [`step`](Self::step).
    pub fn step_with<M: Module>(
        &mut self,
        model: M,
        mut loss: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<(M, Report, Tensor<1>), Refused<M>> {
        let look = |at: &M| {
            let loss = loss(at);
            let gradients = self.scale_loss(loss.clone()).backward().by_parameter(at);
            (loss.inner(), gradients)
        };
        let (loss, gradients) = match self.look(&model, look) {
            Ok(found) => found,
            Err(error) => return Err(Refused { model, error }),
        };
        let (model, report) = self.take(model, gradients, Batch::new().loss(loss.clone()))?;
        let report = report.with_loss(loss.clone());
        Ok((model, report, loss))
    }

    /// The loss, and the gradients where the probe takes them.
    fn look<M: Module>(
        &self,
        model: &M,
        mut look: impl FnMut(&M) -> (Tensor<1>, Tensors),
    ) -> Result<(Tensor<1>, Tensors), DescentError> {
        let members = &self.setup.members;
        let (rho, eta) = match self.setup.settings.probe {
            None => return Ok(look(model)),
            Some(Probe::Ahead) => {
                let groups = self.group_steps(1.0.into())?;
                let mut ahead = Ahead { groups: &groups, states: &self.at.states };
                return Ok(look(&change(model.clone(), members, &mut ahead)));
            }
            Some(Probe::Sam { rho }) => (rho, None),
            Some(Probe::Asam { rho, eta }) => (rho, Some(eta)),
        };
        let (loss, mut uphill) = look(model);
        if let Some(eta) = eta {
            each_parameter(model, &mut Adapt { uphill: &mut uphill, eta });
        }
        let mut climb = Climb { factor: climb(&norm(model, &mut uphill), rho), uphill, eta };
        // A clone would share the running statistics of normalisation, which have seen the batch.
        let copy = model.valid().train();
        let (_, gradients) = look(&change(copy, members, &mut climb));
        Ok((loss, gradients))
    }
}

/// What gradients of this norm are multiplied by to be `rho` long; 0 where there is no way up.
fn climb(norm: &Reading, rho: f64) -> Reading {
    norm.map(
        |norm| if norm == 0.0 { 0.0 } else { rho / norm },
        |norm| {
            let flat = norm.clone().equal_elem(0.0);
            norm.recip().mul_scalar(rho).mask_fill(flat, 0.0)
        },
    )
}

/// `T = |w| + η`.
fn size<const D: usize>(weights: Tensor<D>, eta: f64) -> Tensor<D> {
    weights.abs().add_scalar(eta)
}

/// `g ← T g`.
struct Adapt<'a> {
    uphill: &'a mut Tensors,
    eta: f64,
}

impl Each for Adapt<'_> {
    fn each<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.uphill.remove::<D>(param.id) {
            let adapted = gradient * size(inner(param.val()), self.eta);
            self.uphill.register(param.id, adapted);
        }
    }
}

/// `w ← w + factor · uphill`, or `w + factor · T · uphill`.
struct Climb {
    uphill: Tensors,
    factor: Reading,
    eta: Option<f64>,
}

impl Change for Climb {
    fn find<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
        self.uphill.remove(param.id)
    }

    fn change<const D: usize>(
        &mut self,
        _id: ParamId,
        _member: Member,
        weights: Tensor<D>,
        uphill: Tensor<D>,
    ) -> Tensor<D> {
        let dtype = weights.dtype();
        let weights = weights.cast(compute_dtype(dtype));
        let mut step = times(uphill.cast(compute_dtype(dtype)), &self.factor);
        if let Some(eta) = self.eta {
            step = step * size(weights.clone(), eta);
        }
        (weights + step).cast(dtype)
    }
}

/// A step without a gradient, of which nothing is remembered.
struct Ahead<'a> {
    groups: &'a [GroupStep],
    states: &'a States,
}

impl Change for Ahead<'_> {
    fn find<const D: usize>(&mut self, param: &Param<Tensor<D>>) -> Option<Tensor<D>> {
        self.states.contains_key(&param.id).then(|| inner(param.val()).zeros_like())
    }

    fn change<const D: usize>(
        &mut self,
        id: ParamId,
        member: Member,
        weights: Tensor<D>,
        nothing: Tensor<D>,
    ) -> Tensor<D> {
        let state = self.states.get(&id).cloned();
        self.groups[member.group].step(member, weights, nothing, state).0
    }
}
