//! Steps that are put off, to be taken together.

use crate::program::Program;
use crate::{Fused, FusedState, StepError, dispatch, leaf};
use burn::backend::DispatchTensor;
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
    parameter: DispatchTensor,
    state: FusedState,
    /// What there is to do; `None` once it is done.
    work: Option<Work>,
}

struct Work {
    program: Arc<Program>,
    scalars: Arc<[f64]>,
    gradient: DispatchTensor,
}

impl Fused {
    /// A step that is taken when [`Deferred::run`] is called. On a device that computes by itself,
    /// as a GPU does, it is under way at once.
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
        if !self.steps_leaf(&parameter) {
            let parameter = self.advance(lr, parameter, gradient, &mut state)?.into_dispatch();
            return Ok(Deferred { parameter, state, work: None });
        }
        let (parameter, gradient) = (parameter.into_dispatch(), gradient.into_dispatch());
        let (scalars, _) = self.begin::<D>(lr, &parameter, &gradient, &mut state)?;
        let (program, scalars) = (self.program.clone(), scalars.read());
        let parameter = leaf::own::<D>(parameter);
        let gradient = dispatch::beside::<D>(&parameter, gradient);
        Ok(Deferred { parameter, state, work: Some(Work { program, scalars, gradient }) })
    }
}

impl Deferred {
    /// Takes the steps, all together.
    pub fn run(steps: &mut [Self]) {
        #[cfg(any(feature = "flex", feature = "ndarray"))]
        {
            use burn::backend::TensorMetadata;
            let elements = steps.iter().map(|step| step.parameter.shape().num_elements()).sum();
            let steps = steps.iter_mut().filter_map(|Self { parameter, state, work }| {
                let Work { program, scalars, gradient } = work.as_mut()?;
                Some(crate::cpu::put_off(program, parameter, gradient, state.ready_mut(), scalars))
            });
            let steps: Vec<_> = steps.collect();
            crate::cpu::share(elements, || steps.iter().for_each(|step| step.work()));
        }
        steps.iter_mut().for_each(|step| step.work = None);
    }

    /// The parameter and the state: after the step, if it has been taken.
    pub fn finish<const D: usize>(self) -> (Tensor<D>, FusedState) {
        (Tensor::from_dispatch(self.parameter), self.state)
    }
}
