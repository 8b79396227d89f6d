//! Runs of PyTorch are taken up, and go on as PyTorch goes on.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::{
    Adam, AdamW, Build, Builder, Checkpoint, Descent, Fused, Group, Lion, Muon, PyTorchError,
    PyTorchMismatch, PyTorchRun, Select, Sgd, Store, Trainer,
};
use burn_descent_rules::Auxiliary;
use burn_descent_tests::devices;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// That of fixtures/pytorch/make.py.
#[derive(Module, Debug)]
struct Net {
    conv: Conv2d,
    norm: LayerNorm,
    hidden: Linear,
    head: Linear,
}

struct Cast(DType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| Tensor::from_inner(tensor.inner().cast(self.0)).require_grad())
    }
}

impl Net {
    fn new(device: &Device, outputs: usize) -> Self {
        let device = &device.clone().autodiff();
        let net = Self {
            conv: Conv2dConfig::new([1, 2], [3, 3]).init(device),
            norm: LayerNormConfig::new(8).init(device),
            hidden: LinearConfig::new(8, 6).init(device),
            head: LinearConfig::new(6, outputs).init(device),
        };
        net.map(&mut Cast(DType::F64))
    }

    fn loss(&self, x: Tensor<4>, y: Tensor<2>) -> Tensor<1> {
        let x = self.norm.forward(self.conv.forward(x).tanh().flatten::<2>(1, 3));
        (self.head.forward(self.hidden.forward(x).tanh()) - y).square().mean()
    }

    /// By PyTorch's names, and in its layout.
    fn weights(&self) -> BTreeMap<&'static str, Vec<f64>> {
        fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
            tensor.into_data().iter().collect()
        }
        let bias = |bias: &Option<Param<Tensor<1>>>| numbers(bias.as_ref().expect("one").val());
        BTreeMap::from([
            ("conv.weight", numbers(self.conv.weight.val())),
            ("conv.bias", bias(&self.conv.bias)),
            ("norm.weight", numbers(self.norm.gamma.val())),
            ("norm.bias", bias(&self.norm.beta)),
            ("hidden.weight", numbers(self.hidden.weight.val().transpose())),
            ("hidden.bias", bias(&self.hidden.bias)),
            ("head.weight", numbers(self.head.weight.val().transpose())),
            ("head.bias", bias(&self.head.bias)),
        ])
    }
}

fn built(optimizer: impl Build) -> Fused {
    optimizer.build().expect("allowed options")
}

fn adamw() -> AdamW {
    AdamW::new().beta1(0.8).beta2(0.95)
}

fn lr(optimizer: impl Build, lr: f64) -> Builder {
    Descent::builder(built(optimizer)).lr(lr)
}

/// The optimizers of make.py.
fn builder(name: &str) -> Builder {
    match name {
        "adam" => lr(Adam::new().amsgrad(true).weight_decay(0.01), 0.01),
        "adamw" => lr(adamw(), 0.01),
        "sgd" => lr(Sgd::new().momentum(0.9).dampening(0.1), 0.05),
        // The head, norms and biases are left to the auxiliary AdamW; PyTorch's Muon takes no kernels.
        "muon" => {
            let kernels = AdamW::new().beta2(0.95).weight_decay(0.0);
            let kernels = Group::new("kernels", Select::rank(4), built(kernels));
            lr(Muon::new().auxiliary(Auxiliary::new().beta2(0.95)), 0.02).group(kernels)
        }
        _ => unreachable!("{name} is not in make.py"),
    }
}

fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pytorch").join(file)
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(fixture(&format!("{name}.safetensors"))).expect("the fixture")
}

fn after() -> Value {
    let text = std::fs::read_to_string(fixture("after.json")).expect("the fixture");
    serde_json::from_str(&text).expect("JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().expect("a list").iter();
    numbers.map(|number| number.as_f64().expect("a number")).collect()
}

#[track_caller]
fn close(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (ours, theirs) in ours.iter().zip(theirs) {
        let far = (ours - theirs).abs();
        assert!(far <= 1e-9 * theirs.abs().max(1.0), "{what}: {ours} here, {theirs} in PyTorch");
    }
}

#[test]
fn the_next_steps_are_those_of_pytorch() {
    let after = after();
    let all = devices::all().into_iter().filter_map(|entry| entry.device.ok());
    let wide = all.filter(|device| device.supports_dtype(DType::F64)).collect::<Vec<_>>();
    assert!(!wide.is_empty(), "a device with f64");
    for device in wide {
        for name in ["adam", "adamw", "sgd", "muon"] {
            let net = Net::new(&device, 3);
            let mut trainer =
                Trainer::new(net.clone(), builder(name).build(&net).expect("it fits"));
            let run = PyTorchRun::open(fixture(&format!("{name}.safetensors"))).expect("a run");
            let checkpoint = run.into_checkpoint(trainer.descent(), trainer.model());
            trainer.restore(checkpoint.expect("it fits")).expect("it fits");
            assert_eq!(trainer.descent().steps(), 5);
            let options = (&device.clone().autodiff(), DType::F64);
            let data = |key: &str| TensorData::from(&*numbers(&after[key]));
            let x = Tensor::<1>::from_data(data("x"), options).reshape([5, 1, 4, 4]);
            let y = Tensor::<1>::from_data(data("y"), options).reshape([5, 3]);
            for theirs in numbers(&after[name]["losses"]) {
                let loss = trainer.model().loss(x.clone(), y.clone());
                close(name, &[loss.clone().into_scalar::<f64>()], &[theirs]);
                trainer.step(loss.backward()).expect("a good step");
            }
            for (parameter, ours) in trainer.model().weights() {
                let theirs = numbers(&after[name]["weights"][parameter]);
                close(&format!("{name}, {parameter}"), &ours, &theirs);
            }
        }
    }
}

/// The tensors of a file: their types, shapes and bytes.
type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// The file of AdamW, changed.
fn forged(change: impl FnOnce(&mut Tensors)) -> Vec<u8> {
    let bytes = file("adamw");
    let read = SafeTensors::deserialize(&bytes).expect("a file of PyTorch");
    let tensor = |(name, view): (String, TensorView<'_>)| {
        (name, (view.dtype(), view.shape().to_vec(), view.data().to_vec()))
    };
    let mut tensors: Tensors = read.tensors().into_iter().map(tensor).collect();
    change(&mut tensors);
    let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
        (name, TensorView::new(*dtype, shape.clone(), bytes).expect("a tensor"))
    });
    serialize(views, None).expect("a file")
}

fn scalar(number: f32) -> (Dtype, Vec<usize>, Vec<u8>) {
    (Dtype::F32, vec![], number.to_le_bytes().to_vec())
}

/// What a file is refused for, and nothing has changed.
#[track_caller]
fn refused(bytes: Vec<u8>, builder: Builder, net: &Net) -> PyTorchError {
    let before = net.weights();
    let descent = builder.build(net).expect("it fits");
    let run = PyTorchRun::from_bytes(bytes);
    let error = run.and_then(|run| run.into_checkpoint(&descent, net)).expect_err("a bad file");
    assert_eq!((net.weights(), descent.steps()), (before, 0));
    error
}

/// The same, with the list of what does not fit.
#[track_caller]
fn misfits(bytes: Vec<u8>, builder: Builder, net: &Net) -> Vec<PyTorchMismatch> {
    match refused(bytes, builder, net) {
        PyTorchError::Misfit(mismatches) => mismatches,
        other => panic!("{other}"),
    }
}

fn net() -> Net {
    Net::new(&Device::default(), 3)
}

#[test]
fn a_file_that_was_cut_off_is_refused_wherever_it_was_cut() {
    let bytes = file("adamw");
    for length in 0..bytes.len() {
        let error = PyTorchRun::from_bytes(bytes[..length].to_vec()).expect_err("cut off");
        assert!(matches!(error, PyTorchError::Format(_)), "{length} bytes: {error}");
    }
    let missing = PyTorchRun::open(fixture("nobody.safetensors")).expect_err("it is not there");
    assert!(
        matches!(&missing, PyTorchError::File { path, .. } if path.ends_with("nobody.safetensors"))
    );
}

#[test]
fn a_file_of_another_layout_is_refused_by_name() {
    let named = |name: &str| forged(|tensors| drop(tensors.insert(name.into(), scalar(1.0))));
    let error = refused(named("exp_avg.conv.weight"), builder("adamw"), &net());
    assert_eq!(error, PyTorchError::Name { name: "exp_avg.conv.weight".into() });
    let steps = |number| forged(|tensors| drop(tensors.insert("steps".into(), scalar(number))));
    for bad in [-1.0, 0.5, f32::NAN, f32::INFINITY] {
        assert_eq!(refused(steps(bad), builder("adamw"), &net()), PyTorchError::Steps);
    }
    let none = forged(|tensors| drop(tensors.remove("steps")));
    assert_eq!(refused(none, builder("adamw"), &net()), PyTorchError::Steps);
}

#[test]
fn what_is_missing_is_named() {
    let without = |name: &str| forged(|tensors| drop(tensors.remove(name)));
    let found = misfits(without("weights/hidden.weight"), builder("adamw"), &net());
    let parameter = "hidden.weight".to_owned();
    assert_eq!(found[0], PyTorchMismatch::Weights { parameter });
    let found = misfits(without("exp_avg_sq/norm.weight"), builder("adamw"), &net());
    let (tensor, optimizer) = ("exp_avg_sq/norm.weight".to_owned(), "adamw".to_owned());
    assert_eq!(found, [PyTorchMismatch::State { tensor, optimizer }]);
}

#[test]
fn another_shape_is_named_in_the_layout_of_burn() {
    let found = misfits(file("adamw"), builder("adamw"), &Net::new(&Device::default(), 4));
    let expected = PyTorchMismatch::Shape {
        tensor: "exp_avg/head.weight".into(),
        found: [6, 3].into(),
        expected: [6, 4].into(),
    };
    assert!(found.contains(&expected), "{found:?}");
    // Weights and both moments of the matrix and of the bias.
    assert_eq!(found.len(), 6, "{found:?}");
}

#[test]
fn what_nothing_takes_is_named() {
    // Momentum of SGD is none of AdamW's states, and the other way round.
    let text = refused(file("sgd"), builder("adamw"), &net()).to_string();
    assert!(text.contains("it has no `exp_avg/conv.weight`, which adamw needs"), "{text}");
    let found = misfits(file("adamw"), builder("sgd"), &net());
    let of = |tensor: &str| {
        let is_it = |found: &&PyTorchMismatch| matches!(found, PyTorchMismatch::Unused { tensor: unused, .. } if unused == tensor);
        found.iter().find(is_it).map(ToString::to_string)
    };
    let expected = "nothing takes `exp_avg/conv.weight`: it is no state of sgd, which steps `conv.weight` here";
    assert_eq!(of("exp_avg/conv.weight").as_deref(), Some(expected));
    let more = forged(|tensors| {
        tensors.insert("weights/tail.weight".into(), scalar(1.0));
        // Not refused: burn's norms do not count batches.
        tensors.insert("weights/bn.batches".into(), (Dtype::I64, vec![], vec![0; 8]));
    });
    let found = misfits(more, builder("adamw"), &net());
    let reason = "the model has no parameter `tail.weight`".to_owned();
    assert_eq!(found, [PyTorchMismatch::Unused { tensor: "weights/tail.weight".into(), reason }]);
}

#[test]
fn numbers_of_another_kind_and_impossible_steps_are_named() {
    let integers = |tensors: &mut Tensors| {
        tensors.get_mut("exp_avg/conv.bias").expect("a moment").0 = Dtype::I64;
    };
    let found = misfits(forged(integers), builder("adamw"), &net());
    let tensor = "exp_avg/conv.bias".to_owned();
    let (found_type, expected) = (DType::I64, DType::F64);
    assert_eq!(found, [PyTorchMismatch::Dtype { tensor, found: found_type, expected }]);

    for bad in [6.0, 0.0, 1.5] {
        let step =
            |tensors: &mut Tensors| drop(tensors.insert("step/head.bias".into(), scalar(bad)));
        let found = misfits(forged(step), builder("adamw"), &net());
        let (tensor, parameter) = ("step/head.bias".to_owned(), "head.bias".to_owned());
        assert_eq!(found, [PyTorchMismatch::Steps { tensor, parameter }], "{bad}");
    }
}

#[test]
fn an_optimizer_that_pytorch_has_no_states_of_is_named() {
    let found = misfits(file("adamw"), lr(Lion::new(), 1e-3), &net());
    let of = |parameter: &str| PyTorchMismatch::Optimizer {
        parameter: parameter.into(),
        optimizer: "lion".into(),
    };
    assert_eq!(found.len(), 8, "one a parameter: {found:?}");
    assert!(found.contains(&of("norm.weight")), "{found:?}");
}

#[test]
fn a_parameter_that_was_never_stepped_begins() {
    let bytes = forged(|tensors| {
        tensors.remove("exp_avg/norm.bias");
        tensors.remove("exp_avg_sq/norm.bias");
        tensors.insert("step/norm.bias".into(), scalar(0.0));
    });
    let net = net();
    let descent = builder("adamw").build(&net).expect("it fits");
    let run = PyTorchRun::from_bytes(bytes).expect("a run");
    let checkpoint = run.into_checkpoint(&descent, &net).expect("it fits");
    let mut descent = descent;
    let net = checkpoint.restore(&mut descent, &net).expect("it fits");
    let file = descent.checkpoint(&net).expect("of this model").into_bytes().expect("a file");
    let text = String::from_utf8_lossy(&file);
    assert!(text.contains("state/norm.gamma.m") && !text.contains("state/norm.beta.m"));
}

/// Numbers that count up.
fn tensor(shape: &[usize], from: i32) -> (Dtype, Vec<usize>, Vec<u8>) {
    let count: usize = shape.iter().product();
    let numbers = (from..).take(count).flat_map(|number| (number as f32).to_le_bytes());
    (Dtype::F32, shape.to_vec(), numbers.collect())
}

#[derive(Module, Debug)]
struct Tied {
    decoder: Linear,
    encoder: Linear,
}

/// PyTorch saves tied weights by both names, and their states by the first, which is the second here.
#[test]
fn tied_weights_have_their_states_by_the_name_of_any_place() {
    let device = Device::default().autodiff();
    let linear = || LinearConfig::new(2, 3).with_bias(false).init(&device);
    let (decoder, mut encoder) = (linear(), linear());
    encoder.weight = decoder.weight.clone();
    let tied = Tied { decoder, encoder };
    let bytes = forged(|tensors| {
        *tensors = BTreeMap::from([
            ("steps".into(), scalar(2.0)),
            ("weights/encoder.weight".into(), tensor(&[3, 2], 0)),
            ("weights/decoder.weight".into(), tensor(&[3, 2], 0)),
            ("exp_avg/encoder.weight".into(), tensor(&[3, 2], 10)),
            ("exp_avg_sq/encoder.weight".into(), tensor(&[3, 2], 20)),
            ("step/encoder.weight".into(), scalar(2.0)),
        ]);
    });
    let mut descent = lr(adamw(), 0.01).build(&tied).expect("it fits");
    let run = PyTorchRun::from_bytes(bytes).expect("a run");
    let checkpoint = run.into_checkpoint(&descent, &tied).expect("it fits");
    let restored = checkpoint.restore(&mut descent, &tied).expect("it fits");
    assert_eq!(restored.encoder.weight.id, restored.decoder.weight.id);
    let numbers = restored.encoder.weight.val().into_data().iter::<f32>().collect::<Vec<_>>();
    assert_eq!(numbers, [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    let saved = descent.checkpoint(&restored).expect("of this model").into_bytes();
    assert!(String::from_utf8_lossy(&saved.expect("a file")).contains("state/decoder.weight.m"));
}

#[derive(Module, Debug)]
enum Layer {
    Norm(BatchNorm),
    Dense(Linear),
}

#[derive(Module, Debug)]
struct Layers {
    norm: Layer,
    fc: Layer,
}

/// Running statistics are in PyTorch's file, and the variants of burn's enums are not.
#[test]
fn buffers_and_layers_in_enums_are_found() {
    let device = Device::default().autodiff();
    let layers = Layers {
        norm: Layer::Norm(BatchNormConfig::new(2).init(&device)),
        fc: Layer::Dense(LinearConfig::new(2, 3).with_bias(false).init(&device)),
    };
    let bytes = forged(|tensors| {
        *tensors = BTreeMap::from([
            ("steps".into(), scalar(0.0)),
            ("weights/norm.weight".into(), tensor(&[2], 10)),
            ("weights/norm.bias".into(), tensor(&[2], 20)),
            ("weights/norm.running_mean".into(), tensor(&[2], 30)),
            ("weights/norm.running_var".into(), tensor(&[2], 40)),
            ("weights/norm.num_batches_tracked".into(), (Dtype::I64, vec![], vec![0; 8])),
            ("weights/fc.weight".into(), tensor(&[3, 2], 0)),
        ]);
    });
    let mut descent = lr(adamw(), 0.01).build(&layers).expect("it fits");
    let run = PyTorchRun::from_bytes(bytes).expect("a run");
    let checkpoint = run.into_checkpoint(&descent, &layers).expect("it fits");
    let restored = checkpoint.restore(&mut descent, &layers).expect("it fits");
    let Layers { norm: Layer::Norm(norm), fc: Layer::Dense(fc) } = restored else {
        panic!("the layers are what they were")
    };
    let numbers = |tensor: TensorData| tensor.iter::<f32>().collect::<Vec<_>>();
    assert_eq!(numbers(norm.gamma.val().into_data()), [10.0, 11.0]);
    assert_eq!(numbers(norm.beta.val().into_data()), [20.0, 21.0]);
    assert_eq!(numbers(norm.running_mean.value_sync().into_data()), [30.0, 31.0]);
    assert_eq!(numbers(norm.running_var.value_sync().into_data()), [40.0, 41.0]);
    assert_eq!(numbers(fc.weight.val().into_data()), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
}

/// A checkpoint of a run is one as any other: in a file, for states of fewer bytes, and renamed.
#[test]
fn a_run_is_a_checkpoint() {
    let net = net();
    let adamw = built(adamw()).keep_all(Store::int8()).expect("allowed");
    let mut descent = Descent::builder(adamw).lr(0.01).build(&net).expect("it fits");
    let renamed = forged(|tensors| {
        let old = std::mem::take(tensors).into_iter();
        *tensors = old.map(|(name, tensor)| (name.replace("/hidden.", "/fc."), tensor)).collect();
    });
    let run = PyTorchRun::from_bytes(renamed).expect("a run");
    let twice = run.clone().rename(|name| name.replace("fc.", "head."));
    assert!(matches!(twice, Err(PyTorchError::Renamed { .. })));
    let run = run.rename(|name| name.replace("fc.", "hidden.")).expect("one name each");
    let checkpoint = run.into_checkpoint(&descent, &net).expect("it fits");
    let bytes = checkpoint.into_bytes().expect("a file");
    let net = Checkpoint::from_bytes(bytes).and_then(|file| file.restore(&mut descent, &net));
    let net = net.expect("it fits");
    let x = Tensor::<4>::ones([5, 1, 4, 4], (&Device::default().autodiff(), DType::F64));
    let y = Tensor::<2>::ones([5, 3], (&Device::default().autodiff(), DType::F64));
    let gradients = net.loss(x, y).backward();
    let (_, report) = descent.step(net, gradients).expect("a good step");
    assert_eq!(report.step, 6);
}

/// The book shows the function that the documentation of `PyTorchRun` has, and that made the fixtures.
#[test]
fn the_book_has_the_function_that_writes_the_file() {
    let script = "../crates/burn-descent/src/descent/checkpoint/pytorch/save_run.py";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = std::fs::read_to_string(root.join(script)).expect("the function");
    let chapter = std::fs::read_to_string(root.join("../docs/book/src/checkpoints.md"));
    assert!(chapter.expect("the chapter").contains(&script));
}
