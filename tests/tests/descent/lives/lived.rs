//! A life as the library leads it.

use super::by_hand::{ByHand, Outcome, Parameter};
use super::life::{Action, Gradients, Life, Options};
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::{Checkpoint, Descent, DescentError, IntoGradients, Refused, Report};
use burn_descent_tests::{bits, devices, values};

#[derive(Module, Debug)]
struct Layer {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

#[derive(Module, Debug)]
struct Model {
    layers: Vec<Layer>,
    /// The first matrix, where it is tied.
    head: Option<Param<Tensor<2>>>,
}

/// Where tensors are, and how wide.
#[derive(Clone)]
struct World {
    devices: Vec<Device>,
    device: usize,
    wide: bool,
}

impl World {
    fn tensor<const D: usize>(&self, numbers: &[f64], shape: [usize; D]) -> Tensor<D> {
        let dtype = if self.wide { DType::F64 } else { DType::F32 };
        let data = TensorData::new(numbers.to_vec(), shape);
        Tensor::from_data(data, (&self.devices[self.device], dtype))
    }

    fn layer(&self, [weight, bias]: [&Parameter; 2]) -> Layer {
        let weights = self.tensor(&weight.weights, weight.shape);
        let biases = self.tensor(&bias.weights, [bias.weights.len()]);
        Layer {
            weight: Param::from_tensor(weights.set_require_grad(!weight.is_frozen)),
            bias: Param::from_tensor(biases.set_require_grad(!bias.is_frozen)),
        }
    }

    /// A model in a new process, of these weights.
    fn model(&self, life: &Life, by_hand: &ByHand) -> Model {
        let pairs = by_hand.parameters.chunks(2);
        let layers: Vec<_> = pairs.map(|pair| self.layer([&pair[0], &pair[1]])).collect();
        let head = life.tied.then(|| layers[0].weight.clone());
        Model { layers, head }
    }
}

impl Model {
    /// The weights of all parameters; of a tied one in its second place too.
    fn weights(&self) -> Vec<Vec<f64>> {
        let of = |layer: &Layer| [values(&layer.weight.val()), values(&layer.bias.val())];
        let head = self.head.iter().map(|head| values(&head.val()));
        self.layers.iter().flat_map(of).chain(head).collect()
    }

    fn bits(&self) -> Vec<u8> {
        let of = |layer: &Layer| [bits(&layer.weight.val()), bits(&layer.bias.val())].concat();
        self.layers.iter().flat_map(of).collect()
    }

    fn is_frozen(&self, number: usize) -> bool {
        let layer = &self.layers[number / 2];
        match number % 2 {
            0 => !layer.weight.is_require_grad(),
            _ => !layer.bias.is_require_grad(),
        }
    }

    /// With a parameter changed, wherever it is.
    fn with<C: Fn(Tensor<1>) -> Tensor<1>>(
        self,
        number: usize,
        trains: Option<bool>,
        change: C,
    ) -> Self {
        let id = match number % 2 {
            0 => self.layers[number / 2].weight.id,
            _ => self.layers[number / 2].bias.id,
        };
        self.map(&mut Change { id: Some(id), trains, change })
    }
}

/// Changes parameters as a user does: in a new leaf.
struct Change<C> {
    id: Option<burn::module::ParamId>,
    trains: Option<bool>,
    change: C,
}

impl<C: Fn(Tensor<1>) -> Tensor<1>> ModuleMapper for Change<C> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.id.is_some_and(|id| id != param.id) {
            return param;
        }
        let trains = self.trains.unwrap_or(param.is_require_grad());
        let (id, tensor, mapper) = param.consume();
        let shape = tensor.shape();
        let flat = (self.change)(tensor.inner().reshape([-1]));
        let tensor = flat.reshape::<D, _>(shape).autodiff().set_require_grad(trains);
        Param::from_mapped_value(id, tensor, mapper)
    }
}

/// A life, and the same by hand.
pub(crate) struct Lived {
    life: Life,
    options: Options,
    world: World,
    model: Model,
    descent: Descent,
    by_hand: ByHand,
    /// A clone of the model, with what it was.
    held: Option<Held>,
    saved: Option<Saved>,
    /// The model that was evaluated last, with what it was.
    evaluated: Option<(Model, Vec<u8>)>,
    /// Was it ever in f32?
    narrow: bool,
    /// The largest number that each parameter has ever been.
    largest: Vec<f64>,
}

struct Held {
    model: Model,
    bits: Vec<u8>,
    world: World,
}

#[derive(Clone)]
struct Saved {
    bytes: Vec<u8>,
    options: Options,
    by_hand: ByHand,
    wide: bool,
}

/// How often a life has been looked at. It ends where a weight is no number any more: what becomes of the others then
/// is a matter of what is multiplied by 0.
pub(crate) fn live(life: &Life) -> usize {
    let mut lived = Lived::born(life);
    lived.look("at birth");
    let mut looks = 0;
    for (number, action) in life.actions.iter().enumerate() {
        lived.act(action);
        lived.look(&format!("after action {number}, {action:?}"));
        looks += 1;
        let mut weights = lived.by_hand.parameters.iter().flat_map(|at| &at.weights);
        if weights.any(|w| !w.is_finite()) {
            break;
        }
    }
    looks
}

impl Lived {
    fn born(life: &Life) -> Self {
        let devices = devices::all().into_iter().filter(|entry| entry.on_cpu);
        let devices = devices.filter_map(|entry| Some(entry.device.ok()?.autodiff()));
        let world = World { devices: devices.collect(), device: 0, wide: life.wide };
        let by_hand = ByHand::born(life);
        let model = world.model(life, &by_hand);
        let descent = life.builder(&life.options).build(&model).expect("it fits");
        let (held, saved, evaluated) = (None, None, None);
        let (options, life) = (life.options.clone(), life.clone());
        let narrow = !life.wide;
        Self {
            life,
            options,
            world,
            model,
            descent,
            by_hand,
            held,
            saved,
            evaluated,
            narrow,
            largest: Vec::new(),
        }
    }

    fn act(&mut self, action: &Action) {
        let parameters = self.by_hand.parameters.len();
        match action {
            Action::Step(gradients) => self.step(gradients),
            Action::Flush => {
                let model = self.take_model();
                let result = self.descent.flush(model);
                let expected = self.by_hand.step(&self.life, &self.options);
                self.compare(result, expected);
            }
            Action::Freeze(number) => self.train(number % parameters, false),
            Action::Thaw(number) => self.train(number % parameters, true),
            Action::FreezeAll => (0..parameters).for_each(|number| self.train(number, false)),
            Action::Halve(number) => {
                let number = number % parameters;
                self.change(|model| model.with(number, None, |tensor| tensor * 0.5));
                self.by_hand.parameters[number].weights.iter_mut().for_each(|w| *w *= 0.5);
            }
            Action::Hold => {
                let (model, bits) = (self.model.clone(), self.model.bits());
                self.held = Some(Held { model, bits, world: self.world.clone() });
            }
            Action::GoOnWithHeld => self.go_on_with_held(),
            Action::Save => self.save(),
            Action::Restore { anew } => self.restore(*anew),
            Action::Forget => {
                self.descent = self.build(&self.options);
                self.by_hand.forget(true);
            }
            Action::Fresh => {
                self.descent = self.descent.fresh();
                self.by_hand.forget(false);
            }
            Action::Grow { taken_up } => self.grow(*taken_up),
            Action::Change(options) => self.change_options(options),
            Action::Cast { wide } => self.cast(*wide),
            Action::Move => {
                self.world.device = (self.world.device + 1) % self.world.devices.len();
                let device = self.world.devices[self.world.device].clone();
                self.change(|model| model.fork(&device));
            }
        }
    }

    fn build(&self, options: &Options) -> Descent {
        self.life.builder(options).build(&self.model).expect("it fits")
    }

    /// The model, which nobody else holds then.
    fn take_model(&mut self) -> Model {
        core::mem::replace(&mut self.model, Model { layers: Vec::new(), head: None })
    }

    fn change(&mut self, change: impl FnOnce(Model) -> Model) {
        self.model = change(self.take_model());
    }

    fn train(&mut self, number: usize, trains: bool) {
        self.change(|model| model.with(number, Some(trains), |tensor| tensor));
        self.by_hand.parameters[number].is_frozen = !trains;
    }

    fn step(&mut self, asked: &Gradients) {
        let gradients = self.gradients(asked);
        let model = self.take_model();
        let result = self.descent.step_weighted(model, gradients, asked.weight);
        let expected = self.by_hand.call(&self.life, &self.options, asked);
        self.compare(result, expected);
    }

    /// What came of a call is what comes of it by hand.
    fn compare(&mut self, result: Result<(Model, Report), Refused<Model>>, expected: Outcome) {
        let found = match result {
            Ok((model, report)) => {
                self.model = model;
                assert_eq!(report.skipped_in_all, self.by_hand.skipped);
                match (report.stepped, report.skipped) {
                    (true, false) => Outcome::Stepped { clip: report.clip_factor.get() },
                    (false, true) => Outcome::Skipped,
                    (false, false) => Outcome::Waits,
                    (true, true) => panic!("a step was taken and skipped"),
                }
            }
            Err(refused) => {
                self.model = refused.model;
                match refused.error {
                    DescentError::NotFinite { .. } => Outcome::NotFinite,
                    DescentError::NoGradient => Outcome::NoGradient,
                    DescentError::UnknownParameter { .. } => Outcome::Unknown,
                    other => panic!("{other}"),
                }
            }
        };
        match (found, expected) {
            (Outcome::Stepped { clip }, Outcome::Stepped { clip: by_hand }) => {
                let alike = (clip - by_hand).abs() <= self.tolerance() * by_hand.abs();
                assert!(alike, "clipped by {clip}, by hand {by_hand}");
            }
            _ => assert_eq!(found, expected),
        }
    }

    fn gradients(&self, asked: &Gradients) -> GradientsParams {
        let mut given = GradientsParams::new();
        // A loss whose gradients are these numbers.
        let mut terms = Vec::new();
        for (i, layer) in self.model.layers.iter().enumerate() {
            self.give(&layer.weight, 2 * i, asked, &mut given, &mut terms);
            self.give(&layer.bias, 2 * i + 1, asked, &mut given, &mut terms);
        }
        let second = self.by_hand.of_place(&self.life, asked, 0, 1);
        if asked.by_autodiff
            && let (Some(head), Some(numbers)) = (&self.model.head, second)
        {
            terms.push((head.val() * self.world.tensor(&numbers, head.dims())).sum());
        }
        // What is not trained has no graph.
        terms.retain(|term| term.is_require_grad());
        match terms.into_iter().reduce(|sum, term| sum + term) {
            Some(loss) => loss.backward().by_parameter(&self.model),
            None => given,
        }
    }

    fn give<const D: usize>(
        &self,
        param: &Param<Tensor<D>>,
        number: usize,
        asked: &Gradients,
        given: &mut GradientsParams,
        terms: &mut Vec<Tensor<1>>,
    ) {
        let life = &self.life;
        if asked.by_autodiff
            && let Some(numbers) = self.by_hand.of_place(life, asked, number, 0)
        {
            terms.push((param.val() * self.world.tensor(&numbers, param.dims())).sum());
        }
        if let Some(numbers) = self.by_hand.gradient(life, asked, number) {
            given.register(param.id, self.world.tensor(&numbers, param.dims()).inner());
        }
    }

    fn go_on_with_held(&mut self) {
        let Some(Held { model, world, .. }) = &self.held else { return };
        if world.wide != self.world.wide || model.layers.len() != self.model.layers.len() {
            return;
        }
        (self.model, self.world) = (model.clone(), world.clone());
        let weights = self.model.weights();
        for (i, at) in self.by_hand.parameters.iter_mut().enumerate() {
            at.weights.clone_from(&weights[i]);
            at.is_frozen = self.model.is_frozen(i);
        }
    }

    fn save(&mut self) {
        let checkpoint = self.descent.checkpoint(&self.model);
        if self.by_hand.parameters.iter().any(|at| !at.is_known) {
            let error = checkpoint.expect_err("the walk does not know all of it").to_string();
            assert!(error.contains("built"), "{error}");
            return;
        }
        let bytes = checkpoint.expect("it is of this model").into_bytes().expect("a checkpoint");
        let (options, by_hand) = (self.options.clone(), self.by_hand.clone());
        self.saved = Some(Saved { bytes, options, by_hand, wide: self.world.wide });
    }

    fn restore(&mut self, anew: bool) {
        let Some(saved) = self.saved.clone() else { return };
        let is_alike = saved.wide == self.world.wide
            && saved.by_hand.parameters.len() == self.by_hand.parameters.len()
            && format!("{:?}", saved.options) == format!("{:?}", self.options)
            && self.by_hand.parameters.iter().all(|at| at.is_known);
        if anew || !is_alike {
            // A model of other weights, with nothing frozen, and nothing of the process before.
            self.held = None;
            let mut other = saved.by_hand.clone();
            other.parameters.iter_mut().for_each(|at| at.is_frozen = false);
            other.parameters.iter_mut().for_each(|at| at.weights.fill(7.0));
            self.world.wide = saved.wide;
            self.model = self.world.model(&self.life, &other);
            self.descent = self.build(&saved.options);
            self.by_hand = other;
        }
        let frozen: Vec<bool> = self.by_hand.parameters.iter().map(|at| at.is_frozen).collect();
        let checkpoint = Checkpoint::from_bytes(saved.bytes).expect("a checkpoint");
        let model = checkpoint.restore(&mut self.descent, &self.model);
        self.model = model.expect("it is of this walk");
        (self.options, self.by_hand) = (saved.options, saved.by_hand);
        for (at, is_frozen) in self.by_hand.parameters.iter_mut().zip(frozen) {
            at.is_frozen = is_frozen;
        }
    }

    fn grow(&mut self, taken_up: bool) {
        let layers = self.model.layers.len();
        if layers > 3 {
            return;
        }
        let all_known = self.by_hand.parameters.iter().all(|at| at.is_known);
        let checkpoint =
            all_known.then(|| self.descent.checkpoint(&self.model).expect("it is of this model"));
        for number in [2 * layers, 2 * layers + 1] {
            let mut new = Parameter::new(number, 500 + number as u64, false);
            new.is_known = false;
            self.by_hand.parameters.push(new);
        }
        let [.., weight, bias] = &self.by_hand.parameters[..] else {
            unreachable!("there are two")
        };
        self.model.layers.push(self.world.layer([weight, bias]));
        let Some(checkpoint) = checkpoint.filter(|_| taken_up) else { return };
        self.descent = self.build(&self.options);
        let restored = checkpoint.restore_what_fits(&mut self.descent, &self.model);
        let (model, mismatches) = restored.expect("it is sound");
        assert_eq!(mismatches.len(), 2, "{mismatches:?}");
        self.model = model;
        self.by_hand.parameters.iter_mut().for_each(|at| at.is_known = true);
    }

    fn change_options(&mut self, options: &Options) {
        if self.by_hand.parameters.iter().any(|at| !at.is_known) {
            return;
        }
        let checkpoint = self.descent.checkpoint(&self.model).expect("it is of this model");
        self.descent = self.build(options);
        let restored = checkpoint.restore_changed(&mut self.descent, &self.model);
        self.model = restored.expect("the states are the same");
        self.by_hand.change(&self.options, options);
        self.options = options.clone();
    }

    fn cast(&mut self, wide: bool) {
        // burn's own states stay in the precision in which they were made, and are refused.
        if self.life.has_foreign() {
            return;
        }
        let dtype = if wide { DType::F64 } else { DType::F32 };
        self.change(|model| {
            model.map(&mut Change {
                id: None,
                trains: None,
                change: |tensor: Tensor<1>| tensor.cast(dtype),
            })
        });
        self.world.wide = wide;
        self.narrow |= !wide;
        self.by_hand.cast(wide);
    }

    fn tolerance(&self) -> f64 {
        if self.narrow { 1e-3 } else { 1e-9 }
    }

    /// Is all of it as it is by hand?
    fn look(&mut self, when: &str) {
        assert_eq!(self.descent.steps(), self.by_hand.steps, "{when}: steps");
        let weights: Vec<Vec<f64>> =
            self.by_hand.parameters.iter().map(|at| at.weights.clone()).collect();
        self.assert_alike(when, "weights", &self.model.weights(), &weights);
        let evaluated = self.descent.evaluate(&self.model);
        let by_hand = self.by_hand.evaluated(&self.life);
        self.assert_alike(when, "evaluated weights", &evaluated.weights(), &by_hand);
        if let Some((before, was)) = self.evaluated.take() {
            assert!(before.bits() == was, "{when}: what was evaluated before has changed");
        }
        let bits = evaluated.bits();
        self.evaluated = Some((evaluated, bits));
        if let Some(Held { model, bits, .. }) = &self.held {
            assert!(model.bits() == *bits, "{when}: a clone has changed");
        }
    }

    fn assert_alike(&mut self, when: &str, what: &str, found: &[Vec<f64>], by_hand: &[Vec<f64>]) {
        let parameters = by_hand.len();
        assert_eq!(found.len(), parameters + usize::from(self.life.tied), "{when}: {what}");
        self.largest.resize(parameters.max(self.largest.len()), 1.0);
        for (i, found) in found.iter().enumerate() {
            // The head is the first matrix.
            let i = i % parameters;
            for (a, b) in found.iter().zip(&by_hand[i]) {
                if b.is_finite() {
                    self.largest[i] = self.largest[i].max(b.abs());
                }
                // What is infinite and what is no number is not told apart: a factor of 0 makes the one of the other.
                let are_broken = !a.is_finite() && !b.is_finite();
                let alike = are_broken || (a - b).abs() <= self.tolerance() * self.largest[i];
                assert!(alike, "{when}: {what} of parameter {i} are {a}, by hand {b}");
            }
        }
    }
}
