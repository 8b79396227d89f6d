//! Steps that are put off, to be taken together.

use crate::code::Code;
use crate::joint::{Joint, Waiting, of_model, together};
use crate::scalars::Scalars;
use crate::{Fused, FusedState, LeafContext, Reading, StepError, dispatch, leaf, portable};
use burn::backend::{DispatchTensor, TensorMetadata};
use burn::tensor::Tensor;
use std::sync::Arc;

/// A step that is put off: made by [`Fused::defer`], taken by [`Deferred::run`] together with
/// others, with the work of all of them split evenly over the threads of the current pool. The bits
/// are those of [`Fused::advance`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_descent_engine::{Build, Deferred};
/// use burn_descent_rules::Sgd;
///
/// let sgd = Sgd::new().build()?;
/// let device = Device::default();
/// let mut steps = Vec::new();
/// for length in [3, 100_000] {
///     let (parameter, gradient) = (Tensor::<1>::ones([length], &device), Tensor::ones([length], &device));
///     let state = sgd.start(&parameter);
///     steps.push(sgd.defer(0.5, parameter, gradient, state)?);
/// }
/// Deferred::run(&mut steps);
/// for step in steps {
///     let (parameter, _state) = step.finish::<1>();
///     assert_eq!(parameter.mean().into_scalar::<f32>(), 0.5);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Deferred {
    /// Always there but while it is stepped.
    parameter: Option<DispatchTensor>,
    state: FusedState,
    /// What autodiff knows of the parameter, if it has been taken out of its leaf.
    leaf: Option<LeafContext>,
    /// What there is to do; `None` once it is done.
    work: Option<Work>,
}

struct Work {
    code: Arc<Code>,
    scalars: Scalars,
    how: How,
}

/// What takes a step.
#[allow(clippy::large_enum_variant)] // a box would be an allocation for each tensor of a step
enum How {
    /// The passes of a CPU, with this gradient.
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    Passes(DispatchTensor),
    /// The kernels of a GPU, with this one until they have taken it.
    #[cfg(feature = "cube")]
    Kernels(Option<DispatchTensor>),
    /// Tensor operations.
    Walk(Box<portable::Walk>),
}

impl Fused {
    /// A step that is taken when [`Deferred::run`] is called. It is under way at once where it is taken by tensor
    /// operations, unless the rule [looks at the whole model](Self::sees_model).
    ///
    /// # Errors
    /// Those of [`advance`](Self::advance). Nothing has been changed then, but the state is dropped.
    pub fn defer<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        mut state: FusedState,
    ) -> Result<Deferred, StepError> {
        let joint = self.sees_model();
        let by_kernels = self.steps_by_kernels(&parameter, state.place);
        let in_leaf = self.steps_leaf(&parameter) || by_kernels && leaf::stays(&parameter);
        if !in_leaf && !joint && !by_kernels {
            let parameter = self.advance(lr, parameter, gradient, &mut state)?.into_dispatch();
            return Ok(Deferred { parameter: Some(parameter), state, leaf: None, work: None });
        }
        let leaf = (!in_leaf).then(|| LeafContext::of(&parameter));
        let parameter = match leaf {
            Some(_) if parameter.is_autodiff() => parameter.inner(),
            _ => parameter,
        };
        let (parameter, gradient) = (parameter.into_dispatch(), gradient.into_dispatch());
        let program = self.program_of(&state, &parameter.shape());
        let (scalars, states) = self.begin::<D>(&program, lr, &parameter, &gradient, &mut state)?;
        let code = program.code.clone();
        #[cfg(feature = "cube")]
        if by_kernels {
            let scalars = scalars.beside(&parameter);
            let how = How::Kernels(Some(dispatch::beside::<D>(&parameter, gradient)));
            let work = Some(Work { code, scalars, how });
            let parameter = Some(leaf::own::<D>(parameter));
            return Ok(Deferred { parameter, state, leaf, work });
        }
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        if in_leaf {
            let scalars = scalars.read();
            let how = How::Passes(dispatch::beside::<D>(&parameter, gradient));
            let work = Some(Work { code, scalars, how });
            let parameter = Some(leaf::own::<D>(parameter));
            return Ok(Deferred { parameter, state, leaf, work });
        }
        if parameter.shape().num_elements() == 0 {
            return Ok(Deferred { parameter: Some(parameter), state, leaf, work: None });
        }
        let tensor = Tensor::<D>::from_dispatch;
        let mut lanes = states.clone();
        let wide = match &scalars.keeping {
            Some(keeping) => keeping.widen::<D>(parameter.clone(), &mut lanes),
            None => parameter.clone(),
        };
        let gradient = dispatch::beside::<D>(&wide, gradient);
        let before = lanes.into_iter().map(tensor).collect();
        let walk = portable::Walk::new(&code, &scalars, tensor(wide), tensor(gradient), before);
        let work = Some(Work { code, scalars, how: How::Walk(Box::new(walk)) });
        Ok(Deferred { parameter: Some(parameter), state, leaf, work })
    }

    /// Does the rule look at all parameters of the model? Then it is stepped by
    /// [`defer`](Self::defer), which `Descent` does, and by nothing else.
    pub fn sees_model(&self) -> bool {
        self.program.code.stages.sees_model()
    }
}

/// A step by tensor operations that waits for others.
struct ByOperations<'a> {
    code: &'a Code,
    walk: &'a mut portable::Walk,
}

impl Joint for ByOperations<'_> {
    fn begin(&mut self, model: usize) {
        self.walk.begin(model);
    }
    fn stage(&mut self, number: usize) -> Vec<Reading> {
        self.walk.stage(self.code, number);
        of_model(self.code, number).map(|sum| self.walk.sum(sum.number)).collect()
    }
    fn learn(&mut self, number: usize, totals: &[Reading]) {
        for (sum, total) in of_model(self.code, number).zip(totals) {
            self.walk.learn(sum.number, total);
        }
    }
    fn end(&mut self) {}
}

impl Deferred {
    /// Takes the steps, all together. A rule that [looks at the model](Fused::sees_model) sees those of
    /// them that are its own.
    pub fn run(steps: &mut [Self]) {
        #[cfg(feature = "cube")]
        Self::launch(steps);
        Self::take(steps);
        for step in steps {
            step.work = step.work.take().filter(|work| matches!(work.how, How::Walk(_)));
        }
    }

    /// Takes those that are a matter of kernels.
    #[cfg(feature = "cube")]
    fn launch(steps: &mut [Self]) {
        let waiting = steps.iter_mut().filter_map(|Self { parameter, state, work, .. }| {
            let Work { code, scalars, how: How::Kernels(gradient) } = work.as_mut()? else {
                return None;
            };
            let (kernels, states) = (code.by_kernels(scalars.view)?, state.list_mut()?);
            let gradient = gradient.take()?;
            Some(crate::cube::Waiting { kernels, scalars, parameter, gradient, states })
        });
        crate::cube::step_together(waiting);
    }

    fn take(steps: &mut [Self]) {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        let (mut on_cpu, mut elements) = (Vec::new(), 0);
        let mut by_operations = Vec::new();
        for Self { parameter, state, work, .. } in steps.iter_mut() {
            let (Some(Work { code, scalars, how }), Some(parameter)) = (work, parameter) else {
                continue;
            };
            let len = parameter.shape().num_elements();
            match how {
                How::Walk(walk) => by_operations.push((len, ByOperations { code, walk })),
                #[cfg(any(feature = "flex", feature = "ndarray"))]
                How::Passes(gradient) => {
                    elements += len;
                    let states = state.ready_mut();
                    let step = crate::cpu::put_off(code, parameter, gradient, states, scalars);
                    on_cpu.push((len, &**code, step));
                }
                #[cfg(feature = "cube")]
                How::Kernels(_) => {}
            }
            #[cfg(not(any(feature = "flex", feature = "ndarray")))]
            let _ = (state, scalars);
        }
        let mut waiting: Vec<Waiting<'_>> = Vec::new();
        for (elements, step) in &mut by_operations {
            let (code, elements) = (step.code, *elements);
            waiting.push(Waiting { code, elements, step });
        }
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        for (elements, code, step) in &mut on_cpu {
            if code.stages.sees_model() {
                let (code, elements) = (*code, *elements);
                waiting.push(Waiting { code, elements, step: &mut **step });
            }
        }
        together(&mut waiting);
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        crate::cpu::share(elements, || on_cpu.iter().for_each(|(.., step)| step.work()));
    }

    /// Does burn know the leaf of the parameter as distributed? Then the caller has to register it.
    pub fn is_distributed(&self) -> bool {
        self.leaf.is_some_and(|leaf| leaf.is_distributed())
    }

    /// The parameter and the state: after the step, if it has been taken.
    pub fn finish<const D: usize>(self) -> (Tensor<D>, FusedState) {
        let Self { parameter, mut state, leaf, work } = self;
        let parameter = parameter.expect("it is put back after a step");
        let parameter = match work {
            Some(Work { code, scalars, how: How::Walk(walk) }) => {
                let (stepped, states) = walk.finish::<D>(&code);
                let mut lanes = states.into_iter().map(Tensor::into_dispatch).collect();
                let stepped = match &scalars.keeping {
                    Some(keeping) => {
                        let (stepped, dtype) = (stepped.into_dispatch(), parameter.dtype());
                        Tensor::from_dispatch(keeping.narrow::<D>(stepped, dtype, &mut lanes))
                    }
                    None => stepped,
                };
                state.set(lanes);
                stepped
            }
            _ => Tensor::from_dispatch(parameter),
        };
        match leaf {
            Some(leaf) => (leaf.restore(parameter), state),
            None => (parameter, state),
        }
    }
}
