//! A checked rule as burn's `Optimizer`.

use crate::program::{Factor, Program, Shown};
use crate::scalars::Scalars;
use crate::state::{FusedState, Open, compute_dtype};
use crate::store::{Keeping, Stores, Weights};
use crate::{Reading, StepError, dispatch, leaf};
use burn::backend::{DispatchTensor, TensorMetadata};
use burn::optim::Optimizer;
use burn::tensor::{DType, Device, Shape, Tensor};
use burn_descent_rules::{InvalidOption, OptionError, Rule, View, check_lr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes an optimizer of a rule.
pub trait Build: Rule {
    /// Checks the options and makes the optimizer.
    ///
    /// ```
    /// # use burn_descent_engine::burn_descent;
    /// use burn_descent::{AdamW, Build};
    ///
    /// let optimizer = AdamW::new().weight_decay(0.1).build()?;
    /// assert!(AdamW::new().beta1(1.5).build().is_err());
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    ///
    /// # Errors
    /// The first option that is out of its range, or a rule of one's own that has more than
    /// [`MAX_STATES`](crate::MAX_STATES) states.
    fn build(self) -> Result<Fused, InvalidOption> {
        Program::new(self).map(Fused::new)
    }
}

impl<U: Rule> Build for U {}

/// A checked rule that steps tensors: burn's [`Optimizer`].
///
/// Made by [`Build::build`]. Use it as any optimizer of burn: in a `ModuleOptimizer`, in parameter
/// groups, in a `Learner`. Cloning it is cheap.
///
/// A tensor that nobody else holds is updated in place; one that is shared is copied, and what
/// the others hold stays as it was. (burn-train's `Learner` holds its model while it steps a clone
/// of it, so there each step copies the parameters, and only them.) A parameter keeps its dtype;
/// f16 and bf16 are computed in f32.
#[derive(Clone)]
pub struct Fused {
    pub(crate) program: Arc<Program>,
    pub(crate) portable: bool,
    factor: Factor,
    /// The loss at the next step.
    loss: Option<f64>,
    streams: Streams,
    /// How states and weights are kept.
    pub(crate) stores: Arc<Stores>,
}

/// What is known of a parameter beside its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// A number that tells its random numbers from those of others, where the rule draws some.
    pub stream: u32,
    /// Do the elements of an input come one after another? So it is in burn's `Linear`, of inputs ×
    /// outputs; by default a tensor is outputs × inputs.
    pub by_columns: bool,
    /// How many heads its outputs are: each is a matrix of its own then, for rules that look at rows, columns or matrices,
    /// but not for those of whole matrices. 0 where they are none, or no head would have its share.
    pub heads: u32,
    /// Is it a matrix that a rule of whole matrices leaves to its [auxiliary rule](burn_descent_rules::Rule::auxiliary), as
    /// embeddings and the head are?
    pub is_auxiliary: bool,
}

/// What an optimizer does with a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Look {
    /// The name of the rule that steps it: its [auxiliary one](burn_descent_rules::Rule::auxiliary) for what is left to
    /// that.
    pub optimizer: &'static str,
    /// The weight decay, the sum where there are several; `None` if the rule has none.
    pub weight_decay: Option<f64>,
    /// How many bytes are kept of it in state tensors.
    pub bytes: usize,
    /// How it is seen, where the rule tells rows from columns, or matrices from vectors.
    pub view: Option<View>,
}

/// The bytes of a word.
const WORD: usize = 4;

/// How many parameters have got a stream of noise: their number in the order of their first steps
/// tells their numbers from those of others. A clone counts on its own.
#[derive(Default)]
struct Streams(AtomicU32);

impl Clone for Streams {
    fn clone(&self) -> Self {
        Self(self.0.load(Ordering::Relaxed).into())
    }
}

impl core::fmt::Debug for Fused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Fused").field("rule", &self.program.code.name).finish_non_exhaustive()
    }
}

impl Fused {
    pub(crate) fn new(program: Program) -> Self {
        Self {
            portable: false,
            factor: Factor::Number(program.sign),
            program: Arc::new(program),
            loss: None,
            streams: Streams::default(),
            stores: Arc::default(),
        }
    }

    /// The same optimizer by burn's tensor operations on every backend: slower, and the oracle
    /// that the engines are tested against.
    pub fn portable(mut self) -> Self {
        self.portable = true;
        self
    }

    /// The same optimizer, meeting every gradient multiplied by `factor`, in the same pass: for what
    /// is one factor of all gradients, as clipping by the global norm and loss scaling are. One that
    /// lies on a device is not waited for, where the gradients lie there too.
    pub fn scaled(mut self, factor: impl Into<Reading>) -> Self {
        let factor = factor.into();
        self.factor = match factor.tensor() {
            Some(tensor) => Factor::OnDevice(Arc::new(tensor.clone().into_dispatch())),
            None => Factor::Number(factor.get()),
        }
        .times(self.program.sign);
        self
    }

    /// The same optimizer at a step where the loss is `loss`, for a rule that [needs it](Self::needs_loss).
    pub fn at_loss(mut self, loss: f64) -> Self {
        self.loss = Some(loss);
        self
    }

    /// Does a step need the [value of the loss](Rule::LOSS)?
    pub fn needs_loss(&self) -> bool {
        self.program.code.needs_loss
    }

    /// Does the rule find [its own learning rate](Rule::ESTIMATE)?
    pub fn finds_rate(&self) -> bool {
        self.program.code.estimate.is_some()
    }

    /// What the rule has found in place of a learning rate, in the state of a parameter, or begins with: see
    /// [`Rule::ESTIMATE`].
    pub fn estimate(&self, state: Option<&FusedState>) -> Option<Reading> {
        let lane = self.program.code.estimate?;
        match state {
            Some(state) => state.number(lane),
            None => self.program.starts().get(lane).copied().map(Reading::from),
        }
    }

    /// Can it step a parameter with nothing but its gradient, as burn's `ModuleOptimizer` shows them? Not if it
    /// [looks at the whole model](Self::sees_model) or [needs the loss](Self::needs_loss).
    pub fn steps_alone(&self) -> bool {
        self.check_alone().is_ok()
    }

    /// The same, to be refused where a program is told what to run.
    ///
    /// # Errors
    /// What it needs.
    pub fn check_alone(&self) -> Result<(), StepError> {
        let optimizer = self.name();
        if self.sees_model() {
            return Err(StepError::NeedsModel { optimizer });
        }
        if self.needs_loss() {
            return Err(StepError::NeedsLoss { optimizer });
        }
        Ok(())
    }

    /// Does the rule make something of [whole](Rule::whole) matrices?
    pub fn sees_whole(&self) -> bool {
        self.program.code.sees_whole
    }

    /// Does it climb instead of descend?
    pub fn maximizes(&self) -> bool {
        self.program.sign < 0.0
    }

    /// The name of the rule: `adamw`.
    pub fn name(&self) -> &'static str {
        self.program.code.name
    }

    /// The options of the rule by name.
    pub fn options(&self) -> &[(String, String)] {
        self.program.options()
    }

    /// What the options of the rule are by default.
    pub fn defaults(&self) -> &[(String, String)] {
        &self.program.code.defaults
    }

    /// The names of those options that are a weight decay, whatever they are called
    /// ([`Role::WeightDecay`](burn_descent_rules::Role)). With all of them at 0 the weights are not drawn
    /// to 0.
    pub fn weight_decays(&self) -> &[String] {
        &self.program.code.decays
    }

    /// Does an update with these options stay finite in the precision in which parameters of this
    /// type are computed? Found by trying, once: eight steps of a few weights, with gradients that are
    /// zero, tiny and ordinary.
    ///
    /// ```
    /// # use burn_descent_engine::burn_descent;
    /// use burn::tensor::DType;
    /// use burn_descent::{AdamW, Build};
    ///
    /// // 1e-50 is 0 in f32, so a gradient of 0 would be divided by 0.
    /// let adamw = AdamW::new().eps(1e-50).build()?;
    /// assert!(adamw.check_in(DType::F64).is_ok());
    /// let error = adamw.check_in(DType::F32).unwrap_err();
    /// assert_eq!((&*error.option, &*error.value), ("eps", "1e-50"));
    /// # Ok::<(), burn_descent::InvalidOption>(())
    /// ```
    ///
    /// # Errors
    /// The option that breaks it: with the default it would not.
    pub fn check_in(&self, parameter: DType) -> Result<(), InvalidOption> {
        if parameter == DType::F16 && self.stores.weights == Weights::Split {
            return Err(InvalidOption {
                owner: self.name(),
                option: "keep_weights".into(),
                value: Weights::Split.to_string(),
                allowed: "of weights in bf16; take kahan for those in f16".into(),
            });
        }
        self.program.check_in(parameter)
    }

    /// The same optimizer with other options, given by name. States made before fit as long as the
    /// options need the same states.
    ///
    /// # Errors
    /// An option that there is not, or whose value is not allowed.
    pub fn with(&self, options: &[(&str, &str)]) -> Result<Self, OptionError> {
        Ok(self.of(self.program.with(options)?))
    }

    /// The same optimizer with these numbers as options, given by name: [`with`](Self::with) at a fraction of
    /// its cost, for what changes with every step.
    ///
    /// # Errors
    /// As [`with`](Self::with).
    pub fn set(&self, numbers: &[(&str, f64)]) -> Result<Self, OptionError> {
        Ok(self.of(self.program.set(numbers)?))
    }

    /// The same optimizer with another program of its rule.
    fn of(&self, program: Program) -> Self {
        let factor = self.factor.times(self.program.sign * program.sign);
        Self { program: Arc::new(program), factor, ..self.clone() }
    }

    /// The names of the states, in the order of [`FusedState::tensors`].
    pub fn state_names(&self) -> Vec<&'static str> {
        self.program.code.states.clone()
    }

    /// What it does with a parameter of this shape and precision.
    pub fn look(&self, shape: &Shape, dtype: DType, place: Place) -> Look {
        let program = self.program.for_shape(shape, place);
        let view = program.code.view_of(shape, place);
        let stored = self.stores.of(&program.code, shape, dtype);
        let size = compute_dtype(dtype).size();
        let states = program.code.stages.states.iter().enumerate().map(|(lane, of)| {
            let (coding, numbers) = (stored.state(lane), view.numbers(*of));
            if coding.is_words() { WORD * coding.store.words(numbers) } else { size * numbers }
        });
        let keeps = program.keeps(shape, place).into_iter().map(|keep| size * keep.len());
        let lost = stored.lost(shape.num_elements()).map(|words| WORD * words);
        let is_another = self.program.values.is_another_for(view, place.is_auxiliary);
        let sees_matrices = program.code.stages.sees_matrices() || is_another;
        let decays =
            program.options().iter().filter(|(name, _)| program.code.decays.contains(name));
        let decays = decays.filter_map(|(_, value)| value.parse::<f64>().ok());
        Look {
            optimizer: program.code.name,
            weight_decay: decays.reduce(|sum, decay| sum + decay),
            bytes: states.chain(keeps).chain(lost).sum(),
            view: sees_matrices.then_some(view),
        }
    }

    /// Does it leave what is no matrix, and embeddings and the head, to an
    /// [auxiliary rule](burn_descent_rules::Rule::auxiliary)?
    pub fn has_auxiliary(&self) -> bool {
        self.program.values.has_auxiliary()
    }

    /// Is this a state with which this optimizer can step this parameter?
    pub fn fits<const D: usize>(&self, state: &FusedState, parameter: &Tensor<D>) -> bool {
        let program = self.program_of(state, &parameter.shape());
        state.fits(&program, parameter)
    }

    /// Is this a state with which this optimizer can step a parameter of this shape? Its precision and
    /// device follow those of the parameter.
    ///
    /// # Errors
    /// A state of another shape, or of another rule.
    pub fn check_state(&self, state: &FusedState, shape: &Shape) -> Result<(), StepError> {
        state.check(&self.program_of(state, shape), shape)
    }

    /// The state of a parameter before its first step. Where the rule has
    /// [random numbers](Rule::seed), parameters get numbers of their own by the order in which they start;
    /// those of several optimizers are told apart by their seeds.
    pub fn start<const D: usize>(&self, parameter: &Tensor<D>) -> FusedState {
        let stream = if self.program.seed.is_some() || self.stores.rounds_by_chance() {
            self.streams.0.fetch_add(1, Ordering::Relaxed)
        } else {
            0
        };
        self.start_as(parameter, Place { stream, ..Place::default() })
    }

    /// The state before its first step of a parameter of which this is known.
    pub fn start_as<const D: usize>(&self, parameter: &Tensor<D>, place: Place) -> FusedState {
        let program = self.program.for_shape(&parameter.shape(), place);
        let kept = self.stores.of(&program.code, &parameter.shape(), parameter.dtype());
        FusedState::start(&program, parameter, place, kept)
    }

    /// One step of one parameter: the new parameter from the gradient, at learning rate `lr`. The
    /// state is brought forward in place.
    ///
    /// The parameter may be a leaf of autodiff where [`steps_leaf`](Self::steps_leaf) says so. It
    /// stays that leaf if nobody else holds its elements, and becomes a new one otherwise: clones of
    /// it, and graphs that have saved its values, keep the old leaf with the old values.
    ///
    /// # Errors
    /// A learning rate that is negative, NaN or infinite; a gradient or state of another shape;
    /// a state of another rule; a rule that [looks at the whole model](Self::sees_model), or that
    /// [needs the loss](Self::needs_loss) and was not [told](Self::at_loss). The state is as it was then.
    pub fn advance<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: &mut FusedState,
    ) -> Result<Tensor<D>, StepError> {
        if self.sees_model() {
            return Err(StepError::NeedsModel { optimizer: self.name() });
        }
        let (parameter, gradient) = (parameter.into_dispatch(), gradient.into_dispatch());
        let program = self.program_of(state, &parameter.shape());
        let (scalars, tensors) = self.begin::<D>(&program, lr, &parameter, &gradient, state)?;
        let parameter = leaf::own::<D>(parameter);
        let step = if self.portable { dispatch::portable::<D> } else { dispatch::step::<D> };
        Ok(Tensor::from_dispatch(step(&program.code, scalars, parameter, gradient, tensors)))
    }

    /// The program for the parameter of this shape that has this state.
    pub(crate) fn program_of(&self, state: &FusedState, shape: &Shape) -> Arc<Program> {
        self.program.for_shape(shape, state.place)
    }

    /// Finds out whether a step can be taken, and begins it: its scalars, and the states to bring
    /// forward.
    pub(crate) fn begin<'a, const D: usize>(
        &self,
        program: &Program,
        lr: f64,
        parameter: &DispatchTensor,
        gradient: &DispatchTensor,
        state: &'a mut FusedState,
    ) -> Result<(Scalars, &'a mut Vec<DispatchTensor>), StepError> {
        check_lr(program.name, lr)?;
        let optimizer = program.name;
        if program.code.needs_loss && self.loss.is_none() {
            return Err(StepError::NeedsLoss { optimizer });
        }
        let (expected, found) = (parameter.shape(), gradient.shape());
        if expected != found {
            return Err(StepError::GradientShape { optimizer, expected, found });
        }
        let place = state.place;
        let wanted = self.stores.of(&program.code, &expected, parameter.dtype());
        let Open { time, memory, last, failed, kept, stream, tensors, view } =
            state.open::<D>(program, parameter, &expected, wanted)?;
        *time += 1;
        let keeping = kept.map(|kept| Keeping::new(kept.clone(), &program.code, *time, stream));
        let keeping = keeping.map(Arc::new);
        let shown = Shown { shape: &expected, view, place, failed, keeping };
        let scalars = program.scalars(lr, *time, shown, &self.factor, memory, self.loss);
        last.clear();
        last.extend(program.kept(&scalars.numbers));
        Ok((scalars, tensors))
    }

    /// Can [`advance`](Self::advance) step the parameter as it is, in its leaf of autodiff, where it
    /// has one? It can where passes step it, on `flex` and `ndarray` (f64 with the feature of that name), if burn
    /// does not know the leaf as distributed; elsewhere it takes the tensor without its leaf.
    pub fn steps_leaf<const D: usize>(&self, parameter: &Tensor<D>) -> bool {
        !self.portable
            && !self.program.code.sees_whole
            && dispatch::has_passes(&parameter.device(), parameter.dtype())
            && leaf::stays(parameter)
    }

    /// Is the step of a parameter that has this state a matter of kernels, so that [`defer`](Self::defer) puts it off for
    /// [`Deferred::run`](crate::Deferred::run) to launch few of them?
    pub fn steps_by_kernels<const D: usize>(&self, parameter: &Tensor<D>, place: Place) -> bool {
        #[cfg(feature = "cube")]
        return !self.portable && dispatch::is_cube_device(&parameter.device()) && {
            let (shape, dtype) = (parameter.shape(), parameter.dtype());
            let program = self.program.for_shape(&shape, place);
            let view = program.code.view_of(&shape, place);
            program.code.by_kernels(program.code.seen(view)).is_some()
                && dispatch::is_known(dtype)
                && self.stores.of(&program.code, &shape, dtype).is_plain()
        };
        #[cfg(not(feature = "cube"))]
        {
            let _ = (parameter, place);
            false
        }
    }

    /// [`advance`](Self::advance) in the form of burn's trait. Without a state it is the first
    /// step.
    ///
    /// # Errors
    /// Those of [`advance`](Self::advance); and at the first step, those of [`check_in`](Self::check_in).
    pub fn try_step<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<FusedState>,
    ) -> Result<(Tensor<D>, FusedState), StepError> {
        let mut state = match state {
            Some(state) => state,
            None => {
                check_lr(self.name(), lr)?;
                self.check_in(parameter.dtype()).map_err(StepError::Option)?;
                self.start(&parameter)
            }
        };
        let parameter = self.advance(lr, parameter, gradient, &mut state)?;
        Ok((parameter, state))
    }
}

impl Optimizer for Fused {
    type State<const D: usize> = FusedState;

    /// # Panics
    /// With the message of [`Fused::try_step`]'s error: burn's trait has no way to return one.
    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<FusedState>,
    ) -> (Tensor<D>, Option<FusedState>) {
        match self.try_step(lr, tensor, grad, state) {
            Ok((tensor, state)) => (tensor, Some(state)),
            Err(error) => panic!("{error}"),
        }
    }

    fn to_device<const D: usize>(state: FusedState, device: &Device) -> FusedState {
        state.on_device(device)
    }
}
