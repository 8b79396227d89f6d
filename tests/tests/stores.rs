//! States in fewer bytes and weights of two, in lives with real gradients.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Linear, LinearConfig, Relu};
use burn::optim::{GradientsParams, RecordState, StateSink, StateSource};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::{
    AdaGrad, AdamW, Batch, Build, Checkpoint, Descent, Ema, Fused, FusedState, Mismatch, Muon,
    Place, Rounding, Sgd, Store, Weights, registry,
};
use burn_descent_tests::checked::blessing;
use burn_descent_tests::gpus::gpus;
use burn_descent_tests::model::Model;
use burn_descent_tests::selection::Selection;
use burn_descent_tests::{bits, devices, numbers, values};
use burn_pack::Scalar;
use flate2::read::GzDecoder;
use std::fs::{self, File};
use std::path::Path;

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
}

/// A matrix of 5120 numbers, a small one, and two vectors.
fn net(device: &Device, dtype: DType) -> Net {
    let device = device.clone().autodiff();
    device.seed(1);
    let net = Net {
        first: LinearConfig::new(80, 64).init(&device),
        second: LinearConfig::new(64, 1).init(&device),
    };
    net.map(&mut Cast(dtype))
}

/// All weights in another type.
struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let tensor = tensor.inner().cast(self.0).autodiff().require_grad();
        Param::from_mapped_value(id, tensor, mapper)
    }
}

/// The new net, after so many steps from the one of this number on.
fn walked(descent: &mut Descent, mut net: Net, steps: core::ops::Range<u64>) -> Net {
    let device = net.first.weight.device();
    let dtype = net.first.weight.dtype();
    for step in steps {
        let x = Tensor::<1>::from_data(
            TensorData::new(numbers(step, 32 * 80), [32 * 80]),
            (&device, dtype),
        );
        let x = x.reshape([32, 80]);
        let y = x.clone().sum_dim(1).sin();
        let out = net.second.forward(Relu::new().forward(net.first.forward(x)));
        let loss = (out - y).square().mean();
        net = descent.step(net, loss.backward()).expect("a good step").0;
    }
    net
}

fn flat(net: &Net) -> Vec<f64> {
    [values(&net.first.weight.val()), values(&net.second.weight.val())].concat()
}

fn adamw() -> Fused {
    AdamW::new().build().expect("defaults are allowed")
}

fn descent(optimizer: Fused, net: &Net) -> Descent {
    Descent::builder(optimizer).lr(3e-3).build(net).expect("it fits")
}

fn stores() -> Vec<Store> {
    let names = ["bf16", "bf16-stochastic", "f16", "int8", "int8:64", "dynamic8"];
    names.map(|name| name.parse().expect("a store")).into()
}

fn cpus() -> impl Iterator<Item = Device> {
    devices::all().into_iter().filter(|entry| entry.on_cpu).filter_map(|entry| entry.device.ok())
}

#[test]
fn a_walk_that_is_restored_has_never_stopped() {
    for device in cpus() {
        for store in stores() {
            let fresh = net(&device, DType::F32);
            let start = || fresh.clone();
            let build = |net: &Net| {
                let kept = adamw().keep_all(store).expect("it is allowed");
                Descent::builder(kept).lr(3e-3).average(Ema::new(0.9)).build(net).expect("it fits")
            };
            let mut whole = build(&start());
            let end = walked(&mut whole, start(), 0..10);

            let mut half = build(&start());
            let net = walked(&mut half, start(), 0..4);
            let checkpoint = half.checkpoint(&net).expect("it is of this model");
            let bytes = checkpoint.into_bytes().expect("it can be written");
            let mut again = build(&fresh);
            let read = Checkpoint::from_bytes(bytes.clone()).expect("it can be read");
            let net = read.restore(&mut again, &fresh).expect("it fits");
            let net = walked(&mut again, net, 4..10);
            assert_eq!(flat(&net), flat(&end), "{store}");

            // Kept otherwise, it is refused by name, and taken up where that is asked for.
            let mut other = descent(adamw(), &fresh);
            let read = || Checkpoint::from_bytes(bytes.clone()).expect("it can be read");
            let error = read().restore(&mut other, &fresh).expect_err("it is kept otherwise");
            assert!(error.to_string().contains("keep"), "{error}");
            let net = read().restore_changed(&mut other, &fresh).expect("it can be kept otherwise");
            let net = walked(&mut other, net, 4..10);
            assert!(flat(&net).iter().all(|x| x.is_finite()));
        }
    }
}

#[test]
fn a_checkpoint_may_go_from_f32_to_eight_bits_and_back() {
    let fresh = net(&Device::default(), DType::F32);
    let mut full = descent(adamw(), &fresh);
    let half = walked(&mut full, fresh.clone(), 0..5);
    let bytes = |descent: &Descent, net: &Net| {
        descent.checkpoint(net).expect("of this model").into_bytes().expect("it can be written")
    };
    let first = bytes(&full, &half);
    let end = flat(&walked(&mut full, half, 5..30));
    let mut small = descent(adamw().keep_all(Store::int8()).expect("it is allowed"), &fresh);
    let read = Checkpoint::from_bytes(first).expect("it can be read");
    let net = read.restore_changed(&mut small, &fresh).expect("it fits");
    let second = bytes(&small, &net);
    let net = flat(&walked(&mut small, net, 5..30));
    let way = distance(&end, &flat(&fresh));
    assert!(distance(&net, &end) < 0.1 * way, "{} of {way}", distance(&net, &end));
    let mut back = descent(adamw(), &fresh);
    let read = Checkpoint::from_bytes(second).expect("it can be read");
    let net = read.restore_changed(&mut back, &fresh).expect("it fits");
    let net = flat(&walked(&mut back, net, 5..30));
    assert!(distance(&net, &end) < 0.1 * way);
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn the_plan_says_what_is_kept() {
    let fresh = net(&Device::default(), DType::F32);
    let of = |optimizer: Fused| {
        let descent = descent(optimizer, &fresh);
        let lines = descent.plan().lines.iter();
        lines.map(|line| line.state_bytes.expect("it is ours")).collect::<Vec<_>>()
    };
    let rest = [2 * 4 * 64, 2 * 4 * 64, 2 * 4];
    let with = |weight: usize| [&[weight], &rest[..]].concat();
    assert_eq!(of(adamw()), with(8 * 5120));
    let keep = |store: Store| adamw().keep_all(store).expect("it is allowed");
    assert_eq!(of(keep(Store::Bf16(Rounding::Stochastic))), with(4 * 5120));
    assert_eq!(of(keep(Store::int8())), with(2 * (5120 + 4 * 20)));
    let one = adamw().keep("v", Store::dynamic8()).expect("it is there");
    assert_eq!(of(one), with(4 * 5120 + 5120 + 4 * 20));
    let all = keep(Store::int8()).keep_small(0);
    assert_eq!(of(all)[1..], [2 * (64 + 4), 2 * (64 + 4), 2 * (4 + 4)]);
    // A name may be that of a state of Muon, of its auxiliary rule, or of both.
    let muon = || Muon::new().build().expect("defaults are allowed").keep_small(0);
    let muon = |name: &str| of(muon().keep(name, Store::int8()).expect("it is there"));
    assert_eq!(muon("m"), [5120 + 4 * 20, 4 * 64 + 64 + 4, 4 * 64 + 64 + 4, 4 + 4 + 4]);
    assert_eq!(muon("v"), [4 * 5120, 4 * 64 + 64 + 4, 4 * 64 + 64 + 4, 4 + 4 + 4]);
    // A matrix of Muon, and vectors of its auxiliary AdamW.
    let muon = Muon::new().build().expect("defaults are allowed");
    let muon = muon.keep_all(Store::int8()).expect("it is allowed");
    assert_eq!(of(muon), with(5120 + 4 * 20));
}

#[test]
fn threads_change_no_bit() {
    for store in stores() {
        let walk = |threads| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                let optimizer = adamw().keep_all(store).expect("it is allowed");
                let x = || Tensor::<1>::from_data(&*floats(1), &Device::default());
                let mut at = (x(), optimizer.start_as(&x(), Place::default()));
                for step in 2..4 {
                    let gradient = Tensor::from_data(&*floats(step), &Device::default());
                    at.0 = optimizer.advance(1e-3, at.0, gradient, &mut at.1).expect("a good step");
                }
                (bits(&at.0), at.1.tensors())
            })
        };
        assert!(walk(1) == walk(3), "{store}");
    }
}

fn floats(seed: u64) -> Vec<f32> {
    numbers(seed, 300_007).into_iter().map(|x| x as f32).collect()
}

#[test]
fn a_clone_of_the_model_and_of_the_walk_is_another() {
    let fresh = net(&Device::default(), DType::F32);
    let optimizer = adamw().keep_all(Store::int8()).expect("it is allowed");
    let mut one = descent(optimizer.clone(), &fresh);
    let half = walked(&mut one, fresh.clone(), 0..3);
    let copy = half.clone();
    let before = flat(&copy);
    let state = |net: &Net| {
        let mut walk = descent(optimizer.clone(), &fresh);
        let bytes = one.checkpoint(&half).expect("of this model").into_bytes().expect("bytes");
        let read = Checkpoint::from_bytes(bytes).expect("it can be read");
        let net = read.restore(&mut walk, net).expect("it fits");
        (walk, net)
    };
    let (mut other, other_net) = state(&fresh);
    let end = walked(&mut one, half.clone(), 3..6);
    assert_eq!(flat(&copy), before, "the clone of the model has changed");
    assert_eq!(flat(&walked(&mut other, other_net, 3..6)), flat(&end));
}

#[derive(Module, Debug)]
struct Two {
    a: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
}

/// A parameter that a model holds twice has one state, which meets the sum of both gradients.
#[test]
fn tied_weights_have_one_state() {
    for (device, store) in
        cpus().flat_map(|device| stores().into_iter().map(move |s| (device.clone(), s)))
    {
        let device = device.autodiff();
        let fresh = || {
            let w = Tensor::from_data(&*floats(3)[..8192].to_vec(), &device).require_grad();
            Param::from_tensor(w)
        };
        let optimizer = adamw().keep_all(store).expect("it is allowed");
        let walk = |mut net: Two| {
            let builder = Descent::builder(optimizer.clone()).lr(1e-2);
            let mut descent = builder.build(&net).expect("it fits");
            let bytes = descent.plan().state_bytes();
            for step in 0..10 {
                let x = Tensor::<1>::from_data(&*floats(step)[..8192].to_vec(), &device);
                let loss = (net.a.val() * x.clone()).square().sum() + (net.b.val() * x).sum();
                net = descent.step(net, loss.backward()).expect("a good step").0;
            }
            (values(&net.a.val()), values(&net.b.val()), bytes)
        };
        let w = fresh();
        let (a, b, bytes) = walk(Two { a: w.clone(), b: w });
        assert_eq!(a, b, "{store}");

        // The same by one parameter in one place, and a frozen one.
        let (mut w, mut state) =
            (fresh().val().inner(), optimizer.start_as(&fresh().val().inner(), Place::default()));
        for step in 0..10 {
            let x = Tensor::<1>::from_data(
                &*floats(step)[..8192].to_vec(),
                &device.clone().without_autodiff(),
            );
            let gradient = w.clone() * x.clone() * x.clone() * 2.0 + x;
            w = optimizer.advance(1e-2, w, gradient, &mut state).expect("a good step");
        }
        let apart = distance(&a, &values(&w));
        let way = distance(&a, &values(&fresh().val()));
        assert!(apart < 0.02 * way, "{store}: {apart} of {way}");
        let once = optimizer.look(&w.shape(), w.dtype(), Place::default()).bytes;
        assert_eq!(bytes, once, "{store}");
    }
}

/// An average in two bytes is right on average if it is rounded by chance, goes on from a checkpoint bit for bit, and stands
/// still if it is rounded to the nearest.
#[test]
fn an_average_may_be_kept_in_two_bytes() {
    let device = Device::flex().autodiff();
    let ones = Tensor::full([4096], 1.0, &device).require_grad();
    let first = One { w: Param::from_tensor(ones) };
    let fresh = || first.clone();
    let sgd = || Sgd::new().build().expect("defaults are allowed");
    let build = |store: Store, net: &One| {
        let builder = Descent::builder(sgd()).lr(1e-4).average(Ema::new(0.99));
        builder.keep_average(store).build(net).expect("it fits")
    };
    let walk = |descent: &mut Descent, mut net: One, steps: usize| {
        for _ in 0..steps {
            net = descent.step(net.clone(), net.w.val().sum().backward()).expect("a good step").0;
        }
        net
    };
    let average = |descent: &Descent, net: &One| values(&descent.evaluate(net).w.val());
    let end = |store: Store| {
        let mut descent = build(store, &fresh());
        let net = walk(&mut descent, fresh(), 600);
        let average = average(&descent, &net);
        average.iter().sum::<f64>() / average.len() as f64
    };
    let by_chance = Store::Bf16(Rounding::Stochastic);
    let exact = end(Store::F32);
    assert!((end(by_chance) - exact).abs() < 1e-3, "{} {exact}", end(by_chance));
    assert!((end(Store::Bf16(Rounding::Nearest)) - exact).abs() > 1e-2, "it has moved");

    let mut whole = build(by_chance, &fresh());
    let net = walk(&mut whole, fresh(), 30);
    let bytes = whole.checkpoint(&net).expect("of this model").into_bytes().expect("bytes");
    let net = walk(&mut whole, net, 30);
    let read = || Checkpoint::from_bytes(bytes.clone()).expect("it can be read");
    let mut again = build(by_chance, &fresh());
    let resumed = read().restore(&mut again, &fresh()).expect("it fits");
    let resumed = walk(&mut again, resumed, 30);
    assert_eq!(average(&again, &resumed), average(&whole, &net));
    let mut other = build(Store::F32, &fresh());
    let error = read().restore(&mut other, &fresh()).expect_err("it is kept otherwise");
    assert!(error.to_string().contains("keep_average"), "{error}");
    read().restore_changed(&mut other, &fresh()).expect("it can be kept otherwise");

    let builder = Descent::builder(sgd()).lr(1e-4).average(Ema::new(0.99));
    let error = builder.keep_average(Store::int8()).build(&fresh()).expect_err("it stands still");
    assert!(error.to_string().contains("bf16-stochastic"), "{error}");
}

#[derive(Module, Debug)]
struct One {
    w: Param<Tensor<1>>,
}

#[test]
fn weights_of_two_bytes_learn() {
    for weights in [Weights::Stochastic, Weights::Kahan, Weights::Split] {
        let fresh = net(&Device::flex(), DType::BF16);
        let start = || fresh.clone();
        let build = |net: &Net| descent(adamw().keep_weights(weights), net);
        let mut walk = build(&start());
        let net = walked(&mut walk, start(), 0..6);
        let bytes = walk.checkpoint(&net).expect("of this model").into_bytes().expect("bytes");
        let end = walked(&mut walk, net, 6..9);
        let mut again = build(&fresh);
        let read = Checkpoint::from_bytes(bytes).expect("it can be read");
        let net = read.restore(&mut again, &fresh).expect("it fits");
        assert_eq!(flat(&walked(&mut again, net, 6..9)), flat(&end), "{weights}");
    }
}

/// A split weight in bf16 goes exactly the way of one in f32 that meets the same gradients.
#[test]
fn split_weights_are_those_of_f32() {
    for row in ["adamw", "lion", "adan", "sgd", "lamb", "adafactor"] {
        let optimizer = registry::find(row).expect("a name").build(&[]).expect("defaults");
        let half = optimizer.clone().keep_weights(Weights::Split);
        let device = Device::flex();
        let of = |dtype| {
            let data = TensorData::new(numbers(1, 5120), [80, 64]);
            Tensor::<2>::from_data(data, (&device, DType::BF16)).cast(dtype)
        };
        let (mut x, mut y) = (of(DType::BF16), of(DType::F32));
        let mut states = (half.start_as(&x, Place::default()), optimizer.start(&y));
        for step in 2..20 {
            let data = TensorData::new(numbers(step, 5120), [80, 64]);
            let gradient = Tensor::<2>::from_data(data, (&device, DType::BF16));
            let wide = gradient.clone().cast(DType::F32);
            x = half.advance(1e-3, x, gradient, &mut states.0).expect("a good step");
            y = optimizer.advance(1e-3, y, wide, &mut states.1).expect("a good step");
        }
        assert_eq!(values(&x), values(&y.cast(DType::BF16)), "{row}");
        assert_eq!(states.0.tensors(), states.1.tensors(), "{row}");
    }
}

/// A record of burn's may hold anything under the name of a state.
#[test]
fn a_record_with_other_types_is_read_or_refused() {
    let x = || Tensor::<1>::ones([8192], &Device::flex());
    for optimizer in [adamw(), adamw().keep_all(Store::int8()).expect("it is allowed")] {
        let mut state = optimizer.start(&x());
        optimizer.advance(0.1, x(), x(), &mut state).expect("a good step");
        let mut sink = StateSink::default();
        state.state_flatten("p", &mut sink);
        for other in [DType::I32, DType::F32, DType::F64, DType::I64] {
            for store in [None, Some(0), Some(4 | 256 << 16), Some(77)] {
                let mut scalars: std::collections::BTreeMap<_, _> =
                    sink.scalars.iter().cloned().collect();
                if let Some(store) = store {
                    scalars.insert("p.store.0".into(), Scalar::UInt(store));
                    scalars.insert("p.store.5".into(), Scalar::UInt(store));
                }
                let mut source = StateSource::new(scalars);
                for (name, data) in &sink.tensors {
                    source.insert_tensor(name.clone(), data.clone().convert_dtype(other));
                }
                let read = FusedState::state_unflatten("p", &mut source, &Device::flex());
                let mut read = read.expect("a state is never lost");
                read.tensors();
                let _ = optimizer.advance(0.1, x(), x(), &mut read);
            }
        }
    }
}

#[test]
fn what_cannot_be_kept_is_refused_by_name() {
    let error = adamw().keep("w", Store::int8()).unwrap_err().to_string();
    assert!(error.contains("`w`") || error.contains("keep = w"), "{error}");
    assert!(error.contains("m, v"), "{error}");
    let error = adamw().keep_all(Store::Int8 { block: 48 }).unwrap_err().to_string();
    assert!(error.contains("power of two from 32 to 512"), "{error}");
    let error = Sgd::new().build().unwrap().keep("b", Store::int8()).unwrap_err().to_string();
    assert!(error.contains("no state"), "{error}");
    let cocob = registry::build("cocob", &[]).unwrap();
    assert!(cocob.keep_all(Store::F16).unwrap_err().to_string().contains("begins"));
    let model = net(&Device::flex(), DType::F16);
    let split = adamw().keep_weights(Weights::Split);
    let error = Descent::builder(split).lr(1e-3).build(&model).expect_err("f16 is not split");
    assert!(error.to_string().contains("kahan"), "{error}");
}

/// With equal steps in eight bits a small second moment is 0, and Adam's step beside it many times too long. With a map it
/// is not.
#[test]
fn small_second_moments_are_not_zero() {
    const STEPS: u64 = 300;
    const LR: f64 = 1e-3;
    // One gradient is large, the others a thousandth.
    let gradient = |i: usize| if i.is_multiple_of(256) { 1.0 } else { 1e-3 };
    let numbers: Vec<f32> = (0..4096).map(|i| gradient(i) as f32).collect();
    let way = |optimizer: &Fused| {
        let mut x = Tensor::<1>::zeros([4096], &Device::default());
        let mut state = optimizer.start(&x);
        for _ in 0..STEPS {
            let gradient = Tensor::from_data(&*numbers, &Device::default());
            x = optimizer.advance(LR, x, gradient, &mut state).expect("a good step");
        }
        values(&x).into_iter().fold(0.0_f64, |most, x| most.max(x.abs()))
    };
    let full = way(&adamw());
    for store in [Store::int8(), Store::dynamic8()] {
        let most = way(&adamw().keep_all(store).expect("it is allowed"));
        assert!(most < 1.2 * full, "{store}: {most}, {full} in f32");
    }
    // The same with 255 equal steps up to the largest number of a block, which here is that of the large gradient.
    let (mut large, mut small, mut x) = (0.0_f64, 0.0_f64, 0.0_f64);
    for t in 1..=STEPS {
        large = 0.999 * large + 0.001;
        let v = 0.999 * small + 0.001 * 1e-6;
        let v_hat = v / (1.0 - 0.999_f64.powi(t as i32));
        x += LR * 1e-3 / (v_hat.sqrt() + 1e-8);
        small = (v / large * 255.0).round() / 255.0 * large;
    }
    assert!(x > 3.0 * full, "{x} with equal steps, {full} in f32");
}

/// bitsandbytes' own numbers, through a state that becomes the gradient in the first step.
#[test]
fn the_dynamic_map_is_that_of_bitsandbytes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let file = File::open(file.join("bitsandbytes__dynamic_map_matrix.json.gz")).expect("a file");
    let json: serde_json::Value = serde_json::from_reader(GzDecoder::new(file)).expect("JSON");
    let case = &json["cases"][0];
    assert_eq!(case["signed"], true);
    let list = |key: &str| -> Vec<f64> {
        case[key]
            .as_array()
            .expect("a list")
            .iter()
            .map(|x| x.as_f64().expect("a number"))
            .collect()
    };
    let momentum = Sgd::new().momentum(0.9).build().expect("it is allowed").keep_small(0);
    let momentum = momentum.keep_all(Store::dynamic8()).expect("it is allowed");
    let x = list("x");
    let gradient =
        Tensor::<1>::from_data(TensorData::new(x.clone(), [x.len()]), &Device::default());
    let mut state = momentum.start(&gradient);
    let zeros = gradient.zeros_like();
    momentum.advance(0.0, zeros, gradient, &mut state).expect("a good step");
    let found: Vec<f64> = state.tensors()[0].iter::<f64>().collect();
    let expected = list("dequantized");
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-6 * expected.abs(), "{found} {expected}");
    }
}

/// Numbers of all sizes, and odd ones.
fn odd_numbers(count: usize) -> Vec<f32> {
    let odd = [0.0, -0.0, 1.0, -1.0, 65504.0, 65519.0, 65520.0, 6e-8, 2.9e-8, 3e-8, -6.2e-5, 1e-30];
    let sizes = (0..).map(|i| 10_f64.powi(i / 256 % 9 - 6));
    let all = numbers(5, count).into_iter().zip(sizes).map(|(x, size)| (x * size) as f32);
    odd.into_iter().chain(all).take(count).collect()
}

/// A momentum is the gradient after the first step, and the sum of AdaGrad its square: what each device keeps of them are
/// the numbers that the CPU keeps.
#[test]
fn every_device_keeps_the_same_numbers() {
    let momentum = Sgd::new().momentum(0.9).build().expect("it is allowed");
    let squares = AdaGrad::new().build().expect("defaults are allowed");
    let lengths = [1, 7, 510, 512, 1023, 4096, 70_001];
    for (there, device) in gpus() {
        for (optimizer, length) in lengths.iter().flat_map(|l| [(&momentum, *l), (&squares, *l)]) {
            for store in stores() {
                let kept = optimizer.clone().keep_small(0).keep_all(store).expect("it is allowed");
                let on = |device: &Device| {
                    let gradient = Tensor::<1>::from_data(&*odd_numbers(length), device);
                    let mut state = kept.start_as(&gradient, Place::default());
                    let zeros = gradient.zeros_like();
                    kept.advance(0.1, zeros, gradient, &mut state).expect("a good step");
                    state.tensors().remove(0).iter::<f32>().collect::<Vec<_>>()
                };
                let (expected, found) = (on(&Device::flex()), on(&device));
                let what = format!("{store} of {length} numbers on {there}");
                assert_same_numbers(&what, store, &expected, &found);
            }
        }
    }
}

/// The same numbers; of a code that follows from a quotient a few may be the next one.
fn assert_same_numbers(what: &str, store: Store, expected: &[f32], found: &[f32]) {
    assert_eq!(expected.len(), found.len(), "{what}");
    let differ =
        |(x, y): &(&f32, &f32)| x.to_bits() != y.to_bits() && (*x - *y).abs() > 1e-6 * x.abs();
    let differing: Vec<_> = expected.iter().zip(found).filter(differ).collect();
    let most = match store {
        Store::Int8 { .. } | Store::Dynamic8 { .. } => expected.len() / 500,
        _ => 0,
    };
    let shown = &differing[..differing.len().min(4)];
    assert!(differing.len() <= most, "{what}: {} differ, as {shown:?}", differing.len());
    for (x, y) in differing {
        assert!((x - y).abs() <= 0.2 * x.abs().max(y.abs()), "{what}: {x} {y}");
    }
}

/// Weights of two bytes go the way of those on the CPU, on each device that has their type.
#[test]
fn every_device_keeps_the_same_weights() {
    let sgd = Sgd::new().build().expect("defaults are allowed");
    for (there, device) in gpus() {
        for dtype in [DType::BF16, DType::F16] {
            for weights in [Weights::Stochastic, Weights::Kahan, Weights::Split] {
                let kept = sgd.clone().keep_weights(weights);
                if !device.supports_dtype(dtype) || kept.check_in(dtype).is_err() {
                    continue;
                }
                for length in [1, 7, 4096, 10_003] {
                    let on = |device: &Device| {
                        let of = |seed: u64| {
                            let data = TensorData::new(numbers(seed, length), [length]);
                            Tensor::<1>::from_data(data, (device, dtype))
                        };
                        let (mut x, mut state) = (of(1), kept.start_as(&of(1), Place::default()));
                        for step in 2..8 {
                            x = kept.advance(2e-3, x, of(step), &mut state).expect("a good step");
                        }
                        values(&x)
                    };
                    let what = format!("{weights} of {length} in {dtype:?} on {there}");
                    // A product and a sum may be rounded together, so one of many may be another.
                    let (expected, found) = (on(&Device::flex()), on(&device));
                    let differing = expected.iter().zip(&found).filter(|(x, y)| x != y).count();
                    assert!(differing <= length / 200, "{what}: {differing} differ");
                }
            }
        }
    }
}

#[test]
fn a_mismatch_names_the_store() {
    let fresh = net(&Device::default(), DType::F32);
    let mut one = descent(adamw().keep("m", Store::F16).expect("it is there"), &fresh);
    let half = walked(&mut one, fresh.clone(), 0..1);
    let bytes = one.checkpoint(&half).expect("of this model").into_bytes().expect("bytes");
    let mut other = descent(adamw().keep("m", Store::int8()).expect("it is there"), &fresh);
    let error = Checkpoint::from_bytes(bytes).expect("it can be read").restore(&mut other, &fresh);
    let burn_descent::CheckpointError::Misfit(misfit) = error.expect_err("it is another") else {
        panic!("it is a misfit")
    };
    let option = |mismatch: &&Mismatch| {
        matches!(mismatch, Mismatch::Option { option, saved, now }
        if option.ends_with("keep.m") && saved == "f16" && now == "int8")
    };
    assert_eq!(misfit.iter().filter(option).count(), 1, "{misfit:?}");
}

#[test]
fn a_stochastic_weight_goes_the_right_way_on_average() {
    let device = Device::flex();
    let sgd = Sgd::new().build().expect("defaults are allowed").keep_weights(Weights::Stochastic);
    let mut ends = Vec::new();
    for stream in 0..1000 {
        let ones = Tensor::<1>::full([8], 1.0, (&device, DType::BF16));
        let place = Place { stream, ..Place::default() };
        let (mut x, mut state) = (ones.clone(), sgd.start_as(&ones, place));
        for _ in 0..50 {
            x = sgd.advance(1e-4, x, ones.clone(), &mut state).expect("a good step");
        }
        ends.extend(values(&x));
    }
    let mean = ends.iter().sum::<f64>() / ends.len() as f64;
    let variance = ends.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / ends.len() as f64;
    let error = (variance / ends.len() as f64).sqrt();
    assert!((mean - 0.995).abs() < 3.0 * error, "{mean}, give or take {error}");
}

/// How far from its walk in f32 each rule ends after 200 steps down random gradients, as a share of the way: no further than
/// docs/stores.csv says, which `BURN_DESCENT_BLESS=1` writes anew. Rules of whole matrices take two minutes: they are walked
/// for that, and with `BURN_DESCENT_ALL=1`.
#[test]
fn every_rule_stays_near_its_walk_in_f32() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/stores.csv");
    let names: Vec<String> = stores().iter().map(Store::to_string).collect();
    let built = |row: &'static registry::Row| {
        let optimizer = row.build(&[]).expect("defaults are allowed").keep_small(0);
        optimizer.keeps_elements().then_some((row, optimizer))
    };
    let rows: Vec<_> = registry::ROWS.iter().filter_map(built).collect();
    let all = matches!(Selection::of_environment(&[]), Selection::All);
    let found: Vec<_> = std::thread::scope(|scope| {
        let apart = |(row, optimizer): &(&'static registry::Row, Fused)| {
            let (name, lr, optimizer) = (row.name, row.lr, optimizer.clone());
            let is_walked = all || !optimizer.sees_whole();
            scope.spawn(move || (name, is_walked.then(|| apart(&optimizer, lr))))
        };
        let each: Vec<_> = rows.iter().map(apart).collect();
        each.into_iter().map(|one| one.join().expect("a good walk")).collect()
    });
    if blessing() {
        let line = |(name, apart): &(&str, Option<Vec<Option<f64>>>)| {
            let share = |share: &Option<f64>| share.map_or("-".into(), |x| format!("{x:.4}"));
            format!("{name},{}\n", apart.iter().flatten().map(share).collect::<Vec<_>>().join(","))
        };
        let text: String = found.iter().map(line).collect();
        fs::write(&path, format!("optimizer,{}\n{text}", names.join(","))).expect("a file");
    }
    let text = fs::read_to_string(&path).expect("docs/stores.csv");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(&*format!("optimizer,{}", names.join(","))));
    for (name, apart) in &found {
        let line: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
        assert_eq!(line.first(), Some(name), "docs/stores.csv has another optimizer here");
        for ((store, stated), apart) in names.iter().zip(&line[1..]).zip(apart.iter().flatten()) {
            let stated: Option<f64> = stated.parse().ok();
            let holds = match (apart, stated) {
                (Some(apart), Some(stated)) => *apart <= 1.2 * stated + 0.002,
                (apart, stated) => apart.is_none() && stated.is_none(),
            };
            assert!(holds, "{name} in {store}: {apart:?}, stated {stated:?}");
        }
    }
    assert_eq!(lines.next(), None);
}

/// That share, store by store; `None` where the rule cannot be kept so.
fn apart(optimizer: &Fused, lr: f64) -> Vec<Option<f64>> {
    const SHAPE: [usize; 2] = [48, 33];
    let tensor = |seed| {
        let data = TensorData::new(numbers(seed, SHAPE[0] * SHAPE[1]), SHAPE);
        Tensor::<2>::from_data(data, (&Device::flex(), DType::F32))
    };
    let ends = |optimizer: &Fused| {
        let param = Param::from_tensor(tensor(1).autodiff().require_grad());
        let (id, mut model) = (param.id, Model { tensors: vec![param] });
        let mut descent =
            Descent::builder(optimizer.clone()).lr(lr).build(&model).expect("it is allowed");
        for step in 2..202 {
            let mut gradients = GradientsParams::new();
            gradients.register(id, tensor(step));
            let batch = Batch::new().loss(1.0);
            let stepped = descent.step_weighted(model, gradients, batch);
            model = stepped.expect("a good step").0;
        }
        values(&model.tensors[0].val().inner())
    };
    let full = ends(optimizer);
    let way = distance(&full, &values(&tensor(1)));
    let share = |store| {
        let kept = optimizer.clone().keep_all(store).ok()?;
        Some(distance(&ends(&kept), &full) / way)
    };
    stores().into_iter().map(share).collect()
}
