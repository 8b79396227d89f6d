//! What is done to each gradient before the norm of all of them is taken.

mod adaptive;
mod noise;

use super::arithmetic;
use super::group::Member;
use super::visit::{ByParameter, Each, Tensors, compute_dtype, each_parameter, inner};
use burn::module::{Module, Param, ParamGroup};
use burn::tensor::Tensor;
use burn_descent_engine::Place;
use burn_descent_rules::{InvalidOption, Range};
use noise::Noise;

/// Something done to each gradient, in the order in which they are asked for.
///
/// Each is a pass over the gradients, in place. Where the *outputs* of a weight count, they are those of the
/// [plan](crate::Plan): the columns of burn's `Linear` and the second axis of its transposed convolutions,
/// the first axis of all else, or what [`Group::orientation`](crate::Group::orientation) says; a vector is
/// one output.
///
/// ```
/// use burn::module::ParamGroup;
/// use burn_descent::{Build, Descent, Sgd, Transform};
///
/// let head = ParamGroup::from_predicate("head");
/// let walk = Descent::builder(Sgd::new().build()?)
///     .transform(Transform::clip_adaptive(0.01).only(ParamGroup::all().exclude(head)))
///     .transform(Transform::noise(0.01, 7));
/// # drop(walk);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
#[derive(Clone, Debug)]
pub struct Transform {
    kind: Kind,
    only: Option<ParamGroup>,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Clip(f64),
    Adaptive(f64),
    Centralize,
    Noise(Noise),
}

impl Transform {
    fn new(kind: Kind) -> Self {
        Self { kind, only: None }
    }

    /// Clamps every element to `[-limit, limit]`, `limit > 0`.
    pub fn clip_value(limit: f64) -> Self {
        Self::new(Kind::Clip(limit))
    }

    /// Adaptive gradient clipping: shortens the gradient of each output to `clipping` times the
    /// norm of its weights, at most.
    ///
    /// ```text
    /// g ← g · min(1, λ max(‖w‖, 10⁻³) / ‖g‖)
    /// ```
    ///
    /// `λ` is `clipping > 0`. Usual: 0.01. The paper leaves the last layer out, see [`only`](Self::only).
    ///
    /// Reference: Brock et al. 2021, <https://arxiv.org/abs/2102.06171>.
    #[doc(alias = "AGC")]
    pub fn clip_adaptive(clipping: f64) -> Self {
        Self::new(Kind::Adaptive(clipping))
    }

    /// Gradient centralisation: subtracts from the gradient of each output its mean. Vectors stay
    /// as they are.
    ///
    /// Reference: Yong et al. 2020, <https://arxiv.org/abs/2004.01461>.
    pub fn centralize() -> Self {
        Self::new(Kind::Centralize)
    }

    /// Adds normal noise of variance `eta / (1 + t)^0.55` at step t, from 0. Usual: 0.01, 0.3 or 1.
    ///
    /// The numbers follow from seed, step and path of the parameter: the same on every device, and
    /// after a resumed checkpoint. They stand before the norm of all gradients and its clipping, and
    /// before any optimizer; [`Noisy`](crate::rules::chain::Noisy) adds the noise in the pass of one
    /// of ours.
    ///
    /// Reference: Neelakantan et al. 2015, <https://arxiv.org/abs/1511.06807>.
    pub fn noise(eta: f64, seed: u64) -> Self {
        Self::new(Kind::Noise(Noise { eta, seed }))
    }

    /// Only for the gradients of these parameters.
    pub fn only(mut self, parameters: ParamGroup) -> Self {
        self.only = Some(parameters);
        self
    }

    /// Does it tell the outputs of a weight apart?
    pub(super) fn sees_outputs(&self) -> bool {
        matches!(self.kind, Kind::Adaptive(_) | Kind::Centralize)
    }

    pub(super) fn check(&self) -> Result<(), InvalidOption> {
        let bound = match &self.kind {
            Kind::Clip(limit) => Range::Positive.of("clip_value", *limit),
            Kind::Adaptive(clipping) => Range::Positive.of("clipping", *clipping),
            Kind::Noise(noise) => Range::NonNegative.of("eta", noise.eta),
            Kind::Centralize => return Ok(()),
        };
        bound.check("descent")
    }
}

/// A gradient and where it is met. The optimizers will meet it times `factor`.
struct Met<'a, const D: usize> {
    gradient: Tensor<D>,
    weights: Tensor<D>,
    path: &'a str,
    place: Place,
    step: u64,
    factor: f64,
}

impl Kind {
    fn apply<const D: usize>(&self, met: Met<D>) -> Tensor<D> {
        match self {
            Kind::Clip(limit) => arithmetic::clip(met.gradient, met.weights, limit / met.factor),
            Kind::Adaptive(clipping) => adaptive::apply(met, *clipping),
            Kind::Centralize if D < 2 => met.gradient,
            Kind::Centralize => arithmetic::centralize(met.gradient, met.weights, met.place),
            Kind::Noise(noise) => noise.apply(met),
        }
    }
}

/// Does all of it to all gradients.
pub(super) fn transform<M: Module>(
    transforms: &[Transform],
    model: &M,
    members: &ByParameter<Member>,
    gradients: &mut Tensors,
    step: u64,
    factor: f64,
) {
    let from = core::mem::take(gradients);
    let mut transforming = Transforming { transforms, members, from, gradients, step, factor };
    each_parameter(model, &mut transforming);
}

struct Transforming<'a> {
    transforms: &'a [Transform],
    members: &'a ByParameter<Member>,
    from: Tensors,
    gradients: &'a mut Tensors,
    step: u64,
    factor: f64,
}

impl Each for Transforming<'_> {
    fn each<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let Some(mut gradient) = self.from.remove::<D>(param.id) else { return };
        let matches = |transform: &&Transform| {
            let only = transform.only.as_ref();
            only.is_none_or(|group| group.matches(&param.id, Some(path)))
        };
        for transform in self.transforms.iter().filter(matches) {
            let dtype = compute_dtype(gradient.dtype());
            let weights = inner(param.val());
            let (step, factor) = (self.step, self.factor);
            let place = self.members.get(&param.id).map(|member| member.place).unwrap_or_default();
            let met = Met { gradient: gradient.cast(dtype), weights, path, place, step, factor };
            gradient = transform.kind.apply(met);
        }
        self.gradients.register(param.id, gradient);
    }
}
