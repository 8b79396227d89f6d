//! All of a model: running statistics, integers, booleans, quantised weights, frozen ones.

use crate::tensor;
use burn::module::{Lora, Module, ModuleVisitor, Param, ParamId, QLora, Quantizer};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::quantization::{Calibration, QuantValue};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use burn_descent::{
    AdamW, Build, Checkpoint, CheckpointError, Descent, Ema, Mismatch, NotFinite, Sgd,
};
use burn_descent_tests::{allocation, devices, numbers};

#[derive(Module, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Block {
    fn new(channels: [usize; 2], device: &Device) -> Self {
        let conv = Conv2dConfig::new(channels, [3, 3]);
        let conv = conv.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init(device);
        Self { conv, norm: BatchNormConfig::new(channels[1]).init(device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x)).tanh()
    }
}

/// Something of every kind.
#[derive(Module, Debug)]
struct Net {
    stem: Block,
    blocks: Vec<Block>,
    flat: BatchNorm,
    head: Linear,
    frozen: Param<Tensor<1>>,
    order: Param<Tensor<1, Int>>,
    chosen: Param<Tensor<2, Bool>>,
    /// No parameter, and in no record.
    scale: Tensor<2>,
}

impl Net {
    fn new(device: &Device) -> Self {
        Self {
            stem: Block::new([2, 3], device),
            blocks: vec![Block::new([3, 3], device), Block::new([3, 4], device)],
            flat: BatchNormConfig::new(4).with_momentum(0.3).init(device),
            head: LinearConfig::new(4, 2).init(device),
            frozen: LinearConfig::new(4, 3).init(device).bias.expect("a bias").no_grad(),
            order: Param::initialized(ParamId::new(), Tensor::from_data([0, 0, 0], device)),
            chosen: Param::initialized(ParamId::new(), Tensor::from_data([[false, false]], device)),
            scale: Tensor::from_data([[2.0, 0.5]], device),
        }
    }

    fn chosen(mut self) -> Self {
        self.order = self.order.map(|order| Tensor::from_data([3, -1, 2], &order.device()));
        self.chosen =
            self.chosen.map(|chosen| Tensor::from_data([[true, false]], &chosen.device()));
        self
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.blocks.iter().fold(self.stem.forward(x), |x, block| block.forward(x));
        let x = x.flatten::<3>(2, 3).mean_dim(2).squeeze_dim::<2>(2);
        self.head.forward(self.flat.forward(x)) * self.scale.clone()
    }

    fn loss(&self, batch: u64) -> Tensor<1> {
        let device = &self.head.weight.device();
        let x = TensorData::new(numbers(batch, 4 * 2 * 25), [4, 2, 5, 5]);
        (self.forward(Tensor::from_data(x, device)) - 0.5).square().mean()
    }
}

fn builder() -> burn_descent::Builder {
    let adamw = AdamW::new().build().expect("defaults are allowed");
    Descent::builder(adamw).lr(0.05).average(Ema::new(0.9)).not_finite(NotFinite::Skip)
}

fn steps(mut net: Net, descent: &mut Descent, batches: core::ops::Range<u64>) -> Net {
    for batch in batches {
        let gradients = net.loss(batch).backward();
        (net, _) = descent.step(net, gradients).expect("a good step");
    }
    net
}

/// A walk of some steps from here.
fn walked(start: &Net, batches: u64) -> (Net, Descent) {
    let mut descent = builder().build(start).expect("it fits");
    // Clones share their running statistics.
    let net = steps(start.valid().train(), &mut descent, 0..batches);
    (net, descent)
}

/// All that a model records, by path, bit by bit.
fn everything<M: Module>(model: &M) -> Vec<(String, Vec<u8>)> {
    #[derive(Default)]
    struct All {
        path: Vec<String>,
        found: Vec<(String, Vec<u8>)>,
    }
    impl All {
        fn add(&mut self, data: TensorData) {
            self.found.push((self.path.join("."), data.into_bytes().to_vec()));
        }
    }
    impl ModuleVisitor for All {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.into());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.add(param.val().into_data());
        }
        fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
            self.add(param.val().into_data());
        }
        fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
            self.add(param.val().into_data());
        }
    }
    let mut all = All::default();
    model.valid().visit(&mut all);
    all.found
}

/// The first path at which two models are not the same.
fn difference(a: &impl Module, b: &impl Module) -> Option<String> {
    let (a, b) = (everything(a), everything(b));
    assert_eq!(a.len(), b.len());
    a.into_iter().zip(b).find(|(a, b)| a != b).map(|((path, _), _)| path)
}

fn for_each_device(test: fn(&Device)) {
    for entry in devices::all().into_iter().filter(|entry| entry.on_cpu) {
        if let Ok(device) = entry.device {
            test(&device.autodiff());
        }
    }
}

fn file(net: &Net, descent: &Descent) -> Vec<u8> {
    descent.checkpoint(net).expect("of this model").into_bytes().expect("a checkpoint")
}

fn restore(file: &[u8], descent: &mut Descent, net: &Net) -> Net {
    let checkpoint = Checkpoint::from_bytes(file.to_vec()).expect("a checkpoint");
    checkpoint.restore(descent, net).expect("it fits")
}

#[test]
fn three_steps_and_three_are_six() {
    for_each_device(|device| {
        let start = Net::new(device).chosen();
        let (six, six_descent) = walked(&start, 6);
        let (three, descent) = walked(&start, 3);
        let file = file(&three, &descent);
        let fresh = Net::new(device);
        let mut fresh_descent = builder().build(&fresh).expect("it fits");
        let resumed = restore(&file, &mut fresh_descent, &fresh);
        assert_eq!(difference(&resumed, &three), None, "what is saved is what is loaded");
        let resumed = steps(resumed, &mut fresh_descent, 3..6);
        assert_eq!(difference(&resumed, &six), None);
        let (a, b) = (fresh_descent.evaluate(&resumed), six_descent.evaluate(&six));
        assert_eq!(difference(&a, &b), None);
        // And with what was saved going on.
        let mut descent = descent;
        assert_eq!(difference(&steps(three, &mut descent, 3..6), &six), None);
    });
}

#[test]
fn a_live_model_goes_back_to_what_was_saved() {
    for_each_device(|device| {
        let (saved, mut descent) = walked(&Net::new(device), 3);
        let before = everything(&saved);
        let file = file(&saved, &descent);
        let mut net = saved;
        for _ in 0..2 {
            let gradients = (net.loss(7) * f32::NAN).backward();
            let broken = Tensor::<4>::full([4, 2, 5, 5], f32::NAN, device);
            let _ = net.forward(broken);
            let report;
            (net, report) = descent.step(net, gradients).expect("it is skipped");
            assert!(report.skipped);
        }
        assert!(everything(&net) != before, "the statistics have seen the batch");
        let _ = net.forward(Tensor::full([4, 2, 5, 5], f32::NAN, device));
        let net = restore(&file, &mut descent, &net);
        assert!(everything(&net) == before, "it is not what was saved");
        let (expected, _) = walked(&Net::new(device), 0);
        let mut other = builder().build(&expected).expect("it fits");
        let expected = restore(&file, &mut other, &expected);
        let (a, b) = (steps(net, &mut descent, 3..6), steps(expected, &mut other, 3..6));
        assert_eq!(difference(&a, &b), None);
    });
}

#[test]
fn the_model_that_restore_borrows_stays_as_it_is() {
    for_each_device(|device| {
        let start = Net::new(device).chosen();
        let (saved, descent) = walked(&start, 3);
        let file = file(&saved, &descent);
        let (twin, mut twin_descent) = walked(&start, 5);
        let (live, mut live_descent) = walked(&start, 5);
        let mut descent = builder().build(&live).expect("it fits");
        let restored = restore(&file, &mut descent, &live);
        let restored = steps(restored, &mut descent, 3..5);
        assert_eq!(difference(&live, &restored), None, "both have come as far");
        let _ = steps(restored, &mut descent, 20..24);
        let (live, twin) =
            (steps(live, &mut live_descent, 5..7), steps(twin, &mut twin_descent, 5..7));
        assert_eq!(difference(&live, &twin), None);
    });
}

#[test]
fn a_model_without_autodiff_is_loaded() {
    for_each_device(|device| {
        let (saved, descent) = walked(&Net::new(device).chosen(), 3);
        let file = file(&saved, &descent);
        let plain = Net::new(&device.clone().without_autodiff());
        let mut descent = builder().build(&plain).expect("it fits");
        let loaded = restore(&file, &mut descent, &plain);
        assert!(
            !loaded.head.weight.is_autodiff()
                && !loaded.stem.norm.running_mean.value().is_autodiff()
        );
        assert_eq!(difference(&loaded, &saved), None);
        let (a, b) = (loaded.loss(9), saved.valid().loss(9));
        assert_eq!(a.into_data(), b.into_data());
        // And it trains after `train`, with all that may be trained.
        let trained = loaded.train();
        assert!(trained.head.weight.is_require_grad() && !trained.frozen.is_require_grad());
        let _ = steps(trained, &mut descent, 3..5);
    });
}

#[test]
fn flags_and_gradients_stay() {
    for_each_device(|device| {
        let (saved, descent) = walked(&Net::new(device), 2);
        let file = file(&saved, &descent);
        let mut net = Net::new(device);
        net.flat = net.flat.freeze();
        let mut descent = builder().build(&net).expect("it fits");
        let net = restore(&file, &mut descent, &net);
        assert!(!net.flat.training.is_enabled() && net.stem.norm.training.is_enabled());
        assert!(!net.flat.gamma.is_require_grad() && net.stem.norm.gamma.is_require_grad());
        assert!(!net.frozen.is_require_grad() && net.head.weight.is_require_grad());
        assert!(!net.flat.running_mean.value().is_require_grad());
    });
}

#[test]
fn integers_that_are_not_in_the_file_are_named() {
    #[derive(Module, Debug)]
    struct Old {
        w: Param<Tensor<1>>,
    }
    #[derive(Module, Debug)]
    struct New {
        w: Param<Tensor<1>>,
        order: Param<Tensor<1, Int>>,
    }
    let w = || Param::from_tensor(tensor::<1>(1, [3]).autodiff());
    let order =
        |shape| Param::initialized(ParamId::new(), Tensor::zeros(shape, &Device::default()));
    let builder = || Descent::builder(Sgd::new().build().expect("defaults")).lr(0.1);
    let (old, new) = (Old { w: w() }, New { w: w(), order: order([3]) });
    let other = New { w: w(), order: order([4]) };
    let of = |descent: &Descent| descent.steps();
    let refused = |checkpoint: Checkpoint, net: &New| {
        let mut descent = builder().build(net).expect("it fits");
        let error = checkpoint.restore(&mut descent, net).map(|_| ()).expect_err("it lacks one");
        assert_eq!(of(&descent), 0);
        error.to_string()
    };
    let old = builder().build(&old).map(|descent| descent.checkpoint(&old).expect("whole"));
    let error = refused(old.expect("it fits"), &new);
    assert!(error.contains("no parameter `order`"), "{error}");
    let checkpoint = builder().build(&new).expect("it fits").checkpoint(&new).expect("whole");
    let error = refused(checkpoint, &other);
    assert!(error.contains("`order` was saved with shape"), "{error}");
}

#[test]
fn quantised_weights_are_kept_bit_for_bit() {
    for_each_device(|device| {
        let scheme = device.settings().quantization.scheme.with_value(QuantValue::Q8S);
        let linear = || {
            let quantizer = Quantizer::new(Calibration::MinMax, scheme);
            let linear: Linear = LinearConfig::new(32, 32).init(device);
            linear.apply_qlora(QLora::new(Lora::new(2, 4.0), quantizer))
        };
        let step = |net: Linear, descent: &mut Descent, batch: u64| {
            let x = TensorData::new(numbers(batch, 64), [2, 32]);
            let loss = net.forward(Tensor::<2>::from_data(x, device)).square().mean();
            descent.step(net, loss.backward()).expect("a good step").0
        };
        let sgd = || Sgd::new().momentum(0.9).build().expect("allowed");
        let start = linear();
        let mut descent = Descent::builder(sgd()).lr(0.1).build(&start).expect("it fits");
        let mut net = start;
        for batch in 0..3 {
            net = step(net, &mut descent, batch);
        }
        let checkpoint = descent.checkpoint(&net).expect("of this model");
        let file = checkpoint.into_bytes().expect("a checkpoint");
        for whole in [true, false] {
            let fresh = linear();
            assert!(difference(&fresh, &net).is_some());
            let mut resumed = Descent::builder(sgd()).lr(0.1).build(&fresh).expect("it fits");
            let checkpoint = Checkpoint::from_bytes(file.clone()).expect("a checkpoint");
            let restored = if whole {
                checkpoint.restore(&mut resumed, &fresh).expect("it fits")
            } else {
                let (restored, misfits) =
                    checkpoint.restore_what_fits(&mut resumed, &fresh).expect("whole");
                assert_eq!(misfits, []);
                restored
            };
            assert_eq!(difference(&restored, &net), None);
            let mut descent = Descent::builder(sgd()).lr(0.1).build(&net).expect("it fits");
            let checkpoint = Checkpoint::from_bytes(file.clone()).expect("a checkpoint");
            let live = checkpoint.restore(&mut descent, &net).expect("it fits");
            let (a, b) = (step(restored, &mut resumed, 3), step(live, &mut descent, 3));
            assert_eq!(difference(&a, &b), None);
        }
    });
}

#[test]
fn a_tied_parameter_is_one_leaf_again() {
    #[derive(Module, Debug)]
    struct Two {
        a: Param<Tensor<1>>,
        b: Param<Tensor<1>>,
    }
    let two = || {
        let a = Param::from_tensor(tensor::<1>(1, [3]).autodiff());
        Two { b: a.clone(), a }
    };
    let builder = || Descent::builder(Sgd::new().build().expect("defaults")).lr(0.1);
    let (saved, fresh) = (two(), two());
    let checkpoint = builder().build(&saved).expect("it fits").checkpoint(&saved).expect("whole");
    let mut descent = builder().build(&fresh).expect("it fits");
    let net = checkpoint.restore(&mut descent, &fresh).expect("it fits");
    let gradients = (net.a.val() + net.b.val() * 2.0).sum().backward();
    let gradient = net.a.val().grad(&gradients).expect("it is a leaf");
    assert_eq!(gradient.into_data(), TensorData::from([3.0_f32; 3]));
}

#[test]
fn another_model_has_no_checkpoint() {
    let device = Device::default().autodiff();
    let (net, descent) = walked(&Net::new(&device), 1);
    let error = descent.checkpoint(&Net::new(&device)).map(|_| ()).expect_err("another model");
    let CheckpointError::Misfit(misfits) = &error else { panic!("{error}") };
    let unknown = Mismatch::Unknown { parameter: "stem.conv.weight".into() };
    assert!(misfits.contains(&unknown), "{error}");
    // Nor has a part of it, which would lose the states of the rest.
    let error = descent.checkpoint(&net.stem).map(|_| ()).expect_err("a part").to_string();
    assert!(error.contains("no parameter `blocks.0.conv.weight`"), "{error}");
    assert!(!error.contains("`stem"), "{error}");
}

#[test]
fn a_resumed_run_holds_nothing_of_the_file() {
    const LEN: usize = 50_000;
    let vector = |seed| Param::from_tensor(tensor::<1>(seed, [LEN]).autodiff());
    let net = || vec![vector(1), vector(2), vector(3), vector(4)];
    let builder = || Descent::builder(Sgd::new().momentum(0.9).build().expect("allowed")).lr(0.1);
    let step = |net: Vec<Param<Tensor<1>>>, descent: &mut Descent| {
        let losses = net.iter().map(|param| param.val().square().sum());
        let gradients = losses.reduce(|sum, loss| sum + loss).expect("some").backward();
        descent.step(net, gradients).expect("a good step").0
    };
    let start = net();
    let mut descent = builder().build(&start).expect("it fits");
    let saved = step(start, &mut descent);
    let checkpoint = descent.checkpoint(&saved).expect("of this model");
    let file = checkpoint.into_bytes().expect("a checkpoint");
    let (kept, held) = allocation::held(|| {
        let net = net();
        let mut descent = builder().build(&net).expect("it fits");
        let checkpoint = Checkpoint::from_bytes(file.clone()).expect("a checkpoint");
        let net = checkpoint.restore(&mut descent, &net).expect("it fits");
        let net = step(net, &mut descent);
        (net, descent)
    });
    // Weights and momenta: as much as the file, and not once more.
    let most = file.len() as isize * 5 / 4;
    assert!(held < most, "{held} bytes are held for a file of {}", file.len());
    drop(kept);
}
