//! What a law is held against.

use crate::devices::Exactness;
use crate::{Candidate, bits, numbers, values, variants};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};
use burn_descent::{Batch, Deferred, Descent, Fused, FusedState, StepError};

/// An optimizer on one device in one precision.
#[derive(Clone)]
pub struct Subject {
    /// The optimizer.
    pub candidate: Candidate,
    /// The device.
    pub device: Device,
    /// Its name: `flex`.
    pub device_name: &'static str,
    /// The precision of the parameters.
    pub dtype: DType,
    /// Do its tensors lie in memory that the CPU passes over?
    pub on_cpu: bool,
    /// How exactly it computes in f32.
    pub exactness: Exactness,
    /// The other devices there are.
    pub others: Vec<(Device, Exactness)>,
}

/// The loss, as far as a rule needs one.
pub(crate) const LOSS: f64 = 1.0;

/// A step of one parameter, which is the whole model for a rule that looks at it.
///
/// # Errors
/// Those of [`Fused::advance`], but that it needs more than a parameter.
pub(crate) fn advance<const D: usize>(
    optimizer: &Fused,
    lr: f64,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    state: FusedState,
) -> Result<(Tensor<D>, FusedState), StepError> {
    let optimizer = optimizer.clone().at_loss(LOSS);
    if !optimizer.sees_model() {
        return optimizer.try_step(lr, parameter, gradient, Some(state));
    }
    let mut steps = [optimizer.defer(lr, parameter, gradient, state)?];
    Deferred::run(&mut steps);
    let [step] = steps;
    Ok(step.finish())
}

/// The same, a good step, and the first one without a state.
pub(crate) fn step<const D: usize>(
    optimizer: &Fused,
    lr: f64,
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    state: Option<FusedState>,
) -> (Tensor<D>, FusedState) {
    let state = state.unwrap_or_else(|| optimizer.start(&parameter));
    advance(optimizer, lr, parameter, gradient, state).expect("a good step")
}

/// What walks over a model: burn's `ModuleOptimizer`, or `Descent` for rules that need more than it shows.
pub(crate) enum Walker {
    Burn(Fused, ModuleOptimizer),
    Ours(Box<Descent>),
}

impl Walker {
    pub(crate) fn new<M: Module>(subject: &Subject, lr: f64, model: &M) -> Self {
        let optimizer = subject.optimizer();
        match optimizer.steps_alone() {
            true => Self::Burn(optimizer.clone(), ModuleOptimizer::from(optimizer)),
            false => {
                let descent = Descent::builder(optimizer).lr(lr).build(model);
                Self::Ours(Box::new(descent.expect("it fits")))
            }
        }
    }

    /// A step at this learning rate, which is always that of the walk.
    pub(crate) fn step<M: Module>(&mut self, lr: f64, model: M, gradients: GradientsParams) -> M {
        match self {
            Self::Burn(_, walk) => walk.step(lr, model, gradients),
            Self::Ours(descent) => {
                let batch = Batch::new().loss(LOSS);
                descent.step_weighted(model, gradients, batch).expect("a good step").0
            }
        }
    }

    pub(crate) fn evaluate<M: Module>(&self, model: &M) -> M {
        match self {
            Self::Burn(optimizer, walk) => optimizer.evaluate(model, walk),
            Self::Ours(descent) => descent.evaluate(model),
        }
    }
}

impl Subject {
    /// The name of its rule.
    pub fn name(&self) -> &'static str {
        self.candidate.optimizer.name()
    }

    /// The learning rate with which it descends.
    pub fn lr(&self) -> f64 {
        self.candidate.lr
    }

    /// The optimizer with the options it was given.
    pub fn optimizer(&self) -> Fused {
        self.candidate.optimizer.clone()
    }

    /// Does the rule make matrices orthogonal by products whose factors the device rounds to eleven bits first? That does
    /// not mind, but small numbers come out as others.
    pub fn multiplies_in_tf32(&self) -> bool {
        let is_exact = self.dtype == DType::F64 || self.exactness == Exactness::ROUNDED;
        let iterates = |(name, _): &(String, String)| name.contains("newton_schulz.");
        self.optimizer().options().iter().any(iterates) && !is_exact
    }

    /// See [`variants`].
    pub fn variants(&self) -> Vec<(String, Fused)> {
        variants(&self.candidate.optimizer)
    }

    /// A tensor of numbers between -1 and 1 that depend on nothing but the seed.
    pub fn tensor<const D: usize>(&self, seed: u64, shape: impl Into<Shape>) -> Tensor<D> {
        let shape = shape.into();
        let data = TensorData::new(numbers(seed, shape.num_elements()), shape);
        Tensor::from_data(data, (&self.device, self.dtype))
    }

    /// `steps` steps from `start` with gradients that depend on nothing but their step, at a
    /// learning rate that changes: the weights and the state.
    pub fn walk<const D: usize>(
        &self,
        optimizer: &Fused,
        start: Tensor<D>,
        state: Option<FusedState>,
        steps: std::ops::Range<u64>,
    ) -> (Tensor<D>, Option<FusedState>) {
        let (shape, mut at) = (start.shape(), (start, state));
        for t in steps {
            let gradient = self.tensor(1000 + t, shape.clone());
            let lr = self.lr() / (1.0 + t as f64);
            let (parameter, state) = step(optimizer, lr, at.0, gradient, at.1);
            at = (parameter, Some(state));
        }
        at
    }

    /// How far two implementations of one rule may be apart in this precision.
    pub fn tolerance(&self) -> f64 {
        match self.dtype {
            DType::F64 => 1e-12,
            DType::F32 => 2.0 * self.exactness.steps,
            DType::F16 => 2e-3,
            _ => 2e-2,
        }
    }

    /// Asserts that two walks of one rule are the same bits; that they agree where a GPU has taken
    /// sums in the orders in which the tensors lie.
    pub fn assert_same<const D: usize>(&self, what: &str, a: &Tensor<D>, b: &Tensor<D>) {
        if self.on_cpu || self.candidate.page.summed.is_empty() {
            self.assert_within(0.0, what, a, b);
            assert!(bits(a) == bits(b), "{what}: signs of zero, or what is no number");
        } else {
            self.assert_close(what, a, b);
        }
    }

    /// Asserts that two tensors agree within [`tolerance`](Self::tolerance), relative to the
    /// greatest number.
    pub fn assert_close<const D: usize>(&self, what: &str, a: &Tensor<D>, b: &Tensor<D>) {
        self.assert_within(self.tolerance(), what, a, b);
    }

    /// Asserts that two tensors agree within a tolerance, relative to the greatest number.
    pub fn assert_within<const D: usize>(
        &self,
        tolerance: f64,
        what: &str,
        a: &Tensor<D>,
        b: &Tensor<D>,
    ) {
        assert_eq!(a.shape(), b.shape(), "{what}: shapes");
        let (a, b) = (values(a), values(b));
        let scale = b.iter().fold(1e-3, |max: f64, x| max.max(x.abs()));
        for (i, (a, b)) in a.iter().zip(&b).enumerate() {
            let error = (a - b).abs() / scale;
            assert!(error <= tolerance, "{what}: element {i}: {a} and {b}, off by {error:e}");
        }
    }
}
