//! Feeds the gradients of a case to an optimizer of ours and compares the ways they go.

use crate::shown::Shown;
use crate::{
    BoxError, Case, Dtype, Point, Setting, Skip, Step, largest_of, movement_error, relative_error,
};
use core::fmt;

/// The largest error allowed in f64, but for the few cases whose [`Closeness`](crate::Closeness) says
/// otherwise.
pub const F64_TOLERANCE: f64 = 1e-9;
/// The largest error allowed in f32.
pub const F32_TOLERANCE: f64 = 2e-5;
/// The largest error allowed in f64 where the reference computes some of it in f32.
pub const LOW_PRECISION_TOLERANCE: f64 = 1e-6;

/// The type of the elements in a replay, and so which of the two runs of a case is its reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `f32`
    F32,
    /// `f64`
    F64,
}

/// Something that runs an optimizer. It keeps its elements in whatever precision it has; numbers
/// come and go as `f64`.
pub trait Engine {
    /// Takes the parameters to begin with, flat and in row-major order, and their shapes.
    fn start(&mut self, init: &Step, shapes: &[Vec<usize>]) -> Result<(), BoxError>;
    /// Takes one step.
    fn step(&mut self, lr: f64, grads: &Step) -> Result<(), BoxError>;
    /// The same with the loss at the parameters before the step, where the case has it. It is of no use to most
    /// optimizers, and by default not looked at.
    fn step_with_loss(
        &mut self,
        lr: f64,
        _loss: Option<f64>,
        grads: &Step,
    ) -> Result<(), BoxError> {
        self.step(lr, grads)
    }
    /// The parameters that are trained.
    fn params(&self) -> Result<Step, BoxError>;
    /// The weights to evaluate and ship; the trained ones unless the optimizer keeps others.
    fn evaluated(&self) -> Result<Step, BoxError> {
        self.params()
    }
}

/// How a replay ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The largest [`relative_error`] of a tensor after a recorded step.
    pub max_error: f64,
    /// The step, from 1, at which it was.
    pub step: usize,
    /// The number of the tensor, from 0, of which it was.
    pub tensor: usize,
    /// The largest error allowed.
    pub tolerance: f64,
    /// The largest [`movement_error`] of a tensor after a recorded step.
    pub max_movement_error: f64,
    /// The largest one allowed.
    pub movement_tolerance: f64,
    /// How many tensors were compared.
    pub compared: usize,
}

impl Outcome {
    /// Are the errors within their tolerances?
    pub fn agrees(&self) -> bool {
        self.compared > 0
            && self.max_error <= self.tolerance
            && self.max_movement_error <= self.movement_tolerance
    }
}

/// How far off it is, and how far off it may be.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_error, step, tensor, tolerance, .. } = self;
        write!(f, "off by {max_error:.1e} of {tolerance:.0e} at step {step}, tensor {tensor}")?;
        if self.movement_tolerance.is_finite() {
            let (error, tolerance) = (self.max_movement_error, self.movement_tolerance);
            write!(f, ", by {error:.1e} of {tolerance:.0e} of its movement")?;
        }
        Ok(())
    }
}

/// Why there is no [`Outcome`].
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The case cannot be compared.
    #[error(transparent)]
    Skip(#[from] Skip),
    /// Our optimizer failed.
    #[error("our optimizer failed: {0}")]
    Engine(BoxError),
}

/// Replays a case: the engine starts where the reference started and takes its gradients.
///
/// Errors are relative to the largest element of the reference tensor at that step; in long runs,
/// whose parameters may come close to zero, to the largest element at the start if that is larger.
/// In f64, an error of a whole-matrix method must be small compared with its movement too.
///
/// # Errors
/// [`ReplayError::Skip`] if the case has no run of this precision or no gradients, and
/// [`ReplayError::Engine`] if the engine fails.
pub fn replay(
    case: &Case,
    setting: &Setting,
    precision: Precision,
    engine: &mut impl Engine,
) -> Result<Outcome, ReplayError> {
    let reference = Reference::of(case, precision, setting.low_precision)?;
    let grads = case.grads.as_ref().ok_or(Skip::NoGradients)?;
    let floors: Vec<f64> = case
        .init
        .iter()
        .map(|tensor| if case.is_long() { largest_of(tensor) } else { 0.0 })
        .collect();

    let mut outcome = Outcome {
        max_error: 0.0,
        step: 0,
        tensor: 0,
        tolerance: reference.tolerance,
        max_movement_error: 0.0,
        movement_tolerance: reference.movement_tolerance,
        compared: 0,
    };
    let mut compare = |step: usize, ours: &Step, theirs: &Step| {
        for (tensor, (floor, init)) in floors.iter().zip(&case.init).enumerate() {
            let (error, of_movement) = match (ours.get(tensor), theirs.get(tensor)) {
                (Some(ours), Some(theirs)) => {
                    (relative_error(ours, theirs, *floor), movement_error(ours, theirs, init))
                }
                _ => (f64::INFINITY, f64::INFINITY),
            };
            outcome.compared += 1;
            outcome.max_movement_error = outcome.max_movement_error.max(of_movement);
            if error > outcome.max_error {
                outcome = Outcome { max_error: error, step, tensor, ..outcome };
            }
        }
    };

    let shown = Shown { setting, shapes: &case.shapes };
    engine.start(&shown.step(&case.init), &shown.shapes()).map_err(ReplayError::Engine)?;
    // In long runs there are losses of the recorded steps only.
    let losses = case.losses.as_ref().filter(|losses| losses.len() >= case.steps);
    let mut records = reference.record.iter().enumerate().peekable();
    for (step, (lr, grads)) in (1..=case.steps).zip(setting.lrs.iter().zip(grads)) {
        let loss = losses.map(|losses| losses[step - 1]);
        engine.step_with_loss(*lr, loss, &shown.step(grads)).map_err(ReplayError::Engine)?;
        let Some((k, _)) = records.next_if(|(_, recorded)| **recorded == step) else { continue };
        let evaluated = || engine.evaluated().map(|p| shown.back(p)).map_err(ReplayError::Engine);
        let params = match setting.point {
            Point::Trained => {
                engine.params().map(|p| shown.back(p)).map_err(ReplayError::Engine)?
            }
            Point::Evaluated => evaluated()?,
        };
        compare(step, &params, &reference.params[k]);
        if let Some(eval_params) = reference.eval_params {
            compare(step, &evaluated()?, &eval_params[k]);
        }
    }
    Ok(outcome)
}

/// The run of a case in one precision.
struct Reference<'a> {
    record: &'a [usize],
    params: &'a [Step],
    eval_params: Option<&'a Vec<Step>>,
    tolerance: f64,
    movement_tolerance: f64,
}

impl<'a> Reference<'a> {
    fn of(case: &'a Case, precision: Precision, low_precision: bool) -> Result<Self, Skip> {
        if case.dtype == Dtype::Bf16 {
            return Err(Skip::Bf16Weights);
        }
        match precision {
            Precision::F64 => {
                let exact = !low_precision && case.low_precision_state.is_empty();
                let least = if exact { 0.0 } else { LOW_PRECISION_TOLERANCE };
                Ok(Self {
                    record: &case.record,
                    params: &case.params,
                    eval_params: case.eval_params.as_ref(),
                    tolerance: case.closeness.relative.max(least),
                    movement_tolerance: case.closeness.movement.max(least),
                })
            }
            Precision::F32 => {
                if let Some(error) = &case.f32_error {
                    return Err(Skip::F32Failed(error.clone()));
                }
                Ok(Self {
                    record: case.record_f32.as_ref().unwrap_or(&case.record),
                    params: case.params_f32.as_ref().ok_or(Skip::NoF32)?,
                    eval_params: case.eval_params_f32.as_ref(),
                    tolerance: case.closeness.narrow,
                    movement_tolerance: f64::INFINITY,
                })
            }
        }
    }
}
