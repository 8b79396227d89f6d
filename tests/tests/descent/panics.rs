//! A rule of one's own that panics inside of a step, in whatever thread.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn_descent::rules::{Empty, Over, Real, Rule, fields, options};
use burn_descent::{Build, CheckpointError, Descent, DescentError};
use burn_descent_tests::{bits, devices, numbers};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

options! {
    /// Descends, until it breaks.
    struct Breaking {}
}

fields! { struct Rate { lr } }

static BREAKS: AtomicBool = AtomicBool::new(false);

impl Rule for Breaking {
    const NAME: &'static str = "breaking";
    type State<R: Copy> = Empty<R>;
    type Scalars<R: Copy> = Rate<R>;

    fn scalars(&self, lr: f64, _t: u64) -> Rate<f64> {
        Rate { lr }
    }
    fn update<R: Real>(p: R, g: R, s: Empty<R>, k: Rate<R>, _: &mut impl Over<R>) -> (R, Empty<R>) {
        assert!(!BREAKS.load(Relaxed), "it breaks");
        (p - k.lr * g, s)
    }
}

#[derive(Module, Debug)]
struct Model {
    /// Small tensors are stepped on the way, large ones by all threads.
    small: Param<Tensor<1>>,
    large: Vec<Param<Tensor<1>>>,
}

fn tensor(seed: u64, len: usize, device: &burn::tensor::Device) -> Tensor<1> {
    let numbers: Vec<f32> = numbers(seed, len).into_iter().map(|x| x as f32).collect();
    Tensor::from_floats(numbers.as_slice(), device)
}

impl Model {
    fn new(device: &burn::tensor::Device) -> Self {
        let param = |seed, len| Param::from_tensor(tensor(seed, len, device));
        Self { small: param(1, 5), large: vec![param(2, 300_000), param(3, 70_000)] }
    }

    /// The model after a step, or as it was with what refused it.
    fn try_step(self, descent: &mut Descent, seed: u64) -> (Self, Option<DescentError>) {
        let mut gradients = GradientsParams::new();
        for param in self.large.iter().chain([&self.small]) {
            let len = param.shape().num_elements();
            gradients.register(param.id, tensor(seed, len, &param.device().without_autodiff()));
        }
        match descent.step(self, gradients) {
            Ok((model, _)) => (model, None),
            Err(refused) => (refused.model, Some(refused.error)),
        }
    }

    fn step(self, descent: &mut Descent, seed: u64) -> Self {
        let (model, error) = self.try_step(descent, seed);
        assert_eq!(error, None);
        model
    }

    fn bits(&self) -> Vec<u8> {
        self.large.iter().chain([&self.small]).flat_map(|param| bits(&param.val())).collect()
    }
}

/// The walk says so, refuses to be saved, and goes on from a checkpoint as if nothing had been.
#[test]
fn a_thread_that_panics_in_a_step_ends_the_walk_and_nothing_else() {
    for device in devices::all().into_iter().filter(|entry| entry.on_cpu) {
        let Ok(device) = device.device.map(|device| device.autodiff()) else { continue };
        let build = |model: &Model| {
            let rule = Breaking {}.build().expect("it is a rule");
            Descent::builder(rule).lr(0.1).build(model).expect("it fits")
        };
        let mut model = Model::new(&device);
        let mut descent = build(&model);
        model = model.step(&mut descent, 10);
        let saved = descent.checkpoint(&model).expect("it is of this model");
        let held = model.clone();
        let before = held.bits();

        BREAKS.store(true, Relaxed);
        let broken = catch_unwind(AssertUnwindSafe(|| drop(model.step(&mut descent, 11))));
        BREAKS.store(false, Relaxed);
        assert!(broken.is_err(), "the panic is hidden");
        assert!(held.bits() == before, "a clone has changed");

        let (held, error) = held.try_step(&mut descent, 11);
        assert_eq!(error, Some(DescentError::BrokenOff { step: 2 }));
        let refused = descent.checkpoint(&held).map(drop);
        assert_eq!(refused, Err(CheckpointError::BrokenOff));

        let mut again = saved.restore(&mut descent, &held).expect("it fits");
        let mut whole = Model::new(&device);
        let mut other = build(&whole);
        whole = whole.step(&mut other, 10);
        for seed in 11..14 {
            again = again.step(&mut descent, seed);
            whole = whole.step(&mut other, seed);
        }
        assert!(again.bits() == whole.bits());
    }
}
